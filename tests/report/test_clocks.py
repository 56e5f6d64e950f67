"""A file of clocks: one a chip, all of one library."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.errors import FormatError
from hwgen.report.clocks import note_clock, read_clocks
from hwgen.report.clocks_page import clock_lines, placed_lines
from hwgen.report.cost import (
    CostLibrary,
    CostPart,
    CostPath,
    CostPlaced,
    CostReport,
    PlacedClock,
)
from hwgen.report.types import Source

TOTAL = CostPart(
    part="total",
    **dict.fromkeys(("logic_um2", "buffers_um2", "macros_um2", "leakage_uw"), 0.0),
    **dict.fromkeys(("memory_bits", "flip_flops"), 0),
    **dict.fromkeys(("memory_um2", "gated", "slowest_ns", "table_um2")),
)


def cost(name: str, ns: float, *, library: str = "cells") -> CostReport:
    """Return the report of a chip with one path."""
    return CostReport(
        format="hwgen.report.cost",
        version=1,
        architecture=Source(name=name, file="", digest=f"{ord(name):064x}"),
        configuration={},
        library=CostLibrary(
            name=library,
            file="cells.lib",
            digest=f"{len(library):064x}",
            licence=None,
            corner="typical",
        ),
        parts=[],
        total=TOTAL,
        modules=[],
        slowest_ns=ns,
        mhz=1000 / ns,
        clock_mhz=500.0,
        period_ns=None,
        met=None,
        paths=[CostPath(ns=ns, start="a.held", end="b.sum", through=["c"])],
        synthesized=[],
        energy=None,
        assumptions=[],
        versions={},
    )


@pytest.mark.promise(
    "hwgen cost --clocks notes the slowest path of a chip in a file of one library"
)
def test_a_later_measurement_stands_in_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    file = tmp_path / "clocks.json"
    for report in (cost("x", 4.0), cost("y", 5.0), cost("x", 2.5)):
        note_clock(file, report)
    found = read_clocks(file)
    assert [(chip.architecture, chip.ns) for chip in found.chips] == [("y", 5.0), ("x", 2.5)]
    clock = found.of(f"{ord('x'):064x}")
    assert clock is not None
    assert (clock.ns, clock.mhz, clock.library, clock.corner) == (2.5, 400, "cells", "typical")
    assert (clock.mapped, clock.of_file) == ("modules", False)
    assert found.of("0" * 64) is None


def test_no_file_has_clocks_of_two_libraries(tmp_path: Path) -> None:
    file = tmp_path / "clocks.json"
    note_clock(file, cost("x", 4.0))
    with pytest.raises(FormatError, match="library must be that of all clocks of the file, cells"):
        note_clock(file, replace(cost("x", 4.0, library="others")))
    assert [chip.ns for chip in read_clocks(file).chips] == [4.0]


def test_the_section_has_a_row_for_each_measured_chip(tmp_path: Path) -> None:
    note_clock(tmp_path / "clocks.json", cost("x", 4.0))
    chips = {"mine/x": (f"{ord('x'):064x}", 249.0), "mine/y": ("0" * 64, 500.0)}
    page = "\n".join(clock_lines(read_clocks(tmp_path / "clocks.json"), chips))
    assert "| `mine/x` | 4.00 | 250 | 249 | a.held -> b.sum | c |" in page
    assert "in cells of cells, typical, without wires" in page and "cycles alone: `mine/y`." in page


def test_a_placed_chip_has_a_row_with_wires(tmp_path: Path) -> None:
    file = tmp_path / "clocks.json"
    source = Source(name="cells", file="", digest="0" * 64)
    path = {"mhz": 100.0, "start": "a", "end": "b", "cells_um2": 1.0, "wires_mm": 1.0}
    placed = CostPlaced(
        wires=source,
        fill=0.5,
        aspect=1.0,
        seed=1,
        gates=12345,
        memories=1,
        width_um=1000.0,
        height_um=2000.0,
        mapped=PlacedClock(no_wires_ns=8.0, ns=12.0, **path),
        sized=PlacedClock(no_wires_ns=7.0, ns=10.0, **path),
        resized=3,
    )
    note_clock(file, replace(cost("x", 4.0), placed=placed))
    note_clock(file, cost("y", 5.0))
    chips = {"f/x": (f"{ord('x'):064x}", 500.0), "f/y": (f"{ord('y'):064x}", 500.0)}
    lines = [*placed_lines(read_clocks(file), chips)]
    assert "cells on 50% of the area" in lines[1]
    assert lines[-1] == "| `f/x` | 8.00 | 12.00 | 10.00 | 100 | 12,345 | 2.00 | a -> b |"
    assert not [*placed_lines(read_clocks(file), {"f/y": chips["f/y"]})]
