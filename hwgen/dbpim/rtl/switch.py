"""The sparse-allocation switch: selected inputs move into groups, masked ones are skipped."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.rtl.layouts import fetched_word, group, group_tag, positions


class Switch(Part):
    """Moves the selected inputs of words into groups of C, for all M positions at once.

    ``groups = switch(words, masks)``: in each cycle the ``n = min(P, C - fill, remaining)`` lowest
    of the oldest word's ``remaining`` inputs, selected and not yet moved, move to the group's
    bytes from ``fill`` upwards

    Example: C = 4, P = 2, mask 0b1101, ``fill`` 1: in the first cycle the inputs 0 and 2 move to
    the bytes 1 and 2; in the second input 3 moves to byte 3, which completes the group.

    Pipeline
        cycle 0  leading-one detection over the mask, byte selection, write into the forming group
        cycle 1  a group pushed in cycle 0 is in the queue

    Ports
        word          in   fetched_word  the oldest fetched word, C bytes for each macro
        word_valid    in   1
        word_release  out  1             all selected inputs are moved: the word leaves now
        queue_full    in   1             no slot for a group: nothing moves
        write         out  1             store ``bytes`` in the forming group
        fill          out  fill_bits     bytes that the forming group holds already: these stay
        bytes         out  M x C bytes   from byte ``fill`` upwards: the moved inputs, then zeros
        push          out  1             the group is complete with this cycle's bytes
        tag           out  group_tag     of the group
        positions     out  positions     of the group, one for each macro
    Latency  ``SWITCH_CYCLES`` from moving the last input to the group in the queue
    Rate     P inputs of one word in each cycle, never over the border of a group; a word without
             a selected input takes a cycle. A group is complete with C bytes or at the end of its
             position vector
    Errors   none
    Golden   ``verif.reference.dbpim.switch.switch``
    Source   seed 002, V-B: leading-one detection over the mask, and a MUX
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        macros, inputs = arch.macros_per_core, arch.macro.compartments
        super().__init__(
            {
                "word": In(fetched_word(arch)),
                "word_valid": In(1),
                "word_release": Out(1),
                "queue_full": In(1),
                "write": Out(1),
                "fill": Out(bits_for_index(inputs)),
                "bytes": Out(data.ArrayLayout(group(arch), macros)),
                "push": Out(1),
                "tag": Out(group_tag(arch)),
                "positions": Out(positions(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        group_bytes = self._arch.macro.compartments
        mask = self.word.tag.mask
        moved_before = Signal.like(mask)
        steps, left = self._leading_ones(m, mask & ~moved_before)
        moved = Signal(range(self._arch.switch_rate + 1))
        filled = Signal(range(group_bytes + 1))
        move, emptied, vector_ends = Signal(), Signal(), Signal()
        m.d.comb += [
            move.eq(self.word_valid & ~self.queue_full),
            moved.eq(sum(step.any() for step in steps)),
            filled.eq(self.fill + moved),
            emptied.eq(left == 0),
            vector_ends.eq(emptied & self.word.tag.vector_end),
            self.word_release.eq(move & emptied),
            self.write.eq(move),
            self.push.eq(move & ((filled == group_bytes) | vector_ends)),
        ]
        with m.If(move):
            m.d.sync += [
                moved_before.eq(Mux(emptied, 0, mask & ~left)),
                self.fill.eq(Mux(self.push, 0, filled)),
            ]
        self._place(m, steps)
        self._mark(m, vector_ends)
        return m

    def _leading_ones(self, m: Module, waiting: Value) -> tuple[list[Signal], Value]:
        """Return the mask bit that each step moves (one-hot, 0 for none), and the bits left."""
        group_bytes = self._arch.macro.compartments
        steps = []
        left = Signal.like(waiting, name="waiting")
        m.d.comb += left.eq(waiting)
        for index in range(self._arch.switch_rate):
            step = Signal.like(waiting, name=f"step_{index}")
            after = Signal.like(waiting, name=f"left_{index}")
            fits = self.fill < group_bytes - index
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
            Cat(self.word.bytes[macro][index] for macro in range(arch.macros_per_core))
            for index in range(arch.word)
        ]
        chosen = []
        for index, step in enumerate(steps):
            byte = Signal(width, name=f"moved_{index}")
            terms = (Mux(bit, content, 0) for bit, content in zip(step, slices, strict=True))
            m.d.comb += byte.eq(reduce(or_, terms))
            chosen.append(byte)
        placed = Signal(data.ArrayLayout(width, arch.macro.compartments))
        shift = Cat(Const(0, (width - 1).bit_length()), self.fill)
        m.d.comb += placed.eq(Cat(chosen) << shift)
        for macro in range(arch.macros_per_core):
            for place in range(arch.macro.compartments):
                content = placed[place].word_select(macro, ACTIVATION_BITS)
                m.d.comb += self.bytes[macro][place].eq(content)

    def _mark(self, m: Module, vector_ends: Value) -> None:
        """Drive the tag of a group: its row, and whether it begins or ends its position vector."""
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
