"""Bench of `pad`: the first of those that ask is served; what is read is what was written."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.chip.widths import bits_for_index
from verif.common.packing import pack
from verif.coverage import Corners
from verif.crossbar import small_parts as parts
from verif.stream import reset

SIZES = parts.SIZES
ENGINES = SIZES.writers + SIZES.readers
CORNERS = Corners("nobody asks", "all ask", "an access goes on", "a partial write")


class Engines:
    """What each engine wants, and the words that writers have written."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.wants = [False] * ENGINES
        self.place = [0] * ENGINES
        self.enables = [0] * SIZES.writers
        self.data: list[list[int]] = [[0] * SIZES.word] * SIZES.writers
        self.words: dict[tuple[int, int], int] = {}

    def ask(self) -> None:
        """Let some engines want another access."""
        for engine in range(ENGINES):
            if self.wants[engine] or self.rng.random() >= 0.3:
                continue
            self.wants[engine] = True
            self.place[engine] = int(self.rng.integers(0, SIZES.words))
            if engine < SIZES.writers:
                self.enables[engine] = pack(self.rng.integers(0, 2, SIZES.word), bits=1)
                self.data[engine] = self.rng.integers(0, 1 << SIZES.bits, SIZES.word).tolist()

    def drive(self, port: dict[str, Any]) -> None:
        """Drive all ports."""
        words = [pack(each, bits=SIZES.bits) for each in self.data]
        port["want"].value = pack(self.wants, bits=1)
        port["word"].value = pack(self.place, bits=bits_for_index(SIZES.words))
        port["enables"].value = pack(self.enables, bits=SIZES.word)
        port["data"].value = pack(words, bits=SIZES.word * SIZES.bits)

    def serve(self, engine: int) -> int | None:
        """Do the access of an engine; return the word that is read."""
        self.wants[engine] = False
        if engine >= SIZES.writers:
            return self.place[engine]
        CORNERS.hit("a partial write", 0 < self.enables[engine] < (1 << SIZES.word) - 1)
        for element in range(SIZES.word):
            if self.enables[engine] >> element & 1:
                self.words[self.place[engine], element] = self.data[engine][element]
        return None

    def check(self, text: str, word: int) -> None:
        """Compare the elements of a word that were written."""
        for (place, element), value in self.words.items():
            last = len(text) - element * SIZES.bits
            if place == word:
                got = int(text[last - SIZES.bits : last], 2)
                assert got == value, f"word {word}, element {element}"


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=range(4))
async def the_first_is_served(dut: Any, seed: int) -> None:
    """Grants by the order, an access in two clocks; data in the clock behind a grant."""
    port, rng = parts.ports_of(dut, "pad"), np.random.default_rng(seed)
    await reset(dut, port["want"])
    order = rng.permutation(ENGINES).tolist()
    port["order"].value = pack(order, bits=bits_for_index(ENGINES))
    engines, busy, read = Engines(rng), 0, None
    for _ in range(500):
        engines.ask()
        engines.drive(port)
        await ReadOnly()
        asking = [engine for engine in range(ENGINES) if engines.wants[engine]]
        CORNERS.hit("nobody asks", not asking)
        CORNERS.hit("all ask", len(asking) == ENGINES)
        CORNERS.hit("an access goes on", busy > 0 and bool(asking))
        served = asking and not busy
        first = min(asking, key=order.__getitem__) if served else None
        want = 0 if first is None else 1 << first
        assert int(port["granted"].value) == want, f"seed {seed}"
        if read is not None:
            engines.check(str(port["read_data"].value), read)
        read = None if first is None else engines.serve(first)
        busy = SIZES.access - 1 if first is not None else max(0, busy - 1)
        await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the tests above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
