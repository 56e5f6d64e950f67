"""Bench of the tiny adder, for the tests of the runner."""

import os
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import cocotb
import numpy as np

from tests.tiny import ADD_LATENCY_CYCLES
from verif.stream import Stream, accept, offer, reset, watch

BIAS = int(os.environ["BIAS"])
WORDS = [0, 255, 7, 8, 9, 128, 127, 1]


def pauses(rng: np.random.Generator, probability: float) -> Iterator[bool]:
    while True:
        yield bool(rng.random() < probability)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.7])
async def adder_adds(dut: Any, stall: float) -> None:
    """Every sum is right and in order; without stalls it takes the published latency."""
    source, sink = Stream(dut, "input"), Stream(dut, "result")
    await reset(dut, source.valid, sink.ready)
    rng = np.random.default_rng(1)
    cocotb.start_soon(offer(source, WORDS, repeat(False)))
    cocotb.start_soon(accept(sink, pauses(rng, stall)))
    taken_task = cocotb.start_soon(watch(source, len(WORDS)))
    results = await watch(sink, len(WORDS))
    taken = await taken_task
    assert [result.word for result in results] == [word + BIAS for word in WORDS]
    if stall == 0:
        latencies = {b.cycle - a.cycle for a, b in zip(taken, results, strict=True)}
        assert latencies == {ADD_LATENCY_CYCLES}
