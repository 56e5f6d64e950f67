"""The files of the comparison with CA-DNN: a page of Markdown, its pictures, the JSON."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from hwgen.report.files import report_text
from hwgen.report.sheet import Sheet
from hwgen_studies.cadnn_paper.plots import pictures
from hwgen_studies.cadnn_paper.report import AdaptivePaperReport, BitsCurve
from hwgen_studies.cadnn_paper.table import (
    KIB,
    PARTS,
    SCHEDULES,
    TITLES,
    and_cells,
    array_cells,
    head,
    memory_cells,
    modes_of,
)
from hwgen_studies.comparison import figure
from hwgen_studies.comparison_page import compact_page

NAME = "mram-paper"
"""Start of the names of all files."""
FOR = (
    "For readers of the paper: each figure that it prints beside ours, and why they differ. Five"
    " minutes; the rows one by one are in `studies/results/mram-paper.json`, and"
    " [trainings of other networks](mram-training.md) have their own page."
)
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
ENERGY = "Energy of an image in uJ by part; ratio: of the widest to this one"
ENERGY_COLUMNS = ["mapping", "width", "cycles", "AND: no enables, segments, columns"]
ENERGY_COLUMNS += [*(name for part, name in PARTS.items() if part != "and"), "all", "ratio"]
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
    """Yield the page; trainings of other networks have a page of their own."""
    rows = [each for each in report.rows if not each.figure.endswith(", ours")]
    yield from (f"# {report.paper}: published and ours", "", FOR, "", f"{head(report)}.", "")
    yield from ("## Result", "", *result(report), "", EXPLANATION, "", "## Figures", "")
    yield from compact_page(rows)
    for title, sheet in sheets(report).items():
        yield from ("", f"## {title}", "", *sheet.markdown())
    yield from ("", BITS.format(refused=report.refused_bits), "", "## Pictures")
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


def sheets(report: AdaptivePaperReport) -> dict[str, Sheet]:
    """Return the curves as tables, by title."""
    modes, heads = modes_of(report), ["mapping", "layer", *modes_of(report)]
    return {
        TITLES["ands"]: Sheet(heads, alike(and_cells(report.layers, modes))),
        TITLES["sub_arrays"]: Sheet(heads, alike(array_cells(report.layers, modes))),
        ENERGY: Sheet(ENERGY_COLUMNS, energy(report)),
        TITLES["memory"]: Sheet(
            ["bits", "mode", "weights", "maps", "image", "norms", "all", "accuracy"],
            memory_cells(report),
        ),
        TITLES["bits"]: bits_sheet(report),
    }


def alike(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """Yield rows of layers; those with the same figures, one after another, are a row."""
    for (which, *figures), same in groupby(rows, key=lambda row: (row[0], *row[2:])):
        names = [row[1] for row in same]
        told = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
        yield [which, told, *figures]


def energy(report: AdaptivePaperReport) -> Iterator[list[str]]:
    """Yield a row for each mapping and width; what enables change is told for each of them."""
    for schedule in dict.fromkeys(each.schedule for each in report.energy):
        for mode in modes_of(report):
            same = [e for e in report.energy if (e.schedule, e.mode) == (schedule, mode)]
            yield [
                *(SCHEDULES[schedule], mode, f"{same[0].cycles:,}"),
                ", ".join(f"{each.parts_uj['and']:.1f}" for each in same),
                *(f"{same[0].parts_uj[part]:.1f}" for part in PARTS if part != "and"),
                ", ".join(f"{each.total_uj:.1f}" for each in same),
                ", ".join(f"{each.widest_ratio:.2f}x" for each in same),
            ]


def bits_sheet(report: AdaptivePaperReport) -> Sheet:
    """Return Table IV: a row for each width, cycles and uJ for each choice of bits and chip."""
    lines: dict[float, dict[str, BitsCurve]] = {}
    for each in report.bits:
        column = f"{each.weight_bits}:{each.map_bits}, {each.chip}"
        lines.setdefault(each.width, {})[column] = each
    columns = list(dict.fromkeys(column for line in lines.values() for column in line))
    rows = []
    for width, line in lines.items():
        first = next(iter(line.values()))
        kib = dict.fromkeys(f"{each.weight_bytes / KIB:.1f}" for each in line.values())
        told = (f"{line[c].cycles:,}, {line[c].energy_uj:.1f} uJ" for c in columns)
        work = f"{first.multiplications / 1000:,.1f}"
        rows.append([f"{width}x", work, ", ".join(kib), *told, f"{first.published_percent:.1f}%"])
    heads = ["width", "thousand multiplications", "weights KiB", *columns, "published accuracy"]
    return Sheet(heads, rows)
