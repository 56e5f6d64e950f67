"""Bench of `core`: the layers of a program on each core, and one layer cycle by cycle.

Every layer reads golden's maps, so that each is held against golden by itself.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.network import infer
from hwgen.rtl.dbpim import layouts
from hwgen.spec.dbpim.addressing import region_address, region_at
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.program import LayerPlan, Region
from hwgen.spec.dbpim.program_file import load_program
from hwgen.spec.dbpim.stream import Packet, TilePacket, decode_stream
from hwgen.spec.network import Layer, QuantizedNetwork
from hwgen.spec.network.file import load_network
from verif.common.chances import chances
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.dbpim.core_driver import CoreDriver
from verif.dbpim.network_builder import draw_images
from verif.stream import accept

ARCH = arch_from_environment()
WORK = Path(os.environ["WORK"])
"""Folder with the programs and networks of this run, two files for each name."""

NAMES = os.environ["NAMES"].split(",")
CYCLES = 10_000
"""No layer takes as many."""

COMPARTMENTS, FILTERS = ARCH.macro.compartments, ARCH.filters
Place = tuple[int, int, int]
"""Row, column and channel of a byte; a logit is (0, 0, class)."""

CORNERS = Corners(
    "a core without work in a layer",
    "logits",
    "a pool",
    "an addition",
    "several tiles",
    "the walker waits for a tile or a macro for a row",
    "a tile comes while the SIMD unit works",
    "the bus waits",
)


@dataclass(frozen=True)
class Task:
    """A network with its program, and golden's maps of one image."""

    network: QuantizedNetwork
    layers: list[tuple[Packet, Layer, LayerPlan]]
    tiles: list[TilePacket]
    maps: dict[str, NDArray[Any]]


def load_task(name: str, seed: int) -> Task:
    """Return the object that the test has stored in the folder under this name."""
    network = load_network(WORK / f"{name}.network.npz")
    program = load_program(WORK / f"{name}.program.npz")
    packets = decode_stream(program.image, ARCH)
    work = [p for p in packets if p.opcode in (Opcode.CONV, Opcode.POOL, Opcode.ADD)]
    layers = list(zip(work, network.layers, program.facts.layers, strict=True))
    tiles = [packet for packet in packets if isinstance(packet, TilePacket)]
    rng = np.random.default_rng(seed)
    images = draw_images(rng, network.graph.input.shape, 1)
    maps = {key: values[0] for key, values in infer(network, images).items()}
    return Task(network, layers, tiles, maps)


def sources(packet: Packet, layer: Layer, task: Task) -> Iterator[tuple[Region, NDArray[Any]]]:
    """Yield the maps that a layer reads, with the regions in which it looks for them."""
    bases = [packet.fields["input_base"], packet.fields.get("second_base", 0)]
    for base, name in zip(bases, layer.inputs, strict=False):
        values = task.maps[name]
        height, width, channels = values.shape
        yield (
            region_at(base, height=height, width=width, channels=channels, arch=ARCH),
            values,
        )


def bytes_of(request: int, places: dict[tuple[int, int], Place]) -> Iterator[tuple[Place, int]]:
    """Yield what one request writes: place and value of each byte, or of each logit."""
    write = layouts.bus_write(ARCH).from_bits(request)
    if write.raw:
        values = layouts.sums(ARCH).from_bits(write.data % (1 << 32 * FILTERS))
        for index, value in enumerate(values):
            yield (0, 0, write.address + index), value
        return
    y, x, channel = places[write.bank, write.address]
    for byte in range(COMPARTMENTS):
        if write.enable >> byte & 1:
            yield (y, x, channel + byte), write.data >> 8 * byte & 255


def places_of(region: Region | None) -> dict[tuple[int, int], Place]:
    """Return which pixel and first channel lies at each bank and address of a region."""
    if region is None:
        return {}
    indices = np.ndindex(region.height, region.width, region.channel_words)
    return {
        region_address(region, ARCH, y=y, x=x, channel_word=word): (y, x, COMPARTMENTS * word)
        for y, x, word in indices
    }


async def run_layer(driver: CoreDriver, packet: Packet, where: str) -> list[int]:
    """Run one layer to its end; return the requests that were granted."""
    dut, requests = driver.dut, []
    await driver.start(packet)
    for _ in range(CYCLES):
        await ReadOnly()
        asks, grants = bool(driver.request.valid.value), bool(driver.request.ready.value)
        if asks and grants:
            requests.append(int(driver.request.payload.value))
        if dut.row_write.value and packet.opcode is Opcode.CONV:
            assert not dut.computes.value, f"{where}: a column issues while a row is written"
        idle = bool(dut.idle.value)
        begins = bool(dut.tile_begin.value) and packet.opcode is not Opcode.CONV
        CORNERS.hit("a tile comes while the SIMD unit works", begins)
        CORNERS.hit("the bus waits", asks and not grants)
        waits = bool(dut.waits_for_load.value)
        CORNERS.hit("the walker waits for a tile or a macro for a row", waits)
        await FallingEdge(dut.clk)
        if idle:
            await driver.finish()
            return requests
    raise AssertionError(f"{where}: never idle")


def check_bytes(got: Counter[tuple[Place, int]], want: NDArray[Any], where: str) -> None:
    """Every byte of the map was written once, with golden's value; others are not checked."""
    height, width, channels = (1, 1, *want.shape)[-3:]
    values = want.reshape(height, width, channels)
    expected = {(place, int(values[place])) for place in np.ndindex(values.shape)}
    written = {entry: times for entry, times in got.items() if entry[0][2] < channels}
    wrong = sorted(written.keys() ^ expected)
    assert not wrong, f"{where}: {len(wrong)} differ from golden, first {wrong[:4]}"
    twice = [entry for entry, times in written.items() if times > 1]
    assert not twice, f"{where}: {len(twice)} written more than once, first {twice[:4]}"


def note_corners(task: Task, core: int) -> None:
    """Record which corners this run has reached by its program."""
    for packet, _, plan in task.layers:
        active = packet.fields["active_cores"] >> core & 1
        CORNERS.hit("a core without work in a layer", not active or ARCH.cores == 1)
        CORNERS.hit("logits", plan.output is None)
        CORNERS.hit("a pool", packet.opcode is Opcode.POOL)
        CORNERS.hit("an addition", packet.opcode is Opcode.ADD)
        CORNERS.hit("several tiles", plan.tiles > 1)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(("name", NAMES), (("gap", "stall"), [(0.0, 0.0), (0.9, 0.0), (0.2, 0.6)]))
async def layers_match_golden(dut: Any, name: str, gap: float, stall: float) -> None:
    """All cores together write every byte of every map once, and each is golden's."""
    seed = NAMES.index(name)
    task = load_task(name, seed)
    written: list[Counter[tuple[Place, int]]] = [Counter() for _ in task.layers]
    rng = np.random.default_rng(seed)
    driver = CoreDriver(dut, ARCH)
    for core in range(ARCH.cores):
        await driver.reset(core)
        mine = [tile for tile in task.tiles if tile.fields["cores"] >> core & 1]
        accepting = cocotb.start_soon(accept(driver.request, chances(rng, stall)))
        loading = cocotb.start_soon(driver.load(mine, chances(rng, gap)))
        for index, (packet, layer, plan) in enumerate(task.layers):
            if not packet.fields["active_cores"] >> core & 1:
                continue
            for region, values in sources(packet, layer, task):
                await driver.write_map(region, values, rng)
            requests = await run_layer(driver, packet, f"{name}, core {core}, {layer.name}")
            places = places_of(plan.output)
            for request in requests:
                written[index].update(bytes_of(request, places))
        await loading
        accepting.cancel()
        note_corners(task, core)
    for index, (_, layer, _) in enumerate(task.layers):
        where = f"{name}, seed {seed}, gap {gap}, stall {stall}, {layer.name}"
        check_bytes(written[index], task.maps[layer.name], where)


@cocotb.test(skip=os.environ.get("SMOKE") == "1")
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the programs have reached every corner; those of a smoke test are too short."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
