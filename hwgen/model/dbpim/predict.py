"""Predict cycles: of one image exactly, or of one layer for the compiler, without images."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import SimulationError
from hwgen.model.compiled import is_compiled
from hwgen.model.dbpim.activity import Counts, bit_planes, windows
from hwgen.model.dbpim.cells import CellUse, cell_use, row_cells
from hwgen.model.dbpim.machine import run
from hwgen.model.dbpim.prediction import END, IMAGE, STORE, LayerCycles, Prediction
from hwgen.model.dbpim.state import (
    CAUSES,
    COMMAND_TYPE,
    LAYER_TYPE,
    PACKET_TYPE,
    TILE_TYPE,
    Ints,
    Order,
    Table,
    Weights,
    new_cores,
    sizes_of,
)
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, LIKELY_BIT_PLANES, Arch
from hwgen.spec.dbpim.instructions import INSTRUCTION_BITS, TILE_HEADER_BITS, Opcode
from hwgen.spec.dbpim.program import Program
from hwgen.spec.dbpim.stream import Packet, TilePacket, beats_of, decode_stream, tile_beats
from hwgen.spec.dbpim.timing import FIRST_COMMAND_CYCLE


class CycleModel:
    """The cycle model of one program on one architecture; `predict` takes one image at a time."""

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
                known[key] = bit_planes(views, packet, conv, self._arch)
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
    """Return cell-cycles of a layer by cause, from macro-cycles by cause and the use of cells."""
    found = dict(zip(CAUSES, (macro_cycles * row_cells(arch)).tolist(), strict=True))
    found["empty_slots"] = use.empty
    found["absent_filters"] = use.absent
    found["busy"] -= use.empty + use.absent
    return found


class SplitCost:
    """Cycles of one split of a layer, for the compiler, which has no images.

    bit_planes: expected bit planes with a one in a group of inputs (SYSTEMS.md of DB-PIM: 5.4
        after ReLU); all eight without `input_bits`
    """

    def __init__(self, arch: Arch, *, bit_planes: int = LIKELY_BIT_PLANES) -> None:
        self._arch = arch
        self._bit_planes = bit_planes if arch.sparsity.input_bits else ACTIVATION_BITS

    def __call__(self, layer: str, packets: Sequence[Packet]) -> float:
        """Return the cycles from the first beat of the layer's packets to its retirement."""
        conv, *tiles = packets
        positions = position_count(conv, self._arch)
        costs = [
            np.full((positions, tile.fields["rows"]), self._bit_planes, dtype=np.uint8)
            for tile in tiles
        ]
        beats = sum(packet.beats for packet in packets)
        begin = {"image_beats": 1, "image_height": 1, "image_width": 1, "pixel_bytes": 1}
        _, _, retired, _ = run_packets({**begin, "stream_beats": beats}, packets, costs, self._arch)
        return float(retired[1] - retired[0])


def must_compile() -> bool:
    """Return whether the first prediction must compile, which takes up to a minute."""
    return not is_compiled(run)


def position_count(conv: Packet, arch: Arch) -> int:
    """Return the output positions of a CONV."""
    fields = conv.fields
    vectors = (fields["count_base"] << fields["cores_per_set_log2"]) + fields["count_extra"]
    return (vectors - 1) * arch.macros_per_core + fields["last_positions"]


def run_packets(
    begin: Mapping[str, int], packets: Sequence[Packet], costs: Sequence[Counts], arch: Arch
) -> tuple[int, int, Ints, Ints]:
    """Return cycles, load-stall cycles, retirements and causes of a stream of packets.

    begin: fields of BEGIN; costs: (positions, rows) of each tile packet
    """
    layers, tiles, selected, order = tables(packets, arch)
    sizes = sizes_of(
        arch,
        header_beats=beats_of(TILE_HEADER_BITS, arch),
        instruction_beats=beats_of(INSTRUCTION_BITS, arch),
        image_pixels=begin["image_height"] * begin["image_width"],
        pixel_bytes=begin["pixel_bytes"],
    )
    tiles["cost_offset"] = np.cumsum([0, *(cost.size for cost in costs)])[: len(tiles)]
    flat = np.concatenate([np.zeros(0, np.uint8), *(cost.ravel() for cost in costs)])
    weights = Weights(tiles, selected, flat)
    start = INSTRUCTION_BITS // 8
    commands = np.array(
        [
            (FIRST_COMMAND_CYCLE, 0, start // arch.port_bytes),
            (0, 0, begin["image_beats"]),
            (0, start, begin["stream_beats"]),
        ],
        dtype=COMMAND_TYPE,
    )
    found = run(sizes, Order(order, layers, tiles), weights, new_cores(sizes), commands)
    if found[0] < 0:
        raise SimulationError("the program stands still: the stream does not fit its layers")
    return found


def tables(packets: Sequence[Packet], arch: Arch) -> tuple[Any, Any, Ints, Table]:
    """Return layers, tiles, selected inputs of each mask word, and the order of the packets."""
    order: list[tuple[int, int]] = []
    selected: list[int] = []
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
            row["selected_offset"] = len(selected)
            selected += packet.masks.sum(axis=1).tolist()
    return layers, tiles, np.array(selected, np.int64), np.array(order, PACKET_TYPE)
