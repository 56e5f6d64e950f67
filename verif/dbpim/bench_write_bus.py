"""Bench of `write_bus`: cores request at random; every grant is round robin."""

from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge

from hwgen.rtl.dbpim.layouts import bus_write
from hwgen.spec.dbpim.timing import BUS_CYCLES
from verif.common.chances import chances
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.stream import Stream, offer, reset

ARCH = arch_from_environment()
BITS: int = bus_write(ARCH).size
WORDS = 20
"""Of each core in one run."""
ASKS = [f"requests__{core}__{name}" for core in range(ARCH.cores) for name in ("valid", "ready")]
PAYLOADS = [f"requests__{core}__payload" for core in range(ARCH.cores)]
NAMES = [*ASKS, *PAYLOADS, "image_valid", "image", "write_valid", "write"]
CORNERS = Corners(
    "all cores request", "no core requests", "the last core goes before the first", "image"
)


def random_word(rng: np.random.Generator) -> int:
    """Return any word of the bus."""
    content: bytes = rng.bytes(-(-BITS // 8))
    return int.from_bytes(content, "little") % (1 << BITS)


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.5, 0.9], image=[0.0, 0.2])
async def grants_go_round(dut: Any, seed: int, gap: float, image: float) -> None:
    """In each cycle the right core is granted, and its word is written one cycle later."""
    rng = np.random.default_rng(seed)
    streams = [Stream(dut, f"write_bus__requests__{core}") for core in range(ARCH.cores)]
    await reset(dut, dut.write_bus__image_valid, *(stream.valid for stream in streams))
    probe = Probe(dut, "write_bus", NAMES)
    cocotb.start_soon(probe.record())
    words = [[random_word(rng) for _ in range(WORDS)] for _ in streams]
    offers = [
        cocotb.start_soon(offer(stream, of_core, chances(rng, gap)))
        for stream, of_core in zip(streams, words, strict=True)
    ]
    while not all(task.done() for task in offers):
        dut.write_bus__image_valid.value = bool(rng.random() < image)
        dut.write_bus__image.value = random_word(rng)
        await FallingEdge(dut.clk)
    dut.write_bus__image_valid.value = 0
    await ClockCycles(dut.clk, 2)
    check(probe, words, f"seed {seed}")


def check(probe: Probe, words: Sequence[Sequence[int]], where: str) -> None:
    """Check the round-robin order of the cores in every cycle."""
    first, sent = 0, [0] * ARCH.cores
    due: list[int | None] = [None] * BUS_CYCLES
    for cycle, row in enumerate(probe.cycles):
        expected = due.pop(0)
        got = row["write"] if row["write_valid"] else None
        assert got == expected, f"{where}, cycle {cycle}: {got} written, not {expected}"
        asks = [core for core in range(ARCH.cores) if row[f"requests__{core}__valid"]]
        in_turn = sorted(asks, key=lambda core: (core - first) % ARCH.cores)
        winner = in_turn[0] if in_turn and not row["image_valid"] else None
        granted = [core for core in asks if row[f"requests__{core}__ready"]]
        assert granted == ([] if winner is None else [winner]), f"{where}, cycle {cycle}"
        CORNERS.hit("all cores request", len(asks) == ARCH.cores)
        CORNERS.hit("no core requests", not asks)
        CORNERS.hit(
            "the last core goes before the first",
            ARCH.cores == 1 or winner != min(asks, default=None),
        )
        CORNERS.hit("image", bool(row["image_valid"]))
        if winner is None:
            due.append(row["image"] if row["image_valid"] else None)
        else:
            due.append(words[winner][sent[winner]])
            sent[winner] += 1
            first = (winner + 1) % ARCH.cores
    assert sent == [WORDS] * ARCH.cores, f"{where}: {sent} words came"


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
