"""Bench of `walker`: directed and random layers, late tiles, stalls, every cycle."""

from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from amaranth.lib import data
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.rtl.dbpim.layouts import fetch_request, packet
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.timing import TILE_SLOTS
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.dbpim.walk_layers import directed, draw_shape, layer_of
from verif.dbpim.walk_plan import Layer, Tile, Word
from verif.stream import reset

ARCH = arch_from_environment()
MACROS, CHANNELS = ARCH.macros_per_core, ARCH.macro.compartments
REQUEST, CONV, TILE = fetch_request(ARCH), packet(Opcode.CONV), packet(Opcode.TILE)
VECTOR_BITS = REQUEST["tag"].shape["vector"].width
RANDOM_LAYERS = 3
SEVERAL = (
    "position vector over two rows",
    "map narrower than a position vector",
    "macro without a position",
    "positions rotated over the macros",
)
CORNERS = Corners(
    "pixel outside the map",
    "core that is not the first of its set",
    "core with a position vector more than others",
    "core with a position vector less than others",
    "several chunks, the last one short",
    "several tiles in a chunk",
    "several filter groups",
    "tile begins inside the window",
    "tile of one word",
    "mask index goes round the ring",
    "tile comes late",
    "request waits",
    "request in the cycle after a tile is done",
    *(SEVERAL if MACROS > 1 else ()),
)


@dataclass(frozen=True)
class Slot:
    """A tile as the tile store shows it."""

    tile: Tile
    slot: int
    mask_base: int
    row_base: int

    def header(self, layer: Layer) -> int:
        """Return the tile's header."""
        pixel, channel_word = divmod(self.tile.cut.first, layer.region.channel_words)
        ky, kx = divmod(pixel, layer.kernel[1])
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
        return int(TILE.const(fields).as_bits())


class Run:
    """One layer, a cycle at a time, from `go` to `finish`."""

    def __init__(
        self, dut: Any, layer: Layer, rng: np.random.Generator, *, stall: float, late: float
    ) -> None:
        self._dut, self._layer, self._rng = dut, layer, rng
        self._stall, self._late = stall, late
        self._slots = [
            Slot(tile, index % TILE_SLOTS, self._draw(ARCH.mask_words), self._draw(ARCH.macro.rows))
            for index, tile in enumerate(layer.tiles())
        ]
        self._words = list(layer.walk())
        self._known: Slot | None = None
        self._held: int | None = None
        self._done_before = False

    def _draw(self, count: int) -> int:
        """Return any index below `count`."""
        return int(self._rng.integers(count))

    async def until_done(self, cycles: int | None = None) -> None:
        """Start, walk to the end or for so many cycles, and finish."""
        dut, layer = self._dut, self._layer
        dut.walker__layer.value = int(CONV.const(layer.fields()).as_bits())
        dut.walker__core.value = layer.core
        dut.walker__go.value = 1
        await self._idle(done=False)
        dut.walker__go.value = 0
        now = 1
        while self._words and now != cycles:
            await self._cycle(ready_to_walk=now >= 1 + layer.core_in_set)
            now += 1
        if self._words:
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
        await ReadOnly()
        self._check_flags(walking=False, done=done, valid=False, waiting=False, tile_done=False)
        await FallingEdge(self._dut.clk)

    def _drive_tile(self, *, known: bool) -> None:
        """Show the next tile, or none and any header."""
        dut, slot = self._dut, self._known
        dut.walker__tile_known.value = known
        if slot is None:
            dut.walker__tile.value = int.from_bytes(self._rng.bytes(TILE.size // 8), "little")
            return
        dut.walker__tile.value = slot.header(self._layer)
        dut.walker__tile_slot.value = slot.slot
        dut.walker__tile_mask_base.value = slot.mask_base
        dut.walker__tile_row_base.value = slot.row_base

    async def _cycle(self, *, ready_to_walk: bool) -> None:
        """Drive and check one cycle of the walk."""
        dut, word = self._dut, self._words[0]
        if self._known is None and self._rng.random() >= self._late:
            self._known = self._slots.pop(0)
        known = self._known is not None
        self._drive_tile(known=known)
        ready = bool(self._rng.random() >= self._stall)
        dut.walker__request__ready.value = ready
        await ReadOnly()
        valid = ready_to_walk and known
        taken = valid and ready
        ends = taken and word.vector_end and word.tile_end
        waiting = ready_to_walk and not known
        self._check_flags(walking=True, done=False, valid=valid, waiting=waiting, tile_done=ends)
        if valid:
            self._check_held(taken=taken)
        if taken:
            self._check(self._words.pop(0))
        CORNERS.hit("tile comes late", waiting)
        CORNERS.hit("request waits", valid and not ready)
        CORNERS.hit("request in the cycle after a tile is done", valid and self._done_before)
        self._done_before = ends
        if ends:
            self._known = None
        await FallingEdge(dut.clk)

    def _check_flags(self, **want: bool) -> None:
        """Compare the flags of the cycle."""
        dut = self._dut
        shown = {
            "walking": bool(dut.walker__walking.value),
            "done": bool(dut.walker__done.value),
            "valid": bool(dut.walker__request__valid.value),
            "waiting": bool(dut.walker__waiting_tile.value),
            "tile_done": bool(dut.walker__tile_done.value),
        }
        assert shown == want, f"{self._where()}: {shown}, not {want}"

    def _check_held(self, *, taken: bool) -> None:
        """A request that is not taken stays as it is."""
        payload = int(self._dut.walker__request__payload.value)
        assert self._held in (None, payload), f"{self._where()}: the request has changed"
        self._held = None if taken else payload

    def _check(self, word: Word) -> None:
        """Compare a request that is taken with the plan."""
        request = REQUEST.from_bits(int(self._dut.walker__request__payload.value))
        slot = self._known
        assert slot is not None
        tag = {
            "mask_index": (slot.mask_base + word.word) % ARCH.mask_words,
            "vector_end": int(word.vector_end),
            "tile": slot.slot,
            "first": int(slot.tile.first),
            "last": int(slot.tile.last),
            "tile_end": int(word.tile_end),
            "vector": word.vector % (1 << VECTOR_BITS),
            "row_base": slot.row_base,
        }
        got = {name: request.tag[name] for name in tag}
        assert got == tag, f"{self._where()}: tag {got}, the plan says {tag}"
        for macro in range(MACROS):
            self._check_pixel(request, macro, word)
        CORNERS.hit("mask index goes round the ring", word.word > 0 and tag["mask_index"] == 0)

    def _check_pixel(self, request: data.Const, macro: int, word: Word) -> None:
        """One macro reads the word of golden's window, from where golden has stored it."""
        want, at, pixel = word.positions[macro], request.positions[macro], request.pixels[macro]
        place = f"{self._where()}: macro {macro} at {want}"
        assert (at.active, pixel.active) == (want.active, want.active), place
        if MACROS > 1:
            CORNERS.hit("macro without a position", not want.active)
        if not want.active:
            return
        assert (at.y, at.x) == (want.y, want.x), f"{place} gets {(at.y, at.x)}"
        outside = (self._layer.zero_point,) * CHANNELS
        CORNERS.hit("pixel outside the map", not pixel.inside)
        got = self._layer.stored.get((pixel.bank, pixel.address)) if pixel.inside else outside
        expected = self._layer.bytes_at(want, word.k)
        assert got == expected, f"{place}, word {word.k}: {got}, golden says {expected}"

    def _where(self) -> str:
        """Name the layer, and how far it is."""
        layer = self._layer
        return f"{layer.fields()} core {layer.core}, {len(self._words)} words left"


def note_layer(layer: Layer) -> None:
    """Record the corners of a layer."""
    counts = [len(layer.vectors), layer.fields()["count_base"]]
    chunks = layer.chunks
    CORNERS.hit("core that is not the first of its set", layer.core_in_set > 0)
    CORNERS.hit(
        "core with a position vector more than others",
        layer.cores_per_set > 1 and counts[0] > counts[1],
    )
    fewer = counts[0] == counts[1] and layer.fields()["count_extra"] > 0
    CORNERS.hit("core with a position vector less than others", fewer)
    short = len(chunks) > 1 and len(chunks[-1]) < len(chunks[0])
    CORNERS.hit("several chunks, the last one short", short)
    CORNERS.hit("several filter groups", len(layer.groups) > 1)
    for group in layer.groups:
        CORNERS.hit("several tiles in a chunk", len(group) > 1)
        CORNERS.hit("tile begins inside the window", any(cut.first for cut in group))
        CORNERS.hit("tile of one word", any(cut.words == 1 for cut in group))
    if MACROS > 1:
        narrow = layer.width < MACROS
        CORNERS.hit("map narrower than a position vector", narrow)
        CORNERS.hit("position vector over two rows", not narrow and layer.width % MACROS != 0)
        CORNERS.hit(
            "positions rotated over the macros", any(t.turn % MACROS for t in layer.tiles())
        )


INPUTS = ("go", "finish", "tile_known", "request__ready")


async def reset_walker(dut: Any) -> None:
    """Reset with idle inputs."""
    await reset(dut, *(getattr(dut, f"walker__{name}") for name in INPUTS))


async def walk(dut: Any, layers: list[Layer], rng: np.random.Generator, **chances: float) -> None:
    """Walk layers one after the other without a reset between."""
    for layer in layers:
        note_layer(layer)
        await Run(dut, layer, rng, **chances).until_done()


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.5])
async def directed_layers(dut: Any, stall: float) -> None:
    """Layers at the edges of the formats."""
    rng = np.random.default_rng(100)
    await reset_walker(dut)
    layers = [layer_of(shape, ARCH, rng) for shape in directed(ARCH)]
    await walk(dut, layers, rng, stall=stall, late=stall)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), stall=[0.0, 0.4], late=[0.0, 0.8])
async def random_layers(dut: Any, seed: int, stall: float, late: float) -> None:
    """Every request is the one that the plan has, in its cycle."""
    rng = np.random.default_rng(seed)
    await reset_walker(dut)
    layers = [layer_of(draw_shape(rng), ARCH, rng) for _ in range(RANDOM_LAYERS)]
    await walk(dut, layers, rng, stall=stall, late=late)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_reset_forgets_the_layer(dut: Any) -> None:
    """After a reset in the middle of a layer the next one is right from its first word."""
    rng = np.random.default_rng(7)
    shapes = directed(ARCH)
    for cycles in (1, 2, 4, 9):
        await reset_walker(dut)
        await Run(dut, layer_of(shapes[2], ARCH, rng), rng, stall=0, late=0).until_done(cycles)
    await reset_walker(dut)
    await walk(dut, [layer_of(shapes[1], ARCH, rng)], rng, stall=0.0, late=0.0)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
