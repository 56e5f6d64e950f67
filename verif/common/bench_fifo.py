"""Bench of `fifo`: words in their order, whatever the pauses on both sides."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge

from verif.common.chances import chances
from verif.common.parts import FIFO, FIFO_BITS, FIFO_DEPTH
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.stream import Stream, accept, offer, reset

WORDS = 60
PORTS = [
    f"{side}__{name}" for side in ("input", "output") for name in ("payload", "valid", "ready")
]
CORNERS = Corners(
    "full", "empty", "full and a word leaves", "one word goes in and out", "flushed while full"
)


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.6], stall=[0.0, 0.6], flush=[0.0, 0.05])
async def words_keep_their_order(
    dut: Any, seed: int, gap: float, stall: float, flush: float
) -> None:
    """Every cycle shows the oldest word that came in and has neither left nor been flushed."""
    rng = np.random.default_rng(seed)
    source, sink = Stream(dut, f"{FIFO}__input"), Stream(dut, f"{FIFO}__output")
    flushed = getattr(dut, f"{FIFO}__flush")
    probe = Probe(dut, FIFO, [*PORTS, "flush"])
    words = rng.integers(0, 1 << FIFO_BITS, WORDS).tolist()
    await reset(dut, source.valid, sink.ready, flushed)
    cocotb.start_soon(probe.record())
    cocotb.start_soon(accept(sink, chances(rng, stall)))
    offering = cocotb.start_soon(offer(source, words, chances(rng, gap)))
    while not offering.done():
        flushed.value = bool(rng.random() < flush)
        await FallingEdge(dut.clk)
    flushed.value = 0
    await ClockCycles(dut.clk, 3 * FIFO_DEPTH)
    check(probe, f"seed {seed}")


def check(probe: Probe, where: str) -> None:
    """Follow a list of words through every cycle."""
    waiting: list[int] = []
    for cycle, row in enumerate(probe.cycles):
        assert row["input__ready"] == (len(waiting) < FIFO_DEPTH), f"{where}, cycle {cycle}"
        assert row["output__valid"] == bool(waiting), f"{where}, cycle {cycle}"
        comes = row["input__valid"] and row["input__ready"]
        leaves = row["output__valid"] and row["output__ready"]
        CORNERS.hit("full", len(waiting) == FIFO_DEPTH)
        CORNERS.hit("empty", not waiting)
        CORNERS.hit("full and a word leaves", len(waiting) == FIFO_DEPTH and leaves)
        CORNERS.hit("one word goes in and out", comes and leaves and len(waiting) == 1)
        CORNERS.hit("flushed while full", row["flush"] and len(waiting) == FIFO_DEPTH)
        if waiting:
            assert row["output__payload"] == waiting[0], f"{where}, cycle {cycle}"
        if leaves:
            waiting.pop(0)
        if comes:
            waiting.append(row["input__payload"])
        if row["flush"]:
            waiting.clear()


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
