"""Bench of `tile_store`: loader, walker and macros at independent rates, every cycle."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.dbpim.facts.timing import TILE_SLOTS
from hwgen.dbpim.rtl import layouts
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack
from verif.dbpim.tile_ring import Actions, Header, TileRing
from verif.stream import reset

ARCH = arch_from_environment()
MACROS, MASK_BITS, ROWS = ARCH.macros_per_core, ARCH.word, ARCH.macro.rows
HEADER, PARAMETER_BITS = layouts.tile(ARCH), layouts.parameters(ARCH).size
BEAT_WORDS = ARCH.port_bits // MASK_BITS
MASKS = ARCH.sparse_parts
FEWER = MASKS and BEAT_WORDS > 1
IN_A_BEAT = (
    "masks go round the ring",
    "masks begin inside a line of the ring",
    "beat with fewer mask words",
)
"""Corners of a beat of several mask words."""
SEVERAL_BEATS = MASKS and ARCH.mask_words > BEAT_WORDS
TILES = 30
CORNERS = Corners(
    "no space for lack of rows",
    *(["no space for lack of mask words"] if MASKS else []),
    "a tile takes all that is free",
    "tile begins while another retires",
    "row written while a tile retires",
    "rows go round the ring",
    *(IN_A_BEAT if FEWER else ()),
    "tile with the parameters of the one before",
    "walked before its rows are there",
    "last pop of all macros in one cycle",
    "oldest tile retires while others are there",
    "nothing to walk",
    *(["second filter group of a result"] if ARCH.pairs else []),
    *(["no space for lack of a slot"] if ROWS > TILE_SLOTS else []),
    *(["masks in several beats"] if SEVERAL_BEATS else []),
    *(["one macro ahead by two tiles"] if MACROS > 1 else []),
)


def draw_header(rng: np.random.Generator, *, first: bool) -> Header:
    """Return a header of any size that fits, often a small one."""
    fields = {name: int(rng.integers(1 << field.width, dtype=np.uint64)) for name, field in HEADER}
    rows = 1 if rng.random() < 0.5 else int(rng.integers(1, ARCH.tile_rows + 1))
    words = rows
    if MASKS:
        most = int(rng.choice([4, ARCH.mask_words // 2, ARCH.mask_words], p=[0.6, 0.3, 0.1]))
        words = int(rng.integers(1, most + 1))
    return {
        **fields,
        "rows": rows,
        "mask_words": words,
        "parameters": first or fields["parameters"],
    }


def filters_of(header: Header) -> int:
    """Return the filters of a tile, in a pair those of both groups."""
    return ARCH.filters << header.get("double", 0)


def header_word(header: Header) -> int:
    """Return a header as the port takes it."""
    return sum(value << HEADER[name].offset for name, value in header.items())


class Run:
    """One simulation, a cycle at a time."""

    def __init__(self, dut: Any, seed: int, *, gap: float, pace: float) -> None:
        self._dut, self._seed, self._gap, self._pace = dut, seed, gap, pace
        self._rng = np.random.default_rng(seed)
        self._ring = TileRing(ARCH)
        self._asking: Header = draw_header(self._rng, first=True)
        self._loader = self._load()
        self._second = False

    async def until_done(self, cycles: int | None = None) -> None:
        """Run until all tiles have retired, or for so many cycles."""
        now = 0
        while self._ring.retired < TILES and now != cycles:
            load = Actions() if self._chance(self._gap) else next(self._loader, Actions())
            actions = replace(load, tile_done=self._walks(), popped=self._pops())
            self._drive(actions)
            looks = self._look_up()
            await ReadOnly()
            self._check(actions, looks)
            self._note(actions)
            self._ring.clock(actions)
            await FallingEdge(self._dut.clk)
            now += 1

    def _chance(self, probability: float) -> bool:
        """Return true with `probability`."""
        return bool(self._rng.random() < probability)

    def _load(self) -> Iterator[Actions]:
        """Act as the loader: yield its actions in each cycle in which it acts."""
        for number in range(TILES):
            header = self._asking
            while not self._ring.room(header):
                yield Actions()
            yield Actions(begin=header, push=not MASKS)
            count = header["mask_words"] if MASKS else 0
            words = self._rng.integers(1 << MASK_BITS, size=count, dtype=np.uint64).tolist()
            for first in range(0, len(words), BEAT_WORDS):
                last = first + BEAT_WORDS >= len(words)
                yield Actions(masks=words[first : first + BEAT_WORDS], push=last)
            for _ in range(filters_of(header) if header["parameters"] else 0):
                yield Actions(parameters=int(self._rng.integers(1 << PARAMETER_BITS)))
            for _ in range(header["rows"] - 1):
                yield Actions(row_write=True)
            self._asking = draw_header(self._rng, first=False)
            if ARCH.pairs and not self._asking["parameters"]:
                self._asking["double"] = header["double"]
            yield Actions(row_write=True)
            CORNERS.hit("walked before its rows are there", self._ring.walked > number)

    def _walks(self) -> bool:
        """Act as the walker."""
        return self._ring.walked < self._ring.pushed and self._chance(self._pace)

    def _pops(self) -> int:
        """Act as the macros: each ends its tiles in order, the higher ones more slowly."""
        popped = 0
        together = self._chance(0.05)
        for macro, number in enumerate(self._ring.ended):
            if number < self._ring.walked:
                tile = self._ring.tiles[number]
                complete = tile.rows == tile.header["rows"]
                ends = together or self._chance(self._pace * (0.2 if macro else 1))
                popped |= (complete and ends) << macro
        return popped

    def _drive(self, actions: Actions) -> None:
        """Drive the actions; inputs without an action are random."""
        dut, rng = self._dut, self._rng
        header = self._asking if actions.begin is None else actions.begin
        if MASKS:
            missing = BEAT_WORDS - len(actions.masks)
            rest = rng.integers(1 << MASK_BITS, size=missing, dtype=np.uint64).tolist()
            dut.tile_store__loads__mask_write.value = bool(actions.masks)
            dut.tile_store__loads__mask_data.value = pack([*actions.masks, *rest], bits=MASK_BITS)
        dut.tile_store__loads__begin.value = actions.begin is not None
        dut.tile_store__loads__header.value = header_word(header)
        dut.tile_store__loads__push.value = actions.push
        dut.tile_store__loads__parameters_write.value = actions.parameters is not None
        if actions.parameters is not None:
            index = len(self._ring.tiles[-1].parameters)
            dut.tile_store__loads__parameters_index.value = index
            dut.tile_store__loads__parameters_data.value = actions.parameters
        dut.tile_store__row_write.value = actions.row_write
        dut.tile_store__tile_done.value = actions.tile_done
        dut.tile_store__tile_end_popped.value = actions.popped

    def _look_up(self) -> list[int]:
        """Look up a tile that has not retired on each port; return the numbers of the tiles."""
        dut, rng, ring = self._dut, self._rng, self._ring
        if not ring.alive:
            return []
        looks = rng.integers(ring.retired, len(ring.tiles), MACROS + 2).tolist()
        double = ring.tiles[looks[MACROS]].header.get("double", 0)
        self._second = bool(double and rng.integers(2))
        if ARCH.pairs:
            dut.tile_store__result_second.value = self._second
        slots = [number % TILE_SLOTS for number in looks]
        dut.tile_store__head_tile.value = pack(slots[:MACROS], bits=2)
        dut.tile_store__result_tile.value = slots[MACROS]
        tile = ring.tiles[looks[-1]]
        word = int(rng.integers(tile.header["mask_words"]))
        if MASKS:
            dut.tile_store__mask_index.value = (tile.mask_base + word) % ARCH.mask_words
        rows = rng.integers(ROWS, size=MACROS).tolist()
        dut.tile_store__head_row.value = pack(rows, bits=max(1, (ROWS - 1).bit_length()))
        return [*looks, word, *rows]

    def _check(self, actions: Actions, looks: list[int]) -> None:
        """Compare the cycle's outputs with the lists."""
        dut, ring = self._dut, self._ring
        known = ring.walked < ring.pushed
        want = (ring.room(self._asking), known, ring.walked == ring.retired)
        if actions.begin is not None:
            want = (True, *want[1:])
        flags = (
            dut.tile_store__loads__room,
            dut.tile_store__tile_known,
            dut.tile_store__empty_walked,
        )
        self._same("room, known, empty", tuple(bool(flag.value) for flag in flags), want)
        if known:
            tile = ring.tiles[ring.walked]
            self._same("header", int(dut.tile_store__tile.value), header_word(tile.header))
            slot_and_row = (dut.tile_store__tile_slot, dut.tile_store__tile_row_base)
            shown = tuple(int(each.value) for each in slot_and_row)
            self._same("slot and row", shown, (ring.walked % TILE_SLOTS, tile.row_base))
            if MASKS:
                base = int(dut.tile_store__tile_mask_base.value)
                self._same("first mask word", base, tile.mask_base)
        if actions.row_write:
            row = ring.row_at(len(ring.tiles) - 1, ring.tiles[-1].rows)
            self._same("row index", int(dut.tile_store__row_index.value), row)
        if looks:
            self._check_looks(looks)

    def _check_looks(self, looks: list[int]) -> None:
        """Compare the results of the look-ups."""
        dut, tiles = self._dut, self._ring.tiles
        heads, rows = looks[:MACROS], looks[MACROS + 3 :]
        columns = pack(
            [tiles[number].header["filter_enable"] for number in heads],
            bits=ARCH.widths.filter_enable,
        )
        self._same("columns", int(dut.tile_store__head_filter_enable.value), columns)
        loaded = pack([row in self._ring.loaded() for row in rows], bits=1)
        self._same("loaded rows", int(dut.tile_store__row_loaded.value), loaded)
        result, masked, word = tiles[looks[MACROS]], tiles[looks[MACROS + 1]], looks[MACROS + 2]
        group = result.header["second_group" if self._second else "group"]
        self._same("group", int(dut.tile_store__result_group.value), group)
        if ARCH.pairs:
            doubles = pack([tiles[number].header["double"] for number in heads], bits=1)
            self._same("doubles", int(dut.tile_store__head_double.value), doubles)
            double = int(dut.tile_store__result_double.value)
            self._same("double", double, result.header["double"])
            CORNERS.hit("second filter group of a result", self._second)
        if len(result.parameters) == filters_of(result.header):
            own = result.parameters[ARCH.filters :] if self._second else result.parameters
            want = pack(own[: ARCH.filters], bits=PARAMETER_BITS)
            self._same("parameters", int(dut.tile_store__result_parameters.value), want)
        if word < len(masked.masks):
            self._same("mask", int(dut.tile_store__mask.value), masked.masks[word])

    def _same(self, what: str, got: object, want: object) -> None:
        """Compare one output."""
        assert got == want, f"seed {self._seed}: {what}: {got}, not {want}"

    def _note(self, actions: Actions) -> None:
        """Record the corners of the cycle."""
        ring, asking = self._ring, self._asking
        slots = len(ring.alive) == TILE_SLOTS
        lacks = {name for name in ring.rings if asking[name] > ring.free(name)}
        CORNERS.hit("no space for lack of rows", lacks == {"rows"} and not slots)
        if MASKS:
            CORNERS.hit("no space for lack of mask words", lacks == {"mask_words"} and not slots)
        if ROWS > TILE_SLOTS:
            CORNERS.hit("no space for lack of a slot", slots and not lacks)
        CORNERS.hit("row written while a tile retires", actions.row_write and ring.retires)
        CORNERS.hit(
            "oldest tile retires while others are there", ring.retires and len(ring.alive) > 1
        )
        CORNERS.hit("nothing to walk", ring.walked == ring.pushed and ring.pushed > 0)
        CORNERS.hit("last pop of all macros in one cycle", actions.popped == (1 << MACROS) - 1)
        if MACROS > 1:
            ahead = max(ring.ended) - min(ring.ended)
            CORNERS.hit("one macro ahead by two tiles", ahead >= 2)
        if actions.begin is not None:
            begin = actions.begin
            CORNERS.hit("tile begins while another retires", ring.retires)
            CORNERS.hit("a tile takes all that is free", begin["rows"] == ring.free("rows"))
            CORNERS.hit("tile with the parameters of the one before", not begin["parameters"])
        if actions.masks:
            self._note_masks(actions)
        if actions.row_write:
            row = ring.row_at(-1, ring.tiles[-1].rows)
            CORNERS.hit("rows go round the ring", row == 0 and len(ring.tiles) > 1)

    def _note_masks(self, actions: Actions) -> None:
        """Record the corners of a beat of mask words."""
        tile = self._ring.tiles[-1]
        place = (tile.mask_base + len(tile.masks)) % ARCH.mask_words
        if FEWER:
            CORNERS.hit("masks go round the ring", place + len(actions.masks) > ARCH.mask_words)
            CORNERS.hit("masks begin inside a line of the ring", place % BEAT_WORDS != 0)
            CORNERS.hit("beat with fewer mask words", len(actions.masks) < BEAT_WORDS)
        if SEVERAL_BEATS:
            CORNERS.hit("masks in several beats", not actions.push)


INPUTS = (
    *("loads__begin", "loads__push", "loads__parameters_write"),
    *(["loads__mask_write"] if MASKS else []),
    *("row_write", "tile_done"),
)


async def reset_store(dut: Any) -> None:
    """Reset with idle inputs."""
    inputs = (*INPUTS, "tile_end_popped")
    await reset(dut, *(getattr(dut, f"tile_store__{name}") for name in inputs))


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.6], pace=[0.1, 0.7])
async def tiles_come_and_go(dut: Any, seed: int, gap: float, pace: float) -> None:
    """Every output is right in every cycle."""
    await reset_store(dut)
    await Run(dut, seed, gap=gap, pace=pace).until_done()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_reset_forgets_all_tiles(dut: Any) -> None:
    """After a reset with tiles loading, walked and ended the rings start empty."""
    for cycles in (3, 9, 27, 81):
        await reset_store(dut)
        await Run(dut, cycles, gap=0.0, pace=0.3).until_done(cycles)
    await reset_store(dut)
    await Run(dut, 0, gap=0.0, pace=1.0).until_done()


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
