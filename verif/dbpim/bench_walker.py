"""Bench of `walker`: directed and random steps, late tiles and taps, stalls, every cycle."""

from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.dbpim.facts.instructions import Opcode, Operation
from hwgen.dbpim.facts.timing import TILE_SLOTS
from hwgen.dbpim.rtl.layouts import fetch_request, packet, tile, work
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.dbpim.walk_plan import Conv, Step, Tile, Word
from verif.dbpim.walk_product import Product
from verif.dbpim.walk_simd import Simd
from verif.dbpim.walk_steps import directed, draw_shape, step_of
from verif.stream import reset
from verif.unpacked import Unpacked, packed

ARCH = arch_from_environment()
MACROS, CHANNELS = ARCH.macros_per_core, ARCH.word
REQUEST, TILE, WORK = fetch_request(ARCH), tile(ARCH), work()
TILE_BITS = TILE.size
TAG = REQUEST["tag"]
VECTOR_BITS = REQUEST["tag"].shape["vector"].width
RANDOM_STEPS = 6
SEVERAL = (
    "position vector of two rows",
    "map narrower than a position vector",
    "macro without a position",
    "row of a position vector without a position",
    "positions rotated over the macros",
)
MASKS, RING = ARCH.sparse_parts, max(1, ARCH.mask_words)
"""Whether words have masks; words of the ring of masks."""
PRODUCTS = (
    "product of several groups",
    "several words of map a for a result",
    "several result words of a group",
    "map b of several rows and columns",
    "result words that begin inside a group",
    "result words that begin behind a group",
    "skipped pixels go round a row of map b",
)
CORNERS = Corners(
    "pixel outside the map",
    "channel word beyond those of the map",
    "core that does not begin with the first vector",
    "core that does not end with the last vector",
    "several images",
    "images beside each other",
    "slice that does not begin with the first row",
    "several chunks, the last one short",
    "several tiles in a chunk",
    "several filter groups",
    "tile begins inside the window",
    "tile of one word",
    *(("mask index goes round the ring",) if MASKS else ()),
    "tile comes late",
    "request waits",
    "word in the cycle after a tile is done",
    "several channel words",
    "channel words that do not begin with the first one",
    "taps come late",
    "word of the second map",
    "second map of one pixel an image",
    *(SEVERAL if MACROS > 1 else ()),
    *(PRODUCTS if ARCH.row_unit else ()),
)


@dataclass(frozen=True)
class Slot:
    """A tile as the tile store shows it."""

    tile: Tile
    slot: int
    mask_base: int
    row_base: int

    def header(self, step: Step) -> int:
        """Return the tile's header."""
        pixel, channel_word = divmod(self.tile.cut.first, step.source.placement.channel_words)
        ky, kx = divmod(pixel, step.kernel[1])
        fields = {
            "mask_words": self.tile.cut.words,
            "kernel_y": ky,
            "kernel_x": kx,
            "channel_word": channel_word,
            "turn": self.tile.turn,
            "first": self.tile.first,
            "last": self.tile.last,
            "last_group": self.tile.last_group,
        }
        return packed(TILE, fields)


@dataclass(frozen=True)
class Request:
    """What the register of the request must hold: a word, the tile that it is of, its mask."""

    word: Word
    slot: Slot | None
    mask: int


class Run:
    """One step, a cycle at a time, from `go` to `finish`."""

    def __init__(
        self, dut: Any, step: Step, rng: np.random.Generator, *, stall: float, late: float
    ) -> None:
        self._dut, self._step, self._rng = dut, step, rng
        self._simd = isinstance(step, Simd)
        self._stall, self._late = stall, late
        self._slots = [
            Slot(tile, index % TILE_SLOTS, self._draw(RING), self._draw(ARCH.macro.rows))
            for index, tile in enumerate(step.tiles())
        ]
        self._words = list(step.walk())
        self._skips = step.skips
        self._known: Slot | None = None
        self._taps_known = False
        self._request: Request | None = None
        self._done_before = False

    def _draw(self, count: int) -> int:
        """Return any index below `count`."""
        return int(self._rng.integers(count))

    async def until_done(self, cycles: int | None = None) -> None:
        """Start, walk to the end or for so many cycles, and finish."""
        dut, step = self._dut, self._step
        opcode = Opcode.SIMD if self._simd else Opcode.CONV
        dut.walker__instruction.value = int(packet(opcode, ARCH).const(step.fields()).as_bits())
        dut.walker__work.value = int(WORK.const(step.work()).as_bits())
        dut.walker__go.value = 1
        await self._idle(done=False)
        dut.walker__go.value = 0
        now = 1
        while (self._words or self._request) and now != cycles:
            await self._cycle()
            now += 1
        if self._words or self._request:
            return
        for _ in range(2):
            await self._idle(done=True)
        dut.walker__finish.value = 1
        await self._idle(done=True)
        dut.walker__finish.value = 0
        await self._idle(done=False)

    async def _idle(self, *, done: bool) -> None:
        """Check a cycle in which the walker does not walk, whatever the tile store shows."""
        self._drive_tile(known=bool(self._draw(2)))
        self._dut.walker__taps_known.value = self._draw(2)
        await ReadOnly()
        self._check_flags(walking=False, done=done)
        await FallingEdge(self._dut.clk)

    def _drive_tile(self, *, known: bool) -> None:
        """Show the next tile, or none and any header."""
        dut, slot = self._dut, self._known
        dut.walker__tile_known.value = known
        if slot is None:
            drawn = int.from_bytes(self._rng.bytes(-(-TILE_BITS // 8)), "little")
            dut.walker__tile.value = drawn % (1 << TILE_BITS)
            return
        dut.walker__tile.value = slot.header(self._step)
        dut.walker__tile_slot.value = slot.slot
        if MASKS:
            dut.walker__tile_mask_base.value = slot.mask_base
        dut.walker__tile_row_base.value = slot.row_base

    def _learn(self) -> bool:
        """Drive tile or taps, which may come late; return whether the walker may walk."""
        late = self._rng.random() < self._late
        if self._simd:
            self._taps_known |= not late
            self._drive_tile(known=bool(self._draw(2)))
        elif self._known is None and self._slots and not late:
            self._known = self._slots.pop(0)
        known = self._taps_known if self._simd else self._known is not None
        if not self._simd:
            self._drive_tile(known=known)
        self._dut.walker__taps_known.value = known if self._simd else self._draw(2)
        return known

    async def _cycle(self) -> None:
        """Drive and check one cycle of the walk."""
        dut, request = self._dut, self._request
        walking = bool(self._words)
        known = self._learn() and walking
        ready = bool(self._rng.random() >= self._stall)
        mask = self._draw(1 << CHANNELS)
        dut.walker__request__ready.value = ready
        if MASKS:
            dut.walker__mask.value = mask
        await ReadOnly()
        enters = known and not self._skips and (request is None or ready)
        self._skips = max(0, self._skips - 1)
        flags = self._words[0].flags if enters else {}
        tag, simd = flags.get("tag"), flags.get("simd")
        tile_done = tag is not None and bool(tag["vector_end"] and tag["tile_end"])
        word_done = simd is not None and bool(simd["word_end"])
        self._check_flags(
            walking=walking,
            valid=request is not None,
            waits=walking and not known,
            tile_done=tile_done,
            word_done=word_done,
        )
        if request is not None:
            self._check(request)
        CORNERS.hit("taps come late" if self._simd else "tile comes late", walking and not known)
        CORNERS.hit("request waits", request is not None and not ready)
        CORNERS.hit("word in the cycle after a tile is done", enters and self._done_before)
        self._done_before = tile_done
        if ready:
            self._request = None
        if enters:
            self._request = self._enter(mask)
        if tile_done:
            self._known = None
        self._taps_known &= not word_done
        await FallingEdge(dut.clk)

    def _enter(self, mask: int) -> Request:
        """Return the request of the word that enters, whose mask word has been asked for."""
        word, slot = self._words.pop(0), self._known
        if "tag" in word.flags and MASKS:
            assert slot is not None
            index = (slot.mask_base + word.word) % RING
            got = int(self._dut.walker__mask_index.value)
            assert got == index, f"{self._where()}: mask word {got}, not {index}"
            CORNERS.hit("mask index goes round the ring", word.word > 0 and index == 0)
        return Request(word, slot, mask)

    def _check_flags(self, **want: bool) -> None:
        """Compare the flags of the cycle; those that are not named are low."""
        dut = self._dut
        shown = {
            "walking": bool(dut.walker__walking.value),
            "done": bool(dut.walker__done.value),
            "valid": bool(dut.walker__request__valid.value),
            "waits": bool(dut.walker__waits_for_load.value),
            "tile_done": bool(dut.walker__tile_done.value),
            "word_done": bool(dut.walker__word_done.value),
        }
        expected = dict.fromkeys(shown, False) | want
        assert shown == expected, f"{self._where()}: {shown}, not {expected}"

    def _check(self, expected: Request) -> None:
        """Compare a request with the plan, in each cycle in which it waits."""
        word, slot = expected.word, expected.slot
        request = Unpacked(REQUEST, int(self._dut.walker__request__payload.value))
        flags = dict(word.flags)
        if "tag" in flags:
            assert slot is not None
            tag = flags["tag"]
            flags["tag"] = tag | {"tile": slot.slot, "vector": tag["vector"] % (1 << VECTOR_BITS)}
            if MASKS:
                flags["tag"] |= {"mask": expected.mask, "row_base": slot.row_base}
            else:
                row = (slot.row_base + word.word) % ARCH.macro.rows
                place = {"row": row, "start": int(word.word == 0), "end": tag["vector_end"]}
                flags["tag"] = {k: v for k, v in flags["tag"].items() if k != "vector_end"} | place
        for name, want in flags.items():
            got = {field: getattr(request, name)[field] for field in want}
            assert got == want, f"{self._where()}: {name} {got}, the plan says {want}"
        for macro in range(MACROS):
            self._check_pixel(request, macro, word)
        CORNERS.hit("word of the second map", word.second)
        if MACROS > 1:
            rows = [at for at in word.positions if at.y >= self._step.rows[1]]
            CORNERS.hit("row of a position vector without a position", bool(rows))

    def _check_pixel(self, request: Unpacked, macro: int, word: Word) -> None:
        """One macro reads the word of golden's window, from where golden has stored it."""
        want, at, pixel = word.positions[macro], request.positions[macro], request.pixels[macro]
        place = f"{self._where()}: macro {macro} at {want}"
        assert (at.active, pixel.active) == (want.active, want.active), place
        if MACROS > 1:
            CORNERS.hit("macro without a position", not want.active)
        if not want.active:
            return
        step = self._step
        assert (at.row, at.column) == step.stored_at(want), f"{place} gets {(at.row, at.column)}"
        CORNERS.hit("pixel outside the map", not pixel.inside)
        source = step.second if isinstance(step, Simd) and word.second else step.source
        assert source is not None
        inside = source.stored.get((pixel.bank, pixel.address))
        got = inside if pixel.inside else bytes([step.outside] * CHANNELS)
        assert got == word.bytes[macro], f"{place}: {got!r}, golden says {word.bytes[macro]!r}"

    def _where(self) -> str:
        """Name the step, and how far it is."""
        return f"{self._step.fields()} {self._step.work()}, {len(self._words)} words left"


def note_step(step: Step) -> None:
    """Record the corners of a step."""
    vectors, every, placement = step.vectors, step.all_vectors(), step.source.placement
    CORNERS.hit("core that does not begin with the first vector", vectors[0] != every[0])
    CORNERS.hit("core that does not end with the last vector", vectors[-1] != every[-1])
    several = vectors[0][0] != vectors[-1][0]
    CORNERS.hit("several images", several)
    CORNERS.hit("images beside each other", several and placement.image_columns > 0)
    CORNERS.hit("slice that does not begin with the first row", placement.first[0] > 0)
    if MACROS > 1:
        CORNERS.hit("map narrower than a position vector", step.width < step.size[1])
        CORNERS.hit("position vector of two rows", step.patch)
    if isinstance(step, Conv):
        note_conv(step)
    if isinstance(step, Simd):
        note_product(step) if isinstance(step, Product) else note_words(step)
        CORNERS.hit("several channel words", step.words[1] > 1)


def note_product(step: Product) -> None:
    """Record the corners of a product of two maps."""
    assert step.second is not None
    _, height, width, _ = step.second.maps.shape
    CORNERS.hit("product of several groups", step.groups > 1)
    CORNERS.hit("several words of map a for a result", step.held > 1)
    CORNERS.hit("several result words of a group", step.words[1] > step.groups)
    before, inside = divmod(step.words[0], step.results)
    scores = step.operation is Operation.SCORES
    CORNERS.hit("result words that begin inside a group", scores and inside > 0)
    pixels = inside * CHANNELS
    CORNERS.hit("skipped pixels go round a row of map b", scores and pixels > width)
    CORNERS.hit("result words that begin behind a group", before > 0)
    CORNERS.hit("map b of several rows and columns", min(height, width) > 1)


def note_words(step: Simd) -> None:
    """Record the corners of channel words."""
    last = sum(step.words) - 1
    CORNERS.hit("channel words that do not begin with the first one", step.words[0] > 0)
    beyond = last >= step.source.placement.channel_words
    CORNERS.hit("channel word beyond those of the map", beyond)
    CORNERS.hit("second map of one pixel an image", step.broadcast)


def note_conv(step: Conv) -> None:
    """Record the corners of a convolution."""
    chunks = step.chunks
    short = len(chunks) > 1 and len(chunks[-1]) < len(chunks[0])
    CORNERS.hit("several chunks, the last one short", short)
    CORNERS.hit("several filter groups", len(step.groups) > 1)
    for group in step.groups:
        CORNERS.hit("several tiles in a chunk", len(group) > 1)
        CORNERS.hit("tile begins inside the window", any(cut.first for cut in group))
        CORNERS.hit("tile of one word", any(cut.words == 1 for cut in group))
    if MACROS > 1:
        rotated = any(tile.turn % MACROS for tile in step.tiles())
        CORNERS.hit("positions rotated over the macros", rotated)


INPUTS = ("go", "finish", "tile_known", "taps_known", "request__ready")


async def reset_walker(dut: Any) -> None:
    """Reset with idle inputs."""
    await reset(dut, *(getattr(dut, f"walker__{name}") for name in INPUTS))


async def walk(dut: Any, steps: list[Step], rng: np.random.Generator, **chances: float) -> None:
    """Walk steps one after the other without a reset between."""
    for step in steps:
        note_step(step)
        await Run(dut, step, rng, **chances).until_done()


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.5])
async def directed_steps(dut: Any, stall: float) -> None:
    """Steps at the edges of the formats."""
    rng = np.random.default_rng(100)
    await reset_walker(dut)
    steps = [step_of(shape, ARCH, rng) for shape in directed(ARCH)]
    await walk(dut, steps, rng, stall=stall, late=stall)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), stall=[0.0, 0.4], late=[0.0, 0.8])
async def random_steps(dut: Any, seed: int, stall: float, late: float) -> None:
    """Every request is the one that the plan has, in its cycle."""
    rng = np.random.default_rng(seed)
    await reset_walker(dut)
    steps = [step_of(draw_shape(rng, ARCH), ARCH, rng) for _ in range(RANDOM_STEPS)]
    await walk(dut, steps, rng, stall=stall, late=late)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_reset_forgets_the_step(dut: Any) -> None:
    """After a reset in the middle of a step the next one is right from its first word."""
    rng = np.random.default_rng(7)
    shapes = directed(ARCH)
    for cycles in (1, 2, 4, 9):
        await reset_walker(dut)
        await Run(dut, step_of(shapes[2], ARCH, rng), rng, stall=0, late=0).until_done(cycles)
    for shape in (shapes[1], shapes[8]):
        await reset_walker(dut)
        await walk(dut, [step_of(shape, ARCH, rng)], rng, stall=0.0, late=0.0)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
