"""Make clean questions look like the ones people type: misspelt, unpunctuated, wrapped in a story.

Every function takes the generator that it draws from, so that a run is repeated exactly by its seed.
"""

from __future__ import annotations

import re
from random import Random

_NEIGHBOURS = {
    "a": "qsz", "b": "vgn", "c": "xdv", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gjy",
    "i": "uok", "j": "hku", "k": "jli", "l": "kop", "m": "nj", "n": "bmh", "o": "ipl", "p": "ol",
    "q": "wa", "r": "etf", "s": "adw", "t": "ryg", "u": "yij", "v": "cbf", "w": "qes", "x": "zcs",
    "y": "tuh", "z": "xa",
}  # fmt: skip

# Spellings by ear, as (pattern, replacement); one is applied at its first place in the word.
_BY_EAR = [
    ("ph", "f"), ("ei", "ie"), ("ie", "ei"), ("tion", "shun"), ("ough", "uff"), ("qu", "kw"), ("ck", "k"),
    ("sc", "s"), ("ae", "e"), ("y", "i"), ("c", "k"), ("c", "s"), ("x", "ks"), ("ea", "ee"), ("ai", "ay"),
    ("our", "or"), ("ise", "ize"), ("ible", "able"), ("ance", "ence"), ("ent", "ant"), ("s", "z"), ("th", "t"),
    ("ll", "l"), ("ss", "s"), ("tt", "t"), ("mm", "m"), ("rr", "r"), ("nn", "n"), ("pp", "p"), ("rh", "r"),
]  # fmt: skip

_OPENINGS = [
    "Hi,", "Hello,", "Quick question:", "Hi there, sorry if this is a silly question.", "Just wondering,",
    "I have been reading a lot about this and I am confused.", "My sister told me to ask here.",
    "I am 34 and have never had anything done before.", "I have an appointment next week and I am a bit nervous.",
    "I asked at the desk but nobody could tell me.", "I work outdoors and I cannot take much time off.",
    "My wedding is in June so I need to plan.", "I tried a few creams and nothing changed.",
    "A friend of mine had this done last year and was happy with it.", "I'm a nurse so you can be direct.",
    "Ok so I've been thinking about this for months.", "My mother is worried about it.",
    "I saw something on television about this.", "I've had sensitive skin all my life.",
    "We have two small children and I am always tired.", "I don't want to waste my money again.",
    "Sorry for the long message.", "I read different things on every website.", "Good morning.",
    "I am asking for my husband, who would never ask himself.", "Can someone please explain this to me:",
    "I had a bad experience somewhere else two years ago.", "I'm on holiday until the 12th.", "please help,",
]  # fmt: skip

_CLOSINGS = [
    "Thanks!", "Thank you in advance.", "Any help would be great.", "I really don't know what to believe.",
    "I'd rather know before I book.", "My friend says otherwise.", "Sorry, I worry a lot.", "pls answer",
    "I live two hours away so I want to be sure.", "It has been on my mind all week.", "Hope that makes sense.",
    "I can send more details if you need them.", "Greetings from the coast.", "I know everybody is different.",
    "My skin is quite dry at the moment, if that matters.", "I start a new job soon.", "Cheers, and have a nice day",
    "I do not want any surprises.", "Just so I can tell my partner.", "I've got a big family party next month.",
]  # fmt: skip


def misspell(text: str, rng: Random, *, share: float = 0.15) -> str:
    """Misspell about ``share`` of the words of four letters and more.

    >>> misspell("", Random(0))
    ''
    """
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) >= 4 and rng.random() < share:
            words[place] = _misspell_word(word, rng)
    return " ".join(words)


def untidy(text: str, rng: Random) -> str:
    """Lose capitals, punctuation or apostrophes, each by chance."""
    if rng.random() < 0.7:
        text = text.lower()
    if rng.random() < 0.5:
        text = re.sub(r"[?.!,;:]+(?=\s|$)", "", text)
    if rng.random() < 0.4:
        text = text.replace("'", "").replace("’", "")
    if rng.random() < 0.05:
        text = text.upper()
    return text


def tell_a_story(question: str, rng: Random) -> str:
    """Put the question between unrelated sentences, as a worried letter does."""
    before = " ".join(rng.sample(_OPENINGS, rng.choice([0, 1, 1, 1, 2, 3])))
    after = " ".join(rng.sample(_CLOSINGS, rng.choice([0, 0, 1, 1, 2])))
    return f"{before} {question} {after}".strip()


def roughen(question: str, rng: Random) -> str:
    """Apply none, one or several kinds of noise; four questions in ten stay as they are."""
    if rng.random() < 0.4:
        return question
    if rng.random() < 0.35:
        question = tell_a_story(question, rng)
    if rng.random() < 0.5:
        question = misspell(question, rng, share=rng.choice([0.05, 0.12, 0.25]))
    if rng.random() < 0.6:
        question = untidy(question, rng)
    return question


def _misspell_word(word: str, rng: Random) -> str:
    kind = rng.choice(["neighbour", "drop", "double", "swap", "ear", "ear"])
    place = rng.randrange(1, len(word) - 1)
    letter = word[place]
    if kind == "neighbour" and letter.lower() in _NEIGHBOURS:
        return word[:place] + rng.choice(_NEIGHBOURS[letter.lower()]) + word[place + 1 :]
    if kind == "drop":
        return word[:place] + word[place + 1 :]
    if kind == "double":
        return word[:place] + letter + word[place:]
    if kind == "swap":
        return word[:place] + word[place + 1] + letter + word[place + 2 :]
    fitting = [(sound, written) for sound, written in _BY_EAR if sound in word.lower()[1:]]
    if not fitting:
        return word
    sound, written = rng.choice(fitting)
    at = word.lower().index(sound, 1)
    return word[:at] + written + word[at + len(sound) :]
