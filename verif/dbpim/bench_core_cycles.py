"""Bench of `core`: a convolution without stalls, each event in its published cycle."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat
from typing import Any, NamedTuple

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.ops.requantize import requantize
from hwgen.dbpim.facts.addressing import row_pitch
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.program import Placement
from hwgen.dbpim.facts.stream import FilterParameters, TilePacket
from hwgen.dbpim.facts.timing import (
    FETCH_CYCLES,
    FETCH_SLOTS,
    REQUEST_CYCLES,
    ROW_WRITE_CYCLES,
    SWITCH_CYCLES,
)
from hwgen.dbpim.rtl import layouts
from verif.dbpim.component import arch_from_environment
from verif.dbpim.core_driver import CoreDriver, row_of
from verif.dbpim.weight_rows import random_codes
from verif.reference.dbpim.macro import dense_macro, macro

ARCH = arch_from_environment()
CHANNELS, FILTERS, MACROS = ARCH.word, ARCH.filters, ARCH.macros_per_core
EMPTY = ARCH.macro.compartments - CHANNELS
"""Compartments without an input: all inputs of a vector are those of one word."""
VECTORS = min(FETCH_SLOTS, ARCH.groups_queued or FETCH_SLOTS, ARCH.psum_vectors)
"""So few that they never fill a queue, or the slots of the fetcher, and are one chunk."""

CORES = 2
WIDTH = VECTORS * CORES * MACROS
ROW = 5
"""Stored row of the output."""
FEWEST_PLANES = 5
"""Enough that no macro has to wait for its results to be taken."""

Bytes = NDArray[np.uint8]


class Event(NamedTuple):
    """A result at the write port: cycle, position vector and macro."""

    cycle: int
    vector: int
    macro: int


class Timetable(NamedTuple):
    """Cycles after `go`: of the first group, of the issues, and of each request of a write."""

    head: int
    issues: set[int]
    requests: list[Event]


class Scene(NamedTuple):
    """A step of one tile with one row, and golden's output."""

    fields: dict[str, int]
    tile: TilePacket
    inputs: Bytes
    outputs: Bytes
    planes: NDArray[np.int64]
    """Non-zero bit planes, by position vector of the core and macro."""


def timetable(planes: NDArray[np.int64], *, row_loaded: int) -> Timetable:
    """Return the sum of the published latencies."""
    moves = CHANNELS // ARCH.switch_rate
    issues: set[int] = set()
    waiting: list[Event] = []
    heads: list[int] = []
    macro_free = [row_loaded] * MACROS
    switch_free = 0
    for vector, counts in enumerate(planes.tolist()):
        seen = 1 + REQUEST_CYCLES + vector + FETCH_CYCLES
        if ARCH.sparse_parts:
            switch_free = max(seen, switch_free) + moves
            heads.append(switch_free - 1 + SWITCH_CYCLES)
        else:
            # The word is there once all macros have left the one before.
            heads.append(max(seen, *macro_free) if vector else seen)
        for index, count in enumerate(counts):
            first = max(heads[-1], macro_free[index])
            macro_free[index] = first + count
            issues |= set(range(first, first + count))
            waiting.append(Event(first + count - 1 + ARCH.macro_cycles, vector, index))
    return Timetable(heads[0], issues, list(pops(waiting)))


def pops(waiting: list[Event]) -> Iterator[Event]:
    """Yield each result's request: one result is popped in a cycle, the lowest macro first."""
    now = 0
    while waiting:
        ready = [event for event in waiting if event.cycle <= now]
        if ready:
            event = min(ready, key=lambda event: (event.macro, event.vector))
            waiting.remove(event)
            yield event._replace(cycle=now + ARCH.requantize_cycles)
        now += 1


def draw_scene(rng: np.random.Generator, *, core: int) -> Scene:
    """Return a 1 x 1 convolution over a map of one row and one word, all inputs selected."""
    counts = rng.integers(FEWEST_PLANES, 9, WIDTH)
    used = np.array([sum(1 << bit for bit in rng.permutation(8)[:n].tolist()) for n in counts])
    pixels = (rng.integers(0, 256, (WIDTH, CHANNELS)) & used[:, None]).astype(np.uint8)
    pixels[:, int(rng.integers(CHANNELS))] = used
    turn = int(rng.integers(MACROS))
    if not ARCH.sparsity.input_bits:
        counts[:] = 8
    of_core = counts.reshape(CORES, VECTORS, MACROS)[core]
    tile = draw_tile(rng, turn=turn)
    fields = step_fields(rng)
    outputs = reference(fields, tile, pixels)
    maps = pixels[None, None]
    return Scene(fields, tile, maps, outputs, np.roll(of_core, turn, axis=1))


def draw_tile(rng: np.random.Generator, *, turn: int) -> TilePacket:
    """Return a tile of one row for the last filters of a word."""
    codes = random_codes(rng, (1, CHANNELS + EMPTY, FILTERS), ARCH)
    scales = rng.integers([-99, 1 << 15, 20], [100, 1 << 16, 26], (FILTERS, 3)).tolist()
    fields = dict.fromkeys((field.name for field in ARCH.packets[Opcode.TILE]), 0) | {
        "opcode": Opcode.TILE,
        "cores": 255,
        "group": CHANNELS // FILTERS - 1,
        "rows": 1,
        "mask_words": 1,
        "turn": turn,
        "filter_enable": (1 << 2 * FILTERS) - 1,
    }
    fields |= dict.fromkeys(("first", "last", "last_group", "parameters"), 1)
    return TilePacket(
        opcode=Opcode.TILE,
        offset=0,
        beats=0,
        fields=fields,
        masks=np.ones((1, CHANNELS), np.bool_),
        parameters=tuple(FilterParameters(*scale) for scale in scales),
        codes=codes,
    )


def placement() -> Placement:
    """Return where the input lies: one row of one word a pixel."""
    return Placement(
        base=0,
        row_pitch=row_pitch(WIDTH, CHANNELS, ARCH),
        channel_words=1,
        image_rows=1,
        image_columns=0,
        first=[0],
        rows=[1],
    )


def step_fields(rng: np.random.Generator) -> dict[str, int]:
    """Return the fields of the step; its output is in the stored row ROW."""
    fields = dict.fromkeys((name for name, _ in layouts.packet(Opcode.CONV, ARCH)), 0)
    ones = ("input_height", "kernel_height", "kernel_width", "stride_y", "stride_x")
    fields |= dict.fromkeys((*ones, "input_channel_words", "output_channel_words"), 1)
    pitch = placement().row_pitch
    return {
        **fields,
        "input_row_pitch": pitch,
        "input_width": WIDTH,
        "output_base": pitch,
        "output_row_pitch": pitch,
        "output_width": WIDTH,
        "output_first_row": ROW,
        "output_end_row": ROW + 1,
        "padding_top": ROW,
        "output_zero_point": int(rng.integers(256)),
        "output_high": 255,
        "chunk_vectors": VECTORS,
    }


def core_fields(core: int, *, private: bool) -> dict[str, int]:
    """Return the work of a core: VECTORS position vectors, of which it keeps the row."""
    return {
        "start_y": ROW,
        "start_x": core * VECTORS * MACROS,
        "vectors": VECTORS,
        "private_first": ROW,
        "private_rows": int(private),
        "keep_first": ROW,
        "keep_rows": 1,
    }


def reference(fields: dict[str, int], tile: TilePacket, pixels: Bytes) -> Bytes:
    """Return golden's bytes of the tile's filters, by position."""
    product = macro if ARCH.sparsity.weight_bits else dense_macro
    every = np.ones((FILTERS, 2), np.bool_)
    groups = np.pad(pixels, ((0, 0), (0, EMPTY)))[:, None]
    sums = np.array([product(tile.codes, group, filter_enable=every) for group in groups])
    scales = np.array(tile.parameters)
    return requantize(
        sums + scales[:, 0],
        multiplier=scales[:, 1],
        shift=scales[:, 2],
        zero_point=fields["output_zero_point"],
        low=0,
        high=255,
    )


def check_write(dut: Any, event: Event, scene: Scene, *, core: int, private: bool) -> None:
    """The write is that of the position vector and the macro, with golden's bytes."""
    turn = scene.tile.fields["turn"]
    x = (core * VECTORS + event.vector) * MACROS + (event.macro - turn) % MACROS
    first = CHANNELS - FILTERS
    if private:
        write = layouts.vector_write(ARCH).from_bits(int(dut.private_write.value))
        active = [at.active for at in write.positions]
        assert active == [1] + [0] * (MACROS - 1), f"{event}: positions {active}"
        place = (write.positions[0].row, write.positions[0].column, write.word)
        values = list(write.bytes[0])[first:]
    else:
        write = layouts.bus_write(ARCH).from_bits(int(dut.request__payload.value))
        place = (write.row, write.column, write.word)
        values = list(
            (write.data >> 8 * first & (1 << 8 * FILTERS) - 1).to_bytes(FILTERS, "little")
        )
    assert place == (ROW, x, 0), f"{event}: column {x} went to {place}"
    assert write.enable == ((1 << FILTERS) - 1) << first, f"{event}: other bytes"
    want = scene.outputs[x].tolist()
    assert values == want, f"{event}: got {values} for column {x}, golden says {want}"


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3), core=[0, 1], row_written=[0, 40], private=[False, True])
async def events_have_their_cycles(
    dut: Any, seed: int, core: int, row_written: int, private: bool
) -> None:
    """Requests, issues, waits and idle cycles follow from the published latencies.

    row_written: cycle after `go` in which the row comes; 0: it is there before
    private: results go to the own banks; else to the bus
    """
    where = f"seed {seed}, core {core}, row at {row_written}, private {private}"
    rng = np.random.default_rng(seed)
    scene = draw_scene(rng, core=core)
    driver = CoreDriver(dut, ARCH)
    await driver.reset()
    early = scene.tile.codes if row_written == 0 else scene.tile.codes[:0]
    await driver.load([replace(scene.tile, codes=early)], repeat(False))
    await driver.write_maps(scene.inputs, placement(), rng)
    cells, meta = row_of(scene.tile, scene.tile.codes[0], ARCH)
    dut.loads__row__cells.value = cells
    if ARCH.sparse_parts:
        dut.loads__row__meta.value = meta
    dut.request__ready.value = 1
    row_loaded = row_written + ROW_WRITE_CYCLES
    plan = timetable(scene.planes, row_loaded=row_loaded)
    due = {event.cycle: event for event in plan.requests}
    await driver.start(Opcode.CONV, scene.fields, core_fields(core, private=private))
    for cycle in range(1, max(due) + 4):
        dut.loads__row__write.value = cycle == row_written
        await ReadOnly()
        assert bool(dut.computes.value) == (cycle in plan.issues), f"{where}: issue at {cycle}"
        waits = plan.head <= cycle < row_loaded
        assert bool(dut.waits_for_load.value) == waits, f"{where}: waits at {cycle}"
        shown = bool(dut.request__valid.value), bool(dut.private_valid.value)
        writes = (cycle in due and not private, cycle in due and private)
        assert shown == writes, f"{where}: bus, banks are {shown} at {cycle}"
        assert bool(dut.idle.value) == (cycle > max(due)), f"{where}: idle at {cycle}"
        if cycle in due:
            check_write(dut, due[cycle], scene, core=core, private=private)
        await FallingEdge(dut.clk)
