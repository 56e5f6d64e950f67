"""ResNet20 on the whole memory of the paper, by the model: Fig. 6b, Fig. 8b, copies of kernels.

    python -m hwgen_studies.cadnn_paper.seed_chip

prints the tables of docs/mram-chip.md.

Tests: `studies/tests/cadnn_paper/test_seed_chip.py`.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hwgen.files.shipped import tables
from hwgen.mram.compiler import compile_network
from hwgen.mram.facts.arch import Arch, load_arch
from hwgen.mram.facts.energy import EnergyTable
from hwgen.mram.model import CycleModel
from hwgen.mram.model.energy import LEAKAGE, default_table, parts_pj
from hwgen.network import QuantizedNetwork
from hwgen.report.sheet import Sheet
from hwgen_studies.cadnn_paper.counts import summed, weighted
from hwgen_studies.cadnn_paper.energy import PICOJOULES
from hwgen_studies.cadnn_paper.published import ENERGY_RATIO, WIDTHS
from hwgen_studies.cadnn_paper.shapes import resnet20

CHIP = "mram/seed"
STAGES = {"conv1": "first layer", "stage1": "stage 1", "stage2": "stage 2", "stage3": "stage 3"}
LAST = "FC"
FOUR = {
    "AND": "and",
    "AND write-back": "write_back",
    "bit count and shift": "count_shift",
    "add": "add",
}
"""Parts of Fig. 6b, and ours."""
SQUARE_UM = 1e6
"""In a square millimetre."""


@dataclass(frozen=True, kw_only=True)
class Width:
    """One image in one width on a chip whose layers have sub-arrays of their own.

    sub_arrays: that hold a kernel of the width, by part of the network, all copies
    parts_uj: energy by part; leakage is that of all sub-arrays of the chip
    """

    mode: str
    sub_arrays: dict[str, int]
    cycles: int
    parts_uj: dict[str, float]

    @property
    def taken(self) -> int:
        """Sub-arrays that the width takes."""
        return sum(self.sub_arrays.values())

    def energy_uj(self, arch: Arch, *, off: bool) -> float:
        """Return the energy of the image; off: sub-arrays that it does not take do not leak."""
        leaks = self.taken / arch.sub_arrays if off else 1.0
        parts = dict(self.parts_uj)
        return parts.pop(LEAKAGE) * leaks + sum(parts.values())


def taken_by(network: QuantizedNetwork, mode: int, copies: int) -> dict[str, int]:
    """Return the sub-arrays of a width by part of the network: one for each copy of a kernel."""
    found = dict.fromkeys((*STAGES.values(), LAST), 0)
    for layer in weighted(network):
        part = STAGES.get(layer.name.partition("_")[0], LAST)
        found[part] += layer.output.channels_in(mode) * copies
    return found


def measured(
    arch: Arch,
    table: EnergyTable,
    widths: Sequence[float] = WIDTHS,
    *,
    in_array: bool = False,
) -> list[Width]:
    """Return ResNet20 in each width, the widest first.

    in_array: counts are added in rows of the sub-arrays, whatever the chip has
    Raises ValueError if the layers do not all fit into sub-arrays of their own.
    """
    network = resnet20(widths)
    needed = sum(taken_by(network, 0, arch.kernel_copies).values())
    if needed > arch.sub_arrays:
        raise ValueError(f"{needed} sub-arrays for the layers of a chip of {arch.sub_arrays}")
    model = CycleModel(compile_network(network, arch), arch, in_array=in_array)
    found = []
    for mode, name in enumerate(network.graph.modes):
        run = model.predict(modes=[mode])
        parts = summed(parts_pj(step, arch, table=table, in_array=in_array) for step in run.found)
        found.append(
            Width(
                mode=name,
                sub_arrays=taken_by(network, mode, arch.kernel_copies),
                cycles=run.cycles,
                parts_uj={part: value / PICOJOULES for part, value in parts.items()},
            )
        )
    return found


def area_lines(arch: Arch, table: EnergyTable, widths: Sequence[Width]) -> Iterator[str]:
    """Yield Fig. 8b: sub-arrays by part of the network, their area, energy of an image."""
    parts = list(widths[0].sub_arrays)
    rows = []
    for each in widths:
        area = each.taken * table.area.sub_array_um2 / SQUARE_UM
        taken = [f"{count:,}" for count in (*each.sub_arrays.values(), each.taken)]
        share = f"{100 * each.taken / arch.sub_arrays:.1f} %"
        rows.append([each.mode, *taken, share, f"{area:.1f}"])
    yield from Sheet(["width", *parts, "all", "of the chip", "mm2"], rows).markdown()


def energy_lines(arch: Arch, widths: Sequence[Width]) -> Iterator[str]:
    """Yield cycles and energy of an image in each width, and the ratio of 1.0x to each."""
    rows = []
    first = widths[0]
    for each in widths:
        row = [each.mode, f"{each.cycles:,}"]
        for off in (False, True):
            uj = each.energy_uj(arch, off=off)
            row += [f"{uj:,.0f}", f"{first.energy_uj(arch, off=off) / uj:.2f}"]
        rows.append(row)
    heads = ["width", "cycles", "uJ, all sub-arrays leak", "1.0x over it"]
    yield from Sheet([*heads, "uJ, those taken leak", "1.0x over it"], rows).markdown()
    yield ""
    yield f"The paper prints {ENERGY_RATIO} for 1.0x over 0.25x."


def part_lines(ways: Mapping[str, Sequence[Width]]) -> Iterator[str]:
    """Yield Fig. 6b: the four parts of the energy of an image in each width; ways: of adding."""
    rows = []
    for way, widths in ways.items():
        for each in widths:
            parts = [each.parts_uj[part] for part in FOUR.values()]
            shown = [f"{part:,.0f}" for part in parts]
            share = f"{100 * (parts[0] + parts[1]) / sum(parts):.1f} %"
            rows.append([way, each.mode, f"{each.cycles:,}", *shown, f"{sum(parts):,.0f}", share])
    heads = ["counts are added", "width", "cycles", *(f"{part}, uJ" for part in FOUR)]
    yield from Sheet([*heads, "all four", "AND and write-back"], rows).markdown()


def copies_lines(arch: Arch, table: EnergyTable) -> Iterator[str]:
    """Yield cycles and sub-arrays of 1.0x with fewer copies of each kernel."""
    rows = []
    copies = arch.kernel_copies
    while copies:
        (one,) = measured(replace(arch, kernel_copies=copies), table, (1.0,))
        leaks = f"{one.energy_uj(arch, off=False):,.0f}"
        rows.append([str(copies), f"{one.taken:,}", f"{one.cycles:,}", leaks])
        copies //= 2
    yield from Sheet(["n_p", "sub-arrays", "cycles", "uJ, all sub-arrays leak"], rows).markdown()


def page_tables(arch: Arch, table: EnergyTable) -> dict[str, list[str]]:
    """Return the tables of the page by title."""
    widths = measured(arch, table)
    ways = {
        "digitally (`write_back`)": widths,
        "in rows (`accumulate: in_array`)": measured(arch, table, in_array=True),
    }
    return {
        "Parts of the energy": list(part_lines(ways)),
        "Sub-arrays and area": list(area_lines(arch, table, widths)),
        "Cycles and energy": list(energy_lines(arch, widths)),
        "Copies of kernels": list(copies_lines(arch, table)),
    }


def main() -> int:
    """Print the tables."""
    arch, table = load_arch(tables("mram")[CHIP]), default_table()
    for title, lines in page_tables(arch, table).items():
        print("\n".join([f"## {title}", "", *lines, ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
