"""Bench of `write_bus`: cores request at random; every grant of a lane is round robin.

Words of an image come before the first request and behind the last, as in a chip.
"""

from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge

from hwgen.dbpim.facts.timing import BUS_CYCLES
from hwgen.dbpim.rtl.layouts import bus_write
from verif.common.chances import chances
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack
from verif.reference.dbpim.activation_buffer import bank_of
from verif.stream import Stream, offer, reset

ARCH = arch_from_environment()
LAYOUT, LANES = bus_write(ARCH), ARCH.bus_words
BITS: int = LAYOUT.size
WORDS = 20
"""Of each core in one run."""
ASKS = [f"requests__{core}__{name}" for core in range(ARCH.cores) for name in ("valid", "ready")]
PAYLOADS = [f"requests__{core}__payload" for core in range(ARCH.cores)]
NAMES = [*ASKS, *PAYLOADS, "image_valid", "image", "write_valid", "write"]
SEVERAL = (
    "all lanes take a word",
    "two cores want one lane while another lane is free",
    "a word for the logit buffer of another bank",
)
CORNERS = Corners(
    "all cores request",
    "no core requests",
    "the last core goes before the first",
    "image",
    *(SEVERAL[:1] if ARCH.cores >= LANES else ()),
    *(SEVERAL[1:] if ARCH.cores > 1 < LANES else ()),
)


def random_word(rng: np.random.Generator) -> int:
    """Return any word of the bus; one of four goes to the logit buffer."""
    content: bytes = rng.bytes(-(-BITS // 8))
    fields = LAYOUT.from_bits(int.from_bytes(content, "little") % (1 << BITS))
    names = ("data", "enable", "row", "column", "word", "index")
    kept = {name: fields[name] for name in names}
    kind = int(rng.integers(8))
    return int(LAYOUT.const({**kept, "raw": kind == 0, "to_memory": kind == 1}).as_bits())


def lane_of(word: int) -> int:
    """Return the lane of a word."""
    fields = LAYOUT.from_bits(word)
    bank = bank_of(fields.row, fields.column, banks=ARCH.banks)
    if LANES > 1:
        to_logits = bool(fields.raw or fields.to_memory)
        CORNERS.hit("a word for the logit buffer of another bank", to_logits and bank % LANES > 0)
    return 0 if fields.raw or fields.to_memory else bank % LANES


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.5, 0.9], image=[0.0, 0.2])
async def grants_go_round(dut: Any, seed: int, gap: float, image: float) -> None:
    """In each cycle each lane grants the right core, and writes its word one cycle later."""
    rng = np.random.default_rng(seed)
    streams = [Stream(dut, f"write_bus__requests__{core}") for core in range(ARCH.cores)]
    await reset(dut, dut.write_bus__image_valid, *(stream.valid for stream in streams))
    probe = Probe(dut, "write_bus", NAMES)
    cocotb.start_soon(probe.record())
    words = [[random_word(rng) for _ in range(WORDS)] for _ in streams]
    await load(dut, rng, image)
    offers = [
        cocotb.start_soon(offer(stream, of_core, chances(rng, gap)))
        for stream, of_core in zip(streams, words, strict=True)
    ]
    for task in offers:
        await task
    await load(dut, rng, image)
    await ClockCycles(dut.clk, 2)
    lanes = [Lane(number) for number in range(LANES)]
    sent = [0] * ARCH.cores
    for cycle, row in enumerate(probe.cycles):
        where = f"seed {seed}, cycle {cycle}"
        asks = [core for core in range(ARCH.cores) if row[f"requests__{core}__valid"]]
        of_lane = {core: lane_of(words[core][sent[core]]) for core in asks}
        winners = [lane.check(row, of_lane, words, sent, where) for lane in lanes]
        granted = [core for core in asks if row[f"requests__{core}__ready"]]
        won = [core for core in winners if core is not None]
        assert granted == sorted(won), f"{where}: granted {granted}, not {won}"
        for core in granted:
            sent[core] += 1
        note(row, asks, list(of_lane.values()), won)
    assert sent == [WORDS] * ARCH.cores, f"seed {seed}: {sent} words came"


async def load(dut: Any, rng: np.random.Generator, chance: float) -> None:
    """Send words of an image for some cycles, each lane by chance."""
    for _ in range(WORDS):
        dut.write_bus__image_valid.value = pack(rng.random(LANES) < chance, bits=1)
        dut.write_bus__image.value = pack([random_word(rng) for _ in range(LANES)], bits=BITS)
        await FallingEdge(dut.clk)
    dut.write_bus__image_valid.value = 0


class Lane:
    """One lane of the bus: whose turn it is, and the words that must come out of its register."""

    def __init__(self, number: int) -> None:
        self._number, self._first = number, 0
        self._due: list[int | None] = [None] * BUS_CYCLES

    def check(
        self,
        row: dict[str, Any],
        of_lane: dict[int, int],
        words: Sequence[Sequence[int]],
        sent: Sequence[int],
        where: str,
    ) -> int | None:
        """Check what is written in a cycle; return the core that must be granted, if any."""
        expected, valid = self._due.pop(0), row["write_valid"] >> self._number & 1
        got = self._word(row["write"]) if valid else None
        assert got == expected, f"{where}, lane {self._number}: {got} written, not {expected}"
        if row["image_valid"] >> self._number & 1:
            self._due.append(self._word(row["image"]))
            return None
        asks = [core for core, lane in of_lane.items() if lane == self._number]
        in_turn = sorted(asks, key=lambda core: (core - self._first) % ARCH.cores)
        if not in_turn:
            self._due.append(None)
            return None
        winner = in_turn[0]
        last_first = ARCH.cores == 1 or winner != min(asks)
        CORNERS.hit("the last core goes before the first", last_first)
        self._due.append(words[winner][sent[winner]])
        self._first = (winner + 1) % ARCH.cores
        return winner

    def _word(self, lanes: int) -> int:
        """Return the word of this lane."""
        return lanes >> self._number * BITS & (1 << BITS) - 1


def note(row: dict[str, Any], asks: list[int], lanes: list[int], won: list[int]) -> None:
    """Record the corners of a cycle."""
    CORNERS.hit("all cores request", len(asks) == ARCH.cores)
    CORNERS.hit("no core requests", not asks)
    CORNERS.hit("image", bool(row["image_valid"]))
    if ARCH.cores >= LANES:
        CORNERS.hit("all lanes take a word", len(won) == LANES)
    if ARCH.cores > 1 < LANES:
        meet = len(set(lanes)) < len(lanes) and len(set(lanes)) < LANES
        CORNERS.hit("two cores want one lane while another lane is free", meet)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
