"""Bench of `window_counter`: what each block of a layer needs, for images of layers that fit."""

import random
from dataclasses import asdict
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.crossbar.facts.layout import last_needed
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.crossbar.facts.order import window_ends
from hwgen.crossbar.facts.rules import STRICT
from verif.coverage import Corners
from verif.crossbar import small_parts as parts
from verif.crossbar.loader_case import layer_facts
from verif.crossbar.macro_schedule import case_of
from verif.stream import reset

BITS, IMAGES = parts.SIZES.window, 2
KEEPS = {"kernel": 3, "stride": 1, "padding": 1, "columns": None}
CORNERS = Corners("blocks of whole rows", "padding", "a gap", "several blocks in a row")


def layers(seed: int) -> tuple[CrossbarLayer, int]:
    """Return a layer whose positions fit, and its copies; every other one keeps its sides."""
    rng = random.Random(seed)
    while True:
        facts = layer_facts(rng, parts.SIZES, kind="conv")
        if seed % 2:
            facts["layers"][0] |= KEEPS | dict.fromkeys(("in_side", "out_side"), rng.randint(1, 6))
        case = case_of(facts)
        layer = case.layers[0]
        copies = rng.randint(1, rng.choice((layer.pixels, min(layer.pixels, 3))))
        ends = asdict(window_ends(layer, copies, -(-layer.pixels // copies)))
        most = max(*map(abs, ends.values()), layer.pixels + copies)
        if most.bit_length() + 2 <= BITS:
            return layer, copies


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=range(80))
async def needs_are_those_of_windows(dut: Any, seed: int) -> None:
    """Every block of some images, one after the other, now and then a clock apart."""
    port, rng = parts.ports_of(dut, "window_counter"), random.Random(seed)
    await reset(dut, port["advance"])
    layer, copies = layers(seed)
    blocks, last = -(-layer.pixels // copies), last_needed(layer, STRICT)
    shape = parts.PARTS["window_counter"].signature.members["constants"].shape
    port["constants"].value = shape.const(asdict(window_ends(layer, copies, blocks))).as_bits()
    CORNERS.hit("blocks of whole rows", copies > layer.out_sides[1])
    CORNERS.hit("several blocks in a row", 2 * copies <= layer.out_sides[1])
    CORNERS.hit("padding", max(layer.paddings) > 0)
    for image in range(IMAGES):
        for block in range(blocks):
            waits = rng.random() < 0.3
            CORNERS.hit("a gap", waits)
            for _ in range(1 + waits):
                port["advance"].value = 0
                await ReadOnly()
                got = [int(port[name].value) for name in ("need", "whole", "last", "image")]
                need = last[min(layer.pixels, (block + 1) * copies) - 1]
                want = [need, 0, int(block == blocks - 1), image]
                assert got == want, f"seed {seed}, image {image}, block {block}"
                await FallingEdge(dut.clk)
            port["advance"].value = 1
            await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the layers above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
