"""How many bit planes of real inputs are all zero: what `input_bits` can skip."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.model.dbpim.activity import bit_planes, windows
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, Arch
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.program import Program
from hwgen.spec.dbpim.stream import Packet, TilePacket, decode_stream

Layer = tuple[Packet, list[TilePacket]]


class BitColumns(NamedTuple):
    """Bit planes of all groups of inputs of a layer: those that are all zero, and all."""

    zero: int
    total: int


class ColumnCounter:
    """Count the zero bit planes of one program's groups, one image at a time."""

    def __init__(self, program: Program, arch: Arch) -> None:
        # Counted also for a chip that skips nothing; the groups are those of its program.
        self._arch = replace(arch, sparsity=replace(arch.sparsity, input_bits=True))
        self._layers: list[Layer] = []
        for packet in decode_stream(program.image, arch):
            if isinstance(packet, TilePacket):
                self._layers[-1][1].append(packet)
            elif packet.opcode in (Opcode.CONV, Opcode.POOL, Opcode.ADD):
                self._layers.append((packet, []))

    def count(self, inputs: Sequence[NDArray[np.uint8]]) -> list[BitColumns]:
        """Return an entry for each layer; a layer without weights has no bit planes.

        inputs: as for the cycle model. Of a group that is all zero, one plane is not counted as
        zero, because it takes a cycle.
        """
        return [
            self._layer(source, conv, tiles)
            for source, (conv, tiles) in zip(inputs, self._layers, strict=True)
        ]

    def _layer(
        self, source: NDArray[np.uint8], conv: Packet, tiles: Sequence[TilePacket]
    ) -> BitColumns:
        """Return the bit planes of one layer; a tile that is loaded again is counted once."""
        known: dict[bytes, BitColumns] = {}
        counted: set[tuple[int, bytes]] = set()
        views = windows(source, conv) if tiles else None
        zero = total = 0
        for tile in tiles:
            start = [tile.fields[name] for name in ("kernel_y", "kernel_x", "channel_word")]
            walk = bytes(start) + tile.masks.tobytes()
            if (tile.fields["group"], walk) in counted or views is None:
                continue
            counted.add((tile.fields["group"], walk))
            if walk not in known:
                cost = bit_planes(views, tile, conv, self._arch)
                known[walk] = BitColumns(
                    zero=int((ACTIVATION_BITS - cost.astype(np.int64)).sum()),
                    total=ACTIVATION_BITS * cost.size,
                )
            zero, total = zero + known[walk].zero, total + known[walk].total
        return BitColumns(zero, total)
