"""The library's plots: figures that were counted elsewhere, as Altair charts in the page's colours."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from litsearch.library.evidence import EvidenceMap
from litsearch.ui.strings import Strings

# One colour a group of kinds, as on the badges: public bodies, studies, and what may be promotion or says nothing of itself.
_KIND_COLOURS = {
    "regulator": "#303f85",
    "consensus": "#5b6cb8",
    "patient-information": "#8e9bd6",
    "meta-analysis": "#0a5560",
    "systematic-review": "#2d7d89",
    "randomised-trial": "#4f9da8",
    "cohort": "#77b7bf",
    "case-series": "#9bcdd3",
    "case-report": "#bfe0e4",
    "narrative-review": "#6f7d7a",
    "news-report": "#d9a441",
    "promotional-web-article": "#a85b00",
    "not-stated": "#b8b2a7",
}
_ROW_PX = 26
_BARS_PX = 480  # with the years and the legend below the bars


def articles_by_year(rows: Sequence[tuple[str, int | None, int]], say: Strings) -> alt.Chart:
    """Bars: how many articles of each kind were published in each year."""
    unknown = say("year.none")
    kinds = list(dict.fromkeys(kind for kind, _, _ in rows))
    values = [{"kind": say(f"kind.{kind}"), "year": str(year or unknown), "n": n} for kind, year, n in rows]
    years = [str(year) for year in sorted({year for _, year, _ in rows if year})]
    years += [unknown] if any(year is None for _, year, _ in rows) else []
    colours = alt.Scale(domain=[say(f"kind.{kind}") for kind in kinds], range=[_KIND_COLOURS[kind] for kind in kinds])
    drawn: alt.Chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_bar()
        .encode(
            x=alt.X("year:N", sort=years, title=say("axis.year")),
            y=alt.Y("n:Q", title=say("axis.articles"), axis=alt.Axis(tickMinStep=1, format="d")),
            color=alt.Color(
                "kind:N", scale=colours, title=say("column.kind"), legend=alt.Legend(orient="bottom", columns=3, labelLimit=260)
            ),
            tooltip=[
                alt.Tooltip("kind:N", title=say("column.kind")),
                alt.Tooltip("year:N", title=say("axis.year")),
                alt.Tooltip("n:Q", title=say("axis.articles")),
            ],
        )
        .properties(height=_BARS_PX)
    )
    return drawn


def evidence(found: EvidenceMap, say: Strings) -> alt.LayerChart:
    """A grid of aspects by kinds of source with the number of sources in each cell; a gap is an empty frame with a nought."""
    kinds, aspects = [say(f"kind.{kind}") for kind in found.kinds], [say(f"evidence.{aspect}") for aspect in found.aspects]
    values = [
        {"aspect": say(f"evidence.{aspect}"), "kind": say(f"kind.{kind}"), "n": found.count(aspect, kind)}
        for aspect in found.aspects
        for kind in found.kinds
    ]
    grid = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X(
            "kind:N",
            sort=kinds,
            title=say("column.kind"),
            axis=alt.Axis(orient="top", labelAngle=-40, labelLimit=200, labelOverlap=False),
        ),
        y=alt.Y("aspect:N", sort=aspects, title=None, axis=alt.Axis(labelLimit=220)),
        tooltip=[
            alt.Tooltip("aspect:N", title=say("column.aspect")),
            alt.Tooltip("kind:N", title=say("column.kind")),
            alt.Tooltip("n:Q", title=say("axis.sources")),
        ],
    )
    most = max(found.counts.values(), default=0)
    cells = grid.mark_rect(stroke="#6f7d7a", strokeWidth=0.5).encode(
        color=alt.condition(
            "datum.n > 0",
            alt.Color("n:Q", scale=alt.Scale(range=["#cfe6e8", "#0a5560"], domain=[1, max(most, 2)]), legend=None),
            alt.value("transparent"),
        )
    )
    # Dark numbers on light cells, light ones on dark cells; noughts in a grey that both themes show.
    dark = f"datum.n > {0.7 * max(most, 2)}"
    ink = (
        alt.when("datum.n == 0").then(alt.value("#8a9896")).when(dark).then(alt.value("#ffffff")).otherwise(alt.value("#16211f"))
    )
    numbers = grid.mark_text(fontSize=12).encode(text=alt.Text("n:Q"), color=ink)
    drawn: alt.LayerChart = (cells + numbers).properties(height=alt.Step(_ROW_PX))
    return drawn
