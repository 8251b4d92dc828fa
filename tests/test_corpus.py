"""The articles in ``corpus/`` say whose work they carry, carry all of it, and are worded by us."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "corpus"
ORIGINALS = ROOT.parent / "shared" / "seeds"
"""The five originals are other people's texts, so they are not part of the repository."""

KINDS = {
    "regulator",
    "consensus",
    "systematic-review",
    "meta-analysis",
    "randomised-trial",
    "cohort",
    "case-series",
    "case-report",
    "narrative-review",
    "patient-information",
    "news-report",
    "promotional-web-article",
    "not-stated",
}
RUN = 8
"""Words in a row that count as copied."""

FIVE, WHAT, WHO, HOW, AGEING = (
    "web-five-benefits.md",
    "web-what-it-is-and-recovery.md",
    "web-who-should-and-should-not.md",
    "web-how-it-works.md",
    "web-anti-ageing.md",
)
SOURCE_OF = {
    FIVE: "000_3030a0120097c38f.txt",
    WHAT: "001_3ef78d27d5b01989.txt",
    WHO: "002_1762fefe9415d6c8.txt",
    HOW: "003_8acd39628eb2993b.txt",
    AGEING: "004_1bda8b512ebebe42.txt",
}
ARTICLES = sorted(path.name for path in CORPUS.glob("*.md"))
DIGESTS = [name for name in ARTICLES if name not in SOURCE_OF]

FACTS_OF = {
    FIVE: (
        # opening
        "visible signs of age",
        "a minimally invasive procedure",
        "the body's own power of renewal",
        "in Santa Monica",
        "tiny puncture wounds",
        "prefer microneedling to other invasive ways",
        "The face gains most",
        "on the legs",
        # scars
        "hard to shift with cosmetics",
        "lies deep",
        "breaks scar tissue apart",
        "hydrated, elastic and free of scars",
        "will need several sessions",
        "from burns, from acne and from surgery",
        "See a qualified doctor first",
        # texture
        "With age, the collagen production",
        "elastin and other vital components",
        "unblemished layers from below",
        "breaks up hyperpigmentation",
        "finer, lighter skin tone",
        "among the best methods",
        # sun
        "vitamin D",
        "UV rays dehydrate you",
        "break down collagen",
        "get sunspots",
        "deeper layers on which there are no such spots",
        # pores
        "there are usually blackheads",
        "oil and dirt gather in the hair follicles",
        "shrinking the pores",
        "the skin knits together tightly",
        "open the blackheads",
        # skin types
        "It is safe for all skin types",
        "works very well",
        "without surgical blades, without anaesthesia and without laser guns",
        "a large part of the population",
        "usually makes darker skin sensitive",
        "nothing but prick the skin",
        "some blemishes can point to an illness",
        # close
        "a number of skin conditions",
        "differs from one person to another",
        "sooner in some patients than in others",
        "a medical or aesthetic centre",
        "whether you are suitable",
        "spread to neighbouring areas",
        "tone and texture improve",
    ),
    WHAT: (
        "revolutionary way to renew the skin",
        "more youthful skin",
        "choose between many methods",
        "minimally invasive kind",
        "tiny, sterile needles",
        "controlled micro-injuries",
        "the body's healing response",
        "collagen and elastin, and these essential proteins",
        "structure and elasticity",
        "guides the device gently",
        "face, neck, décolletage and hands",
        "How deep the needles go and how intensely",
        "each person's skin type and particular concerns",
        "minimal discomfort, which most patients find bearable",
        "numbing cream",
        # benefits
        "The benefits of choosing microneedling are many",
        "fill wrinkles, fine lines and scars",
        "smoother and more even",
        "highly effective",
        "stretch marks and the scars left by acne or surgery",
        "a more uniform surface",
        "serums, moisturisers and whatever else",
        "absorbed better",
        "hold moisture again",
        "collagen matrix healthy",
        "glowing, youthful",
        "enlarged pores can shrink",
        # recovery
        "mild redness",
        "slightly sensitive",
        "lightly sunburnt",
        "Within a few days",
        "It is crucial",
        "out of direct sun",
        "gentle products",
        "heal properly and the results to last",
        # safety
        "regarded as safe for most people",
        "vital to have it done by",
        "a dermatologist with a licence",
        "a cosmetic surgeon",
        "a professional trained for it",
        "fitted to your skin type",
        "less risk of complications",
        "results are the best possible",
    ),
    WHO: (
        "formation of collagen is stimulated",
        "tiny, sterile needles",
        "smoother, firmer and better toned",
        "wrinkles, scars and acne may look better",
        "laser specialist in Newport Beach",
        "one of the less invasive skin treatments",
        "small holes in the uppermost layer",
        "more collagen and elastin",
        "smooth and firm",
        "The face is where it is done most often",
        "the neck, the back, the legs",
        "damaged or ageing",
        "numerous treatments",
        # microdermabrasion
        "works without needles",
        "exfoliates the outermost skin",
        "rough-edged device",
        "sandpaper",
        "goes deeper into the skin",
        "may therefore help more",
        # who might want it
        "cosmetic as well as medical",
        "- Skin that is thin and wrinkled",
        "- Wrinkles or fine lines",
        "- Pores that have become enlarged",
        "- Stretch marks",
        "- An uneven skin tone or discoloured skin",
        "- Scars of a mild kind, above all those that acne or burns",
        "- Hyperhidrosis, which means sweating too much",
        "- Alopecia areata, an autoimmune disease",
        "inject vaccines or medicines into the skin",
        "in a patch, which people put on by themselves",
        "instead of going to their doctor",
        # who should ask first
        "Speak to your doctor before you have microneedling",
        "cancer and are being treated with chemotherapy or radiation therapy",
        "a blood disorder, or you take anticoagulants",
        "You have acne, or you take medicine for it",
        "a mole, a freckle, a skin tag or something else",
        "bleeds or changes its size or shape",
        "form keloids",
        "cold sores or a skin rash",
        "eczema or psoriasis",
        "see a doctor before anything else",
        "a professional with experience",
        "book an appointment today",
    ),
    HOW: (
        "a safe, uncomplicated procedure",
        "firmer and brighter",
        "your own immune system",
        "a rejuvenated glow",
        "spreading fast",
        "fewer risks in it than in many other forms of cosmetic surgery",
        "pricked lightly",
        "measured in millimetres",
        "very shallow",
        "signal to your brain",
        "start healing itself",
        "An aesthetician",
        "a pen that has several microneedles at its tip",
        "go up and down",
        "tiny puncture wounds",
        # why
        "its order to supply the wounds with collagen and new skin cells",
        "the protein to which our skin owes its strength",
        "helps it to stay elastic",
        "Little by little it fills the wounds",
        "heals other damage as well",
        "hyperpigmentation, scars and wrinkles",
        # how to gain most
        "keep the treated area clean",
        "no lotion or other product on it that could irritate",
        "book a number of sessions",
        "damaged skin needs time to heal",
        "collagen and healthy skin cells",
        "A change of diet can make you produce more collagen",
        "does not mean that it gets to where you would like it",
        "an effective, safe means",
        "youthful glow",
        "try it today",
    ),
    AGEING: (
        "has become popular",
        "cosmetic procedure and minimally invasive",
        "A device with fine needles",
        "micro-injuries",
        "natural processes by which the body heals wounds",
        "effects against ageing among them",
        "1. More collagen",
        "produce collagen and elastin",
        "elastic and firm",
        "The older we get, the less of them is made",
        "the skin sags",
        "2. Fewer lines and wrinkles",
        "on the forehead and around the mouth and eyes",
        "With repeated treatments",
        "smoother and younger",
        "3. Better texture",
        "acne scars, large pores and an uneven tone",
        "more radiant and more even",
        "4. Products are absorbed better",
        "moisturisers, anti-ageing serums",
        "go in deeper",
        "5. Little downtime",
        "relatively little time off",
        "redness and mild swelling for one or two days",
        "within a few days",
        # who, how often, for whom not
        "training and qualifications",
        "a licensed aesthetician",
        "safe and effective",
        "each person's skin concerns and goals",
        "multiple sessions with several weeks between them",
        "benefits against ageing can be significant",
        "may not be right for everyone",
        "particular skin conditions or sensitivities",
        "see a skincare professional",
        "risks or side effects",
    ),
}
FACTS = [(article, phrase) for article, phrases in FACTS_OF.items() for phrase in phrases]


def front_matter(name: str) -> dict[str, object]:
    """The YAML block that opens the article."""
    opening, block, _ = text_of(name).split("---\n", 2)
    assert opening == "", f"{name}: something stands before the front matter"
    fields = yaml.safe_load(block)
    assert isinstance(fields, dict), f"{name}: the front matter is no mapping"
    return fields


def body_of(name: str) -> str:
    return text_of(name).split("---\n", 2)[2]


def text_of(name: str) -> str:
    return (CORPUS / name).read_text(encoding="utf-8")


def words(text: str) -> list[str]:
    """Lower-cased words; hyphens part them, apostrophes do not."""
    return re.findall(r"[^\W_]+", re.sub(r"['\u2019]", "", text.lower()))


def runs(tokens: Sequence[str], length: int = RUN) -> Iterator[tuple[str, ...]]:
    for start in range(len(tokens) - length + 1):
        yield tuple(tokens[start : start + length])


def copied_runs(ours: str, theirs: str) -> list[str]:
    """Runs of ``RUN`` words that stand in both texts, in our order."""
    known = set(runs(words(theirs)))
    return [" ".join(run) for run in runs(words(ours)) if run in known]


def test_corpus_holds_the_five_web_articles_and_digests():
    assert set(SOURCE_OF) <= set(ARTICLES)
    assert DIGESTS, "no digest in corpus/"


@pytest.mark.parametrize("name", ARTICLES)
def test_front_matter_names_title_and_kind(name):
    fields = front_matter(name)
    title = fields.get("title")
    assert isinstance(title, str) and title.strip()
    assert fields.get("kind") in KINDS


@pytest.mark.parametrize("name", ARTICLES)
def test_no_section_is_empty(name):
    """A heading with nothing below it would be shown as a source that says nothing."""
    sections = re.split(r"^#{1,6} .+$", body_of(name), flags=re.MULTILINE)
    assert sections[0].strip() == "", "text before the first heading"
    assert len(sections) > 1, "no heading"
    assert all(section.strip() for section in sections[1:])


@pytest.mark.parametrize("name", DIGESTS)
def test_digest_says_what_it_restates_and_where_that_stands(name):
    fields = front_matter(name)
    assert fields.get("restates") in {"abstract", "page"}
    assert fields.get("kind") != "promotional-web-article"
    assert any(fields.get(key) for key in ("doi", "pmid", "url"))


@pytest.mark.parametrize("name", SOURCE_OF)
def test_web_article_names_its_original_and_is_marked_promotional(name):
    fields = front_matter(name)
    assert fields["source"] == SOURCE_OF[name]
    assert fields["kind"] == "promotional-web-article"
    assert fields["author"] == fields["published"] == "not stated"


@pytest.mark.parametrize(("name", "phrase"), FACTS)
def test_web_article_carries_the_fact(name, phrase):
    """Facts were listed from the original, sentence by sentence; the phrase is our wording of each."""
    assert " ".join(phrase.split()).lower() in " ".join(body_of(name).split()).lower()


@pytest.mark.parametrize("name", SOURCE_OF)
def test_web_article_shares_no_run_of_eight_words_with_any_original(name):
    originals = [ORIGINALS / source for source in SOURCE_OF.values()]
    if not all(path.is_file() for path in originals):
        pytest.skip("the originals are not in ../shared/seeds")
    found = {path.name: copied_runs(text_of(name), path.read_text(encoding="utf-8")) for path in originals}
    assert not {source: copied for source, copied in found.items() if copied}


def test_eight_common_words_are_found_across_case_and_punctuation():
    theirs = "One two three, four; five six seven EIGHT nine."
    assert copied_runs("zero (one) two three four - five six seven eight ten", theirs) == [
        "one two three four five six seven eight"
    ]


def test_seven_common_words_are_let_through():
    assert copied_runs("one two three four five six seven", "one two three four five six seven") == []
    assert copied_runs("", "one two three four five six seven eight") == []
