"""A part whose cells are replaced does in every cycle what the part does, whatever is undefined."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.chip.replacement import MemorySpec, Replacement, load_replacement
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.rtl.replaced import tiling
from hwgen.chip.sim.simulator import Simulator, run_simulator
from hwgen.crossbar.rtl.memories import ManyReads, TwoReads
from hwgen.crossbar.rtl.pad import PadMemory
from hwgen.dbpim.facts import load_arch
from hwgen.dbpim.rtl.activation_bank import ActivationBank
from hwgen.dbpim.rtl.cell_array import CellArray
from hwgen.dbpim.rtl.meta_array import MetaArray
from hwgen.dbpim.rtl.psum_array import PsumArray
from hwgen.errors import ConfigError
from hwgen.files.load import validate_spec
from hwgen.files.shipped import shipped_folder
from hwgen.mram.facts import arch as mram
from hwgen.mram.rtl.cell_array import CellArray as MramCells
from hwgen.mram.rtl.table import Table
from verif.replacement_model import model_of
from verif.toolchain import BUILD_ROOT

TINY = load_arch(shipped_folder() / "dbpim/tiny.yaml")
MRAM = mram.load_arch(shipped_folder() / "mram/small.yaml")
CYCLES = 2000
PAIRS = 22
MOST_MODULES = 16

PARTS: dict[str, MemoryPart] = {
    "register_file": RegisterFile(family="dbpim", depth=16, width=20),
    "sliced_file": RegisterFile(family="dbpim", depth=16, width=8, slices=3),
    "activation_bank": ActivationBank(arch=TINY),
    "cell_array": CellArray(arch=TINY),
    "meta_array": MetaArray(arch=TINY),
    "psum_array": PsumArray(arch=TINY),
    "pad_memory": PadMemory(words=24, elements=4, bits=8),
    "many_reads": ManyReads(depth=10, width=9, reads=5),
    "two_reads": TwoReads(depth=10, width=9),
    "table": Table(entries=32, bits=50, port_bits=32),
    "mram_cells": MramCells(arch=MRAM, slices=8),
}
GUARDS = {
    "activation_bank": "if (|write_en && write_address == read_address) read_en = 0;",
    "table": "if (|write_en && write_index == read_index) read_en = 0;",
    "pad_memory": "if (|write_en) read_en = 0;",
}
"""What a chip never does: read the word that it writes, where a part says so."""


def spec(ports: Sequence[dict[str, Any]], **changed: Any) -> MemorySpec:
    """Return a memory; ports: what each has beside its address and data."""
    found = []
    for number, port in enumerate(ports):
        kind = port["kind"]
        pins: dict[str, Any] = {"address": f"addr{number}", **port}
        if "r" in kind:
            pins["data_out"] = f"dout{number}"
        if "w" in kind:
            pins["data_in"] = f"din{number}"
            pins.setdefault("clock", "clk")
        found.append(pins)
    given = {
        "format": "hwgen.replacement",
        "version": 1,
        "name": "drawn",
        "module": "drawn",
        "words": 16,
        "bits": 8,
        "mask_bits": None,
        "read_cycles": 1,
        "read_during_write": "old",
        "holds": False,
        "power_on": "garbage",
        "files": {"verilog": ["drawn.v"]},
        **changed,
        "ports": found,
    }
    return validate_spec(MemorySpec, given, source="a test")


def drawn(rng: np.random.Generator, part: MemoryPart) -> MemorySpec:
    """Return a memory of any shape and kind that a part accepts; others are drawn again."""

    def pin(name: str) -> dict[str, str]:
        return {"name": name, "active": str(rng.choice(["high", "low"]))}

    while True:
        kinds = rng.choice(["rw", "w r", "rw r", "rw rw", "w r r", "r w"]).split()
        clocked = bool(rng.integers(0, 2))
        edge = str(rng.choice(["rising", "falling"]))
        bits = int(rng.choice([1, 4, 5, 8, 16, 24, 40, 128]))
        masks = [size for size in (1, 2, 4, 8) if bits % size == 0]
        mask = int(rng.choice(masks)) if rng.random() < 0.6 else None
        ports: list[dict[str, Any]] = []
        for number, kind in enumerate(kinds):
            port: dict[str, Any] = {"kind": kind, "edge": edge}
            if clocked or "w" in kind:
                port["clock"] = "clk" if rng.random() < 0.5 else f"clk{number}"
            if rng.random() < 0.6:
                port["select"] = pin(f"sel{number}")
            if "w" in kind and (kind == "rw" or "select" not in port or rng.random() < 0.5):
                port["write"] = pin(f"we{number}")
            if "w" in kind and mask is not None:
                port["mask"] = pin(f"mask{number}")
            ports.append(port)
        try:
            found = spec(
                ports,
                words=int(rng.choice([2, 4, 8, 16, 20, 64])),
                bits=bits,
                mask_bits=mask,
                read_cycles=int(rng.integers(0, 2)),
                read_during_write=str(rng.choice(["old", "undefined"])),
                holds=bool(rng.integers(0, 2)),
            )
            if fits(part, found) <= MOST_MODULES:
                return found
        except ConfigError:
            continue


def fits(part: MemoryPart, memory: MemorySpec) -> int:
    """Return the modules that become a part."""
    replacement = Replacement(file=Path("drawn.yaml"), spec=memory, sources=())
    needs_old = part.reads_what_it_writes
    return tiling(part.asked(), replacement, needs_old=needs_old).modules


@dataclass(frozen=True)
class Pair:
    """A part, and the memory that replaces its cells, with its Verilog."""

    name: str
    memory: MemorySpec
    verilog: str

    @property
    def part(self) -> MemoryPart:
        """The part."""
        return PARTS[self.name]


def pairs(rng: np.random.Generator, count: int) -> Iterator[Pair]:
    """Yield parts with drawn memories."""
    for number, name in enumerate(itertools.islice(itertools.cycle(PARTS), count)):
        memory = replace(drawn(rng, PARTS[name]), module=f"drawn_{number}")
        yield Pair(name, memory, model_of(memory))


def shipped(number: int, name: str, memory: str, old: str = "", new: str = "") -> Pair:
    """Return a part with a memory that ships, in whose Verilog a text is another one."""
    found = load_replacement(Path(memory))
    ((_, text),) = found.sources
    assert text.count(old) > 0
    module = f"shipped_{number}"
    text = text.replace(old, new, 1).replace(found.spec.module, module)
    return Pair(name, replace(found.spec, module=module), text)


def bench(cases: Sequence[Pair]) -> dict[str, str]:
    """Return the Verilog of all pairs beside each other, driven alike."""
    texts, body = dict[str, str](), list[str]()
    for number, pair in enumerate(cases):
        part, memory = pair.part, pair.memory
        texts[f"model_{number}"] = pair.verilog
        for kind, replacement in (
            ("known", None),
            ("other", Replacement(file=Path("x.yaml"), spec=memory, sources=())),
        ):
            part.replacement = replacement
            (text,) = verilog_modules(part).values()
            texts[f"{kind}_{number}"] = text.replace(part.module_name, f"{kind}_{number}")
            part.replacement = None
        body.append(driven(number, pair.name, part))
    checks = " ".join(f"c{number}.check;" for number in range(len(cases)))
    turns = " ".join(f"c{number}.turn;" for number in range(len(cases)))
    texts["bench"] = f"""`timescale 1ns/1ps
module bench;
  reg clk = 1;
  integer cycle, differing = 0, file;
  {"".join(body)}
  initial begin
    file = $fopen("answers.txt", "w");
    for (cycle = 0; cycle < {CYCLES}; cycle = cycle + 1) begin
      #1; {turns}
      #4 clk = 0;
      #4; {checks}
      #1 clk = 1;
    end
    $fwrite(file, "%0d of {len(cases)}\\n", differing);
    $fclose(file);
    $finish;
  end
endmodule
"""
    return {f"{name}.v": text for name, text in texts.items()}


def driven(number: int, name: str, part: MemoryPart) -> str:
    """Return a part and its replaced one with the same random inputs, compared before each edge.

    Addresses are drawn from few words, so that each is written and read often.
    """
    inputs = [
        (port, width) for port, way, width in part.ports() if way == "input" and port != "clk"
    ]
    outputs = [(port, width) for port, way, width in part.ports() if way == "output"]
    draws = "".join(f"{port} = {draw(port, width)}; " for port, width in inputs)
    regs = "".join(f"reg [{width - 1}:0] {port} = 0; " for port, width in inputs)
    wires, sides = "", {"known": "", "other": ""}
    for side in sides:
        wires += "".join(f"wire [{width - 1}:0] {side}_{port}; " for port, width in outputs)
        both = [f".{port}({port})" for port, _ in inputs]
        both += [f".{port}({side}_{port})" for port, _ in outputs]
        sides[side] = f"{side}_{number} {side} (.clk(bench.clk), {', '.join(both)});"
    unequal = " || ".join(f"known_{port} !== other_{port}" for port, _ in outputs)
    cells = part.asked()
    # Of a word that is written, a part of one address that never reads it then promises nothing.
    promised = "1"
    if cells.one_address and not part.reads_what_it_writes and cells.read_en is None:
        promised = "!(|write_en)"
    return f"""
  generate if (1) begin : c{number}
    {regs}{wires}
    {sides["known"]} {sides["other"]}
    reg bad = 0;
    task turn; begin {draws} {GUARDS.get(name, "")} end endtask
    task check; if (({promised}) && ({unequal}) && !bad) begin
      bad = 1; differing = differing + 1;
      $fwrite(file, "{number} {name} in cycle %0d\\n", cycle); end endtask
  end endgenerate
"""


def draw(port: str, width: int) -> str:
    """Return random bits; of an address the highest and the two lowest ones."""
    if any(word in port for word in ("address", "index", "row", "vector", "word")):
        return f"$urandom & {(1 << (width - 1)) | 3}"
    return f"{{{', '.join(['$urandom'] * -(-width // 32))}}}"


def run(cases: Sequence[Pair], folder: Path) -> list[str]:
    """Return what differs, a line a pair, and last how many of how many."""
    simulator = Simulator(
        name="replaced memories",
        sources=bench(cases),
        top="bench",
        # What nothing defines is all ones, and no word is unwritten at the begin.
        args=["--x-assign", "1", "--x-initial", "0", "-Wno-fatal", "-Wno-lint"],
        optimize="-O0",
    )
    run_simulator(
        simulator,
        ["+verilator+rand+reset+0", "+verilator+seed+7"],
        folder=folder,
        opens="answers.txt",
        builds=BUILD_ROOT,
    )
    return (folder / "answers.txt").read_text().splitlines()


@pytest.mark.promise(
    "a memory of any shape, ports, polarity, mask and latency does what the part does whose"
    " cells it replaces"
)
def test_drawn_memories_do_what_the_parts_do(tmp_path: Path) -> None:
    """Memories of any shape, ports, polarity, edge and latency; undefined words are never seen."""
    cases = list(pairs(np.random.default_rng(11), PAIRS))
    # A port that reads in every cycle holds nothing, whatever the file says of those that rest.
    restless = spec(
        [{"kind": "w", "write": {"name": "we"}}, {"kind": "r", "clock": "clk"}],
        module="restless",
        words=1024,
        holds=True,
    )
    cases.append(Pair("activation_bank", restless, model_of(restless)))
    assert len({(one.memory.read_cycles, one.memory.holds) for one in cases}) == 4
    assert max(fits(one.part, one.memory) for one in cases) > 8
    assert run(cases, tmp_path) == [f"0 of {len(cases)}"]


@pytest.mark.dear("sliced_file-False")
@pytest.mark.promise(
    "a memory whose words are undefined while they are written replaces a part that reads what"
    " it held"
)
@pytest.mark.parametrize(
    ("part", "accepted"),
    [("register_file", True), ("psum_array", True), ("two_reads", True), ("sliced_file", False)],
)
def test_a_word_that_is_undefined_while_it_is_written_is_written_late(
    part: str, accepted: bool, tmp_path: Path
) -> None:
    """Reads see the word that waits; slices of a word that are written alone have no such way."""
    pins = {
        key: {"name": name, "active": "low"} for key, name in (("write", "we"), ("mask", "mask"))
    }
    memories = [
        spec(
            [{"kind": "w", **pins}, {"kind": "r", **read}],
            module=f"undefined_{number}",
            words=words,
            mask_bits=1,
            read_cycles=0,
            read_during_write="undefined",
        )
        for number, (read, words) in enumerate([({}, 8), ({"clock": "clk", "edge": "falling"}, 16)])
    ]
    if not accepted:
        with pytest.raises(ConfigError, match=r"must be old: the part reads words .*, slices of"):
            fits(PARTS[part], memories[0])
        return
    assert run([Pair(part, each, model_of(each)) for each in memories], tmp_path) == ["0 of 2"]


@pytest.mark.dear
def test_what_ships_does_what_the_parts_do_and_a_fault_is_seen(tmp_path: Path) -> None:
    """Wrong Verilog beside a right file differs: a mask, a latency, the old content of a word."""
    rested = "if (!clk1 && !csb1_taken"
    cases = [
        shipped(0, "activation_bank", "sram_256x32"),
        shipped(1, "pad_memory", "sram_256x32"),
        shipped(2, "table", "sram_256x32"),
        shipped(3, "sliced_file", "latches_16x32"),
        shipped(4, "mram_cells", "latches_16x32"),
        shipped(5, "psum_array", "latches_16x32"),
        shipped(6, "activation_bank", "sram_256x32", "if (wmask0[1])", "if (!wmask0[1])"),
        shipped(7, "table", "sram_256x32", "csb1_taken <= csb1;", "csb1_taken <= #9.5 csb1;"),
        shipped(
            8, "psum_array", "latches_16x32", "= words[raddr];", "= we ? wdata : words[raddr];"
        ),
        shipped(9, "table", "sram_256x32", rested, rested.replace("!csb1_taken", "csb1_taken")),
    ]
    *lines, last = run(cases, tmp_path)
    assert sorted(int(line.split()[0]) for line in lines) == [6, 7, 8, 9], lines
    assert last == "4 of 10"
