"""Bench of `table_loader`: tables with gaps, every beat in its cycle."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from verif.common.chances import chances
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.dbpim.random_taps import random_table
from verif.stream import Stream, offer, reset

ARCH = arch_from_environment()
TABLES = 3
NAMES = ("start", "beats__valid", "beats__ready", "write", "index", "done")
CORNERS = Corners("beats wait for the start", "a gap between beats")


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.5])
async def tables_come_whole(dut: Any, seed: int, gap: float) -> None:
    """A beat is written in the cycle in which it is there, with the number of its first entry."""
    rng = np.random.default_rng(seed)
    source = Stream(dut, "table_loader__beats")
    await reset(dut, source.valid, dut.table_loader__start)
    for _ in range(TABLES):
        beats = random_table(rng, ARCH, cores=1).beats()
        probe = Probe(dut, "table_loader", NAMES)
        recording = cocotb.start_soon(probe.record())
        offering = cocotb.start_soon(offer(source, beats, chances(rng, gap)))
        for _ in range(int(rng.integers(1, 6))):
            await FallingEdge(dut.clk)
        dut.table_loader__start.value = 1
        await FallingEdge(dut.clk)
        dut.table_loader__start.value = 0
        await offering
        await FallingEdge(dut.clk)
        recording.cancel()
        begin = probe.when("start")[0] + 1
        valid = probe.when("beats__valid")
        cycles = [cycle for cycle in valid if cycle >= begin]
        CORNERS.hit("beats wait for the start", len(cycles) < len(valid))
        CORNERS.hit("a gap between beats", cycles[-1] - cycles[0] >= len(cycles))
        assert probe.when("write") == cycles, f"seed {seed}: cycles"
        assert probe.when("beats__valid", "beats__ready") == cycles, f"seed {seed}: beats taken"
        found = [probe.cycles[cycle]["index"] for cycle in cycles]
        assert found == [ARCH.port_bytes * n for n in range(len(beats))], f"seed {seed}: entries"
        assert probe.when("done") == cycles[-1:], f"seed {seed}: done"


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
