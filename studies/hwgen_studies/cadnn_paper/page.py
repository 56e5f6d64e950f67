"""The files of the comparison with CA-DNN: a page of Markdown, its pictures, the JSON."""

from collections.abc import Iterator

from hwgen.report.files import report_text
from hwgen_studies.cadnn_paper.plots import pictures
from hwgen_studies.cadnn_paper.report import AdaptivePaperReport
from hwgen_studies.cadnn_paper.table import TITLES, curves, head
from hwgen_studies.comparison import rows_page

NAME = "mram-paper"
"""Start of the names of all files."""
PLOTS = {
    "ands-ours": "AND row operations by layer and width, ours",
    "ands-paper": "AND row operations by layer and width, the paper's mapping",
    "sub-arrays": "Sub-arrays that work by layer and width",
    "energy": "Energy by part",
    "memory": "Memory by configuration",
    "trade-off": "Energy and cycles of each width",
}
EXPLANATION = """\
`ours`: idle sub-arrays and free segments take other positions. `paper's`: its mapping, one kernel a
sub-array, one position at a time; `written back`: the same, but each AND is written to a row and
read again before its ones are counted, by the model, as of a chip with `write_back`. Count: bit
counts, joins and shifts.
Way of adding: everywhere on this page counts are added digitally, in
registers beside the sub-arrays; [the paper's size](../mram-seed.md) has the four parts of Fig. 6b
for counts that are added in rows of the sub-arrays, too. `mram/paper` is 64 of the paper's 4,096
sub-arrays.
Enables: whether sense amplifiers can be switched off in segments, in columns, or not at all, as in
the Verilog. Leakage: all sub-arrays and banks, all the time. Wires, clock tree and control are not
counted. The weights are zero, for counts, cycles and places depend on shapes alone; the energy of
an event does not depend on data. The paper prints no numbers for the bars of its figures 6 to 8:
tables and pictures below are ours of what they draw."""

BITS = """\
W:A: bits of weights and maps. Accuracies are the paper's, in full precision; ours are in the rows
of Table IV, and no teacher of Table III changes what a network costs. Maps of 16 bits do not fit
the paper's sub-arrays ({refused}), so they are on a chip of four times the cells, and 8:8 once more
on that chip; energies of its parts grow with the columns as the table has them."""


def paper_files(report: AdaptivePaperReport) -> dict[str, str]:
    """Return the content of every file by name."""
    files = {f"{NAME}-{name}.svg": f"{svg}\n" for name, svg in pictures(report).items()}
    page = "\n".join(page_lines(report)) + "\n"
    return {f"{NAME}.md": page, f"{NAME}.json": report_text(report), **files}


def page_lines(report: AdaptivePaperReport) -> Iterator[str]:
    """Yield the page."""
    yield from (f"# {report.paper}: published and ours", "", f"{head(report)}.", "", EXPLANATION)
    yield from ("", "## Figures", "", *rows_page(report.rows))
    for name, sheet in curves(report).items():
        yield from ("", f"## {TITLES[name]}", "", *sheet.markdown())
    yield from ("", BITS.format(refused=report.refused_bits), "", "## Pictures")
    for name, title in PLOTS.items():
        yield from ("", f"![{title}]({NAME}-{name}.svg)")
