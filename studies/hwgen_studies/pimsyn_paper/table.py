"""What `hwgen paper` tells a person, and the files that it writes."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType

from hwgen.report.files import report_text
from hwgen_studies.comparison import PaperRow, figure, rows_table
from hwgen_studies.comparison_page import compact_page
from hwgen_studies.pimsyn_paper.report import PaperReport

FOR = (
    "For readers of the paper: its main figures beside ours, in three minutes. `hwgen paper pimsyn`"
    " prints a row for each figure of the paper, and why it differs; `studies/results/"
    "pimsyn-paper.json` has all of them."
)
SHOWN = ("Fig. 6",)
"""Figures of the paper whose tables stand on the page."""
RESULT = (
    ("Peak efficiency, each network's chip", "Table IV", "peak efficiency, PIMSYN"),
    ("Efficiency over an ISAAC of the same parts and watts", "Fig. 6", "efficiency over ISAAC"),
    ("Throughput of a stream over it", "Fig. 6", "throughput, stream, over ISAAC"),
    ("Throughput of one image over it", "Fig. 6", "throughput, one image, over ISAAC"),
    (
        "Efficiency, copies annealed over proportional, mean",
        "Fig. 7",
        "efficiency, annealed / proportional copies (text), mean",
    ),
    (
        "Efficiency, macros specialized over identical, mean",
        "Fig. 8",
        "efficiency, specialized / identical macros (text), mean",
    ),
    (
        "Efficiency, macros shared over not, default search, mean",
        "Fig. 9",
        "efficiency, macros shared / not (bounded), mean",
    ),
    ("Efficiency, our default search", "search", "efficiency, bounded search"),
    ("The paper's text, as we implement it", "search", "efficiency, text search"),
    ("The public code, as we implement it", "search", "efficiency, code search"),
)
"""Of the result: a label, the figure, and which rows."""
BESIDE = (
    "Strict rules charge what published figures leave out, so a deviation here is of rules as well"
    " as of searches. [By the same rules](#pimsyn-and-ours-by-the-same-rules) sets published beside"
    " published, and shows what odd entries of PIMSYN's table of parts decide."
)


def paper_table(report: PaperReport) -> RenderableType:
    """Return a row for each figure, and below them each reason once."""
    return Group(head(report), "", rows_table(report.rows))


def paper_files(report: PaperReport) -> dict[str, str]:
    """Return the report as a page of Markdown and as JSON, by name."""
    title = f"# {report.paper}: published and ours"
    lines = [title, "", FOR, "", f"{head(report)}. {BESIDE}", "", "## Result", ""]
    lines += [*result(report.rows), "", "## Figures", ""]
    lines += compact_page([each for each in report.rows if each.figure in SHOWN])
    page = "\n".join(lines) + "\n"
    name = f"{report.paper.lower()}-paper"
    return {f"{name}.md": page, f"{name}.json": report_text(report)}


def result(rows: Sequence[PaperRow]) -> Iterator[str]:
    """Yield the main figures: published, and the least and the most of ours over networks."""
    for label, figure_name, what in RESULT:
        same = [each for each in rows if each.figure == figure_name and each.what == what]
        ours = sorted(each.ours for each in same if each.ours is not None)
        published = sorted({each.published for each in same if each.published is not None})
        if ours:
            told = figure(ours[0]) if len(ours) == 1 else f"{figure(ours[0])} to {figure(ours[-1])}"
            of = f"; published: {', '.join(map(figure, published))}" if published else ""
            yield f"- {label}: {told} {same[0].unit}{of}"


def head(report: PaperReport) -> str:
    """Return what was compared, and how."""
    return (
        f"{report.paper}: published and ours, {report.rules} rules,"
        f" {report.power_budget_w:g} W unless a row says otherwise"
    )
