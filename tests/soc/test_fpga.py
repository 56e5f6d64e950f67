"""A chip on an FPGA: reports of others' tools become figures, and one system is routed."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hwgen.errors import FormatError, MissingToolError

ROOT = Path(__file__).parents[2]
SOC = ROOT / "docs/examples/soc"
CLOCK = "$glbnet$sys_clk"


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    """The command and its figures, as modules."""
    monkeypatch.syspath_prepend(str(SOC))
    return importlib.import_module("fpga"), importlib.import_module("routed")


@pytest.fixture
def routed(modules: tuple[ModuleType, ModuleType]) -> ModuleType:
    return modules[1]


def part(kind: str, delay: float, begin: str, end: str) -> dict[str, Any]:
    return {"type": kind, "delay": delay, "from": {"cell": begin}, "to": {"cell": end}}


def report() -> dict[str, Any]:
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
            for count, name in enumerate(("TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "MULT18X18D"), 1)
        },
        "critical_paths": [
            {"from": other, "to": edge, "path": path[:2]},
            {"from": edge, "to": edge, "path": path},
        ],
    }


def statistics() -> dict[str, Any]:
    return {"design": {"num_cells_by_type": {"LUT4": 7, "CCU2C": 3}}}


def test_reports_become_figures(routed: ModuleType) -> None:
    found = routed.figures_of(statistics(), report(), "soc.report.json")
    assert (found.luts, found.carries, found.lut_memories) == (7, 3, 0)
    assert (found.slices, found.multipliers) == ((1, 100), (4, 400))
    assert (found.mhz, found.wanted_mhz) == (31.26, 30.0)
    path = found.path
    assert (path.begin, path.end) == ("chip.core.row", "chip.bank.0.0")
    assert (path.ns, path.routing_ns, path.cells) == (6.0, 5.0, 3)


@pytest.mark.parametrize("absent", ["fmax", "utilization", "critical_paths"])
def test_a_report_without_a_part_is_refused(absent: str, routed: ModuleType) -> None:
    spoiled = {name: content for name, content in report().items() if name != absent}
    with pytest.raises(FormatError, match=rf"the report of nextpnr must be .*{absent}"):
        routed.figures_of(statistics(), spoiled, "soc.report.json")


def test_a_report_without_a_path_of_the_clock_is_refused(routed: ModuleType) -> None:
    spoiled = report()
    del spoiled["critical_paths"][1]
    with pytest.raises(FormatError, match="critical path"):
        routed.figures_of(statistics(), spoiled, "soc.report.json")


def test_the_page_has_the_figures_of_the_record(routed: ModuleType) -> None:
    page = routed.PAGE.read_text(encoding="utf-8")
    assert page == routed.page_with(page, routed.read_record())


def fpga(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SOC / "fpga.py"), *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.dear
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mhz", "3"], "fpga: --mhz must be 10 to 200, got 3.0 (command line)"),
        (["--mhz", "nan"], "fpga: --mhz must be 10 to 200, got nan (command line)"),
        (
            ["dbpim/tinny"],
            "must be a file or a name that ships, got dbpim/tinny: did you mean dbpim/tiny?",
        ),
        (["--board", "other"], "argument --board: invalid choice: 'other'"),
    ],
)
def test_a_wrong_argument_is_told(arguments: list[str], said: str) -> None:
    done = fpga(*arguments)
    assert done.returncode == 2 and said in done.stderr, done.stderr


def test_a_machine_without_nextpnr_is_told_the_extra(
    modules: tuple[ModuleType, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(MissingToolError, match=r"nextpnr-ecp5 is needed: pip install 'hwgen\[fp"):
        modules[0].find("nextpnr-ecp5")


@pytest.mark.long
def test_the_smallest_chip_is_routed(tmp_path: Path) -> None:
    """All steps; the clock is slow, so that a bitstream comes."""
    pytest.importorskip("litex_boards", reason="needs hwgen[fpga]")
    out = tmp_path / "single"
    figures = tmp_path / "figures.json"
    done = fpga("dbpim/single", "--mhz", 10, "--out", out, "--json", figures)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(figures.read_text(encoding="utf-8"))["figures"]
    assert found["mhz"] >= found["wanted_mhz"] == 10
    assert found["luts"] > 5000 and found["block_rams"][0] >= 96
    assert (out / "system/soc.bit").stat().st_size > 100_000
