"""How many bit columns of real inputs hold no one: what `input_bits` can skip."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.model.dbpim.activity import bit_columns, windows
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, Arch
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.program import Program
from hwgen.spec.dbpim.stream import Packet, TilePacket, decode_stream

Layer = tuple[Packet, list[TilePacket]]


class BitColumns(NamedTuple):
    """Bit columns of all groups of inputs that meet a layer's weights."""

    zero: int
    total: int


class ColumnCounter:
    """Count the zero bit columns of one program's groups, image by image."""

    def __init__(self, program: Program, arch: Arch) -> None:
        # Counted whether or not this chip skips; the groups are those of its program.
        self._arch = replace(arch, sparsity=replace(arch.sparsity, input_bits=True))
        self._layers: list[Layer] = []
        for packet in decode_stream(program.image, arch):
            if isinstance(packet, TilePacket):
                self._layers[-1][1].append(packet)
            elif packet.opcode in (Opcode.CONV, Opcode.POOL, Opcode.ADD):
                self._layers.append((packet, []))

    def count(self, inputs: Sequence[NDArray[np.uint8]]) -> list[BitColumns]:
        """Return an entry for each layer; one without weights has none of either.

        inputs: as for the cycle model. A group that is all zero has one column that is not
        counted as zero, because it takes its cycle.
        """
        return [
            self._layer(source, conv, tiles)
            for source, (conv, tiles) in zip(inputs, self._layers, strict=True)
        ]

    def _layer(
        self, source: NDArray[np.uint8], conv: Packet, tiles: Sequence[TilePacket]
    ) -> BitColumns:
        """Return the columns of one layer; a tile that is loaded again is counted once."""
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
                cost = bit_columns(views, tile, conv, self._arch)
                known[walk] = BitColumns(
                    zero=int((ACTIVATION_BITS - cost.astype(np.int64)).sum()),
                    total=ACTIVATION_BITS * cost.size,
                )
            zero, total = zero + known[walk].zero, total + known[walk].total
        return BitColumns(zero, total)
