"""Bench of `sequencer`: programs of random instructions, every pulse in its cycle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from hwgen.spec.dbpim.instructions import PACKETS, Opcode
from hwgen.spec.dbpim.stream import encode_instruction
from hwgen.spec.dbpim.timing import DISPATCH_CYCLES, INSTRUCTION_SLOTS
from verif.common.chances import chances
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.stream import Stream, offer, reset

ARCH = arch_from_environment()
ALL = (1 << ARCH.cores) - 1
LAYERS = 30
PULSES = ("go", "go_simd", "store", "retire", "finished", "waiting")
INPUTS = ("instructions__valid", "instructions__ready", "image_done", "idle", "stored")
NAMES = (*INPUTS, *PULSES, "instruction", "store_words")
CORNERS = Corners(
    "queue full",
    "queue empty",
    "a layer without active cores",
    "a layer that is idle at once",
    "one core is busy longer than the others",
    "store",
)


@dataclass(frozen=True)
class Instruction:
    """An instruction as the loader sends it, and the units that it must start."""

    opcode: Opcode
    word: int
    cores: int
    words: int


def random_instruction(rng: np.random.Generator, opcode: Opcode) -> Instruction:
    """Return an instruction with all its fields random."""
    fields = {f.name: int(rng.integers(0, 1 << f.bits)) for f in PACKETS[opcode][1:]}
    if "active_cores" in fields and rng.random() < 0.1:
        fields["active_cores"] = 0
    word = int.from_bytes(encode_instruction(opcode, fields), "little")
    cores = fields.get("active_cores", 0) & ALL
    return Instruction(opcode, word, cores, fields.get("words", 0))


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.9], work=[0.0, 0.7])
async def layers_go_in_order(dut: Any, seed: int, gap: float, work: float) -> None:
    """Image, layers, STORE and END retire one after the other, in their documented cycles."""
    rng = np.random.default_rng(seed)
    kinds = (Opcode.CONV, Opcode.POOL, Opcode.ADD, Opcode.STORE)
    program = [random_instruction(rng, kinds[rng.integers(4)]) for _ in range(LAYERS)]
    program.append(random_instruction(rng, Opcode.END))
    source = Stream(dut, "sequencer__instructions")
    dut.sequencer__idle.value = ALL
    await reset(dut, source.valid, dut.sequencer__image_done, dut.sequencer__stored)
    probe = Probe(dut, "sequencer", NAMES)
    cocotb.start_soon(probe.record())
    cocotb.start_soon(offer(source, [i.word for i in program], chances(rng, gap)))
    image = int(rng.integers(1, 30))
    while not probe.last("finished"):
        cycle = len(probe.cycles)
        dut.sequencer__image_done.value = cycle == image
        dut.sequencer__idle.value = random_idle(rng, work)
        dut.sequencer__stored.value = bool(rng.random() >= work)
        await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    check(probe, program, image, f"seed {seed}")


def random_idle(rng: np.random.Generator, work: float) -> int:
    """Return which cores are idle; each one works with probability `work` / 2."""
    return sum(bool(rng.random() >= work / 2) << core for core in range(ARCH.cores))


def check(probe: Probe, program: Sequence[Instruction], image: int, where: str) -> None:
    """Predict every pulse from the cycles in which instructions came and cores were idle."""
    rows = probe.cycles
    came = probe.when("instructions__valid", "instructions__ready")
    expected = [dict.fromkeys(PULSES, 0) for _ in rows]
    for cycle in range(image + 1):
        expected[cycle]["waiting"] = 1
    expected[image]["retire"] = 1
    begin, taken = image + 1, []
    for instruction, entered in zip(program, came, strict=True):
        fetch = max(begin, entered + 1)
        for cycle in range(begin, fetch):
            expected[cycle]["waiting"] = 1
        CORNERS.hit("queue empty", fetch > begin)
        taken.append(fetch)
        retired = run(probe, instruction, fetch + 1, expected)
        assert rows[retired]["instruction"] == instruction.word, f"{where}: held instruction"
        begin = retired + 1
    for cycle, (row, pulses) in enumerate(zip(rows[:begin], expected, strict=False)):
        got = {name: row[name] for name in PULSES}
        assert got == pulses, f"{where}, cycle {cycle}: {got}, expected {pulses}"
        waiting = sum(entered < cycle for entered in came) - sum(t < cycle for t in taken)
        CORNERS.hit("queue full", waiting == INSTRUCTION_SLOTS)
        assert row["instructions__ready"] == (waiting < INSTRUCTION_SLOTS), f"{where}, {cycle}"


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
        assert rows[go]["store_words"] == instruction.words
        retired = next(n for n in range(active, len(rows)) if rows[n]["stored"])
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
