"""What `hwgen paper` tells a person of CA-DNN: the figures, and the curves as tables."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType

from hwgen.report.sheet import Sheet
from hwgen.report.tables import NOTHING
from hwgen_studies.cadnn_paper.report import AdaptivePaperReport, EnergyCurve, LayerCurve
from hwgen_studies.comparison import rows_table

Cells = list[str]
KIB = 1024

TITLES = {
    "ands": "AND row operations by layer and width",
    "sub_arrays": "Sub-arrays that work by layer and width",
    "energy": "Energy of an image in uJ by part; ratio: of the widest mode to this one",
    "memory": "Memory in KiB, and accuracy",
    "bits": "Eight widths by bits of weights and maps (Table IV), by the model, our mapping",
}
SCHEDULES = {
    "positions": "ours",
    "seed": "paper's",
    "seed_written_back": "written back",
}
BITS_COLUMNS = ["W:A", "sub-arrays", "width", "thousand multiplications", "weights KiB", "cycles"]
BITS_COLUMNS += ["x", "uJ", "published accuracy"]
PARTS = {
    "and": "AND",
    "write_back": "write-back",
    "count_shift": "count",
    "add": "add",
    "input": "input",
    "rest": "rest",
    "leakage": "leakage",
    "waiting": "waiting",
}


def paper_table(report: AdaptivePaperReport) -> RenderableType:
    """Return the figures with their reasons, then each curve as a table."""
    parts: list[RenderableType] = [head(report), "", rows_table(report.rows)]
    for name, sheet in curves(report).items():
        parts += ["", TITLES[name], "", sheet.rich()]
    return Group(*parts)


def head(report: AdaptivePaperReport) -> str:
    """Return what was compared, and how."""
    return (
        f"{report.paper}: published and ours; ResNet20 on the chip {report.architecture.name},"
        f" counts and cycles by the model, energies of the table {report.energies.name}"
    )


def curves(report: AdaptivePaperReport) -> dict[str, Sheet]:
    """Return each curve as a table."""
    modes = modes_of(report)
    return {
        "ands": Sheet(["schedule", "layer", *modes], and_cells(report.layers, modes), 2),
        "sub_arrays": Sheet(["schedule", "layer", *modes], array_cells(report.layers, modes), 2),
        "energy": Sheet(
            ["schedule", "enables", "mode", "cycles", *PARTS.values(), "all", "ratio"],
            [energy_cells(each) for each in report.energy],
            3,
        ),
        "memory": Sheet(
            ["bits", "mode", "weights", "maps", "image", "norms", "all", "accuracy"],
            memory_cells(report),
            2,
        ),
        "bits": Sheet(BITS_COLUMNS, bits_cells(report), 3),
    }


def modes_of(report: AdaptivePaperReport) -> Cells:
    """Return the modes, the widest first."""
    return list(dict.fromkeys(each.mode for each in report.layers))


def and_cells(layers: Sequence[LayerCurve], modes: Cells) -> Iterator[Cells]:
    """Yield AND row operations: a row for each schedule and layer, and the sums."""
    by, names = by_layer(layers)
    for schedule in layers[0].and_operations:
        sums = dict.fromkeys(modes, 0)
        for name in names:
            counts = [by[name, mode].and_operations[schedule] for mode in modes]
            sums = {mode: sums[mode] + n for mode, n in zip(modes, counts, strict=True)}
            yield [SCHEDULES[schedule], name, *(f"{n:,}" for n in counts)]
        yield [SCHEDULES[schedule], "all", *(f"{n:,}" for n in sums.values())]


def array_cells(layers: Sequence[LayerCurve], modes: Cells) -> Iterator[Cells]:
    """Yield sub-arrays that work: a row for each schedule and layer, and the paper's formula."""
    by, names = by_layer(layers)
    for schedule in layers[0].sub_arrays:
        for name in names:
            counts = [by[name, mode].sub_arrays[schedule] for mode in modes]
            yield [SCHEDULES[schedule], name, *map(str, counts)]
    for name in names:
        yield ["paper's formula", name, *(str(by[name, m].formula_sub_arrays) for m in modes)]


def by_layer(layers: Sequence[LayerCurve]) -> tuple[dict[tuple[str, str], LayerCurve], Cells]:
    """Return the layers by name and mode, and the names in order."""
    names = list(dict.fromkeys(each.layer for each in layers))
    return {(each.layer, each.mode): each for each in layers}, names


def energy_cells(curve: EnergyCurve) -> Cells:
    """Return a row of the table of energies."""
    return [
        SCHEDULES[curve.schedule],
        curve.gating,
        curve.mode,
        f"{curve.cycles:,}",
        *(f"{curve.parts_uj[part]:.1f}" for part in PARTS),
        f"{curve.total_uj:.1f}",
        f"{curve.widest_ratio:.2f}x",
    ]


def memory_cells(report: AdaptivePaperReport) -> Iterator[Cells]:
    """Yield the rows of the table of memory."""
    for each in report.memory:
        sizes = (
            each.weights_bytes,
            each.maps_bytes,
            each.image_bytes,
            each.norms_bytes,
            each.total_bytes,
        )
        accuracy = NOTHING
        if each.accuracy_percent is not None:
            accuracy = f"{each.accuracy_percent:.2f}%"
        yield [str(each.bits), each.mode, *(f"{size / KIB:.1f}" for size in sizes), accuracy]


def bits_cells(report: AdaptivePaperReport) -> Iterator[Cells]:
    """Yield a row for each choice of bits and width; x: cycles of 1.0x over those of the width."""
    widest = {(each.weight_bits, each.map_bits, each.chip): each for each in reversed(report.bits)}
    for each in report.bits:
        first = widest[each.weight_bits, each.map_bits, each.chip]
        yield [
            *(f"{each.weight_bits}:{each.map_bits}", each.chip, f"{each.width}x"),
            *(f"{each.multiplications / 1000:,.1f}", f"{each.weight_bytes / KIB:.1f}"),
            *(f"{each.cycles:,}", f"{first.cycles / each.cycles:.2f}", f"{each.energy_uj:.1f}"),
            f"{each.published_percent:.1f}%",
        ]
