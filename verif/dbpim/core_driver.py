"""Drives a core alone as loader, sequencer and bus do."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from hwgen.chip.fields import encode
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.program import Placement
from hwgen.dbpim.facts.stream import FilterParameters, TilePacket
from hwgen.dbpim.rtl import layouts
from verif.dbpim.weight_rows import enables, row_words
from verif.reference.dbpim.activation_buffer import bank_of
from verif.stream import Stream, reset
from verif.unpacked import Unpacked, packed

Bytes = NDArray[np.uint8]
PULSES = ["go", "go_simd", "finish", "write_valid", "loads__row__write"]
PULSES += [f"loads__tile__{name}" for name in ("begin", "push", "parameters_write")]
PULSES += [f"loads__taps__{name}" for name in ("begin", "parameters_write", "write", "push")]
PULSES += [f"loads__table__{name}" for name in ("write", "push")]


class CoreDriver:
    """Drives the ports of one core: tiles, taps, tables, maps and steps."""

    def __init__(self, dut: Any, arch: Arch) -> None:
        self.dut = dut
        self.arch = arch
        self.request = Stream(dut, "request")
        self._bus = layouts.bus_write(arch)
        self._bus_bits = self._bus.size

    async def reset(self) -> None:
        """Reset with idle inputs."""
        masks = ["loads__tile__mask_write"] if self.arch.sparse_parts else []
        signals = [getattr(self.dut, name) for name in (*PULSES, *masks)]
        await reset(self.dut, *signals, self.request.ready)

    async def load(self, tiles: Sequence[TilePacket], gaps: Iterator[bool]) -> None:
        """Send tiles in order, each as soon as there is space for it."""
        dut = self.dut
        for tile in tiles:
            dut.loads__tile__header.value = encode(self.arch.packets[Opcode.TILE], tile.fields)
            await self._wait_for(dut.loads__tile__room)
            beats = list(mask_beats(tile.masks, self.arch)) if self.arch.sparse_parts else []
            await self._pulse("loads__tile__begin", gaps, *([] if beats else ["loads__tile__push"]))
            for number, beat in enumerate(beats):
                dut.loads__tile__mask_data.value = beat
                last = number == len(beats) - 1
                await self._pulse(
                    "loads__tile__mask_write", gaps, *(["loads__tile__push"] if last else [])
                )
            for index, entry in enumerate(tile.parameters):
                dut.loads__tile__parameters_index.value = index
                dut.loads__tile__parameters_data.value = (
                    layouts.parameters(self.arch).const(entry._asdict()).as_bits()
                )
                await self._pulse("loads__tile__parameters_write", gaps)
            for codes in tile.codes:
                cells, meta = row_of(tile, codes, self.arch)
                dut.loads__row__cells.value = cells
                if self.arch.sparse_parts:
                    dut.loads__row__meta.value = meta
                await self._pulse("loads__row__write", gaps)

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

    async def load_taps(
        self,
        parameters: Sequence[FilterParameters],
        weights: NDArray[np.int8],
        gaps: Iterator[bool],
    ) -> None:
        """Send the TAPS of one channel word as soon as there is space for them; (taps, C)."""
        dut = self.dut
        await self._wait_for(dut.loads__taps__room)
        await self._pulse("loads__taps__begin", gaps)
        for index, entry in enumerate(parameters):
            dut.loads__taps__parameters_index.value = index
            dut.loads__taps__parameters_data.value = (
                layouts.parameters(self.arch).const(entry._asdict()).as_bits()
            )
            await self._pulse("loads__taps__parameters_write", gaps)
        for index, word in enumerate(weights):
            dut.loads__taps__index.value = index
            dut.loads__taps__data.value = int.from_bytes(word.tobytes(), "little")
            last = index == len(weights) - 1
            await self._pulse("loads__taps__write", gaps, *(["loads__taps__push"] if last else []))

    async def load_table(self, entries: Bytes, gaps: Iterator[bool]) -> None:
        """Send a table of 256 bytes as soon as there is space for it."""
        dut, size = self.dut, self.arch.port_bytes
        await self._wait_for(dut.loads__table__room)
        for first in range(0, len(entries), size):
            dut.loads__table__index.value = first
            dut.loads__table__data.value = int.from_bytes(
                entries[first : first + size].tobytes(), "little"
            )
            last = first + size >= len(entries)
            await self._pulse(
                "loads__table__write", gaps, *(["loads__table__push"] if last else [])
            )

    async def _wait_for(self, flag: Any) -> None:
        """Wait until a flag is high."""
        await ReadOnly()
        while not flag.value:
            await FallingEdge(self.dut.clk)
            await ReadOnly()
        await FallingEdge(self.dut.clk)

    async def write_maps(
        self, maps: Bytes, placement: Placement, rng: np.random.Generator, *, core: int = 0
    ) -> None:
        """Store maps (image, y, x, channel) as a LOAD does; bytes beyond the channels are random.

        The bus brings all rows, and the core stores those of its slice.
        """
        width = self.arch.word
        images, height, columns, channels = maps.shape
        padding = (images, height, columns, -channels % width)
        filled = np.concatenate([maps, rng.integers(0, 256, padding, np.uint8)], axis=-1)
        load = {
            "output_base": placement.base,
            "output_row_pitch": placement.row_pitch,
            "output_channel_words": placement.channel_words,
        }
        self.show(
            Opcode.LOAD,
            load,
            {"keep_first": placement.first[core], "keep_rows": placement.rows[core]},
        )
        for image, y, x, word in np.ndindex(*filled.shape[:3], placement.channel_words):
            piece = filled[image, y, x, width * word : width * (word + 1)]
            await self.bus_word(
                {
                    "data": int.from_bytes(piece.tobytes(), "little"),
                    "enable": (1 << width) - 1,
                    "row": image * placement.image_rows + y,
                    "column": image * placement.image_columns + x,
                    "word": word,
                }
            )
        self.dut.write_valid.value = 0

    async def bus_word(self, fields: Mapping[str, int]) -> None:
        """Write one word over the bus."""
        self.bus_write(packed(self._bus, fields))
        await FallingEdge(self.dut.clk)

    def bus_write(self, word: int) -> None:
        """Drive a word of the bus, in the lane of its bank."""
        write = Unpacked(self._bus, word)
        bank = bank_of(write.row, write.column, banks=self.arch.banks)
        lane = 0 if write.raw or write.to_memory else bank % self.arch.bus_words
        self.dut.write.value = word << lane * self._bus_bits
        self.dut.write_valid.value = 1 << lane

    def show(self, opcode: Opcode, fields: Mapping[str, int], work: Mapping[str, int]) -> None:
        """Show an instruction, and the fields of this core in it."""
        instruction = layouts.packet(opcode, self.arch).const({**fields, "opcode": opcode})
        self.dut.instruction.value = instruction.as_bits()
        self.dut.work.value = layouts.work().const(work).as_bits()

    async def start(
        self, opcode: Opcode, fields: Mapping[str, int], work: Mapping[str, int]
    ) -> None:
        """Start a step; its first cycle is the next one."""
        self.show(opcode, fields, work)
        pulse = self.dut.go if opcode is Opcode.CONV else self.dut.go_simd
        pulse.value = 1
        await FallingEdge(self.dut.clk)
        pulse.value = 0

    async def finish(self) -> None:
        """End the step with `finish`."""
        self.dut.finish.value = 1
        await FallingEdge(self.dut.clk)
        self.dut.finish.value = 0


def mask_beats(masks: NDArray[np.bool_], arch: Arch) -> Iterator[int]:
    """Yield the beats of a tile's mask words, lowest word first."""
    word = int.from_bytes(np.packbits(masks.ravel(), bitorder="little").tobytes(), "little")
    for start in range(0, masks.size, arch.port_bits):
        yield word >> start & (1 << arch.port_bits) - 1


def row_of(tile: TilePacket, codes: Bytes, arch: Arch) -> tuple[int, int]:
    """Return cells and metadata of a row of a tile, as the ports take them."""
    counts = enables(tile.fields["filter_enable"], arch)
    return row_words(codes, counts, arch, double=bool(tile.fields.get("double")))
