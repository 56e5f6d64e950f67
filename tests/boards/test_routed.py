"""Reports of Yosys and nextpnr become figures."""

from typing import Any

import pytest

from hwgen.errors import FormatError
from hwgen.report.routed import Places, figures_of, synthesized

CLOCK = "$glbnet$clk"
KINDS: dict[str, tuple[str, ...]] = {
    "ecp5": ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "MULT18X18D"),
    "gowin": (
        *("LUT4", "DFF", "BSRAM", "MULT9X9"),
        *("ALU", "MULT18X18", "MULTALU18X18", "MULT36X36"),
    ),
}


def part(kind: str, delay: float, begin: str, end: str) -> dict[str, Any]:
    return {"type": kind, "delay": delay, "from": {"cell": begin}, "to": {"cell": end}}


def report(tools: str) -> dict[str, Any]:
    """What nextpnr writes, of a path from a register over a LUT to a memory."""
    first, lut, last = "chip.core.row_TRELLIS_FF_Q_3", "chip.core.sum_LUT4_Z", "chip.bank.0.0"
    path = [
        part("clk-to-q", 0.5, first, first),
        part("routing", 2.0, first, lut),
        part("logic", 0.25, lut, lut),
        part("routing", 3.0, lut, last),
        part("setup", 0.25, last, last),
    ]
    edge, other = f"posedge {CLOCK}", "<async>"
    return {
        "fmax": {CLOCK: {"achieved": 31.256, "constraint": 30.0}},
        "utilization": {
            name: {"used": count, "available": 100 * count}
            for count, name in enumerate(KINDS[tools], 1)
        },
        "critical_paths": [
            {"from": other, "to": edge, "path": path[:2]},
            {"from": edge, "to": edge, "path": path},
        ],
    }


@pytest.mark.parametrize("tools", KINDS)
def test_reports_become_figures(tools: str) -> None:
    found = figures_of(report(tools), tools, "report.json")
    sums = {"ecp5": (1, 4), "gowin": (1 + 5, 4 + 6 + 7 + 8)}[tools]
    assert (found["luts"], found["multipliers"]) == (
        Places(used=sums[0], available=100),
        Places(used=sums[1], available=400),
    )
    assert found["flip_flops"].used == 2 and found["block_rams"].used == 3
    assert (found["mhz"], found["wanted_mhz"]) == (31.26, 30.0)
    path = found["path"]
    assert (path.begin, path.end) == ("chip.core.row", "chip.bank.0.0")
    assert (path.ns, path.routing_ns, path.cells) == (6.0, 5.0, 3)


@pytest.mark.parametrize("absent", ["fmax", "utilization", "critical_paths"])
def test_a_report_without_a_part_is_refused(absent: str) -> None:
    spoiled = {name: content for name, content in report("ecp5").items() if name != absent}
    with pytest.raises(FormatError, match=rf"the report of nextpnr must be .*{absent}"):
        figures_of(spoiled, "ecp5", "report.json")


def test_a_report_without_a_path_of_the_clock_is_refused() -> None:
    spoiled = report("ecp5")
    del spoiled["critical_paths"][1]
    with pytest.raises(FormatError, match="critical path"):
        figures_of(spoiled, "ecp5", "report.json")


def test_carries_and_small_memories_take_places_of_luts() -> None:
    ecp5 = {"LUT4": 10, "CCU2C": 3, "TRELLIS_DPR16X4": 2, "DP16KD": 5, "TRELLIS_FF": 9}
    assert synthesized({"design": {"num_cells_by_type": ecp5}}, "ecp5") == (10 + 6 + 8, 5)
    gowin = {"LUT1": 1, "LUT4": 10, "ALU": 3, "RAM16SDP4": 2, "SP": 5, "DPX9B": 1}
    assert synthesized({"design": {"num_cells_by_type": gowin}}, "gowin") == (14 + 16, 6)
