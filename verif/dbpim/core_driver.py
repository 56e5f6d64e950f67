"""Drives a core alone as loader, sequencer and bus do."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.dbpim.weight_decoder import decode, decode_dense
from hwgen.rtl.dbpim import layouts
from hwgen.spec.dbpim.addressing import region_address
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import PACKETS, Opcode, encode
from hwgen.spec.dbpim.program import Region
from hwgen.spec.dbpim.stream import Packet, TilePacket
from verif.stream import Stream, reset

Bytes = NDArray[np.uint8]
PULSES = ["go", "go_simd", "finish", "tile_begin", "mask_write", "tile_push"]
PULSES += ["parameters_write", "row_write", "write_valid"]


class CoreDriver:
    """Drives the ports of one core: tiles, maps and layers."""

    def __init__(self, dut: Any, arch: Arch) -> None:
        self.dut = dut
        self.arch = arch
        self.request = Stream(dut, "request")

    async def reset(self, core: int) -> None:
        """Reset and take the number of a core."""
        self.dut.core.value = core
        signals = [getattr(self.dut, name) for name in PULSES]
        await reset(self.dut, *signals, self.request.ready)

    async def load(self, tiles: Sequence[TilePacket], gaps: Iterator[bool]) -> None:
        """Send tiles in order, each as soon as there is space for it."""
        dut = self.dut
        for tile in tiles:
            dut.tile_header.value = encode(PACKETS[Opcode.TILE], tile.fields)
            await ReadOnly()
            while not dut.tile_room.value:
                await FallingEdge(dut.clk)
                await ReadOnly()
            await FallingEdge(dut.clk)
            await self._pulse("tile_begin", gaps)
            beats = list(mask_beats(tile.masks, self.arch))
            for number, beat in enumerate(beats):
                dut.mask_data.value = beat
                last = number == len(beats) - 1
                await self._pulse("mask_write", gaps, *(["tile_push"] if last else []))
            for index, entry in enumerate(tile.parameters):
                dut.parameters_index.value = index
                dut.parameters_data.value = layouts.parameters().const(entry._asdict()).as_bits()
                await self._pulse("parameters_write", gaps)
            for codes in tile.codes:
                dut.row_cells.value, dut.row_meta.value = row_of(codes, self.arch)
                await self._pulse("row_write", gaps)

    async def _pulse(self, name: str, gaps: Iterator[bool], *others: str) -> None:
        """Let some cycles pass, then raise signals for one."""
        while next(gaps):
            await FallingEdge(self.dut.clk)
        signals = [getattr(self.dut, each) for each in (name, *others)]
        for signal in signals:
            signal.value = 1
        await FallingEdge(self.dut.clk)
        for signal in signals:
            signal.value = 0

    async def write_map(self, region: Region, values: Bytes, rng: np.random.Generator) -> None:
        """Store a map through the port of the bus; bytes beyond its channels are random."""
        width = self.arch.macro.compartments
        height, columns, channels = values.shape
        padding = (height, columns, -channels % width)
        filled = np.concatenate([values, rng.integers(0, 256, padding, np.uint8)], axis=-1)
        for y, x, word in np.ndindex(height, columns, region.channel_words):
            piece = filled[y, x, width * word : width * (word + 1)]
            bank, address = region_address(region, self.arch, y=y, x=x, channel_word=word)
            fields = {
                "data": int.from_bytes(piece.tobytes(), "little"),
                "enable": (1 << width) - 1,
                "bank": bank,
                "address": address,
            }
            self.dut.write.value = layouts.bus_write(self.arch).const(fields).as_bits()
            self.dut.write_valid.value = 1
            await FallingEdge(self.dut.clk)
        self.dut.write_valid.value = 0

    async def start(self, layer: Packet) -> None:
        """Start a layer; its first cycle is the next one."""
        self.dut.instruction.value = encode(PACKETS[layer.opcode], layer.fields)
        pulse = self.dut.go if layer.opcode is Opcode.CONV else self.dut.go_simd
        pulse.value = 1
        await FallingEdge(self.dut.clk)
        pulse.value = 0

    async def finish(self) -> None:
        """End the layer with `finish`."""
        self.dut.finish.value = 1
        await FallingEdge(self.dut.clk)
        self.dut.finish.value = 0


def mask_beats(masks: NDArray[np.bool_], arch: Arch) -> Iterator[int]:
    """Yield the beats of a tile's mask words, lowest word first."""
    word = int.from_bytes(np.packbits(masks.ravel(), bitorder="little").tobytes(), "little")
    for start in range(0, masks.size, arch.port_bits):
        yield word >> start & (1 << arch.port_bits) - 1


def row_of(codes: Bytes, arch: Arch) -> tuple[int, int]:
    """Return the cells of a row, and their signs and indices, as the ports take them."""
    if not arch.sparsity.weight_bits:
        return bits_of(decode_dense(codes)), 0
    cells = decode(codes)
    meta = np.stack([cells.index & 1, cells.index >> 1, cells.negative], axis=-1)
    return bits_of(cells.q), bits_of(meta.astype(np.uint8))


def bits_of(bits: Bytes) -> int:
    """Return an array of zeros and ones as a number, the first one lowest."""
    return int.from_bytes(np.packbits(bits.ravel(), bitorder="little").tobytes(), "little")
