"""Bench of `core`: a layer without stalls, each event in its published cycle."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat
from typing import Any, NamedTuple

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.dbpim.macro import dense_macro, macro
from golden.dbpim.requantizer import requantize
from hwgen.rtl.dbpim import layouts
from hwgen.spec.dbpim.addressing import region_address, region_at
from hwgen.spec.dbpim.instructions import PACKETS, Opcode
from hwgen.spec.dbpim.stream import FilterParameters, Packet, TilePacket
from hwgen.spec.dbpim.timing import (
    FETCH_CYCLES,
    FETCH_SLOTS,
    MACRO_CYCLES,
    REQUANTIZE_CYCLES,
    ROW_WRITE_CYCLES,
    SWITCH_CYCLES,
)
from verif.dbpim.component import arch_from_environment
from verif.dbpim.core_driver import CoreDriver, row_of

ARCH = arch_from_environment()
COMPARTMENTS, FILTERS, MACROS = ARCH.macro.compartments, ARCH.filters, ARCH.macros_per_core
VECTORS = min(FETCH_SLOTS, ARCH.queue_depth, ARCH.psum_vectors)
"""So few that they never fill a queue and are one chunk."""

CORES_PER_SET_LOG2 = 1
CORES_PER_SET = 1 << CORES_PER_SET_LOG2
WIDTH = VECTORS * CORES_PER_SET * MACROS
FEWEST_PLANES = 5
"""Enough that no macro has to wait for its results to be taken."""

Bytes = NDArray[np.uint8]


class Event(NamedTuple):
    """A result at the bus: cycle, position vector and macro."""

    cycle: int
    vector: int
    macro: int


class Timetable(NamedTuple):
    """Cycles after `go`: of the first group, of the issues, and of each request of the bus."""

    head: int
    issues: set[int]
    requests: list[Event]


class Scene(NamedTuple):
    """A layer of one tile with one row, and golden's output."""

    layer: Packet
    tile: TilePacket
    inputs: Bytes
    outputs: Bytes
    planes: NDArray[np.int64]
    """Non-zero bit planes, by position vector of the core and macro."""


def timetable(planes: NDArray[np.int64], *, core_in_set: int, row_loaded: int) -> Timetable:
    """Return the sum of the published latencies."""
    moves = COMPARTMENTS // ARCH.switch_rate
    issues: set[int] = set()
    waiting: list[Event] = []
    heads: list[int] = []
    macro_free = [row_loaded] * MACROS
    switch_free = 0
    for vector, counts in enumerate(planes.tolist()):
        request = 1 + core_in_set + vector
        switch_free = max(request + FETCH_CYCLES, switch_free) + moves
        heads.append(switch_free - 1 + SWITCH_CYCLES)
        for index, count in enumerate(counts):
            first = max(heads[-1], macro_free[index])
            macro_free[index] = first + count
            issues |= set(range(first, first + count))
            waiting.append(Event(first + count - 1 + MACRO_CYCLES, vector, index))
    return Timetable(heads[0], issues, list(pops(waiting)))


def pops(waiting: list[Event]) -> Iterator[Event]:
    """Yield each result's bus request: one result is popped in a cycle, the lowest macro first."""
    now = 0
    while waiting:
        ready = [event for event in waiting if event.cycle <= now]
        if ready:
            event = min(ready, key=lambda event: (event.macro, event.vector))
            waiting.remove(event)
            yield event._replace(cycle=now + REQUANTIZE_CYCLES)
        now += 1


def draw_scene(rng: np.random.Generator, *, core_in_set: int) -> Scene:
    """Return a 1 x 1 convolution over a map of one row and one word, all inputs selected."""
    counts = rng.integers(FEWEST_PLANES, 9, WIDTH)
    used = np.array([sum(1 << bit for bit in rng.permutation(8)[:n].tolist()) for n in counts])
    pixels = (rng.integers(0, 256, (WIDTH, COMPARTMENTS)) & used[:, None]).astype(np.uint8)
    pixels[:, int(rng.integers(COMPARTMENTS))] = used
    turn = int(rng.integers(MACROS))
    if not ARCH.sparsity.input_bits:
        counts[:] = 8
    of_core = counts.reshape(VECTORS, CORES_PER_SET, MACROS)[:, core_in_set]
    tile = draw_tile(rng, turn=turn)
    layer = Packet(opcode=Opcode.CONV, offset=0, beats=0, fields=layer_fields(rng))
    outputs = reference(layer, tile, pixels)
    return Scene(layer, tile, pixels[None], outputs[None], np.roll(of_core, turn, axis=1))


def draw_tile(rng: np.random.Generator, *, turn: int) -> TilePacket:
    """Return a tile of one row for the last filters of a word."""
    codes = rng.integers(0, 256, (1, COMPARTMENTS, FILTERS)).astype(np.uint8)
    scales = rng.integers([-99, 1 << 15, 20], [100, 1 << 16, 26], (FILTERS, 3)).tolist()
    fields = dict.fromkeys((field.name for field in PACKETS[Opcode.TILE]), 0) | {
        "opcode": Opcode.TILE,
        "cores": 255,
        "group": COMPARTMENTS // FILTERS - 1,
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
        masks=np.ones((1, COMPARTMENTS), np.bool_),
        parameters=tuple(FilterParameters(*scale) for scale in scales),
        codes=codes,
    )


def layer_fields(rng: np.random.Generator) -> dict[str, int]:
    """Return the fields of the layer; input and output maps have the same size and base 0."""
    region = region_at(0, height=1, width=WIDTH, channels=COMPARTMENTS, arch=ARCH)
    places = {"row_pitch": region.row_pitch, "channel_words": 1, "width": WIDTH}
    fields = dict.fromkeys((field.name for field in PACKETS[Opcode.CONV]), 0)
    fields |= {f"input_{name}": value for name, value in places.items()}
    fields |= {f"output_{name}": value for name, value in places.items()}
    fields |= dict.fromkeys(("input_height", "kernel_height", "kernel_width", "stride"), 1)
    unit = dict(zip(("unit_y", "unit_x"), divmod(MACROS, WIDTH), strict=True))
    step = dict(zip(("step_y", "step_x"), divmod(MACROS * CORES_PER_SET, WIDTH), strict=True))
    return {
        **fields,
        **unit,
        **step,
        "opcode": Opcode.CONV,
        "output_zero_point": int(rng.integers(256)),
        "output_high": 255,
        "active_cores": 255,
        "count_base": VECTORS,
        "cores_per_set_log2": CORES_PER_SET_LOG2,
        "last_positions": MACROS,
        "last_core_in_set": CORES_PER_SET - 1,
        "chunk_vectors": VECTORS,
    }


def reference(layer: Packet, tile: TilePacket, pixels: Bytes) -> Bytes:
    """Return golden's bytes of the tile's filters, by position."""
    product = macro if ARCH.sparsity.weight_bits else dense_macro
    every = np.ones((FILTERS, 2), np.bool_)
    sums = np.array([product(tile.codes, pixel[None], filter_enable=every) for pixel in pixels])
    scales = np.array(tile.parameters)
    return requantize(
        sums + scales[:, 0],
        multiplier=scales[:, 1],
        shift=scales[:, 2],
        zero_point=layer.fields["output_zero_point"],
        low=0,
        high=255,
    )


def check_write(got: int, event: Event, scene: Scene, core_in_set: int, where: str) -> None:
    """The write is that of the position vector and the macro, with golden's bytes."""
    turn = scene.tile.fields["turn"]
    x = (event.vector * CORES_PER_SET + core_in_set) * MACROS + (event.macro - turn) % MACROS
    write = layouts.bus_write(ARCH).from_bits(got)
    region = region_at(0, height=1, width=WIDTH, channels=COMPARTMENTS, arch=ARCH)
    place = region_address(region, ARCH, y=0, x=x, channel_word=0)
    first = COMPARTMENTS - FILTERS
    assert (write.bank, write.address) == place, f"{where}: column {x} went elsewhere"
    assert write.enable == ((1 << FILTERS) - 1) << first, f"{where}: other bytes"
    values = list((write.data >> 8 * first & (1 << 8 * FILTERS) - 1).to_bytes(FILTERS, "little"))
    want = scene.outputs[0, x].tolist()
    assert values == want, f"{where}: got {values} for column {x}, golden says {want}"


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3), core=[0, 3], row_written=[0, 40])
async def events_have_their_cycles(dut: Any, seed: int, core: int, row_written: int) -> None:
    """Requests, issues, waits and idle cycles follow from the published latencies.

    row_written: cycle after `go` in which the row comes; 0: it is there before
    """
    where = f"seed {seed}, core {core}, row at {row_written}"
    core_in_set = core % CORES_PER_SET
    rng = np.random.default_rng(seed)
    scene = draw_scene(rng, core_in_set=core_in_set)
    driver = CoreDriver(dut, ARCH)
    await driver.reset(core)
    early = scene.tile.codes if row_written == 0 else scene.tile.codes[:0]
    await driver.load([replace(scene.tile, codes=early)], repeat(False))
    region = region_at(0, height=1, width=WIDTH, channels=COMPARTMENTS, arch=ARCH)
    await driver.write_map(region, scene.inputs, rng)
    dut.row_cells.value, dut.row_meta.value = row_of(scene.tile.codes[0], ARCH)
    dut.request__ready.value = 1
    row_loaded = row_written + ROW_WRITE_CYCLES
    plan = timetable(scene.planes, core_in_set=core_in_set, row_loaded=row_loaded)
    due = {event.cycle: event for event in plan.requests}
    await driver.start(scene.layer)
    for cycle in range(1, max(due) + 4):
        dut.row_write.value = cycle == row_written
        await ReadOnly()
        assert bool(dut.computes.value) == (cycle in plan.issues), f"{where}: issue at {cycle}"
        waits = plan.head <= cycle < row_loaded
        assert bool(dut.waits_for_load.value) == waits, f"{where}: waits at {cycle}"
        assert bool(driver.request.valid.value) == (cycle in due), f"{where}: request at {cycle}"
        assert bool(dut.idle.value) == (cycle > max(due)), f"{where}: idle at {cycle}"
        if cycle in due:
            check_write(int(driver.request.payload.value), due[cycle], scene, core_in_set, where)
        await FallingEdge(dut.clk)
