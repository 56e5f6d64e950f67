"""The files of the comparison with CA-DNN: a page of Markdown, its pictures, the JSON."""

from collections.abc import Iterator

from hwgen.report.files import report_text
from hwgen_studies.cadnn_paper.plots import pictures
from hwgen_studies.cadnn_paper.report import AdaptivePaperReport
from hwgen_studies.cadnn_paper.table import head, modes_of
from hwgen_studies.comparison import figure
from hwgen_studies.comparison_page import compact_page

NAME = "mram-paper"
"""Start of the names of all files."""
FOR = (
    "For readers of the paper: its main figures beside ours, in three minutes. `hwgen paper cadnn`"
    " prints a row for each figure of the paper, why it differs, and the curves as tables;"
    " `studies/results/mram-paper.json` has all of them."
)
SHOWN = ("Section V-B",)
"""Figures of the paper whose tables stand on the page."""
RESULT = (
    ("Accuracy of ResNet20 in four widths, 8 bits", "Table I", "accuracy, CA-DNN, 8-bit"),
    (
        "Energy of the widest over the narrowest, the paper's mapping, written back, by enables",
        "Section V-B",
        "energy of 1.0x over 0.25x, paper's mapping, written back",
    ),
    ("The same by our mapping", "Section V-B", "energy of 1.0x over 0.25x, our mapping"),
    (
        "Energy of a row write that gives the published ratio",
        "behind 2.7x",
        "energy of a row write that gives 2.7x",
    ),
    (
        "Memory of 32-bit 1.0x over 8-bit 0.5x",
        "Section V-C",
        "memory of 32-bit 1.0x over 8-bit 0.5x, weights, maps and image",
    ),
    ("Area beside the memory", "Section V-D", "area beside the memory, counters"),
)
"""Of the result: a label, the figure, and how its rows begin."""
PLOTS = {
    "ands-ours": "AND row operations by layer and width, ours",
    "ands-paper": "AND row operations by layer and width, the paper's mapping",
    "sub-arrays": "Sub-arrays that work by layer and width",
    "energy": "Energy by part",
    "memory": "Memory by configuration",
    "trade-off": "Energy and cycles of each width",
}
EXPLANATION = """\
`ours`: idle sub-arrays and free segments take other positions. `paper's`: one kernel a sub-array,
one position at a time; `written back`: each AND is written to a row and read again before its ones
are counted, as on a chip with `write_back`. Counts are added digitally; [the paper's
size](../mram-chip.md#the-papers-size) has counts that are added in the sub-arrays. Enables: whether
sense amplifiers can be switched off in segments, in columns, or not at all, as in the Verilog.
Wires, clock tree and control are not counted. The paper prints no numbers for the bars of its
figures 6 to 8: the pictures are ours of what they draw."""


def paper_files(report: AdaptivePaperReport) -> dict[str, str]:
    """Return the content of every file by name."""
    files = {f"{NAME}-{name}.svg": f"{svg}\n" for name, svg in pictures(report).items()}
    page = "\n".join(page_lines(report)) + "\n"
    return {f"{NAME}.md": page, f"{NAME}.json": report_text(report), **files}


def page_lines(report: AdaptivePaperReport) -> Iterator[str]:
    """Yield the page; trainings of other networks stand elsewhere."""
    rows = [each for each in report.rows if each.figure in SHOWN]
    yield from (f"# {report.paper}: published and ours", "", FOR, "", f"{head(report)}.", "")
    yield from ("## Result", "", *result(report), "", EXPLANATION, "", "## Figures", "")
    yield from compact_page(rows)
    for name, title in PLOTS.items():
        yield from ("", f"![{title}]({NAME}-{name}.svg)")


def result(report: AdaptivePaperReport) -> Iterator[str]:
    """Yield the main figures: published and ours, with the range of ours."""
    for label, figure_name, beginning in RESULT:
        same = [
            each
            for each in report.rows
            if each.figure == figure_name and each.what.startswith(beginning)
        ]
        ours = [figure(each.ours) for each in same if each.ours is not None]
        if ours:
            published = dict.fromkeys(figure(each.published) for each in same)
            yield f"- {label}: {', '.join(ours)} {same[0].unit}; published: {', '.join(published)}"
    wide, narrow = (
        next(each for each in report.energy if each.schedule == "positions" and each.mode == mode)
        for mode in (modes_of(report)[0], modes_of(report)[-1])
    )
    yield (
        f"- An image in {wide.mode} takes {wide.cycles:,} cycles and {wide.total_uj:.1f} uJ by our"
        f" mapping, in {narrow.mode} {narrow.cycles:,} and {narrow.total_uj:.1f}, without enables"
    )
