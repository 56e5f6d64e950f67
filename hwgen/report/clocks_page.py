"""The section of clocks on a data sheet: the slowest path of each chip that ships.

Tests: `tests/report/test_clocks.py`.
"""

from collections.abc import Iterator, Mapping

from hwgen.report.clocks import MeasuredClock, MeasuredClocks
from hwgen.report.sheet import Sheet

COLUMNS = ("chip", "ns", "MHz", "clock_mhz", "path", "through")


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


def cells(name: str, row: MeasuredClock, clock_mhz: float) -> Iterator[str]:
    """Yield the cells of a row."""
    yield f"`{name}`"
    yield f"{row.ns:.2f}"
    yield f"{1000 / row.ns:.0f}"
    yield f"{clock_mhz:,.4g}"
    yield f"{row.start} -> {row.end}"
    yield ", ".join(dict.fromkeys(row.through)) or "-"
