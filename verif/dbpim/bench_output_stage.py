"""Bench of `output_stage`: macros offer results at independent rates, the bus stalls."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cocotb
import numpy as np
from amaranth.lib import data
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.ops.requantize import requantize
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.timing import TILE_SLOTS
from hwgen.dbpim.rtl import layouts
from hwgen.network.quantization import MULTIPLIER_BITS
from verif.common.chances import chances
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.stream import Stream, accept, offer, reset

ARCH = arch_from_environment()
MACROS, FILTERS = ARCH.macros_per_core, ARCH.filters
PARTS = ARCH.word // FILTERS
RESULT = layouts.result(ARCH)
RESULTS = 24
"""Of each macro in one run."""
CYCLES = 4000
"""No run takes as many."""
LIMIT = 1 << 31
MORE_BITS = ARCH.multiplier_bits - MULTIPLIER_BITS
ROW_LIMIT = 1 << 10
PAIR_CORNERS = (
    "second half while a lower macro has a result",
    "second half waits",
    "both halves in neighbouring cycles",
    "a dropped result of two filter groups",
)
CORNERS = Corners(
    "several macros have a result",
    "a dropped result",
    "a dropped result that ends a tile",
    "all stages full and the bus waits",
    "a result taken although the bus waits",
    "empty between results",
    "last part of a word",
    "smallest and largest int32 side by side",
    *(PAIR_CORNERS if ARCH.pairs else ()),
)


@dataclass(frozen=True)
class Tile:
    """Tile of the tile store: the filter group, parameters of its filters, second group."""

    group: int
    bias: NDArray[np.int64]
    multiplier: NDArray[np.int64]
    shift: NDArray[np.int64]
    second: "Tile | None" = None

    def parameters(self) -> int:
        """Return them as the port takes them."""
        columns = zip(self.bias, self.multiplier, self.shift, strict=True)
        names = ("bias", "multiplier", "shift")
        filters = [dict(zip(names, map(int, column), strict=True)) for column in columns]
        layout = data.ArrayLayout(layouts.parameters(ARCH), FILTERS)
        return int(layout.const(filters).as_bits())


@dataclass(frozen=True)
class Layer:
    """Where the output goes and how it is clipped.

    base, image_logits: of the logits, and from one image to the next; first_word: channel word of
    the filter group 0; rounding: place in the chip's roundings, of raw sums 0, `half_up`
    """

    base: int
    image_logits: int
    first_word: int
    zero_point: int
    low: int
    high: int
    raw: bool
    rounding: int

    def packet(self) -> int:
        """Return the instruction, with the fields that the output stage reads."""
        fields = {
            "output_base": self.base,
            "output_row_pitch": self.image_logits,
            "output_first_word": self.first_word,
            "output_zero_point": self.zero_point,
            "output_low": self.low,
            "output_high": self.high,
            "raw": self.raw,
            "rounding": self.rounding,
        }
        return int(layouts.packet(Opcode.CONV, ARCH).const(fields).as_bits())


@dataclass(frozen=True)
class Cycle:
    """Values at the ports: `results` by macro, None where nothing was offered."""

    results: list[int | None]
    ready: list[bool]
    ends: int
    request: int | None
    granted: bool
    empty: bool

    @property
    def popped(self) -> int | None:
        """Return the macro whose result was taken."""
        taken = [m for m in range(MACROS) if self.results[m] is not None and self.ready[m]]
        assert len(taken) <= 1, f"macros {taken} were taken at once"
        return taken[0] if taken else None


def draw_layer(rng: np.random.Generator, *, raw: bool) -> Layer:
    """Return a random layer of several groups."""
    low, high = sorted(rng.integers(0, 256, 2).tolist())
    base, image_logits = 4 * int(rng.integers(0, 40)), int(rng.integers(0, 40))
    first_word = int(rng.integers(0, ROW_LIMIT - 4))
    zero_point = int(rng.integers(0, 256))
    rounding = 0 if raw else int(rng.integers(len(ARCH.rounding)))
    return Layer(base, image_logits, first_word, zero_point, low, high, raw, rounding)


def draw_tile(rng: np.random.Generator, *, group: int) -> Tile:
    """Return a tile whose filters are scaled by 2**-8 to 1."""
    return Tile(
        group,
        np.resize([-1, 1], FILTERS) * rng.integers(0, 500, FILTERS),
        rng.integers(1 << MORE_BITS << 15, 1 << MORE_BITS << 16, FILTERS),
        rng.integers(16, 24, FILTERS) + MORE_BITS,
    )


def draw_results(rng: np.random.Generator, tiles: list[Tile]) -> list[int]:
    """Return what a macro offers; the first brings sums with bias to the ends of int32."""
    words = []
    for index in range(RESULTS):
        tile = int(rng.integers(TILE_SLOTS))
        sums = rng.integers(-30000, 30000, ARCH.sums)
        if index == 0:
            tile = 0
            ends = np.resize([-LIMIT, LIMIT - 1], FILTERS)
            sums[:FILTERS] = ends - tiles[tile].bias
        result = {
            "sums": sums.tolist(),
            "tile": tile,
            "row": int(rng.integers(ROW_LIMIT)),
            "column": int(rng.integers(ROW_LIMIT)),
            "emit": int(index == 0 or rng.random() < 0.8),
            "tile_end": int(rng.random() < 0.3),
        }
        words.append(int(RESULT.const(result).as_bits()))
    return words


@dataclass(frozen=True)
class Half:
    """A result, or half of one of two filter groups."""

    result: data.Const
    second: bool

    @property
    def sums(self) -> NDArray[np.int64]:
        """Sums of its filter group."""
        first = FILTERS * self.second
        return np.array(list(self.result.sums)[first : first + FILTERS])


def check_write(got: int, half: Half, tile: Tile, layer: Layer, seed: int) -> None:
    """Compare one request with golden's bytes or int32, and its place."""
    write = layouts.bus_write(ARCH).from_bits(got)
    result, sums = half.result, half.sums + tile.bias
    if layer.raw:
        logits = layouts.psums(ARCH).from_bits(write.data % (1 << 32 * FILTERS))
        index = layer.base + result.column * layer.image_logits + tile.group * FILTERS
        place = (1, 0, index % ARCH.logit_entries)
        assert (write.raw, write.enable, write.index) == place, f"seed {seed}: {result}"
        assert list(logits) == sums.tolist(), f"seed {seed}: logits {list(logits)} for {result}"
        CORNERS.hit("smallest and largest int32 side by side", min(sums) + max(sums) == -1)
        return
    want = requantize(
        sums,
        multiplier=tile.multiplier,
        shift=tile.shift,
        rounding=ARCH.rounding[layer.rounding],
        zero_point=layer.zero_point,
        low=layer.low,
        high=layer.high,
    )
    word, part = divmod(tile.group, PARTS)
    place = (result.row, result.column, layer.first_word + word)
    assert (write.row, write.column, write.word) == place, f"seed {seed}: {result}"
    assert (write.raw, write.to_memory) == (0, 0), f"seed {seed}: {result}"
    assert write.enable == ((1 << FILTERS) - 1) << part * FILTERS, f"seed {seed}: {result}"
    piece = write.data >> 8 * part * FILTERS & (1 << 8 * FILTERS) - 1
    values = list(piece.to_bytes(FILTERS, "little"))
    assert values == want.tolist(), f"seed {seed}: got {values}, golden says {want} for {result}"
    CORNERS.hit("last part of a word", part == PARTS - 1)


async def record(dut: Any, pops: int) -> list[Cycle]:
    """Return all cycles until `pops` results were taken and everything has left."""
    sources = [Stream(dut, f"results__{macro}") for macro in range(MACROS)]
    request = Stream(dut, "request")
    history: list[Cycle] = []
    while pops or not history[-1].empty:
        await ReadOnly()
        cycle = Cycle(
            [int(s.payload.value) if s.valid.value else None for s in sources],
            [bool(s.ready.value) for s in sources],
            int(dut.tile_end_popped.value),
            int(request.payload.value) if request.valid.value else None,
            bool(request.ready.value),
            bool(dut.empty.value),
        )
        history.append(cycle)
        pops -= cycle.popped is not None
        assert len(history) < CYCLES, "results are stuck"
        await FallingEdge(dut.clk)
    return history


class Choice:
    """Which result is taken: of the lowest macro that has one, and both halves of one in a row."""

    def __init__(self, tiles: list[Tile]) -> None:
        self._tiles = tiles
        self._halved: int | None = None
        self._halved_at = 0

    def taken(self, cycle: Cycle, now: int, *, free: bool) -> tuple[int | None, Half | None]:
        """Return the macro that is popped, and what enters; free: a stage is or becomes it."""
        offering = [m for m in range(MACROS) if cycle.results[m] is not None]
        if not offering:
            return None, None
        halved = self._halved
        macro = offering[0] if halved is None else halved
        if halved is not None:
            CORNERS.hit("second half while a lower macro has a result", offering[0] < halved)
            CORNERS.hit("second half waits", not free)
        if not free:
            return None, None
        result = RESULT.from_bits(cycle.results[macro])
        double = self._tiles[result.tile].second is not None
        if double:
            CORNERS.hit("a dropped result of two filter groups", not result.emit)
        if double and result.emit and halved is None:
            self._halved, self._halved_at = macro, now
            return None, Half(result, second=False)
        if halved is not None:
            CORNERS.hit("both halves in neighbouring cycles", now == self._halved_at + 1)
        self._halved = None
        return macro, Half(result, second=halved is not None) if result.emit else None


def check_choice(cycle: Cycle, now: int, choice: Choice, *, inside: int, seed: int) -> Half | None:
    """Compare what is popped; return what enters, iff a stage is or becomes free."""
    offering = [m for m in range(MACROS) if cycle.results[m] is not None]
    free = inside < ARCH.requantize_cycles or cycle.granted
    expected, enters = choice.taken(cycle, now, free=free)
    assert cycle.popped == expected, f"seed {seed}: took {cycle.popped}, {offering} offered"
    assert cycle.empty == (inside == 0), f"seed {seed}: {inside} results inside"
    CORNERS.hit("several macros have a result", len(offering) > 1 or MACROS == 1)
    CORNERS.hit("all stages full and the bus waits", not free)
    waits = cycle.request is not None and not cycle.granted
    CORNERS.hit("a result taken although the bus waits", waits and cycle.popped is not None)
    CORNERS.hit("empty between results", cycle.empty)
    return enters


def writes_of(history: list[Cycle], tiles: list[Tile], seed: int) -> Iterator[tuple[int, Half]]:
    """Check every cycle; yield each write as it was granted, with the result that it came from."""
    inside: list[tuple[int, Half]] = []
    granted_last = -1
    choice = Choice(tiles)
    for now, cycle in enumerate(history):
        enters = check_choice(cycle, now, choice, inside=len(inside), seed=seed)
        if inside:
            due = max(inside[0][0] + ARCH.requantize_cycles, granted_last + 1)
            assert (cycle.request is not None) == (now >= due), f"seed {seed}: due at {due}"
        else:
            assert cycle.request is None, f"seed {seed}: a request out of nothing"
        if cycle.request is not None and cycle.granted:
            yield cycle.request, inside.pop(0)[1]
            granted_last = now
        if enters is not None:
            inside.append((now, enters))
        ends = 0
        if cycle.popped is not None:
            result = RESULT.from_bits(cycle.results[cycle.popped])
            ends = result.tile_end << cycle.popped
            CORNERS.hit("a dropped result", not result.emit)
            CORNERS.hit("a dropped result that ends a tile", not result.emit and result.tile_end)
        assert cycle.ends == ends, f"seed {seed}: tile ends {cycle.ends:b}, not {ends:b}"


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), raw=[False, True], gap=[0.0, 0.6], stall=[0.0, 0.4, 0.9])
async def results_match_golden(dut: Any, seed: int, raw: bool, gap: float, stall: float) -> None:
    """Every emitted result is written, in its documented order and cycle."""
    rng = np.random.default_rng(seed)
    layer = draw_layer(rng, raw=raw)
    tiles = [draw_tile(rng, group=group) for group in (3 * PARTS - 1, 0, PARTS, PARTS - 1)]
    sources = [Stream(dut, f"results__{macro}") for macro in range(MACROS)]
    sink = Stream(dut, "request")
    await reset(dut, sink.ready, *(source.valid for source in sources))
    dut.layer.value = layer.packet()
    if ARCH.pairs:
        of_pair = [draw_tile(rng, group=2 * PARTS), None, draw_tile(rng, group=5 * PARTS - 1), None]
        tiles = [replace(one, second=other) for one, other in zip(tiles, of_pair, strict=True)]
    for slot, tile in enumerate(tiles):
        dut.groups[slot].value = tile.group
        dut.parameters[slot].value = tile.parameters()
        if ARCH.pairs:
            dut.doubles[slot].value = tile.second is not None
        if tile.second is not None:
            dut.groups[TILE_SLOTS + slot].value = tile.second.group
            dut.parameters[TILE_SLOTS + slot].value = tile.second.parameters()
    cocotb.start_soon(accept(sink, chances(rng, stall)))
    for source in sources:
        cocotb.start_soon(offer(source, draw_results(rng, tiles), chances(rng, gap)))
    history = await record(dut, MACROS * RESULTS)
    for write, half in writes_of(history, tiles, seed):
        tile = tiles[half.result.tile]
        own = tile.second if half.second and tile.second else tile
        check_write(write, half, own, layer, seed)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
