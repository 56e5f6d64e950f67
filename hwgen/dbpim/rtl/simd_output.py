"""Output of the SIMD unit: collects the bytes of a word-vector, rotates them, offers them.

Tests: `tests/verif/dbpim/test_simd.py`.
"""

from itertools import pairwise

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.instructions import Opcode, Operation
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.simd_lane import SUM_BYTES
from hwgen.dbpim.rtl.tap_store import SLOT_BITS


def vector_bytes(arch: Arch) -> int:
    """Return the bytes of a word-vector."""
    return arch.macros_per_core * arch.word


def simd_part(arch: Arch) -> data.StructLayout:
    """A part of a word-vector on its way through the pipeline.

    valid: there is one; number: its place in the word-vector
    last_tap: its totals are final; last_part: the word-vector has no further part
    slot: of its TAPS; positions, word, word_end: of its word-vector
    """
    tag = layouts.simd_tag()
    return data.StructLayout(
        {
            **dict.fromkeys(("valid", "last_tap", "last_part"), 1),
            "number": bits_for_index(vector_bytes(arch) // arch.table_lookups),
            "slot": SLOT_BITS,
            "positions": layouts.positions(arch),
            "word": tag["word"].shape,
            "word_end": 1,
        }
    )


class SimdOutput(Part):
    """Register of the result: bytes part by part, or the bytes of totals one after the other.

    Byte ``c`` of a position is byte ``(c + rotate) mod C`` of its word. With `to_memory` all bytes
    of a word are written, those of the last channel word of a pixel that are not enabled as zeros.

    Ports
        instruction  in      SIMD          held while there is work
        part         in      simd_part     a part whose totals are scaled
        turn, last_turn  in                of the lanes that share a requantizer: which of them has
                                           scaled, and none follows [absent where none shares]
        bytes        in      requantizers x 8   results of the turn; of TABLE the lowest count
        sums         in      requantizers x 24  its totals
        moves        out     1             no result waits: the pipeline moves in this cycle
        result       stream  vector_write
        word_taken   out     1             the last result of the core's channel word is taken
    Latency  1 cycle from the last part to the result
    Rate     one part in each cycle; with `sums` three results of a word-vector follow each other
    Errors   none
    Golden   ``verif.reference.dbpim.simd``
    Source   docs/dbpim-microarchitecture.md, "simd"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        scalers, lanes = arch.simd_requantizers, arch.lanes_per_requantizer
        turns = {"turn": In(range(lanes)), "last_turn": In(1)} if lanes > 1 else {}
        super().__init__(
            {
                **turns,
                "instruction": In(layouts.packet(Opcode.SIMD, arch)),
                "part": In(simd_part(arch)),
                "bytes": In(data.ArrayLayout(ACTIVATION_BITS, scalers)),
                "sums": In(data.ArrayLayout(SUM_BYTES * ACTIVATION_BITS, scalers)),
                "moves": Out(1),
                "result": Out(stream.Signature(layouts.vector_write(arch))),
                "word_taken": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        write, instruction, part = self.result.payload, self.instruction, self.part
        left, taken, word_end = Signal(range(SUM_BYTES)), Signal(), Signal()
        positions, word = Signal(layouts.positions(self._arch)), Signal.like(write.word)
        # With `to_memory`: the word is the last one of its pixel.
        last_word = Signal()
        self.guarded(positions, word, last_word)
        sums, number = instruction.sums, Signal.like(write.word, name="number")
        m.d.comb += number.eq(instruction.output_first_word + part.word)
        m.d.comb += [
            taken.eq(self.result.valid & self.result.ready),
            self.moves.eq(~self.result.valid | (taken & (left == 0))),
            self.word_taken.eq(taken & (left == 0) & word_end),
        ]
        planes = self._planes(m, next_plane=taken)
        ends = part.valid & part.last_part
        if hasattr(self, "turn"):
            ends &= self.last_turn
        with m.If(self.moves):
            m.d.sync += self.result.valid.eq(ends)
        with m.If(self.moves & part.valid):
            m.d.sync += [
                left.eq(Mux(sums, SUM_BYTES - 1, 0)),
                positions.eq(part.positions),
                word.eq(number),
                last_word.eq(number == instruction.output_channel_words - 1),
                word_end.eq(part.word_end),
            ]
            for position, source in zip(positions, part.positions, strict=True):
                m.d.sync += position.column.eq(source.column * Mux(sums, SUM_BYTES, 1))
        with m.Elif(~self.moves & taken):
            m.d.sync += left.eq(left - 1)
            m.d.sync += [position.column.eq(position.column + 1) for position in positions]
        enabled = Signal(self._arch.word)
        to_memory = instruction.to_memory.replicate(len(enabled))
        kept = enabled | ~to_memory | ~last_word.replicate(len(enabled))
        whole = Cat(bit.replicate(ACTIVATION_BITS) for bit in kept)
        for position, plane in zip(write.bytes, planes, strict=True):
            m.d.comb += position.eq(self._rotated(plane) & whole)
        m.d.comb += enabled.eq((1 << instruction.enable_end) - (1 << instruction.enable_first))
        m.d.comb += [
            write.positions.eq(positions),
            write.word.eq(word),
            write.enable.eq(enabled | to_memory),
            write.to_memory.eq(instruction.to_memory),
        ]
        return m

    def _planes(self, m: Module, *, next_plane: Value) -> list[Value]:
        """Register the bytes; return the word of each position.

        With `sums` there are as many planes as a total has bytes; the next one follows.
        """
        arch, part = self._arch, self.part
        lanes, lookups = arch.simd_lanes, arch.table_lookups
        bytes_ = data.ArrayLayout(ACTIVATION_BITS, vector_bytes(arch))
        planes = [Signal(bytes_, name=f"plane_{number}") for number in range(SUM_BYTES)]
        self.guarded(*planes)
        looks_up = self.instruction.operation == Operation.TABLE
        with m.If(~self.moves & next_plane):
            m.d.sync += [before.eq(after) for before, after in pairwise(planes)]
        scalers = arch.simd_requantizers
        for byte in range(vector_bytes(arch)):
            scaler = byte % scalers
            number = Mux(looks_up, byte // lookups, byte // lanes)
            loads = self.moves & part.valid & (part.number == number)
            if hasattr(self, "turn"):
                turns = (byte % lookups // scalers, byte % lanes // scalers)
                loads &= self.turn == Mux(looks_up, *turns)
            total = self.sums[scaler]
            with m.If(loads):
                low = Mux(self.instruction.sums, total[:ACTIVATION_BITS], self.bytes[scaler])
                m.d.sync += planes[0][byte].eq(low)
                for number_, plane in enumerate(planes[1:], 1):
                    m.d.sync += plane[byte].eq(total.word_select(number_, ACTIVATION_BITS))
        size = arch.word * ACTIVATION_BITS
        return [planes[0].as_value().word_select(n, size) for n in range(arch.macros_per_core)]

    def _rotated(self, word: Value) -> Value:
        """Return a word rotated upwards by `rotate` bytes."""
        size = len(word)
        channel_bits = bits_for_index(self._arch.word)
        amount = Cat(Const(0, bits_for_index(ACTIVATION_BITS)), self.instruction.rotate)
        shifted = word << amount[: channel_bits + bits_for_index(ACTIVATION_BITS)]
        return shifted[:size] | shifted[size : 2 * size]
