"""The sparse-allocation switch: what the mask keeps of a word moves on, the rest is skipped."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.rtl.dbpim.layouts import fetched_word, group, group_tag, positions
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, Arch
from hwgen.spec.widths import bits_for_index


class Switch(Part):
    """Moves the kept inputs of words into groups of C, for all M positions at once.

    ``groups = switch(words, masks)``: in each cycle the lowest ``n = min(P, C - fill, kept and
    not yet moved)`` lanes of the oldest word move to the places from ``fill`` upwards

    Ports
        word          in   fetched_word  the oldest fetched word, C bytes for each macro
        word_valid    in   1
        word_release  out  1             nothing of the word is left: it leaves in this cycle
        mask          in   C             bit c: input c is kept (entry ``word.tag.mask_index``)
        queue_full    in   1             no room for a group: nothing moves
        write         out  1             store ``bytes`` in the forming group
        fill          out  fill_bits     bytes that the forming group holds already: these stay
        bytes         out  M x C bytes   from place ``fill`` upwards: what moves, then zeros
        push          out  1             the group is complete with this cycle's bytes
        tag           out  group_tag     of the group
        positions     out  positions     of the group, one for each macro
    Latency  ``SWITCH_CYCLES`` from moving the last input to the group in the queue
    Rate     P inputs of one word in each cycle, never over the border of a group; a word without
        a kept input takes a cycle. A group is complete with C bytes or at the end of its vector
    Errors   none
    Golden   ``golden.dbpim.switch.switch``
    Source   seed 002, V-B: leading-one detection over the mask, and a MUX
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        macros, lanes = arch.macros_per_core, arch.macro.compartments
        super().__init__(
            {
                "word": In(fetched_word(arch)),
                "word_valid": In(1),
                "word_release": Out(1),
                "mask": In(lanes),
                "queue_full": In(1),
                "write": Out(1),
                "fill": Out(bits_for_index(lanes)),
                "bytes": Out(data.ArrayLayout(group(arch), macros)),
                "push": Out(1),
                "tag": Out(group_tag(arch)),
                "positions": Out(positions(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self._arch.macro.compartments
        done = Signal(lanes)
        steps, left = self._leading_ones(m, self.mask & ~done)
        moved = Signal(range(self._arch.switch_rate + 1))
        filled = Signal(range(lanes + 1))
        move, emptied, vector_ends = Signal(), Signal(), Signal()
        m.d.comb += [
            move.eq(self.word_valid & ~self.queue_full),
            moved.eq(sum(step.any() for step in steps)),
            filled.eq(self.fill + moved),
            emptied.eq(left == 0),
            vector_ends.eq(emptied & self.word.tag.vector_end),
            self.word_release.eq(move & emptied),
            self.write.eq(move),
            self.push.eq(move & ((filled == lanes) | vector_ends)),
        ]
        with m.If(move):
            m.d.sync += [
                done.eq(Mux(emptied, 0, self.mask & ~left)),
                self.fill.eq(Mux(self.push, 0, filled)),
            ]
        self._place(m, steps)
        self._mark(m, vector_ends)
        return m

    def _leading_ones(self, m: Module, waiting: Value) -> tuple[list[Signal], Value]:
        """Return the lane that each step moves (one-hot, 0 for none), and what is left then."""
        lanes = self._arch.macro.compartments
        steps = []
        left = Signal.like(waiting, name="waiting")
        m.d.comb += left.eq(waiting)
        for index in range(self._arch.switch_rate):
            step = Signal(lanes, name=f"step_{index}")
            after = Signal(lanes, name=f"left_{index}")
            fits = self.fill < lanes - index
            m.d.comb += [
                step.eq(Mux(fits, left & -left, 0)),
                after.eq(left & ~step),
            ]
            steps.append(step)
            left = after
        return steps, left

    def _place(self, m: Module, steps: list[Signal]) -> None:
        """Select each step's byte for all macros at once and place it above the group's bytes."""
        arch = self._arch
        width = arch.macros_per_core * ACTIVATION_BITS
        slices = [
            Cat(self.word.bytes[macro][lane] for macro in range(arch.macros_per_core))
            for lane in range(arch.macro.compartments)
        ]
        chosen = []
        for index, step in enumerate(steps):
            byte = Signal(width, name=f"moved_{index}")
            kept = (Mux(bit, content, 0) for bit, content in zip(step, slices, strict=True))
            m.d.comb += byte.eq(reduce(or_, kept))
            chosen.append(byte)
        placed = Signal(data.ArrayLayout(width, arch.macro.compartments))
        shift = Cat(Const(0, (width - 1).bit_length()), self.fill)
        m.d.comb += placed.eq(Cat(chosen) << shift)
        for macro in range(arch.macros_per_core):
            for place in range(arch.macro.compartments):
                content = placed[place].word_select(macro, ACTIVATION_BITS)
                m.d.comb += self.bytes[macro][place].eq(content)

    def _mark(self, m: Module, vector_ends: Value) -> None:
        """Say of a group which row it meets and where in its position vector it stands."""
        row_in_tile = Signal(bits_for_index(self._arch.macro.rows))
        with m.If(self.push):
            m.d.sync += row_in_tile.eq(Mux(vector_ends, 0, row_in_tile + 1))
        m.d.comb += [
            self.positions.eq(self.word.positions),
            self.tag.row.eq(self.word.tag.row_base + row_in_tile),
            self.tag.start.eq(row_in_tile == 0),
            self.tag.end.eq(vector_ends),
        ]
        for name in ("tile", "first", "last", "tile_end", "vector"):
            m.d.comb += self.tag[name].eq(self.word.tag[name])
