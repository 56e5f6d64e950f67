"""Each assertion of the emitted Verilog fires with a fault, and is silent without one."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.fifo import Fifo
from hwgen.chip.rtl.shared import SharedPart
from hwgen.chip.sim.simulator import Simulator, build_simulator
from hwgen.crossbar.facts.arch import load_arch as crossbar_arch
from hwgen.crossbar.rtl.chip import Chip as CrossbarChip
from hwgen.dbpim.facts.arch import load_arch as dbpim_arch
from hwgen.dbpim.rtl.chip import Chip as DbpimChip
from hwgen.mram.facts.arch import load_arch as mram_arch
from hwgen.mram.rtl.chip import Chip as MramChip
from verif.assertions import KINDS, Assertion, assertions_in, fires

CONFIGS = Path(__file__).parents[2] / "configs"
CHIPS = {
    "dbpim": lambda: DbpimChip(arch=dbpim_arch(CONFIGS / "dbpim/small.yaml")),
    "mram": lambda: MramChip(arch=mram_arch(CONFIGS / "mram/small.yaml")),
    "crossbar": lambda: CrossbarChip(
        arch=crossbar_arch(CONFIGS / "crossbar/digits_small_cnn.yaml")
    ),
}
LEAST = 25
"""Assertions of a chip whose modules or messages differ, sizes apart."""
BENCH = """
module bench;
  reg clk = 0, valid = 0;
  wire ready, out_valid;
  wire [7:0] out;
  tiny_fifo_4x8 dut (.clk(clk), .rst(1'b0), .flush(1'b0), .input__payload(8'd1),
    .input__valid(valid), .input__ready(ready), .output__payload(out), .output__valid(out_valid),
    .output__ready(1'b0));
  always #5 clk = !clk;
  initial begin
    #12 valid = 1;
    #80 $display("no word is lost");
    $finish;
  end
endmodule
"""


def stem(module: str) -> str:
    """Return the name of a module without its sizes."""
    return re.sub(r"_\d.*", "", module)


def one_of_each(modules: dict[str, str]) -> dict[str, list[Assertion]]:
    """Return the assertions of modules, of those that differ in their sizes the first."""
    found: dict[str, list[Assertion]] = {}
    for name, text in modules.items():
        own = list(assertions_in(name, text))
        if own and stem(name) not in map(stem, found):
            found[name] = own
    return found


def shared_stems(family: str) -> set[str]:
    """Return the names of a family's modules of shared parts."""
    names = [re.sub(r"(?<!^)(?=[A-Z])", "_", one.__name__).lower() for one in subclasses()]
    return {f"{family}_{name}" for name in names}


def subclasses() -> list[type[SharedPart]]:
    """Return the shared parts."""
    return [one for one in SharedPart.__subclasses__() if one.__module__.startswith("hwgen.chip")]


@pytest.mark.dear("mram")
@pytest.mark.promise(
    "each assertion of a chip's Verilog fires with a fault and is silent at rest; shared parts and"
    " families have all five kinds"
)
@pytest.mark.parametrize(
    "family", ["dbpim", "mram", pytest.param("crossbar", marks=pytest.mark.long)]
)
def test_each_assertion_fires(family: str, tmp_path: Path, icarus: str) -> None:
    modules = verilog_modules(CHIPS[family]())
    each = one_of_each(modules)
    assert sum(map(len, each.values())) >= LEAST
    kinds: dict[bool, set[str]] = {False: set(), True: set()}
    for module, own in each.items():
        folder = tmp_path / module
        folder.mkdir()
        at_rest, with_faults = fires(modules, module, folder)
        assert not at_rest, module
        assert {one.message for one in own} <= with_faults, module
        kinds[stem(module) in shared_stems(family)] |= {one.kind for one in own}
    assert kinds == {False: set(KINDS), True: set(KINDS)}


def test_a_bench_that_plants_nothing_lets_nothing_fire(tmp_path: Path, icarus: str) -> None:
    """The fault is what lets an assertion fire: with the condition true it stays silent."""
    modules = verilog_modules(Fifo(family="tiny", depth=4, width=8))
    name = [*modules][-1]
    modules[name] = re.sub(r"assert \(.*?\) `", "assert (1'h1) `", modules[name])
    assert fires(modules, name, tmp_path) == (set(), set())


@pytest.mark.dear("False")
@pytest.mark.promise("an assertion that fails ends a simulation under Verilator, with its message")
@pytest.mark.parametrize("broken", [False, True])
def test_a_queue_that_overflows(tmp_path: Path, *, broken: bool) -> None:
    modules = verilog_modules(Fifo(family="tiny", depth=4, width=8))
    name = [*modules][-1]
    if broken:
        right = "assign input__ready = level != 3'h4;"
        assert modules[name].count(right) == 1
        modules[name] = modules[name].replace(right, "assign input__ready = 1'h1;")
    sources = {f"{module}.v": text for module, text in modules.items()}
    simulator = Simulator(
        name="a queue", sources={**sources, "bench.v": BENCH}, top="bench", optimize="-O0"
    )
    build = build_simulator(simulator)
    command = [str(build.folder / simulator.executable)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    message = "Assertion failed in bench.dut: the queue must take no word while it is full"
    assert (message in said) == broken
    assert ("no word is lost" in said) != broken
    assert (done.returncode != 0) == broken


def test_kinds_are_counted(tmp_path: Path) -> None:
    for name, text in verilog_modules(Fifo(family="tiny", depth=4, width=8)).items():
        (tmp_path / f"{name}.v").write_text(text)
    command = [sys.executable, "-m", "verif.assertions", str(tmp_path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.rsplit(maxsplit=1) for line in said.splitlines()]
    counts = Counter({row[0].removeprefix(str(tmp_path)).strip(): int(row[1]) for row in rows})
    assert counts == {"handshakes hold": 1, "neither over nor under": 2, "counters": 2}


def test_a_message_of_no_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="must be of one kind, got it works"):
        _ = Assertion("module", "it works", ()).kind
