"""Whether a question is in a language that the search does not handle: told by its letters and its little words."""

from __future__ import annotations

import unicodedata

from litsearch.lexical import words_of

# The commonest little words of the languages that patients here most often write, without accents (as ``words_of`` gives
# them). A list of little words tells languages apart in a sentence of five words, and needs no model.
_LITTLE_WORDS: dict[str, frozenset[str]] = {
    "en": frozenset(
        "the a an and or is are was it i my me you your to of in on for with do does did can could will would should how what when"
        " where which who why not no this that there if after before have has be been so but at by from as any much many long".split()
    ),
    "es": frozenset(
        "el la los las un una unos de del que y o en es son se por con para mi me su al lo como cuanto cuanta cuantos cuantas cual"
        " cuando donde quien si pero muy hay puedo duele tengo tiene despues antes".split()
    ),
    "fr": frozenset(
        "le la les un une des du de et ou est sont que qui je me mon ma mes vous pour dans avec sur au aux ce cette combien comment"
        " quand quel quelle il elle pas ne apres avant puis peut faut".split()
    ),
    "de": frozenset(
        "der die das ein eine einen und oder ist sind ich mich mir mein meine sie es wie viele viel was wann wer wo warum nicht kein"
        " mit fur auf im am zu von nach vor kann darf muss bei tut weh".split()
    ),
    "it": frozenset(
        "il lo la i gli le un una di del della che e o sono per con mi mio mia come quanto quanti quante quando dove chi non si fa"
        " male dopo prima posso puo".split()
    ),
    "pt": frozenset(
        "o a os as um uma de do da dos das que e ou sao em no na por com para meu minha como quanto quantos quantas quando onde quem"
        " nao se doi depois antes posso pode".split()
    ),
}


def is_foreign(question: str) -> bool:
    """Whether a question is probably not in English; a doubt counts as English.

    >>> [is_foreign(q) for q in ("¿Cuántas sesiones necesito para las cicatrices?", "Does it hurt?", "Больно ли это?")]
    [True, False, True]
    """
    letters = [character for character in question if character.isalpha()]
    if letters and sum("LATIN" not in unicodedata.name(character, "") for character in letters) > len(letters) / 2:
        return True
    if "¿" in question or "¡" in question:
        return True
    words = words_of(question)
    found = {language: sum(word in little for word in words) for language, little in _LITTLE_WORDS.items()}
    return max(found.values()) >= 2 and max(found.values()) > found["en"] + 1
