"""Bench of `result_collector`: results of any depth reach memory, in any order of their ends."""

from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.crossbar.facts.image_io import answer_stride, block_flits, result_beats, results
from hwgen.crossbar.rtl.layouts import flit, header
from verif.coverage import Corners
from verif.crossbar import small_parts as parts
from verif.stream import reset

CHIP = parts.collected()
LINK, HEADER = flit(CHIP), header(CHIP)
IMAGES, BASE = 9, 1 << 20
"""Images; address of the answers."""
BEHIND = (0, *(2 + place % 2 * 2 for place in range(1, len(results(CHIP)))))
"""By how many images each result is behind the first one."""
CORNERS = Corners(
    "a result of one beat",
    "results end in one step",
    "a result waits for the port",
    "no room",
    "more than two images ahead",
)


def packets(result: int, rng: np.random.Generator) -> Iterator[tuple[list[int], list[int], bool]]:
    """Yield the flits of each block, the words of it, and whether it ends its image."""
    travel = results(CHIP)[result]
    layer = CHIP.layers[travel.owner]
    for _ in range(IMAGES):
        for block in range(layer.blocks):
            pixels = layer.last_pixels if block + 1 == layer.blocks else layer.copies
            words = [
                int(one) for one in rng.integers(0, 1 << 62, block_flits(CHIP, travel, pixels))
            ]
            head = HEADER.const({"travel": travel.id, "count": pixels}).as_bits()
            flits = [LINK.const({"valid": 1, "head": 1, "data": head}).as_bits()]
            flits += [LINK.const({"valid": 1, "head": 0, "data": one}).as_bits() for one in words]
            yield flits, words, block + 1 == layer.blocks


class Memory:
    """The buffer behind the collector, and the write engine that empties it."""

    def __init__(self, port: dict[str, Any], rng: np.random.Generator, slow: int) -> None:
        self.port, self.rng, self.slow = port, rng, slow
        self.buffer: dict[int, int] = {}
        self.words: dict[int, int] = {}
        self.left, self.job = 0, (0, 0, 0)

    def clock(self) -> int:
        """Take what the collector gives in this clock; return whether a store ends in the next."""
        port = self.port
        if port["write"].value:
            self.buffer[int(port["write_index"].value)] = int(port["write_data"].value)
        if port["store"].value:
            assert self.left == 0, "a store begins before the last one has ended"
            names = ("store_index", "store_beats", "store_address")
            self.job = tuple(int(port[name].value) for name in names)  # type: ignore[assignment]
            self.left = self.job[1] + 1 + int(self.rng.integers(0, self.slow))
            return 0
        self.left -= self.left > 0
        if self.left == 1:
            index, beats, address = self.job
            for beat in range(beats):
                self.words[address + beat * CHIP.flit_bits // 8] = self.buffer[index + beat]
            self.left = 0
            return 1
        return 0


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(slow=[1, 30, 200])
async def every_result_is_stored(dut: Any, slow: int) -> None:
    """A result four images behind the first one holds nothing up; each image retires once whole."""
    port, rng = parts.ports_of(dut, "result_collector"), np.random.default_rng(slow)
    port["address"].value = BASE
    await reset(dut, port["link"], port["boundary"], port["stored"], port["whole"])
    memory, count = Memory(port, rng, slow), len(results(CHIP))
    left = [list(packets(result, rng)) for result in range(count)]
    want, before = expected(left)
    CORNERS.hit("a result of one beat", any(result_beats(CHIP, one) == 1 for one in results(CHIP)))
    came, retired = [0] * count, 0

    async def clock(link: int = 0, boundary: int = 0) -> int:
        nonlocal retired
        port["link"].value, port["boundary"].value = link, boundary
        await ReadOnly()
        room, stored = int(port["room"].value), memory.clock()
        assert not port["unknown"].value
        if port["retire"].value:
            assert all(address in memory.words for address in before[retired]), retired
            retired += 1
        await FallingEdge(dut.clk)
        port["stored"].value = stored
        return room

    for _ in range(20000):
        room = await clock()
        CORNERS.hit("no room", not room)
        ended = 0
        for result in range(count) if room else ():
            # A layer that is deeper has the image so many behind.
            far = not left[0] or came[0] >= came[result] + BEHIND[result]
            if not left[result] or (result and not far) or rng.random() < 0.3:
                continue
            flits, _, last = left[result].pop(0)
            for one in flits:
                await clock(one)
            came[result] += last
            ended += last
        CORNERS.hit("results end in one step", ended > 1)
        CORNERS.hit("more than two images ahead", came[0] - min(came) > 2)
        CORNERS.hit("a result waits for the port", ended > 0 and memory.left > 0)
        port["whole"].value = sum(each << 16 * k for k, each in enumerate(came))
        await clock(boundary=1)
        if retired == IMAGES:
            break
    assert retired == IMAGES == int(port["images"].value), f"{retired} images, {came} have come"
    assert memory.words == want


def expected(
    left: list[list[tuple[list[int], list[int], bool]]],
) -> tuple[dict[int, int], list[set[int]]]:
    """Return what memory will hold, and the addresses of each image."""
    words: dict[int, int] = {}
    images: list[set[int]] = [set() for _ in range(IMAGES)]
    first = 0
    for result, travel in enumerate(results(CHIP)):
        beats = result_beats(CHIP, travel)
        flat = [word for _, own, _ in left[result] for word in own]
        for place, word in enumerate(flat):
            image, beat = divmod(place, beats)
            address = BASE + image * answer_stride(CHIP) + (first + beat) * CHIP.flit_bits // 8
            words[address] = word
            images[image].add(address)
        first += beats
    return words, images


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the tests above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
