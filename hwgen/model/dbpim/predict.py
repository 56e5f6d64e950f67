"""Predict the cycles of a program: of one image exactly, or of a layer before there are images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import SimulationError
from hwgen.model.dbpim.activity import Counts, bit_columns, windows
from hwgen.model.dbpim.machine import run
from hwgen.model.dbpim.state import (
    CAUSES,
    LAYER_TYPE,
    TILE_TYPE,
    Ints,
    Stream,
    new_cores,
    sizes_of,
)
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, Arch
from hwgen.spec.dbpim.instructions import INSTRUCTION_BITS, TILE_HEADER_BITS, Opcode
from hwgen.spec.dbpim.program import Program
from hwgen.spec.dbpim.stream import Packet, TilePacket, beats_of, decode_stream, tile_beats

IMAGE_ALIGNMENT = 4096
"""Programs and images begin at multiples of it."""


@dataclass(frozen=True)
class LayerCycles:
    """Cycles of one layer, from the retirement before it to its own.

    causes: of a CONV, where the cycles of its macros went, by `CAUSES`; else empty
    """

    name: str
    cycles: int
    causes: Mapping[str, int]


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


class CycleModel:
    """The cycle model of one program on one architecture; `predict` it image by image."""

    def __init__(self, program: Program, arch: Arch) -> None:
        self._arch = arch
        packets = decode_stream(program.image, arch)
        self._begin, self._packets = packets[0], packets[1:]
        self._names = [layer.name for layer in program.facts.layers]
        self._layers = [packet for packet in self._packets if packet.opcode is not Opcode.TILE]
        self._tables = tables(self._packets, arch)

    def predict(self, inputs: Sequence[NDArray[np.uint8]]) -> Prediction:
        """Return the cycles of one image.

        inputs: the input map of each layer of the program (of an add: either), uint8 NHWC
        without N, as golden computes them
        """
        costs = self._costs(inputs)
        return self._run(costs)

    def _costs(self, inputs: Sequence[NDArray[np.uint8]]) -> list[Counts]:
        """Return the cost of each tile packet, in the order of the stream."""
        costs: list[Counts] = []
        known: dict[tuple[int, bytes], Counts] = {}
        number = -1
        views: NDArray[np.uint8] | None = None
        for packet in self._packets:
            if isinstance(packet, TilePacket):
                conv = self._layers[number]
                start = [packet.fields[name] for name in ("kernel_y", "kernel_x", "channel_word")]
                key = (number, bytes(start) + packet.masks.tobytes())
                if key not in known:
                    if views is None:
                        views = windows(inputs[number], conv)
                    known[key] = bit_columns(views, packet, conv, self._arch)
                costs.append(known[key])
            else:
                number, views = number + 1, None
        return costs

    def _run(self, costs: list[Counts]) -> Prediction:
        """Run the machine on given costs."""
        arch, fields = self._arch, self._begin.fields
        layers, tiles, kept, order = self._tables
        sizes = sizes_of(
            arch,
            header_beats=beats_of(TILE_HEADER_BITS, arch),
            instruction_beats=beats_of(INSTRUCTION_BITS, arch),
        )
        tiles["cost_offset"] = np.cumsum([0, *(cost.size for cost in costs)])[: len(tiles)]
        stream = Stream(
            order=order,
            layers=layers,
            tiles=tiles,
            kept=kept,
            cost=np.concatenate([np.zeros(0, np.uint8), *(cost.ravel() for cost in costs)]),
            stream_beats=fields["stream_beats"],
            image_beats=fields["image_beats"],
            image_pixels=fields["image_height"] * fields["image_width"],
            pixel_bytes=fields["pixel_bytes"],
        )
        begin = self._begin.beats
        commands = np.array(
            [
                (1, 0, begin),
                (0, 0, fields["image_beats"]),
                (0, begin * arch.port_bytes, fields["stream_beats"]),
            ],
            dtype=np.int64,
        )
        idle_cost = 1 if arch.sparsity.input_bits else ACTIVATION_BITS
        cores = new_cores(sizes, len(tiles))
        cycles, load, retired, causes = run(sizes, stream, cores, commands, idle_cost)
        if cycles < 0:
            raise SimulationError("the program stands still: the stream does not fit its layers")
        return Prediction(cycles, load, self._layer_cycles(retired, causes))

    def _layer_cycles(self, retired: Ints, causes: Ints) -> tuple[LayerCycles, ...]:
        """Return the cycles between retirements, under the names of the layers."""
        names = ["image", *self._names, "store", "end"]
        spent = np.diff(retired, prepend=0)
        found = [LayerCycles(names[0], int(spent[0]), {})]
        for name, cycles, row in zip(names[1:], spent[1:], causes, strict=True):
            split = dict(zip(CAUSES, map(int, row), strict=True)) if row.any() else {}
            found.append(LayerCycles(name, int(cycles), split))
        return tuple(found)


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
            row["mask_beats"], row["parameter_beats"] = beats.masks, beats.parameters
            row["row_beats"], row["kept_offset"] = beats.row, len(kept)
            kept += packet.masks.sum(axis=1).tolist()
    return layers, tiles, np.array(kept, np.int64), np.array(order, np.int64)
