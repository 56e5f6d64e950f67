"""Verilog alone, without Python, from text to a running program that repairs itself."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.sim.cache import ENVIRONMENT
from hwgen.chip.sim.simulator import (
    SHORT,
    SHORT_CYCLES,
    Simulator,
    build_error,
    build_simulator,
    run_logged,
    run_simulator,
    start,
    worth,
)
from hwgen.chip.sim.toolchain import find_verilator
from hwgen.errors import MissingToolError, OutputError, SimulationError
from hwgen.files import patience
from tests.tiny import Cells

TOP = """
// One bit is missing: Verilator warns of it.
module tb;
  reg clk = 0;
  wire [7:0] cell_1;
  integer file;
  always #5 clk = ~clk;
  tiny_cells dut (.clk(clk), .rst(1'b0), .write_en(1'b0), .write_row(2'd0), .write_data(7'd0),
    .read_row(2'd1), .read_data(cell_1));
  initial begin
    if ($test$plusargs("lame")) $fatal(1, "it is lame");
    file = $fopen("out.txt", "w");
    repeat (2) @(posedge clk);
    #1 $fwrite(file, "%0d", cell_1);
    if ($test$plusargs("fail")) $fatal(1, "it fails");
    $finish;
  end
endmodule
"""


def simulator() -> Simulator:
    modules = {f"{name}.v": text for name, text in verilog_modules(Cells()).items()}
    return Simulator(name="tiny", sources={**modules, "tb.v": TOP}, top="tb")


def run(folder: Path, *arguments: str, said: list[str] | None = None) -> str:
    """Run the simulator; return what it has written."""
    say = [].append if said is None else said.append
    run_simulator(simulator(), arguments, folder=folder, opens="out.txt", say=say)
    return (folder / "out.txt").read_text("ascii")


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of builds of a test that damages them."""
    folder = tmp_path / "builds-äöü"
    monkeypatch.setenv(ENVIRONMENT, str(folder))
    return folder


@pytest.mark.promise(
    "a simulator is built once for its content, whatever Verilator warns of, and whoever waits for"
    " it is told"
)
def test_built_once_and_told(fresh: Path, tmp_path: Path) -> None:
    said: list[str] = []
    first = build_simulator(simulator(), say=said.append)
    assert first.folder.parent == fresh
    (executable,) = (first.folder / "obj").iterdir()
    assert executable == first.folder / simulator().executable
    assert build_simulator(simulator(), say=said.append) == first
    assert said == ["building the simulator of tiny: a minute or more, once"]
    other = replace(simulator(), optimize="-O0")
    assert build_simulator(other).folder != first.folder


def test_a_short_run_is_worth_a_short_compilation(fresh: Path) -> None:
    fast = simulator()
    assert worth(fast, SHORT_CYCLES + 1) == fast
    assert not fresh.exists()
    said: list[str] = []
    short = worth(fast, SHORT_CYCLES)
    assert short == replace(fast, optimize=SHORT)
    build_simulator(short, say=said.append)
    assert said == ["building the simulator of tiny: half a minute or more, for short runs, once"]
    assert worth(fast, SHORT_CYCLES) == short
    build = build_simulator(fast)
    assert worth(fast, 1) == fast
    lost(build.folder / fast.executable)
    assert worth(fast, 1) == short


@pytest.mark.promise("memories that are garbage at power-on have no initial content")
def test_garbage_depends_on_the_seed(tmp_path: Path) -> None:
    garbage = [
        run(tmp_path, "+verilator+rand+reset+2", f"+verilator+seed+{seed}")
        for seed in (1, 1, 2, 3, 4)
    ]
    assert garbage[0] == garbage[1]
    assert len(set(garbage)) > 1


def lost(executable: Path) -> None:
    executable.unlink()


def cut_off(executable: Path) -> None:
    os.truncate(executable, executable.stat().st_size // 2)


def not_executable(executable: Path) -> None:
    executable.chmod(0o644)


@pytest.mark.promise("a damaged build repairs itself once, then the reason is one sentence")
@pytest.mark.parametrize("damage", [lost, cut_off, not_executable])
def test_a_damaged_executable_is_built_again(
    damage: Callable[[Path], None], fresh: Path, tmp_path: Path
) -> None:
    build = build_simulator(simulator())
    damage(build.folder / simulator().executable)
    said: list[str] = []
    assert run(tmp_path, said=said)
    assert said[-1].startswith("building the simulator of tiny")
    assert len(said) == (2 if damage is not_executable else 1)
    said.clear()
    assert run(tmp_path, said=said)
    assert said == []


def test_one_that_never_starts_is_one_sentence(fresh: Path, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(SimulationError, match=r"tiny must start, .*it is lame") as error:
        run(tmp_path, "+lame", said=said)
    assert "\n" not in str(error.value)
    assert [text.partition(" ")[0] for text in said] == ["building", "the", "building"]


def test_a_simulation_that_fails_is_not_built_again(tmp_path: Path) -> None:
    assert run(tmp_path)
    said: list[str] = []
    with pytest.raises(SimulationError, match=r"simulation of tiny ended with .*it fails"):
        run(tmp_path, "+fail", said=said)
    assert said == []


def test_broken_verilog_is_one_sentence(tmp_path: Path) -> None:
    broken = replace(simulator(), sources={"tb.v": "this is not Verilog;"})
    with pytest.raises(
        SimulationError, match=r"could not build .* of tiny: .*syntax error"
    ) as error:
        build_simulator(broken)
    assert "\n" not in str(error.value)


@pytest.mark.promise(
    "a full or read-only disk, a small memory, broken Verilog, no Verilator are one sentence each"
)
def test_a_full_disk_is_not_a_mistake_in_verilog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "build.log"
    log.write_text("%Error: something\nld: final link failed: No space left on device\n", "ascii")
    assert isinstance(build_error(simulator(), log), OutputError)
    log.write_text("", encoding="ascii")
    assert "it said nothing" in str(build_error(simulator(), log))
    # A log on a full disk stays empty.
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(OutputError, match="must have space for a build, got 100 bytes"):
        raise build_error(simulator(), log)


def test_without_verilator_nothing_is_built(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    find_verilator.cache_clear()
    with pytest.raises(MissingToolError, match="is needed by Verilator"):
        build_simulator(simulator())
    assert not fresh.exists()


@pytest.mark.promise("of two processes one builds; an interrupted or killed build is built again")
def test_an_interrupt_ends_the_compilers_too(tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def alive() -> bool:
        stat = Path(f"/proc/{pid.read_text('ascii').strip()}/stat")
        return stat.exists() and ") Z " not in stat.read_text("ascii")

    pid, log = tmp_path / "pid", tmp_path / "log"
    script = f"sleep 60 & echo $! > {pid.name}; sleep 0.5; kill -USR1 {os.getpid()}; wait"
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_logged(["sh", "-c", script], tmp_path, dict(os.environ), log)
    finally:
        signal.signal(signal.SIGUSR1, before)
    deadline = time.monotonic() + 10
    while alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive()


@pytest.mark.promise(
    "builds lie where environment, caller or the user's cache say, never beside the package"
)
def test_a_caller_chooses_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT)
    build = build_simulator(simulator(), builds=tmp_path / "work")
    assert build.folder.parent == tmp_path / "work"
    assert (build.folder / simulator().executable).exists()


@pytest.mark.promise(
    "a line every 10 s says what is done and for how long, and a build is not called a simulation"
)
def test_a_long_simulation_says_so_a_build_says_that_it_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "FIRST_SECONDS", 0.05)
    monkeypatch.setattr(patience, "EVERY_SECONDS", 0.05)
    said: list[str] = []
    slow = ["/bin/sh", "-c", "touch out.txt; sleep 0.5"]
    assert start(simulator(), slow, tmp_path, "out.txt", said.append) is None
    assert len(said) > 2 and all(each.startswith("simulating tiny: ") for each in said)
    said.clear()
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "builds"))
    build_simulator(simulator(), say=said.append)
    first, *others = said
    assert first == "building the simulator of tiny: a minute or more, once"
    assert others and all(each.startswith("building the simulator of tiny: ") for each in others)
