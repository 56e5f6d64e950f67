"""Input tree: takes planes of inputs, and rows of weights, to the octets.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Module, Mux
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch
from hwgen.mram.rtl import layouts


class InputTree(Part):
    """Registers what goes to the octets: one plane for all octets of a group, or one weight row.

    Ports
        send_valid    in   1                   a plane of inputs
        send_row      in   input_bits          input row that it is written to
        send_data     in   segments * 9 block
        send_octets   in   octets              that receive it
        send_go       in   octets              whose input rows are complete with it
        send_half     in   1                   with ``overlap``: of that load
        send_flush    in   1                   with ``overlap``: of that go
        weight_valid  in   1                   a weight row for one sub-array
        weight        in   array_row
        octet_valid   out  octets              octet o writes ``input_data`` in ``input_row``
        input_row     out  input_bits
        input_data    out  segments * 9 block
        octet_go      out  octets
        octet_half    out  1                   with ``overlap``: of these loads
        octet_flush   out  1                   with ``overlap``: of these goes
        array_valid   out  sub_arrays          sub-array s writes ``weight_data``
        weight_row    out  row_bits
        weight_data   out  columns
        weight_weak   out  1                   with ``weak_sensing``: it says which cells are weak
    Latency  ``TREE_CYCLES``
    Rate     one plane, or one weight row, in each cycle
    Errors   none
    Golden   registers only: the bench has the rule
    Source   seed 001, III-A: input bus of a bank; multicast to a group
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._weak = arch.weak_sensing
        self._marks = ("half", "flush") if arch.overlap else ()
        rows, inputs = arch.row_index_bits, bits_for_index(arch.input_rows)
        super().__init__(
            {
                "send_valid": In(1),
                "send_row": In(inputs),
                "send_data": In(arch.input_columns),
                "send_octets": In(arch.octets),
                "send_go": In(arch.octets),
                **{f"send_{mark}": In(1) for mark in self._marks},
                **{f"octet_{mark}": Out(1) for mark in self._marks},
                "weight_valid": In(1),
                "weight": In(layouts.array_row(arch)),
                "octet_valid": Out(arch.octets),
                "input_row": Out(inputs),
                "input_data": Out(arch.input_columns),
                "octet_go": Out(arch.octets),
                "array_valid": Out(arch.sub_arrays),
                "weight_row": Out(rows),
                "weight_data": Out(arch.array.columns),
                **({"weight_weak": Out(1)} if arch.weak_sensing else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.guarded(self.input_row, self.input_data, self.weight_row, self.weight_data)
        m.d.sync += [
            self.octet_valid.eq(Mux(self.send_valid, self.send_octets, 0)),
            self.octet_go.eq(self.send_go),
            self.array_valid.eq(self.weight_valid << self.weight.sub_array),
        ]
        for mark in self._marks:
            m.d.sync += getattr(self, f"octet_{mark}").eq(getattr(self, f"send_{mark}"))
        with m.If(self.send_valid):
            m.d.sync += [self.input_row.eq(self.send_row), self.input_data.eq(self.send_data)]
        with m.If(self.weight_valid):
            m.d.sync += [
                self.weight_row.eq(self.weight.row),
                self.weight_data.eq(self.weight.data),
                *([self.weight_weak.eq(self.weight.weak)] if self._weak else []),
            ]
        return m
