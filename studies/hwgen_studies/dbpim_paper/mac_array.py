"""An array of multipliers of int8 that is no memory: what a macro is measured against.

Output stationary: a cell adds the products of one pixel and one filter. A word of a feature map has
channels of one pixel, as in DB-PIM's buffers; the array wants one channel of several pixels, so a
block of as many words is turned first.

Tests: `studies/tests/dbpim_paper/test_mac_array.py`.
"""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import stream
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part

ELEMENT_BITS = 8
"""Of an element of a map, unsigned, and of a weight, signed."""
SUM_BITS = 24
"""Of a sum, as DB-PIM's post-processing units have; a compiler knows that weights keep within."""


def operands(columns: int) -> StructLayout:
    """Return what a step of the array takes beside pixels: weights, and the ends of its sums."""
    weights = ArrayLayout(signed(ELEMENT_BITS), columns)
    return StructLayout({"weights": weights, "first": 1, "last": 1})


class Turner(Part):
    """Blocks of `side` words of `side` elements, turned: the k-th out has the k-th of each word.

    Parameters
    ----------
        side  elements of a word, words of a block
    Ports
        words    in   side x 8  unsigned; stream
        columns  out  side x 8  unsigned; stream
    Latency  side cycles
    Rate     1 a cycle. A block leaves while the next one comes; where none has begun when it may,
             it leaves alone
    Errors   none
    Golden   a transposed matrix
    """

    family = "mac"

    def __init__(self, *, side: int) -> None:
        self._side = side
        word = ArrayLayout(ELEMENT_BITS, side)
        super().__init__(
            {"words": In(stream.Signature(word)), "columns": Out(stream.Signature(word))}
        )

    @property
    def size_suffix(self) -> str:
        """The side."""
        return str(self._side)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        last = self._side - 1
        place, full = Signal(range(self._side)), Signal()
        down, alone = Signal(), Signal()
        leaves_alone, step = Signal(), Signal()
        with m.If(place == 0):
            m.d.comb += leaves_alone.eq(~self.words.valid)
        with m.Else():
            m.d.comb += leaves_alone.eq(alone)
        m.d.comb += [
            self.columns.valid.eq(full & (leaves_alone | self.words.valid)),
            self.words.ready.eq(~leaves_alone & (~full | self.columns.ready)),
            step.eq(
                Mux(
                    leaves_alone,
                    full & self.columns.ready,
                    self.words.valid & self.words.ready,
                )
            ),
        ]
        with m.If(step):
            m.d.sync += [place.eq(place + 1), alone.eq(leaves_alone)]
            with m.If(place == last):
                m.d.sync += [place.eq(0), full.eq(~leaves_alone), down.eq(~down)]
        self._move(m, step, down)
        return m

    def _move(self, m: Module, step: Signal, down: Signal) -> None:
        """Move all elements a row down or a column on, the reverse of the block before."""
        last = self._side - 1
        cells = [
            [Signal(ELEMENT_BITS, name=f"cell_{row}_{column}") for column in range(self._side)]
            for row in range(self._side)
        ]
        for row, line in enumerate(cells):
            for column, cell in enumerate(line):
                above = cells[row - 1][column] if row else self.words.payload[last - column]
                before = line[column - 1] if column else self.words.payload[last - row]
                with m.If(step):
                    m.d.sync += cell.eq(Mux(down, above, before))
        for place in range(self._side):
            leaving = Mux(down, cells[last][last - place], cells[last - place][last])
            m.d.comb += self.columns.payload[place].eq(leaving)


class MacCell(Part):
    """``total = (first ? 0 : total) + pixel * weight``, and a register in which a sum leaves.

    Ports
        pixel        in   8          unsigned
        weight       in   8          signed
        live         in   1          add; else nothing changes
        zero         in   1          a factor is zero: its port holds an older one [gated]
        first, keep  in   1          begin a sum; `keep` it in `held`, too (with `live`)
        shift        in   1          let `held` be `given`; `keep` goes before
        given, held  in, out  signed 24
    Latency  1 cycle
    Rate     1 a cycle
    Errors   none; a sum beyond its bits wraps
    """

    family = "mac"

    def __init__(self, *, gated: bool = False) -> None:
        self._gated = gated
        super().__init__(
            {
                **({"zero": In(1)} if gated else {}),
                "pixel": In(ELEMENT_BITS),
                "weight": In(signed(ELEMENT_BITS)),
                "live": In(1),
                "first": In(1),
                "keep": In(1),
                "shift": In(1),
                "given": In(signed(SUM_BITS)),
                "held": Out(signed(SUM_BITS)),
            }
        )

    @property
    def size_suffix(self) -> str:
        """Whether it holds still on zeros."""
        return "gated" * self._gated

    def elaborate(self, platform: object) -> Module:
        m = Module()
        total, added = Signal(signed(SUM_BITS)), Signal(signed(SUM_BITS))
        before, product = Mux(self.first, 0, total), self.pixel * self.weight
        if self._gated:
            product = Mux(self.zero, 0, product)
        m.d.comb += added.eq(before + product)
        with m.If(self.live):
            m.d.sync += total.eq(added)
        with m.If(self.live & self.keep):
            m.d.sync += self.held.eq(added)
        with m.Elif(self.shift):
            m.d.sync += self.held.eq(self.given)
        return m


class MacArray(Part):
    """Cells of rows times columns, a turner before them, registers behind what is broadcast.

    Parameters
    ----------
        rows     pixels at a time, and channels of a word
        columns  filters at a time
        gated    registers hold still on zeros: that of a pixel or a weight keeps the one before,
                 and sums that nothing is added to keep theirs
    Ports
        words    in   rows x 8         channels of a pixel; the k-th word of a block is of row k
        steps    in   `operands`       weights of a channel; `first` and `last` of a sum
        sums     out  columns x signed 24  of one pixel; row 0 first
    Latency  rows + 2 cycles from the first word; sums of `last` 2 cycles behind its step
    Rate     1 step a cycle; sums leave in `rows` cycles, while the next ones are added
    Errors   none
    Golden   a product of matrices
    """

    family = "mac"

    def __init__(self, *, rows: int, columns: int, gated: bool = False) -> None:
        self._rows, self._columns, self._gated = rows, columns, gated
        self._turner, self._cell = Turner(side=rows), MacCell(gated=gated)
        self.parts = [self._turner, self._cell]
        super().__init__(
            {
                "words": In(stream.Signature(ArrayLayout(ELEMENT_BITS, rows))),
                "steps": In(stream.Signature(operands(columns))),
                "sums": Out(stream.Signature(ArrayLayout(signed(SUM_BITS), columns))),
            }
        )

    @property
    def size_suffix(self) -> str:
        """Rows and columns, and whether it holds still on zeros."""
        return f"{self._rows}x{self._columns}" + "gated" * self._gated

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.turner = turner = self._turner.instance()
        live, waits, shift = Signal(), Signal(), Signal()
        pixels = Signal(ArrayLayout(ELEMENT_BITS, self._rows))
        step, left = Signal(operands(self._columns)), Signal(range(self._rows + 1))
        takes = Signal()
        rows_zero, columns_zero = Signal(self._rows), Signal(self._columns)
        # Sums stay in their cells until those before have left.
        m.d.comb += [
            shift.eq(self.sums.valid & self.sums.ready),
            waits.eq(live & step.last & (left > shift)),
            turner.words.payload.eq(self.words.payload),
            turner.words.valid.eq(self.words.valid),
            self.words.ready.eq(turner.words.ready),
            turner.columns.ready.eq(~waits & self.steps.valid),
            self.steps.ready.eq(~waits & turner.columns.valid),
            takes.eq(self.steps.valid & turner.columns.valid),
            self.sums.valid.eq(left != 0),
        ]
        with m.If(~waits):
            m.d.sync += live.eq(takes)
            with m.If(takes):
                self._take(m, pixels, turner.columns.payload, rows_zero)
                self._take(m, step.weights, self.steps.payload.weights, columns_zero)
                m.d.sync += [
                    step.first.eq(self.steps.payload.first),
                    step.last.eq(self.steps.payload.last),
                ]
        with m.If(live & step.last & ~waits):
            m.d.sync += left.eq(self._rows)
        with m.Elif(shift):
            m.d.sync += left.eq(left - 1)
        zeros = rows_zero, columns_zero
        self._place(m, pixels, step, live & ~waits, shift, zeros=zeros)
        return m

    def _take(self, m: Module, held: Any, given: Any, zero: Signal) -> None:
        """Take factors into their registers, and which of them are zero and not taken."""
        for place in range(len(zero)):
            if not self._gated:
                m.d.sync += held[place].eq(given[place])
                continue
            m.d.sync += zero[place].eq(given[place] == 0)
            with m.If(given[place] != 0):
                m.d.sync += held[place].eq(given[place])

    def _place(
        self,
        m: Module,
        pixels: Signal,
        step: Signal,
        adds: Signal,
        shift: Signal,
        *,
        zeros: tuple[Signal, Signal],
    ) -> None:
        """Place the cells; sums leave towards row 0. zeros: rows and columns without a factor."""
        behind = [Signal(signed(SUM_BITS), name=f"none_{c}") for c in range(self._columns)]
        for row in reversed(range(self._rows)):
            held = []
            for column in range(self._columns):
                cell = self._cell.instance()
                m.submodules[f"cell_{row}_{column}"] = cell
                moves = adds
                if self._gated:
                    zero = zeros[0][row] | zeros[1][column]
                    m.d.comb += cell.zero.eq(zero)
                    moves = adds & (step.first | step.last | ~zero)
                m.d.comb += [
                    cell.pixel.eq(pixels[row]),
                    cell.weight.eq(step.weights[column]),
                    cell.live.eq(moves),
                    cell.first.eq(step.first),
                    cell.keep.eq(step.last),
                    cell.shift.eq(shift),
                    cell.given.eq(behind[column]),
                ]
                held.append(cell.held)
            behind = held
        for column, each in enumerate(behind):
            m.d.comb += self.sums.payload[column].eq(each)
