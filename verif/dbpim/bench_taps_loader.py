"""Bench of `taps_loader`: the bodies of packets of taps with gaps, every strobe in its cycle."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from hwgen.dbpim.facts.instructions import PARAMETER_BITS
from hwgen.dbpim.facts.stream import taps_beats
from verif.common.chances import chances
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.dbpim.random_taps import Taps, random_taps
from verif.dbpim.random_tiles import beats_of
from verif.stream import Stream, offer, reset

ARCH = arch_from_environment()
PACKETS = 8
PER_BEAT = ARCH.port_bits // PARAMETER_BITS
SIZES = taps_beats(ARCH)
STROBES = ("parameters_write", "write", "push", "done")
INPUTS = ("start", "beats__valid", "beats__ready")
DATA = ("parameters_index", "parameters_data", "index", "data")
CORNERS = Corners("one tap", "several taps", "as many taps as a slot holds")


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.5])
async def bodies_come_whole(dut: Any, seed: int, gap: float) -> None:
    """Parameters and weights come out in their documented cycles; idle, no beat is taken."""
    rng = np.random.default_rng(seed)
    source = Stream(dut, "taps_loader__beats")
    await reset(dut, source.valid, dut.taps_loader__start)
    for _ in range(PACKETS):
        taps = random_taps(rng, ARCH, cores=1)
        probe = Probe(dut, "taps_loader", (*INPUTS, *STROBES, *DATA))
        dut.taps_loader__header.value = taps.header()
        recording = cocotb.start_soon(probe.record())
        body = beats_of(taps.packet(), ARCH)[SIZES.header :]
        offering = cocotb.start_soon(offer(source, body, chances(rng, gap)))
        for _ in range(3):
            await FallingEdge(dut.clk)
        dut.taps_loader__start.value = 1
        await FallingEdge(dut.clk)
        dut.taps_loader__start.value = 0
        await offering
        await FallingEdge(dut.clk)
        recording.cancel()
        check(probe, taps, f"seed {seed}")
        CORNERS.hit("one tap", len(taps.weights) == 1)
        CORNERS.hit("several taps", len(taps.weights) > 1)
        CORNERS.hit("as many taps as a slot holds", len(taps.weights) == ARCH.simd_taps)


def check(probe: Probe, taps: Taps, where: str) -> None:
    """Check the effect of each beat, one after the other."""
    begin = probe.when("start")[0] + 1
    valid = iter([cycle for cycle in probe.when("beats__valid") if cycle >= begin])
    strobes = {name: probe.when(name) for name in STROBES}
    words = taps.parameter_words()
    cycles = [next(valid) for _ in words]
    assert strobes["parameters_write"] == cycles, f"{where}: one channel in each cycle"
    for number, (cycle, word) in enumerate(zip(cycles, words, strict=True)):
        row = probe.cycles[cycle]
        assert (row["parameters_index"], row["parameters_data"]) == (number, word), where
    last = len(words) - 1
    taken = [cycles[n] for n in range(len(words)) if n % PER_BEAT == PER_BEAT - 1 or n == last]
    written = []
    for _ in taps.weights:
        beats = [next(valid) for _ in range(SIZES.tap)]
        taken += beats
        written.append(beats[-1])
    assert strobes["write"] == written, f"{where}: a tap with its last beat"
    found = [(probe.cycles[n]["index"], probe.cycles[n]["data"]) for n in written]
    assert found == list(enumerate(taps.words())), f"{where}: weights"
    assert strobes["push"] == strobes["done"] == written[-1:], f"{where}: push"
    assert probe.when("beats__valid", "beats__ready") == taken, f"{where}: beats taken"


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
