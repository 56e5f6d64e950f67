"""The queues between the switch of a core and its macros."""

from amaranth.hdl import Cat, ClockSignal, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import in_range, neither_over_nor_under, within
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.rtl.layouts import group, group_tag, position, positions, queue_head


class GroupQueue(Part):
    """D slots of M groups: filled for all macros together, popped by each macro on its own.

    ``heads[m] = oldest pushed group that macro m has not popped``

    Ports
        write       in   1                one move of the switch into the slot that is forming
        fill        in   fill_bits        bytes below this index stay as they are
        bytes       in   M x C bytes      from byte ``fill`` upwards: the slot's bytes
        push        in   1                with ``write``: the slot is complete
        tag         in   group_tag        with ``push``
        positions   in   positions        with ``push``: one for each macro
        full        out  1                a macro still has D groups; ``write`` is forbidden
        heads       out  M of queue_head  the group at the head of each macro
        head_valid  out  M                bit m: macro m has a group
        leave       in   M                bit m: macro m pops its head (only if valid)
        empty       out  1                no macro has a group
    Latency  ``SWITCH_CYCLES`` from ``push`` to ``head_valid``; a popped slot is free a cycle later
    Rate     one push, and one pop by every macro, in each cycle
    Errors   none
    Golden   a first-in first-out list for each macro
    Source   seed 002, V-B: macros of a core share one switch; the queues decouple their rates
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._note = data.StructLayout({"tag": group_tag(arch), "position": position()})
        # An address has at least one bit, so there are two words where one would do.
        depth, group_bytes = max(2, arch.queue_depth), arch.macro.compartments
        self._byte_file = RegisterFile(
            family=self.family, depth=depth, slices=group_bytes, width=ACTIVATION_BITS
        )
        self._note_file = RegisterFile(family=self.family, depth=depth, width=self._note.size)
        self.parts = [self._byte_file, self._note_file]
        macros = arch.macros_per_core
        super().__init__(
            {
                "write": In(1),
                "fill": In(bits_for_index(group_bytes)),
                "bytes": In(data.ArrayLayout(group(arch), macros)),
                "push": In(1),
                "tag": In(group_tag(arch)),
                "positions": In(positions(arch)),
                "full": Out(1),
                "heads": Out(data.ArrayLayout(queue_head(arch), macros)),
                "head_valid": Out(macros),
                "leave": In(macros),
                "empty": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        depth, group_bytes = self._arch.queue_depth, self._arch.macro.compartments
        slot_bits = bits_for_index(depth)
        write_slot = Signal(slot_bits)
        enable = Signal(group_bytes)
        m.d.comb += enable.eq(Const((1 << group_bytes) - 1) << self.fill)
        with m.If(self.push):
            m.d.sync += write_slot.eq(self._after(write_slot))
        full = []
        for macro in range(self._arch.macros_per_core):
            read_slot = Signal(slot_bits, name=f"read_slot_{macro}")
            count = Signal(range(depth + 1), name=f"count_{macro}")
            with m.If(self.leave[macro]):
                m.d.sync += read_slot.eq(self._after(read_slot))
            m.d.sync += count.eq(count + self.push - self.leave[macro])
            m.d.comb += self.head_valid[macro].eq(count != 0)
            name, leaves = f"queue {macro}", self.leave[macro]
            neither_over_nor_under(m, name, level=count, depth=depth, into=self.push, out_of=leaves)
            in_range(m, f"count_{macro}", count, depth)
            within(m, f"read_slot_{macro}", read_slot, depth)
            full.append(count == depth)
            self._store(m, macro, write_slot=write_slot, read_slot=read_slot, enable=enable)
        m.d.comb += [self.full.eq(Cat(full).any()), self.empty.eq(~self.head_valid.any())]
        return m

    def _after(self, slot: Value) -> Value:
        """Return the slot that follows in the ring."""
        return Mux(slot == self._arch.queue_depth - 1, 0, slot + 1)

    def _store(
        self, m: Module, macro: int, *, write_slot: Value, read_slot: Value, enable: Value
    ) -> None:
        """Place the two files of one macro: bytes as they come, tag and position at the push."""
        m.submodules[f"bytes_{macro}"] = bytes_file = self._byte_file.instance()
        m.submodules[f"notes_{macro}"] = note_file = self._note_file.instance()
        note = data.View(self._note, note_file.read_data)
        m.d.comb += [
            bytes_file.clk.eq(ClockSignal()),
            bytes_file.write_en.eq(Mux(self.write, enable, 0)),
            bytes_file.write_index.eq(write_slot),
            bytes_file.write_data.eq(self.bytes[macro]),
            bytes_file.read_index.eq(read_slot),
            note_file.clk.eq(ClockSignal()),
            note_file.write_en.eq(self.push),
            note_file.write_index.eq(write_slot),
            note_file.write_data.eq(Cat(self.tag, self.positions[macro])),
            note_file.read_index.eq(read_slot),
            self.heads[macro].bytes.eq(bytes_file.read_data),
            self.heads[macro].tag.eq(note.tag),
            self.heads[macro].position.eq(note.position),
        ]
