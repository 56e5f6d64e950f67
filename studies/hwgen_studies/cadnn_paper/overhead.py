"""Fig. 8a: the parts of what computing adds to a sub-array, by what is counted of them."""

from collections.abc import Iterator, Mapping

from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.energy import EnergyTable
from hwgen_studies.cadnn_paper.counts import SEED, Counts
from hwgen_studies.comparison import PaperRow, row

FIGURE = "Fig. 8a"
BRANCHES, MEMORY_BRANCHES = 5, 1
"""Reference branches of a sense amplifier: C_M, C_OR3, C_MAJ, C_AND3, C_AND2; a memory has C_M."""
DRIVER_TRANSISTORS = 2
"""That the paper adds to the driver of a word line."""
MULTIPLEXER_TRANSISTORS = 6
"""Of the controller, for each enable bit."""
AND_ROWS = 2
NOT_PRINTED = "the bars of Fig. 8a are not printed; "


def overhead_rows(counts: Counts, arch: Arch, table: EnergyTable) -> Iterator[PaperRow]:
    """Yield what each part has in a sub-array, then its share of the energy of an image in 1.0x."""
    branches = (BRANCHES - MEMORY_BRANCHES) * arch.array.columns
    for what, ours, unit, reason in (
        (
            "further reference branches of sense amplifiers",
            branches,
            "branches",
            "four a column beside that of a read",
        ),
        (
            "transistors added to row drivers",
            DRIVER_TRANSISTORS * arch.array.rows,
            "transistors",
            "two a word line",
        ),
        (
            "transistors of the controller's multiplexers",
            MULTIPLEXER_TRANSISTORS * BRANCHES,
            "transistors",
            "six for each enable bit",
        ),
    ):
        why = f"{NOT_PRINTED}{reason}, as the paper's text says"
        yield figure_row(f"{what}, of a sub-array", ours, unit, why)
    parts = overhead_pj(counts.modes[SEED][0].events, arch, table)
    total = sum(parts.values())
    for what, picojoules in parts.items():
        yield figure_row(
            f"energy of {what}, of all three, paper's mapping, 1.0x",
            100 * picojoules / total,
            "%",
            f"{NOT_PRINTED}counted events of an image times the prices of the table",
        )


def overhead_pj(events: Mapping[str, int], arch: Arch, table: EnergyTable) -> dict[str, float]:
    """Return the picojoules of the parts of Fig. 8a from counted events."""
    price = {name: each.of(arch) for name, each in table.events.items()}
    drive = AND_ROWS * table.row_drive.of(arch)
    ands = events["and_operations"]
    counted = ("bit_counts", "joins", "shifts", "adds")
    return {
        "sense amplifiers": ands * (price["and_operations"] - drive),
        "row drivers": ands * drive,
        "the controller with counters and shifters": sum(
            events[name] * table.logic_of(name, arch) for name in counted
        ),
    }


def figure_row(what: str, ours: float, unit: str, reason: str) -> PaperRow:
    """Return a row without a published figure."""
    return row(FIGURE, what, None, published=None, ours=ours, unit=unit, reason=reason)
