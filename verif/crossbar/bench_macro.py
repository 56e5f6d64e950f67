"""Bench of `macro`: images come in flits, strobes as a conductor's, results leave exact."""

import json
import os
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from hwgen.crossbar.facts.routes import load_number
from hwgen.crossbar.facts.timing import LAGS
from hwgen.crossbar.rtl.layouts import flit, header
from verif.coverage import Corners
from verif.crossbar.macro_case import BIT_STEP, answers, at_an_end, draw, packets
from verif.crossbar.macro_group import group_strobes
from verif.crossbar.macro_schedule import Schedule, case_of, pixels_needed
from verif.stream import reset

CASE = case_of(json.loads(os.environ["CROSSBAR_MACRO"]))
CHIP = CASE.chip
STROBES, LINK, HEADER = group_strobes(CHIP), flit(CHIP), header(CHIP)
CORNERS = Corners("held clocks", "short block", "second image")
VALID, HEAD = 1 << int(LINK["valid"].offset), 1 << int(LINK["head"].offset)
FIRST_DATA = int(LINK["data"].offset)
Flits = list[tuple[int, int]]
"""Head bit and data, a clock each."""


def flit_word(valid: int, head: int, data: int) -> int:
    """Return a flit as it stands on a link."""
    return VALID * valid | HEAD * head | data << FIRST_DATA


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
        self._strobes, self._valid = 0, True

    async def clock(self, strobes: int = 0, link: tuple[int, int] | None = None) -> None:
        """One clock; what leaves is registered, and so the same before and behind the strobes."""
        dut = self.dut
        if strobes or self._strobes:
            dut.strobes.value = self._strobes = strobes
        if link:
            dut.link_in.value = flit_word(1, *link)
        elif self._valid:
            garbage = self.rng.integers(0, 1 << 62)
            dut.link_in.value = flit_word(0, int(garbage & 1), int(garbage))
        self._valid = link is not None
        leaves = int(dut.link_out.value)
        if leaves & VALID:
            self.out.append((int(leaves & HEAD > 0), leaves >> FIRST_DATA))
        await FallingEdge(dut.clk)

    def check_errors(self) -> None:
        """No macro was late, and nothing has run over."""
        assert not int(self.dut.late.value), "late"
        assert not int(self.dut.overflow.value), "overflow"

    async def load(self, loaded: Any) -> None:
        """Send all that is loaded, now and then with gaps."""
        for macro in range(CASE.macros):
            await self.load_macro(loaded, macro)

    async def load_macro(self, loaded: Any, macro: int) -> None:
        """Send all that is loaded into a macro."""
        for target, index, count, flits in packets(CASE, loaded, macro):
            fields = {"travel": load_number(CHIP, macro), "count": count}
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
            assert not head or word == 0 or int(fields.travel) == CHIP.travels[-1].id
        return found, counts[:-1]


def timeline(images: list[Any], rng: np.random.Generator) -> tuple[dict[int, int], dict[int, Any]]:
    """Return the strobes and the flits of each clock."""
    starts = Schedule(CASE, images=len(images), early=CASE.early).starts
    ticks = []
    clock = 0
    for _ in range(max(one.step for one in starts) + 1):
        ticks.append(clock)
        held = int(rng.integers(0, 5)) if rng.random() < 0.3 else 0
        CORNERS.hit("held clocks", held > 0)
        clock += CHIP.step_clocks + held
    fields: dict[int, dict[str, Any]] = {}
    links: dict[int, Any] = {}
    for one in starts:
        now = ticks[one.step] + LAGS[one.operation]
        if one.operation == "transfer":
            assert now not in links, "two transfers at a time"
            for offset, each in enumerate(pixels_of(images, one.layer, one.block)):
                links[now + offset] = each
            continue
        strobe = {"go": 1, "parity": one.block % 2}
        strobe |= {"bit": one.bit} if one.operation in BIT_STEP else {}
        fields.setdefault(now, {}).setdefault(f"layer{one.layer}", {})[one.operation] = strobe
    strobes = {now: STROBES.const(each).as_bits() for now, each in fields.items()}
    return strobes, links


def pixels_of(images: list[Any], place: int, block: int) -> Flits:
    """Return the flits of the pixels that a block of a layer needs and none before it did."""
    image, within = divmod(block, CHIP.layers[place].blocks)
    ends = [0, *pixels_needed(CASE, place)]
    channels = CASE.layers[place].in_channels
    flat = images[image].reshape(-1).tolist()
    part = flat[ends[within] * channels : ends[within + 1] * channels]
    number = next(one.id for one in CHIP.travels if one.readers == (place,))
    return packet(number, part, CASE.bits) if part else []


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def results_are_goldens(dut: Any) -> None:
    """Every element of the maps of two images, after a reset between load and run."""
    seed = int(os.environ.get("CROSSBAR_SEED", "0"))
    bench = Bench(dut, seed)
    await reset(dut, dut.strobes, dut.link_in)
    loaded = draw(CASE, bench.rng)
    shape = (2, *CASE.layers[0].in_sides, CASE.layers[0].in_channels)
    images = bench.rng.integers(0, 1 << CASE.bits, shape)
    if "CROSSBAR_END" in os.environ:
        loaded, images = at_an_end(CASE, loaded, os.environ["CROSSBAR_END"])
    await bench.load(loaded)
    await reset(dut, dut.strobes, dut.link_in)
    strobes, links = timeline(list(images), bench.rng)
    for now in range(max(*strobes, *links) + 3 * CASE.fitting_clocks):
        await bench.clock(strobes.get(now, 0), links.get(now))
    if CASE.early:
        assert int(dut.late.value), "an activation before its pooling is not late"
        CORNERS.hit("short block")
        CORNERS.hit("second image")
        return
    bench.check_errors()
    last = CHIP.layers[-1]
    got, counts = bench.results(last.output_bits)
    want = answers(CASE, loaded, images)
    block = last.copies * last.layer.out_channels * CASE.output_elements(last.place)
    assert len(counts) == 2 * last.blocks and counts[0] == block, counts
    wrong = [k for k, (one, two) in enumerate(zip(got, want, strict=True)) if one != two]
    assert not wrong, f"seed {seed}: {len(wrong)} of {len(want)} differ, first {wrong[:5]}"
    CORNERS.hit("short block", counts[-1] < block or last.layer.pixels % last.copies == 0)
    CORNERS.hit("second image")


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the images above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
