"""Simulation: what the host does with a chip; `python -m plus_one.sim ARCH AMOUNT WORD...`."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.layouts import places
from hwgen.chip.sim.host import ChipRun, Command, HostedChip, Work, positions, run_chip
from hwgen.chip.sim.host_files import PROGRAM_ADDRESS, Writes, number, pages, read_nibbles
from hwgen.chip.trouble import Trouble
from plus_one import facts
from plus_one.facts import Arch, load_arch
from plus_one.rtl import Chip

WATCH = """
  wire [TRACE-1:0] trace;
  wire running = trace[TRACE_RUNNING_AT];
  always @(posedge clk) if (!rst) begin
    count(EVENT_ADDITIONS, trace[TRACE_ADDS_AT] ? WORDS : 0);
    if (trace[TRACE_RETIRE_AT]) retired(0);
  end
"""
MEMORY_BYTES = 1 << 24


def hosted(arch: Arch) -> HostedChip[Writes]:
    """Return the chip with what its host is told."""
    chip = Chip(arch=arch)
    return HostedChip(
        name=arch.name,
        top=chip.module_name,
        write=lambda: verilog_modules(chip),
        watch=WATCH,
        trace=".trace(trace)",
        sizes=positions("TRACE", places(chip.trace.shape())),
        registers=facts.REGISTERS,
        events=facts.EVENTS,
        port_bytes=arch.port_bits // 8,
        read_stores=stores,
    )


def add(arch: Arch, amount: int, words: Sequence[int], *, stall: int = 0) -> ChipRun[Writes]:
    """Return the run of a chip that adds `amount` to words of 32 bits, modulo 2**32."""
    content = np.array(words, "<u4").tobytes()
    answer = PROGRAM_ADDRESS + pages(len(content))
    registers = {"amount": amount, "words": len(words)}
    registers |= {"source_address": PROGRAM_ADDRESS, "answer_address": answer}
    work = Work(
        content={PROGRAM_ADDRESS: content},
        memory_bytes=MEMORY_BYTES,
        commands=[Command(number=0, registers=registers, answers=[(0, answer, len(content))])],
        latency=8,
        trouble=Trouble(stall=stall),
    )
    with tempfile.TemporaryDirectory() as scratch:
        (run,) = run_chip(work, hosted(arch), Path(scratch))
    return run


def stores(path: Path) -> Writes:
    """Return what the chip stored on the way: this one shows nothing."""
    start, cycle = map(number, read_nibbles(path, [4, 10]))
    return Writes(start=start, cycle=cycle)


if __name__ == "__main__":
    found = add(load_arch(Path(sys.argv[1])), int(sys.argv[2]), list(map(int, sys.argv[3:])))
    print(*found.answer.view("<u4"))
