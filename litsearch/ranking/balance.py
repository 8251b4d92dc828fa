"""Near-identical passages count once, and several independent sources come before many passages of one."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz

# Two passages whose letters agree to this share are one text, reprinted (docs/RESULTS.md, "Balance").
_SAME_TEXT = 92.0


def merge_identical(texts: Sequence[str]) -> list[list[int]]:
    """Groups of positions that hold nearly the same text, each led by its first, in the order of the firsts.

    >>> merge_identical(["Needles prick the skin.", "It costs little.", "Needles prick the skin!"])
    [[0, 2], [1]]
    """
    groups: list[list[int]] = []
    for position, text in enumerate(texts):
        for group in groups:
            if fuzz.ratio(text, texts[group[0]], score_cutoff=_SAME_TEXT):
                group.append(position)
                break
        else:
            groups.append([position])
    return groups


def spread_sources(sources: Sequence[str], *, most: int, first: int) -> list[int]:
    """An order of positions in which no source has more than ``most`` of the ``first`` places while another could have them.

    The best stays first, and within the bound the given order stands.

    >>> spread_sources(["a", "a", "a", "b"], most=2, first=3)
    [0, 1, 3, 2]
    """
    taken: dict[str, int] = {}
    early: list[int] = []
    late: list[int] = []
    for position, source in enumerate(sources):
        if len(early) < first and taken.get(source, 0) < most:
            taken[source] = taken.get(source, 0) + 1
            early.append(position)
        else:
            late.append(position)
    return early + late
