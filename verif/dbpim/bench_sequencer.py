"""Bench of `sequencer`: programs of random instructions, every pulse in its cycle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from amaranth.lib.data import ArrayLayout
from cocotb.triggers import FallingEdge

from hwgen.chip.fields import encode
from hwgen.dbpim.facts.instructions import Opcode, core_count, of_core
from hwgen.dbpim.facts.timing import DISPATCH_CYCLES, INSTRUCTION_SLOTS
from hwgen.dbpim.rtl.layouts import packet, work
from verif.common.chances import chances
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.stream import Stream, offer, reset

ARCH = arch_from_environment()
ALL = (1 << ARCH.cores) - 1
WORKS = ArrayLayout(work(), ARCH.cores)
LAYERS = 30
PULSES = ("go", "go_simd", "load", "store", "retire", "finished", "waiting")
INPUTS = ("instructions__valid", "instructions__ready", "loaded", "idle", "stored")
NAMES = (*INPUTS, *PULSES, "instruction", "work", "store_fields")
KINDS = (Opcode.LOAD, Opcode.CONV, Opcode.SIMD, Opcode.STORE)
CORNERS = Corners(
    "queue full",
    "queue empty",
    "a layer without active cores",
    "a layer that is idle at once",
    "one core is busy longer than the others",
    "store",
    "a LOAD that is over at once",
    "a LOAD that takes its time",
)


@dataclass(frozen=True)
class Instruction:
    """An instruction as the loader sends it, and the units that it must start."""

    opcode: Opcode
    word: int
    fields: dict[str, int]

    @property
    def cores(self) -> int:
        """Cores that take part in a CONV or SIMD."""
        return self.fields.get("active_cores", 0) & ALL

    def common(self, bits: int) -> int:
        """Return the lowest bits, which no core owns."""
        return self.word & ((1 << bits) - 1)

    def work(self, core: int) -> dict[str, int]:
        """Return the fields of one core, by name without its number."""
        names = (f.name for f in ARCH.packets[self.opcode] if core_count(f.name) == 1)
        stems = [name.removesuffix("_0") for name in names]
        return {stem: self.fields[of_core(stem, core)] for stem in stems}


def random_instruction(rng: np.random.Generator, opcode: Opcode) -> Instruction:
    """Return an instruction with all its fields random."""
    fields = {f.name: int(rng.integers(0, 1 << f.bits)) for f in ARCH.packets[opcode][1:]}
    if "active_cores" in fields and rng.random() < 0.1:
        fields["active_cores"] = 0
    fields |= {f.name: 0 for f in ARCH.packets[opcode] if core_count(f.name) > ARCH.cores}
    return Instruction(opcode, encode(ARCH.packets[opcode], {"opcode": opcode, **fields}), fields)


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.9], work=[0.0, 0.7])
async def layers_go_in_order(dut: Any, seed: int, gap: float, work: float) -> None:
    """LOADs, layers, STOREs and END retire one after the other, in their documented cycles."""
    rng = np.random.default_rng(seed)
    program = [random_instruction(rng, KINDS[rng.integers(len(KINDS))]) for _ in range(LAYERS)]
    program.append(random_instruction(rng, Opcode.END))
    source = Stream(dut, "sequencer__instructions")
    dut.sequencer__idle.value = ALL
    await reset(dut, source.valid, dut.sequencer__loaded, dut.sequencer__stored)
    probe = Probe(dut, "sequencer", NAMES)
    cocotb.start_soon(probe.record())
    cocotb.start_soon(offer(source, [i.word for i in program], chances(rng, gap)))
    while not probe.last("finished"):
        dut.sequencer__loaded.value = bool(rng.random() >= work)
        dut.sequencer__idle.value = random_idle(rng, work)
        dut.sequencer__stored.value = bool(rng.random() >= work)
        await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    check(probe, program, f"seed {seed}")


def random_idle(rng: np.random.Generator, work: float) -> int:
    """Return which cores are idle; each one works with probability `work` / 2."""
    return sum(bool(rng.random() >= work / 2) << core for core in range(ARCH.cores))


def check(probe: Probe, program: Sequence[Instruction], where: str) -> None:
    """Predict every pulse from the cycles in which instructions came and cores were idle."""
    rows = probe.cycles
    came = probe.when("instructions__valid", "instructions__ready")
    expected = [dict.fromkeys(PULSES, 0) for _ in rows]
    begin, taken = 0, []
    for instruction, entered in zip(program, came, strict=True):
        fetch = max(begin, entered + 1)
        for cycle in range(begin, fetch):
            expected[cycle]["waiting"] = 1
        CORNERS.hit("queue empty", fetch > begin)
        taken.append(fetch)
        retired = run(probe, instruction, fetch + 1, expected)
        for cycle in range(fetch + 1, min(retired + 2, len(rows))):
            check_fields(rows[cycle], instruction, f"{where}, cycle {cycle}")
        begin = retired + 1
    for cycle, (row, pulses) in enumerate(zip(rows[:begin], expected, strict=False)):
        got = {name: row[name] for name in PULSES}
        assert got == pulses, f"{where}, cycle {cycle}: {got}, expected {pulses}"
        waiting = sum(entered < cycle for entered in came) - sum(t < cycle for t in taken)
        CORNERS.hit("queue full", waiting == INSTRUCTION_SLOTS)
        assert row["instructions__ready"] == (waiting < INSTRUCTION_SLOTS), f"{where}, {cycle}"


def check_fields(row: dict[str, Any], instruction: Instruction, where: str) -> None:
    """Compare the fields that units and cores see while an instruction runs."""
    size = packet(instruction.opcode, ARCH).size
    shown = row["instruction"] & ((1 << size) - 1)
    assert shown == instruction.common(size), f"{where}: held instruction"
    if instruction.opcode in (Opcode.LOAD, Opcode.CONV, Opcode.SIMD):
        works = WORKS.from_bits(row["work"])
        for core in range(ARCH.cores):
            mine = instruction.work(core)
            found = {name: works[core][name] for name in mine}
            assert found == mine, f"{where}: fields of core {core}"


def run(probe: Probe, instruction: Instruction, go: int, expected: list[dict[str, int]]) -> int:
    """Expect the pulses of one instruction; return the cycle in which it retires."""
    rows = probe.cycles
    active = go - 1 + DISPATCH_CYCLES
    if instruction.opcode is Opcode.END:
        expected[go]["finished"] = 1
        retired = go
    elif instruction.opcode is Opcode.STORE:
        CORNERS.hit("store")
        expected[go]["store"] = 1
        fields = packet(Opcode.STORE, ARCH).from_bits(rows[go]["store_fields"])
        assert all(fields[name] == value for name, value in instruction.fields.items())
        retired = next(n for n in range(active, len(rows)) if rows[n]["stored"])
    elif instruction.opcode is Opcode.LOAD:
        expected[go]["load"] = 1
        retired = next(n for n in range(active, len(rows)) if rows[n]["loaded"])
        for cycle in range(active, retired + 1):
            expected[cycle]["waiting"] = 1
        CORNERS.hit("a LOAD that is over at once", retired == active)
        CORNERS.hit("a LOAD that takes its time", retired > active)
    else:
        pulse = "go" if instruction.opcode is Opcode.CONV else "go_simd"
        expected[go][pulse] = instruction.cores
        retired = next(n for n in range(active, len(rows)) if rows[n]["idle"] == ALL)
        CORNERS.hit("a layer without active cores", instruction.cores == 0)
        CORNERS.hit("a layer that is idle at once", retired == active)
        before = rows[retired - 1]["idle"]
        alone = retired > active and (ALL & ~before).bit_count() == 1
        CORNERS.hit("one core is busy longer than the others", alone)
    expected[retired]["retire"] = 1
    return retired


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
