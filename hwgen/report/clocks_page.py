"""The section of clocks on a data sheet: the slowest path of each chip that ships.

Tests: `tests/report/test_clocks.py`.
"""

from collections.abc import Iterator, Mapping

from hwgen.report.clocks import MeasuredClock, MeasuredClocks
from hwgen.report.cost import CostPlaced
from hwgen.report.sheet import Sheet

COLUMNS = ("chip", "ns", "MHz", "clock_mhz", "path", "through")
PLACED = ("chip", "ns, no wires", "ns, placed", "ns, sized", "MHz, sized", "gates", "mm2", "path")
"""Columns of chips with wires: as mapped, then after one pass of sizing by load."""
SQUARE_MM = 1e-6


def clock_lines(clocks: MeasuredClocks, chips: Mapping[str, tuple[str, float]]) -> Iterator[str]:
    """Yield the section; chips: by name the digest of each architecture and its `clock_mhz`."""
    known = {chip.digest: chip for chip in clocks.chips}
    rows = {name: known[digest] for name, (digest, _) in chips.items() if digest in known}
    missing = [f"`{name}`" for name in chips if name not in rows]
    corner = f", {clocks.corner}" if clocks.corner else ""
    yield from ("## Clocks", "")
    yield (
        f"Slowest paths from register to register, in cells of {clocks.library}{corner}, without"
        " wires ([cost](cost.md) says how); `through` are the modules between."
    )
    if rows:
        named = (cells(name, row, chips[name][1]) for name, row in rows.items())
        yield from ("", *Sheet(COLUMNS, named).markdown())
    if missing:
        yield from ("", f"Not measured, so told in cycles alone: {', '.join(missing)}.")


def placed_lines(clocks: MeasuredClocks, chips: Mapping[str, tuple[str, float]]) -> Iterator[str]:
    """Yield what stands below of chips with wires; chips: as those of `clock_lines`."""
    known = {chip.digest: chip.placed for chip in clocks.chips}
    rows = {name: found for name, (digest, _) in chips.items() if (found := known.get(digest))}
    if not rows:
        return
    fills = " or ".join(dict.fromkeys(f"{row.fill:.0%}" for row in rows.values()))
    yield ""
    yield (
        f"Placed flat in cells of {clocks.library}, cells on {fills} of the area, with wires and"
        " without a clock tree (`hwgen cost CHIP --placed`); sized: after one pass by load."
    )
    named = (placed_cells(name, row) for name, row in rows.items())
    yield from ("", *Sheet(PLACED, named).markdown())


def placed_cells(name: str, row: CostPlaced) -> Iterator[str]:
    """Yield the cells of a chip with wires."""
    yield f"`{name}`"
    yield f"{row.mapped.no_wires_ns:.2f}"
    yield f"{row.mapped.ns:.2f}"
    yield f"{row.sized.ns:.2f}"
    yield f"{row.sized.mhz:.0f}"
    yield f"{row.gates:,}"
    yield f"{row.width_um * row.height_um * SQUARE_MM:.2f}"
    yield f"{row.sized.start} -> {row.sized.end}"


def cells(name: str, row: MeasuredClock, clock_mhz: float) -> Iterator[str]:
    """Yield the cells of a row."""
    yield f"`{name}`"
    yield f"{row.ns:.2f}"
    yield f"{1000 / row.ns:.0f}"
    yield f"{clock_mhz:,.4g}"
    yield f"{row.start} -> {row.end}"
    yield ", ".join(dict.fromkeys(row.through)) or "-"
