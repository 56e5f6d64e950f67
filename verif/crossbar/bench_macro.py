"""Bench of `macro`: images come in flits, strobes as a conductor sends them, results leave exact."""

import json
import os
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.crossbar.facts.layout import last_needed
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.crossbar.facts.ports import tile_reads
from hwgen.crossbar.facts.timing import LAGS
from hwgen.crossbar.facts.routes import load_number
from hwgen.crossbar.rtl.layouts import flit, header, macro_strobes
from verif.coverage import Corners
from verif.crossbar.macro_case import (
    BIT_STEP,
    IMAGE,
    RESULT,
    MacroCase,
    answers,
    draw,
    packets,
)
from verif.stream import reset

FACTS = json.loads(os.environ["CROSSBAR_MACRO"])
CASE = MacroCase(
    **{
        **FACTS,
        "layer": CrossbarLayer(**{"providers": (), **FACTS["layer"]}),
        "samples": tuple(FACTS.get("samples", (1, 1))),
    }
)
CHIP = CASE.chip
STROBES, LINK, HEADER = macro_strobes(CHIP, 0), flit(CHIP), header(CHIP)
CORNERS = Corners("held clocks", "short block", "second image")
Flits = list[tuple[int, int]]
"""Head bit and data, a clock each."""


def packet(travel: int, elements: list[int], bits: int) -> Flits:
    """Return the flits of elements."""
    fields = {"travel": travel, "count": len(elements), "target": 0, "index": 0}
    word = sum(value << (place * bits) for place, value in enumerate(elements))
    count = -(-len(elements) * bits // CHIP.flit_bits)
    mask = (1 << CHIP.flit_bits) - 1
    parts = [(0, word >> (k * CHIP.flit_bits) & mask) for k in range(count)]
    return [(1, HEADER.const(fields).as_bits()), *parts]


class Bench:
    """Drives strobes and the link at clocks that are known in advance; keeps what leaves."""

    def __init__(self, dut: Any, seed: int) -> None:
        self.dut, self.rng = dut, np.random.default_rng(seed)
        self.out: list[tuple[int, int]] = []

    async def clock(self, strobes: int = 0, link: tuple[int, int] | None = None) -> None:
        """One clock."""
        dut = self.dut
        dut.strobes.value = strobes
        garbage = int(self.rng.integers(0, 1 << 62))
        head, data = link or (int(self.rng.integers(2)), garbage)
        fields = {"valid": int(link is not None), "head": head, "data": data}
        dut.link_in.value = LINK.const(fields).as_bits()
        await ReadOnly()
        assert not int(dut.late.value), "late"
        assert not int(dut.overflow.value), "overflow"
        leaves = LINK.from_bits(int(dut.link_out.value))
        if leaves.valid:
            self.out.append((int(leaves.head), int(leaves.data)))
        await FallingEdge(dut.clk)

    async def load(self, loaded: Any) -> None:
        """Send all that is loaded, now and then with gaps."""
        for target, index, count, flits in packets(CASE, loaded):
            fields = {"travel": load_number(CHIP, 0), "count": count}
            fields |= {"target": target, "index": index}
            await self.clock(link=(1, HEADER.const(fields).as_bits()))
            for each in flits:
                if self.rng.random() < 0.1:
                    await self.clock()
                await self.clock(link=(0, each))

    def results(self, bits: int) -> tuple[list[int], list[int]]:
        """Return the elements that left, and how many in each packet."""
        found: list[int] = []
        counts: list[int] = []
        words: list[int] = []
        for head, word in [*self.out, (1, 0)]:
            if not head:
                words.append(word)
                continue
            if counts:
                whole = sum(each << (k * CHIP.flit_bits) for k, each in enumerate(words))
                each = [whole >> (k * CHIP.activation_bits) for k in range(counts[-1])]
                low = [value & ((1 << CHIP.activation_bits) - 1) for value in each]
                together = bits // CHIP.activation_bits
                for first in range(0, len(low), together):
                    part = low[first : first + together]
                    found.append(
                        sum(value << (k * CHIP.activation_bits) for k, value in enumerate(part))
                    )
            words = []
            fields = HEADER.from_bits(word)
            counts.append(int(fields.count))
            assert not head or word == 0 or int(fields.travel) == RESULT
        return found, counts[:-1]


def step_clocks() -> int:
    """Return clocks in which each operation is through."""
    layer = CHIP.layers[0]
    words = 4 * CASE.ring_words(CASE.copies * layer.layer.out_channels * CASE.output_elements)
    reads = CASE.copies * sum(tile_reads(CASE.layer, CASE.cut, CHIP.word_elements))
    image = CASE.layer.in_channels * CASE.image_pixels
    slots = -(-layer.held[0].conversions // CASE.adcs) * CHIP.adc_clocks
    return max(
        (2 * reads + words + 2 * CASE.ring_words(image)) * CASE.access_clocks,
        slots + 1,
        image // CHIP.flit_elements + 4,
        CASE.copies * layer.layer.out_channels + 4,
    )


def timeline(images: np.ndarray, rng: np.random.Generator) -> tuple[dict[int, int], dict[int, Any]]:
    """Return the strobes and the flits of each clock."""
    bits, blocks = CHIP.bit_steps, CASE.blocks
    interval = max(2, bits)
    starts: list[tuple[int, str, int, int]] = []
    for block in range(blocks * len(images)):
        step = block * interval
        for name in (one.name for one in CHIP.layers[0].operations):
            if name == "shift_add":
                continue
            count = bits if name in BIT_STEP else 1
            first = step - 1 if name == "adc" else step
            first = step - bits + 1 if name == "adc" else step
            starts += [(first + bit, name, block, bit) for bit in range(count)]
            step = first + count
    last = max(start for start, *_ in starts)
    length, ticks = step_clocks(), []
    clock = 0
    for _ in range(last + 1):
        ticks.append(clock)
        held = int(rng.integers(0, 5)) if rng.random() < 0.3 else 0
        CORNERS.hit("held clocks", held > 0)
        clock += length + held
    fields: dict[int, dict[str, Any]] = {}
    links: dict[int, Any] = {}
    ends = [0, *arrivals_of_blocks()]
    for start, name, block, bit in starts:
        now = ticks[start] + LAGS[name]
        if name == "transfer":
            image, place = divmod(block, blocks)
            flat = images[image].reshape(-1).tolist()
            channels = CASE.layer.in_channels
            part = flat[ends[place] * channels : ends[place + 1] * channels]
            for offset, each in enumerate(packet(IMAGE, part, CASE.bits) if part else []):
                links[now + offset] = each
            continue
        strobe = {"go": 1, "parity": block % 2}
        fields.setdefault(now, {})[name] = strobe | ({"bit": bit} if name in BIT_STEP else {})
    strobes = {now: STROBES.const({"layer0": each}).as_bits() for now, each in fields.items()}
    return strobes, links


def arrivals_of_blocks() -> list[int]:
    """Return how many pixels of the image must be there for each block."""
    if CASE.layer.kind == "fc":
        return [1]
    last = last_needed(CASE.layer, "strict")
    return [
        last[min(CASE.layer.pixels, end) - 1]
        for end in range(CASE.copies, CASE.layer.pixels + CASE.copies, CASE.copies)
    ]


@cocotb.test(timeout_time=50, timeout_unit="ms")
@cocotb.parametrize(seed=[0, 1])
async def results_are_goldens(dut: Any, seed: int) -> None:
    """Every element of the maps of two images, after a reset between load and run."""
    bench = Bench(dut, seed)
    await reset(dut, dut.strobes, dut.link_in)
    loaded = draw(CASE, bench.rng)
    await bench.load(loaded)
    await reset(dut, dut.strobes, dut.link_in)
    shape = (2, *CASE.layer.in_sides, CASE.layer.in_channels)
    if CASE.layer.kind == "fc":
        shape = (2, 1, 1, CASE.layer.in_channels)
    images = bench.rng.integers(0, 1 << CASE.bits, shape)
    strobes, links = timeline(images, bench.rng)
    for now in range(max(*strobes, *links) + 3 * step_clocks()):
        await bench.clock(strobes.get(now, 0), links.get(now))
    got, counts = bench.results(CHIP.layers[0].output_bits)
    want = answers(CASE, loaded, images)
    block = CASE.copies * CASE.layer.out_channels * CASE.output_elements
    assert len(counts) == 2 * CASE.blocks and counts[0] == block, counts
    wrong = [k for k, (one, two) in enumerate(zip(got, want, strict=True)) if one != two]
    assert not wrong, f"seed {seed}: {len(wrong)} of {len(want)} differ, first {wrong[:5]}"
    CORNERS.hit("short block", counts[-1] < block or CASE.layer.pixels % CASE.copies == 0)
    CORNERS.hit("second image")


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the images above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
