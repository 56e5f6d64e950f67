"""Maps and starts from what a simulation wrote down."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.crossbar.facts.arch_fabric import Travel
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.image_io import block_flits, result_beats, results
from hwgen.crossbar.sim.chip_run import STEP, STROBES, ChipRun, Stores

Map = NDArray[Any]
DIGIT_BITS = 4


def elements_of(stores: Stores, chip: Chip) -> NDArray[np.int64]:
    """Return the elements of all words that macros stored, in their order."""
    bits = min(DIGIT_BITS, chip.activation_bits)
    parts = chip.activation_bits // bits
    lowest_first = stores.words[:, ::-1][:, : chip.word_bits // DIGIT_BITS, None].astype(np.int64)
    each = lowest_first >> np.arange(0, DIGIT_BITS, bits) & (1 << bits) - 1
    each = each.reshape(len(stores), chip.word_elements, parts)
    values = sum(each[..., place] << (bits * place) for place in range(parts))
    found: NDArray[np.int64] = np.asarray(values)[stores.enables]
    return found


def maps_of(run: ChipRun, chip: Chip, images: int) -> dict[str, Map]:
    """Return the maps (images, rows, columns, channels) of all layers, by name, from their stores.

    Raw sums are int64, all others unsigned.
    """
    found = {}
    for layer in chip.layers:
        elements = elements_of(stores_of(run, layer), chip)
        wide = layer.output_bits // chip.activation_bits
        shifts = chip.activation_bits * np.arange(wide)
        values = (elements.reshape(-1, wide) << shifts).sum(axis=1)
        found[layer.layer.name] = shaped(signed(values, layer), layer, images)
    return found


def stores_of(run: ChipRun, layer: ChipLayer) -> Stores:
    """Return the words of results of a layer."""
    results = ~np.isin(run.stores.macro, (STEP, STROBES))
    return run.stores.part(results & (run.stores.layer == layer.place))


def written_cycles(run: ChipRun, chip: Chip, images: int) -> dict[str, Map]:
    """Return the cycles in which the elements of all maps were stored, like `maps_of`."""
    found = {}
    for layer in chip.layers:
        own = stores_of(run, layer)
        cycles = np.repeat(own.cycle, own.enables.sum(axis=1))
        last = cycles[layer.output_bits // chip.activation_bits - 1 :]
        found[layer.layer.name] = shaped(
            last[:: layer.output_bits // chip.activation_bits], layer, images
        )
    return found


def shaped(values: NDArray[np.int64], layer: ChipLayer, images: int) -> Map:
    """Return elements in the order of a map as maps; without elements if they are too many or few.

    Maps that a chip stored in part have no place for their elements.
    """
    shape = (images, *layer.layer.out_sides, layer.layer.out_channels)
    if values.size != int(np.prod(shape)):
        return np.zeros((images, 0, 0, 0), np.int64)
    return values.reshape(shape)


def signed(values: NDArray[np.int64], layer: ChipLayer) -> NDArray[np.int64]:
    """Return elements of a raw layer in two's complement."""
    half = np.int64(1) << (layer.output_bits - 1)
    return (values ^ half) - half if layer.raw else values


def answers_of(run: ChipRun, chip: Chip) -> dict[str, Map]:
    """Return the maps that arrived in memory, by the name of their layer."""
    found: dict[str, Map] = {}
    first = 0
    for travel in results(chip):
        layer = chip.layers[travel.owner]
        beats = result_beats(chip, travel)
        size = chip.flit_bits // 8
        of_images = [
            answer_elements(answer[first * size : (first + beats) * size], travel, chip)
            for _, answer in sorted(run.answers.items())
        ]
        values = signed(np.concatenate(of_images), layer)
        found[layer.layer.name] = shaped(values, layer, len(of_images))
        first += beats
    return found


def answer_elements(data: NDArray[np.uint8], travel: Travel, chip: Chip) -> NDArray[np.int64]:
    """Return the elements of the blocks of a result, each of which begins with a new flit."""
    layer, found, first = chip.layers[travel.owner], [], 0
    for block in range(layer.blocks):
        pixels = layer.last_pixels if block + 1 == layer.blocks else layer.copies
        size = block_flits(chip, travel, pixels) * chip.flit_bits // 8
        bits = np.unpackbits(data[first : first + size], bitorder="little").astype(np.int64)
        own = bits[: pixels * travel.channels * travel.bits].reshape(-1, travel.bits)
        found.append((own << np.arange(travel.bits)).sum(axis=1))
        first += size
    return np.concatenate(found)


@dataclass(frozen=True, kw_only=True)
class Strobes:
    """The first strobes of the blocks of one operation of a layer, in the order of blocks.

    step: of a run, 0 the first one; clock: of the strobe, from the accepted start on, 0 the first
    lag: clocks from the first one of the step to it
    """

    layer: int
    operation: str
    step: NDArray[np.int64]
    clock: NDArray[np.int64]
    lag: NDArray[np.int64]


def strobes_of(run: ChipRun, chip: Chip) -> list[Strobes]:
    """Return the strobes of each operation, layer after layer."""
    keys = operations_of(chip)
    ticks = run.stores.part(run.stores.macro == STEP).cycle
    lines = run.stores.part(run.stores.macro == STROBES)
    flags = flags_of(lines, len(keys))
    step = np.searchsorted(ticks, lines.cycle) - 1
    lag = lines.cycle - ticks[step] - 1
    return [
        Strobes(
            layer=layer.place,
            operation=layer.operations[k].name,
            step=step[own],
            clock=lines.cycle[own] - 1,
            lag=lag[own],
        )
        for (layer, k), own in zip(keys, flags.T, strict=True)
    ]


def first_clocks(run: ChipRun) -> NDArray[np.int64]:
    """Return the first clock of each step, from the accepted start on; a tick is one before it.

    The chip's counter, which the simulation writes down, calls the first clock 1.
    """
    return run.stores.part(run.stores.macro == STEP).cycle


def operations_of(chip: Chip) -> list[tuple[ChipLayer, int]]:
    """Return all operations, layer after layer, each by its place in the layer."""
    return [(layer, k) for layer in chip.layers for k in range(len(layer.operations))]


def flags_of(lines: Stores, count: int) -> NDArray[np.bool_]:
    """Return the lowest `count` bits of the data of each line, (lines, count)."""
    digits = lines.words[:, ::-1, None]
    bits = np.unpackbits(digits, axis=2, bitorder="little")[:, :, :DIGIT_BITS]
    return bits.reshape(len(lines), -1)[:, :count].astype(bool)


def starts_of(run: ChipRun, chip: Chip) -> list[list[tuple[int, int]]]:
    """Return what starts in each step: layer, and place of the operation in it."""
    keys = operations_of(chip)
    flags = flags_of(run.stores.part(run.stores.macro == STEP), len(keys))
    return [[(keys[one][0].place, keys[one][1]) for one in np.flatnonzero(line)] for line in flags]
