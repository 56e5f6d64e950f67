"""The taps of a product of two maps: words of map a, and the pixels of map b that each meets.

Tests: `tests/verif/dbpim/test_parts.py`.
"""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import ROW_BITS, Opcode, Operation
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.vector_pixels import met


class ProductWalk(Part):
    """Places of the taps of SCORES and VALUES; the walker counts them as rows and columns.

    A row is a word of map a: column 0 is the word itself, each later one a pixel of map b, K of
    them. Results of a group of channels read the same ``kernel_height`` words of map a. A core that
    has later result words alone first goes to its first one, a group or a word a cycle.

    ======  =====================================  ==============================
    ..      pixel of map b in (row, column)        its channel word
    ======  =====================================  ==============================
    SCORES  K * (result in the group) + column-1   that of map a
    VALUES  K * row + column - 1                   that of the result
    ======  =====================================  ==============================

    Ports
        instruction  in   SIMD   SCORES or VALUES while `taken`
        go           in   1      a step starts
        first_word   in   10     the core's first result word
        ready        out  1      the place is that of the first result word, or of a later one
        taken        in   1      the tap on offer is taken in this cycle
        row, column  in   7      of the tap on offer
        result_word  in   10     channel word of the output
        result_end   in   1      the tap is the last one of a result
        word_end     in   1      and, with `result_end`, of the core in this channel word
        met          out  met    pixel of map b
        first        out  1      the tap is the first pixel of a result
        second       out  1      it is a pixel of map b
        number       out  7      number of the pixel in its row
        word         out  10     channel word of the map that is read
    Latency  0
    Errors   none
    Golden   ``golden.ops.maps.map_product``
    Source   docs/dbpim-microarchitecture.md, "walker"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        tile = layouts.packet(Opcode.TILE, arch)
        super().__init__(
            {
                "instruction": In(layouts.packet(Opcode.SIMD, arch)),
                "go": In(1),
                "first_word": In(ROW_BITS),
                "ready": Out(1),
                "taken": In(1),
                "row": In(tile["kernel_y"].shape),
                "column": In(tile["kernel_x"].shape),
                "result_word": In(ROW_BITS),
                "result_end": In(1),
                "word_end": In(1),
                "met": Out(met()),
                "first": Out(1),
                "second": Out(1),
                "number": Out(tile["kernel_x"].shape),
                "word": Out(ROW_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        instruction = self.instruction
        base, result = Signal(ROW_BITS), Signal.like(instruction.stride_y)
        skipped, by_group = Signal(ROW_BITS), Signal()
        scores, done, group_ends = Signal(), Signal(), Signal()
        m.d.comb += [
            self.ready.eq(skipped == 0),
            by_group.eq(skipped >= instruction.stride_y),
            group_ends.eq(result + 1 == instruction.stride_y),
            scores.eq(instruction.operation == Operation.SCORES),
            done.eq(self.taken & self.result_end & self.word_end),
            self.second.eq(self.column != 0),
            self.first.eq((self.row == 0) & (self.column == 1)),
            self.number.eq(self.column - 1),
            self.word.eq(Mux(self.second & ~scores, self.result_word, base + self.row)),
        ]
        with m.If(self.go):
            m.d.sync += [base.eq(0), result.eq(0), skipped.eq(self.first_word)]
        with m.Elif(~self.ready):
            m.d.sync += skipped.eq(skipped - Mux(by_group, instruction.stride_y, 1))
            with m.If(by_group):
                m.d.sync += base.eq(base + instruction.kernel_height)
            with m.Else():
                m.d.sync += result.eq(result + 1)
        with m.Elif(done):
            m.d.sync += result.eq(Mux(group_ends, 0, result + 1))
            with m.If(group_ends):
                m.d.sync += base.eq(base + instruction.kernel_height)
        skips = ~self.ready & ~by_group & scores
        self._meet(m, scores=scores, done=done, group_ends=group_ends, skips=skips)
        return m

    def _meet(
        self, m: Module, *, scores: Value, done: Value, group_ends: Value, skips: Value
    ) -> None:
        """Step the pixel: on in raster order, back at the end of a row, a result, a group.

        skips: a result word of SCORES that the core has not, and its pixels
        """
        pixel, start, following, behind = (
            Signal(met(), name=name) for name in ("pixel", "start", "following", "behind")
        )
        width = self.instruction.input_width
        beside = pixel.x + 1 == width
        column = pixel.x + self.instruction.outside
        row_end = self.column + 1 == self.instruction.kernel_width
        m.d.comb += [
            self.met.eq(pixel),
            following.x.eq(Mux(beside, 0, pixel.x + 1)),
            following.y.eq(pixel.y + beside),
            behind.x.eq(Mux(column >= width, column - width, column)),
            behind.y.eq(pixel.y + self.instruction.stride_x + (column >= width)),
        ]
        with m.If(self.taken & self.second):
            m.d.sync += pixel.eq(following)
            # The start is (0, 0) in VALUES, and moves with the result word in SCORES.
            with m.If(self.result_end | (scores & row_end)):
                m.d.sync += pixel.eq(start)
        with m.If(done & scores):
            m.d.sync += [
                pixel.eq(Mux(group_ends, 0, following)),
                start.eq(Mux(group_ends, 0, following)),
            ]
        with m.If(self.go):
            m.d.sync += [pixel.eq(0), start.eq(0)]
        with m.Elif(skips):
            m.d.sync += [pixel.eq(behind), start.eq(behind)]
