"""The page of clocks: the slowest path of each chip that ships.

Tests: `tests/report/test_clocks.py`.
"""

from collections.abc import Iterator, Mapping

from hwgen.report.clocks import MeasuredClock, MeasuredClocks
from hwgen.report.sheet import Sheet

COLUMNS = ("chip", "ns", "MHz", "clock_mhz", "path", "through")


def clocks_page(clocks: MeasuredClocks, chips: Mapping[str, tuple[str, float]]) -> str:
    """Return the page; chips: digest of each architecture and the clock that it names, by name."""
    known = {chip.digest: chip for chip in clocks.chips}
    rows = {name: known[digest] for name, (digest, _) in chips.items() if digest in known}
    missing = [f"`{name}`" for name in chips if name not in rows]
    corner = f", {clocks.corner}" if clocks.corner else ""
    lines = [
        "# Clocks of the chips that ship",
        "",
        f"Cells of {clocks.library}{corner}: no wires, an ideal clock, each module mapped alone."
        " `hwgen cost CHIP --liberty FILE --clocks configs/clocks.json` notes them, and"
        " [cost](cost.md) says what they leave out. A path is from register to register of the"
        " Verilog; `through` are the modules between.",
        "",
        *Sheet(
            COLUMNS, (cells(name, row, chips[name][1]) for name, row in rows.items())
        ).markdown(),
        "",
        f"Not measured, so told in cycles alone: {', '.join(missing)}." if missing else "",
    ]
    return "\n".join(lines).rstrip() + "\n"


def cells(name: str, row: MeasuredClock, clock_mhz: float) -> Iterator[str]:
    """Yield the cells of a row."""
    yield f"`{name}`"
    yield f"{row.ns:.2f}"
    yield f"{1000 / row.ns:.0f}"
    yield f"{clock_mhz:,.4g}"
    yield f"{row.start} -> {row.end}"
    yield ", ".join(dict.fromkeys(row.through)) or "-"
