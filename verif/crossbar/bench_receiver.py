"""Bench of `receiver`: elements of packets lie behind each other in every ring."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly, Timer

from hwgen.crossbar.rtl.layouts import flit, header
from verif.common.packing import pack, unpack
from verif.coverage import Corners
from verif.crossbar import small_parts as parts
from verif.stream import reset

CHIP = parts.case()
LINK, HEADER = flit(CHIP), header(CHIP)
ELEMENTS, BITS = CHIP.word_elements, CHIP.activation_bits
OWN, OTHER = 5, 6
"""Numbers of travels."""
CORNERS = Corners("the port is busy", "another travel", "a ring wraps", "a short packet")


class Bench:
    """A receiver, and the words that it has written."""

    def __init__(self, dut: Any, seed: int) -> None:
        self.dut, self.rng = dut, np.random.default_rng(seed)
        self.port = parts.ports_of(dut, "receiver")
        self.words: dict[int, list[int]] = {}

    async def start(self) -> None:
        """Reset, and the constants."""
        await reset(self.dut, self.port["link"], self.port["granted"])
        rings = [{"first": first, "last": last} for first, last in parts.SIZES.rings]
        shape = parts.PARTS["receiver"].signature.members["rings"].shape
        self.port["rings"].value = shape.const(rings).as_bits()
        self.port["travel"].value = OWN

    async def clock(self, link: tuple[int, int] | None) -> None:
        """One clock; the port is granted in two of three."""
        head, data = link or (1, int(self.rng.integers(0, 1 << 62)))
        fields = {"valid": int(link is not None), "head": head, "data": data}
        self.port["link"].value = LINK.const(fields).as_bits()
        await Timer(1, unit="ns")
        wants = bool(self.port["want"].value)
        granted = wants and self.rng.random() < 0.67
        CORNERS.hit("the port is busy", wants and not granted)
        self.port["granted"].value = int(granted)
        await ReadOnly()
        assert not self.port["overflow"].value
        if granted:
            enables = int(self.port["enables"].value)
            word = self.words.setdefault(int(self.port["word"].value), [0] * ELEMENTS)
            values = unpack(int(self.port["data"].value), bits=BITS, count=ELEMENTS)
            for element, value in enumerate(values):
                if enables >> element & 1:
                    word[element] = value
        await FallingEdge(self.dut.clk)
        self.port["granted"].value = 0

    async def send(self, travel: int, values: list[int]) -> None:
        """Send a packet; behind it there is time for its last words."""
        fields = {"travel": travel, "count": len(values), "target": 0, "index": 0}
        await self.clock((1, HEADER.const(fields).as_bits()))
        for first in range(0, len(values), CHIP.flit_elements):
            part = [
                *values[first : first + CHIP.flit_elements],
                *([(1 << BITS) - 1] * CHIP.flit_elements),
            ]
            await self.clock((0, pack(part[: CHIP.flit_elements], bits=BITS)))
            # A word is long in the benches' chip: it takes as long as one of a real chip.
            for _ in range(8):
                await self.clock(None)
        for _ in range(20):
            await self.clock(None)


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=range(4))
async def rings_hold_what_came(dut: Any, seed: int) -> None:
    """The last elements that came, in rings of different lengths; others' packets leave none."""
    bench = Bench(dut, seed)
    await bench.start()
    stream: list[int] = []
    for _ in range(12):
        values = bench.rng.integers(0, 1 << BITS, int(bench.rng.integers(1, 60))).tolist()
        CORNERS.hit("a short packet", len(values) < CHIP.flit_elements)
        mine = bool(bench.rng.random() < 0.8)
        CORNERS.hit("another travel", not mine)
        await bench.send(OWN if mine else OTHER, values)
        stream += values if mine else []
        for first, last in parts.SIZES.rings:
            length = (last - first + 1) * ELEMENTS
            CORNERS.hit("a ring wraps", len(stream) > length)
            for place in range(max(0, len(stream) - length), len(stream)):
                word, element = divmod(place % length, ELEMENTS)
                got = bench.words[first + word][element]
                assert got == stream[place], f"seed {seed}, element {place}, ring {first}"
    rings = {word for first, last in parts.SIZES.rings for word in range(first, last + 1)}
    assert set(bench.words) <= rings


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the packets above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
