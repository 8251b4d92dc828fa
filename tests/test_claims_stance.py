"""The rules of stance, on sentences of our own: each way round, and silent where they cannot tell."""

from __future__ import annotations

import pytest

from litsearch.checking import CheckRules, decide, questions_of
from litsearch.claims.extract import extract
from litsearch.claims.records import Evidence, StanceName
from litsearch.claims.stance import Premise, RuleStances
from litsearch.records import Metadata


def stance(claim: str, source: str, *, lead_in: str = "", similarity: float = 0.7, treatment: str = "microneedling") -> str:
    premise = Premise(source, 0, len(source), lead_in=lead_in, treatment=treatment, similarity=similarity)
    return RuleStances().judge(claim, [premise])[0].stance


SEE_A_DOCTOR = "See your doctor before treatment if any of these apply to you:"
WHO_MIGHT = "The method can also help people with these conditions:"


@pytest.mark.parametrize(
    ("claim", "source", "expected"),
    [
        # amounts of what nobody wants
        ("Microneedling is painless.", "Some discomfort is possible.", "conflicts"),
        ("Microneedling causes little pain.", "Pain was slight.", "supports"),
        ("There is no downtime.", "Most people are red for two days.", "conflicts"),
        ("There are no serious side effects.", "It knew of serious complications.", "conflicts"),
        ("There is no swelling.", "Swelling was not seen in anybody.", "supports"),
        # directions
        ("Microneedling shrinks pores.", "Enlarged pores become smaller.", "supports"),
        ("Microneedling enlarges pores.", "The treatment shrinks the pores.", "conflicts"),
        ("Microneedling reduces collagen.", "The needles stimulate collagen.", "conflicts"),
        ("It removes scars completely.", "The scar will not vanish.", "conflicts"),
        ("It removes scars.", "Scars became less visible.", "qualifies"),
        # comparisons, either way round
        ("Microneedling goes deeper than microdermabrasion.", "It penetrates deeper than microdermabrasion.", "supports"),
        (
            "Microdermabrasion goes deeper than microneedling.",
            "Microneedling penetrates deeper than microdermabrasion.",
            "conflicts",
        ),
        ("Microneedling carries more risks than surgery.", "It has fewer risks than surgery.", "conflicts"),
        ("Microneedling is safer than surgery.", "It has fewer risks than surgery.", "supports"),
        ("Microneedling is more painful than a laser.", "The two did not differ in pain from a laser.", "conflicts"),
        # used and not used, allowed and not allowed
        ("No laser is used in microneedling.", "Microneedling does not use a laser.", "supports"),
        ("Microneedling uses a scalpel.", "Microneedling does not use a scalpel.", "conflicts"),
        ("The devices are authorised for use at home.", "Authorised devices are for professional use only.", "conflicts"),
        ("The devices are licensed for use at home.", "No device has been licensed for use at home.", "conflicts"),
        ("The pens are licensed for sale.", "The notice is about unauthorised pens.", "conflicts"),
        ("You can go in the sun afterwards.", "Keep out of the sun afterwards.", "conflicts"),
        # all, most, some
        ("It is safe for everyone.", "It may not be suitable for everyone.", "conflicts"),
        ("All patients recover in three days.", "Most patients recover in three days.", "qualifies"),
        # a denial against a plain statement, either way round
        ("The cartridge cannot be used again.", "The cartridge can be used again for years.", "conflicts"),
        ("Numbing gel is recommended.", "Avoid numbing gel.", "conflicts"),
        # likelihood
        ("Sunlight makes dark marks more likely.", "Dark marks are less likely in sunlight.", "conflicts"),
        # values
        ("Redness never lasts longer than a week.", "Redness may last for three months.", "conflicts"),
        ("One session is enough.", "You will need several sessions.", "conflicts"),
        ("Redness lasts for three weeks.", "Redness lasts for one or two days.", "conflicts"),
        ("Redness lasts for one or two days.", "Redness lasts a day or two.", "supports"),
    ],
)
def test_what_a_source_says_about_a_claim(claim: str, source: str, expected: str):
    assert stance(claim, source) == expected


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Ibuprofen has to be stopped a week ahead.", "Bleeding may not stop after 15 minutes of pressure."),
        ("No less than eight weeks must pass before the next peel.", "Have a light meal an hour or two before."),
        ("A month should lie between two appointments.", "We treat everything in a single visit."),
        ("Tampons increase the risk of infection.", "The patch protects nobody from infection."),
        ("The injection was painful for most patients.", "A rinse may feel odd but should not be painful."),
        ("Infections are not more common with a rinse.", "With diabetes an ear is more likely to become infected."),
        (
            "Whoever took isotretinoin lately is no candidate yet.",
            "It suits every skin tone and is safe at every age.",
        ),
    ],
)
def test_the_figure_risk_or_pain_of_something_else_contradicts_nothing(claim: str, source: str):
    assert stance(claim, source, similarity=0.4) == "neutral"


def test_words_that_are_only_alike_support_nothing_without_a_point_on_which_both_agree():
    nearly = RuleStances(lambda ours, theirs: [0.5] * len(ours))
    claim = "The silicone sheet is kept on at night."
    said, otherwise = "Keep the silicone sheet on at night.", "The silicone sheet stays on in the daytime alone."
    stances = [nearly.judge(claim, [Premise(text, 0, len(text), similarity=0.8)])[0].stance for text in (said, otherwise)]
    assert stances == ["supports", "neutral"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Rigid lenses must be left out longer than soft lenses.", "supports"),
        ("Soft lenses must be left out longer than rigid lenses.", "conflicts"),
        ("Rigid lenses must be left out for longer.", "neutral"),
    ],
)
def test_things_that_no_table_knows_are_compared_by_the_words_for_them(source: str, expected: str):
    assert stance("Rigid lenses must be left out longer than soft types.", source) == expected


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Four sessions are needed.", "Several sessions are needed."),
        ("92% of patients improved.", "Most patients improved."),
        ("Microneedling reduces cellulite.", "Microneedling reduces scars."),
        ("Microneedling is safe in pregnancy.", "Microneedling is safe."),
        ("Results last for five years.", "Redness lasts for a day."),
        ("Microneedling shrinks pores.", "Does it shrink pores?"),
        ("Microneedling is safe.", "The risks of microneedling were counted."),
        ("The devices are authorised for use at home.", "The devices are used by professionals."),
        ("The pens are licensed for sale.", "Pens need a licence before sale."),
        ("Microneedling whitens teeth.", "Microneedling brightens the skin."),
        ("Laser treatment shrinks pores.", "Microneedling shrinks pores."),
        # the source only raises the question
        ("Microneedling shrinks pores.", "Many clients ask whether microneedling shrinks pores."),
        ("Microneedling is painless.", "Some visitors were nervous about pain."),
        ("Scars never come back.", "Whether scars come back can be discussed at your visit."),
        # what is not done to sore skin says nothing on soreness; most is not all; a denial that the source does not make
        ("It should not be done on infected skin.", "Infection is possible."),
        ("Most people feel no pain.", "Some people feel pain."),
        ("The head is not used twice.", "The head is used on the face."),
        ("Microneedling works just as a peel does.", "Microneedling works."),
    ],
)
def test_the_rules_abstain_where_they_cannot_tell(claim: str, source: str):
    assert stance(claim, source) == "neutral"


def test_an_item_of_a_list_is_read_with_the_sentence_that_introduces_it():
    """ "Psoriasis" alone praises or warns of nothing; under "see your doctor first" it is an exception to suitable."""
    assert stance("People with psoriasis can safely have microneedling.", "Psoriasis.", lead_in=SEE_A_DOCTOR) == "conflicts"
    assert stance("People with psoriasis should ask a doctor first.", "Psoriasis.", lead_in=SEE_A_DOCTOR) == "supports"
    assert stance("Microneedling treats psoriasis.", "Psoriasis.", lead_in=SEE_A_DOCTOR) == "neutral"
    assert stance("Microneedling can help with sweating.", "Excessive sweating.", lead_in=WHO_MIGHT) == "supports"


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("Microneedling is suitable for people with pacemakers.", "conflicts"),
        ("A pacemaker is no obstacle to microneedling.", "conflicts"),
        ("Microneedling is suitable for people with dentures.", "neutral"),
    ],
)
def test_an_item_of_not_suitable_if_you_have_speaks_against_suitable(claim: str, expected: str):
    """The item is no group that the tables know: its own words and the sentence before the list decide."""
    assert stance(claim, "a pacemaker or a defibrillator", lead_in="Microneedling is not suitable if you have:") == expected


def test_a_combined_treatment_supports_the_single_one_only_with_a_condition():
    source = "Hair growth improved."
    assert stance("Microneedling improves hair growth.", source, treatment="microneedling with minoxidil") == "qualifies"
    assert (
        stance("Microneedling with minoxidil improves hair growth.", source, treatment="microneedling with minoxidil")
        == "supports"
    )


def evidence(kind: StanceName, confidence: float) -> Evidence:
    metadata = Metadata("A title")
    return Evidence(kind, confidence, "why", "p", "d", "a.md", "", "text", metadata, "text", 0, 4, "text", 0, 4, 0.6)


@pytest.mark.parametrize(
    ("held", "finding"),
    [
        ([("supports", 0.9), ("conflicts", 0.75)], "conflicts"),
        ([("supports", 0.9), ("neutral", 0.5)], "stated"),
        ([("qualifies", 0.7)], "qualified"),
        ([("neutral", 0.5)], "related"),
        ([], "not_found"),
    ],
)
def test_a_passage_that_says_otherwise_outweighs_one_that_agrees(held: list[tuple[StanceName, float]], finding: str):
    assert decide([evidence(kind, confidence) for kind, confidence in held], CheckRules())[0] == finding


def test_a_claim_is_asked_as_it_stands_and_turned_round():
    queries = questions_of(extract("Microneedling is painless and safe for everyone.")[0])
    assert queries[0] == "Microneedling is painless"
    assert queries[1] == "Microneedling is painful"
    assert any("side effects" in query for query in queries)
