"""Predict the cycles of a program: of one image exactly, or of a layer before there are images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import SimulationError
from hwgen.model.compiled import is_compiled
from hwgen.model.dbpim.activity import Counts, bit_columns, windows
from hwgen.model.dbpim.cells import CellUse, cell_use, row_cells
from hwgen.model.dbpim.machine import run
from hwgen.model.dbpim.state import (
    CAUSES,
    LAYER_TYPE,
    TILE_TYPE,
    Ints,
    Order,
    Weights,
    new_cores,
    sizes_of,
)
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, LIKELY_BIT_COLUMNS, Arch
from hwgen.spec.dbpim.instructions import INSTRUCTION_BITS, TILE_HEADER_BITS, Opcode
from hwgen.spec.dbpim.program import Program
from hwgen.spec.dbpim.stream import Packet, TilePacket, beats_of, decode_stream, tile_beats
from hwgen.spec.dbpim.timing import FIRST_COMMAND_CYCLE
from hwgen.spec.step import Step

IMAGE, STORE, END = "image", "store", "end"
"""Names of what the chip does around the layers of a network."""


@dataclass(frozen=True)
class LayerCycles:
    """Cycles of one layer, from the retirement before it to its own.

    causes: where the cells of all macros spent the cycles, by `CAUSES`: in each cycle each cell of
    a macro's row counts once (`hwgen.model.dbpim.cells.row_cells`). Empty for what the chip does
    around the layers
    effective: of the busy cells, those whose digit is part of a weight
    """

    name: str
    cycles: int
    causes: Mapping[str, int]
    effective: int


@dataclass(frozen=True)
class Prediction:
    """Cycles of one image, from accepted start to done.

    load: cycles in which nothing computes because a load is pending
    layers: `image`, the layers of the program, `store`, `end`; their cycles add up to the total
    """

    cycles: int
    load: int
    layers: tuple[LayerCycles, ...]

    @property
    def compute(self) -> int:
        """Cycles without those that wait for a load."""
        return self.cycles - self.load

    @property
    def steps(self) -> tuple[Step, ...]:
        """One step for each of `layers`; it begins where the one before it retires."""
        ends = list(accumulate(layer.cycles for layer in self.layers))
        return tuple(
            Step(name=layer.name, layer=layer.name, begin=end - layer.cycles, end=end)
            for layer, end in zip(self.layers, ends, strict=True)
        )

    @property
    def counters(self) -> dict[str, int]:
        """What the other counters of the chip will hold, by the name of their register."""
        return {"layers": len(self.layers)}

    @property
    def events(self) -> dict[str, int]:
        """Events by name: this chip has none that are counted."""
        return {}


class CycleModel:
    """The cycle model of one program on one architecture; `predict` it image by image."""

    def __init__(self, program: Program, arch: Arch) -> None:
        self._arch = arch
        self._begin, *self._packets = decode_stream(program.image, arch)
        self._names = [layer.name for layer in program.facts.layers]
        self._layers = [packet for packet in self._packets if packet.opcode is not Opcode.TILE]

    def predict(self, inputs: Sequence[NDArray[np.uint8]]) -> Prediction:
        """Return the cycles of one image.

        inputs: the input map of each layer of the program (of an add: either), uint8 NHWC
        without N, as golden computes them
        """
        costs = self._costs(inputs)
        cycles, load, retired, causes = run_packets(
            self._begin.fields, self._packets, costs, self._arch
        )
        return Prediction(cycles, load, self._layer_cycles(retired, causes, self._cells(costs)))

    def _costs(self, inputs: Sequence[NDArray[np.uint8]]) -> list[Counts]:
        """Return the cost of each tile packet, in the order of the stream."""
        costs: list[Counts] = []
        known: dict[tuple[int, bytes], Counts] = {}
        number = -1
        views: NDArray[np.uint8] | None = None
        for packet in self._packets:
            if not isinstance(packet, TilePacket):
                number, views = number + 1, None
                continue
            conv = self._layers[number]
            start = [packet.fields[name] for name in ("kernel_y", "kernel_x", "channel_word")]
            key = (number, bytes(start) + packet.masks.tobytes())
            if key not in known:
                if views is None:
                    views = windows(inputs[number], conv)
                known[key] = bit_columns(views, packet, conv, self._arch)
            costs.append(known[key])
        return costs

    def _cells(self, costs: Sequence[Counts]) -> list[CellUse]:
        """Return the use of the cells in each layer of the program."""
        tiles: list[list[tuple[TilePacket, Counts]]] = []
        waiting = iter(costs)
        for packet in self._packets:
            if isinstance(packet, TilePacket):
                tiles[-1].append((packet, next(waiting)))
            else:
                tiles.append([])
        return [cell_use(layer, self._arch) for layer in tiles]

    def _layer_cycles(
        self, retired: Ints, causes: Ints, cells: Sequence[CellUse]
    ) -> tuple[LayerCycles, ...]:
        """Return the cycles between retirements, under the names of the layers."""
        spent = np.diff(retired, prepend=0).tolist()
        found = [LayerCycles(IMAGE, spent[0], {}, 0)]
        for name, cycles, row, use in zip(self._names, spent[1:], causes, cells, strict=False):
            split = cell_causes(row, use, self._arch)
            found.append(LayerCycles(name, cycles, split, use.effective))
        last = zip((STORE, END), spent[-2:], strict=True)
        return (*found, *(LayerCycles(name, cycles, {}, 0) for name, cycles in last))


def cell_causes(macro_cycles: Ints, use: CellUse, arch: Arch) -> dict[str, int]:
    """Return what the cells of a layer's macros did, by cause; macro_cycles: by cause, too."""
    found = dict(zip(CAUSES, (macro_cycles * row_cells(arch)).tolist(), strict=True))
    found["empty_slots"] = use.empty
    found["absent_filters"] = use.absent
    found["busy"] -= use.empty + use.absent
    return found


class SplitCost:
    """Cycles of one way to run a layer, for the compiler: it has no images yet.

    columns: bit columns that a group of inputs is expected to have (SYSTEMS.md of DB-PIM: 5.4
    after ReLU); all eight without `input_bits`
    """

    def __init__(self, arch: Arch, *, columns: int = LIKELY_BIT_COLUMNS) -> None:
        self._arch = arch
        self._columns = columns if arch.sparsity.input_bits else ACTIVATION_BITS

    def __call__(self, layer: str, packets: Sequence[Packet]) -> float:
        """Return the cycles from the layer's first beat to its retirement; `packets` of it only."""
        conv, *tiles = packets
        positions = position_count(conv, self._arch)
        costs = [
            np.full((positions, tile.fields["rows"]), self._columns, dtype=np.uint8)
            for tile in tiles
        ]
        beats = sum(packet.beats for packet in packets)
        begin = {"image_beats": 1, "image_height": 1, "image_width": 1, "pixel_bytes": 1}
        _, _, retired, _ = run_packets({**begin, "stream_beats": beats}, packets, costs, self._arch)
        return float(retired[1] - retired[0])


def must_compile() -> bool:
    """Return whether the first prediction will take up to a minute, because it compiles."""
    return not is_compiled(run)


def position_count(conv: Packet, arch: Arch) -> int:
    """Return the output positions of a CONV."""
    fields = conv.fields
    vectors = (fields["count_base"] << fields["cores_per_set_log2"]) + fields["count_extra"]
    return (vectors - 1) * arch.macros_per_core + fields["last_positions"]


def run_packets(
    begin: Mapping[str, int], packets: Sequence[Packet], costs: Sequence[Counts], arch: Arch
) -> tuple[int, int, Ints, Ints]:
    """Return cycles, load cycles, retirements and causes of a stream of packets.

    begin: fields of BEGIN; costs: (positions, rows) of each tile packet
    """
    layers, tiles, kept, order = tables(packets, arch)
    sizes = sizes_of(
        arch,
        header_beats=beats_of(TILE_HEADER_BITS, arch),
        instruction_beats=beats_of(INSTRUCTION_BITS, arch),
        image_pixels=begin["image_height"] * begin["image_width"],
        pixel_bytes=begin["pixel_bytes"],
    )
    tiles["cost_offset"] = np.cumsum([0, *(cost.size for cost in costs)])[: len(tiles)]
    flat = np.concatenate([np.zeros(0, np.uint8), *(cost.ravel() for cost in costs)])
    weights = Weights(tiles, kept, flat)
    start = INSTRUCTION_BITS // 8
    commands = np.array(
        [
            (FIRST_COMMAND_CYCLE, 0, start // arch.port_bytes),
            (0, 0, begin["image_beats"]),
            (0, start, begin["stream_beats"]),
        ],
        dtype=np.int64,
    )
    found = run(sizes, Order(order, layers, tiles), weights, new_cores(sizes), commands)
    if found[0] < 0:
        raise SimulationError("the program stands still: the stream does not fit its layers")
    return found


def tables(packets: Sequence[Packet], arch: Arch) -> tuple[Any, Any, Ints, Ints]:
    """Return layers, tiles, ones of all mask words, and the order of the packets."""
    order: list[tuple[int, int]] = []
    kept: list[int] = []
    layers = np.zeros(sum(packet.opcode is not Opcode.TILE for packet in packets), LAYER_TYPE)
    tiles = np.zeros(len(packets) - len(layers), TILE_TYPE)
    counts = {False: 0, True: 0}
    for packet in packets:
        is_tile = isinstance(packet, TilePacket)
        row = (tiles if is_tile else layers)[counts[is_tile]]
        order.append((int(is_tile), counts[is_tile]))
        counts[is_tile] += 1
        for name, value in packet.fields.items():
            row[name] = value
        if isinstance(packet, TilePacket):
            beats = tile_beats(
                arch, mask_words=len(packet.masks), parameters=bool(packet.parameters)
            )
            row["mask_beats"], row["row_beats"] = beats.masks, beats.row
            row["kept_offset"] = len(kept)
            kept += packet.masks.sum(axis=1).tolist()
    return layers, tiles, np.array(kept, np.int64), np.array(order, np.int64)
