"""The array side of a chip around a bench: a bank, former, ring, trees and octets."""

from amaranth.hdl import Cat, ClockSignal, Module
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.mram.facts.arch import Arch
from hwgen.mram.rtl import layouts
from hwgen.mram.rtl.former import Former
from hwgen.mram.rtl.input_tree import InputTree
from hwgen.mram.rtl.octet import Octet
from hwgen.mram.rtl.output_tree import OutputTree
from hwgen.mram.rtl.ring import Ring
from hwgen.mram.rtl.sub_array import SubArray


class ArraySide(Part):
    """An image bank, and all parts between it and the DPU, connected as in the chip.

    Ports    those of the parts that lead out of them; ``bank_en`` writes a row of the bank,
             ``sums`` is the output tree's, ``go`` starts former and ring, ``adding`` is that of any
             octet
    Latency  wires only, but for the parts
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._former, self._ring = Former(arch=arch), Ring(arch=arch)
        self._input_tree, self._output_tree = InputTree(arch=arch), OutputTree(arch=arch)
        self._octet = Octet(arch=arch)
        self._bank = SubArray(arch=arch, slices=arch.array.columns // arch.element_bits)
        self.parts = [
            self._bank,
            self._former,
            self._ring,
            self._input_tree,
            self._octet,
            self._output_tree,
        ]
        super().__init__(
            {
                "record": In(layouts.record(arch)),
                "go": In(1),
                "add_go": In(1),
                "lock": In(1),
                "weight_valid": In(1),
                "weight": In(layouts.array_row(arch)),
                "bank_en": In(1),
                "bank_row": In(arch.bank_row_bits),
                "bank_data": In(arch.array.columns),
                "read_en": Out(1),
                "read_row": Out(arch.bank_row_bits),
                "issue_valid": Out(1),
                "issue": Out(layouts.sum_issue(arch)),
                "sums": Out(layouts.sums(arch)),
                "busy": Out(1),
                "adding": Out(1),
                "plane_sent": Out(1),
                "traces": Out(data.ArrayLayout(layouts.octet_trace(arch), arch.octets)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.bank = bank = self._bank.instance()
        m.submodules.former = former = self._former.instance()
        m.submodules.ring = ring = self._ring.instance()
        m.submodules.input_tree = tree = self._input_tree.instance()
        m.submodules.output_tree = output = self._output_tree.instance()
        octets = [self._octet.instance() for _ in range(self._arch.octets)]
        marks = ("half", "flush") if self._arch.overlap else ()
        m.d.comb += [
            former.record.eq(self.record),
            former.go.eq(self.go),
            former.read_data.eq(bank.sense),
            bank.clk.eq(ClockSignal()),
            bank.write_en.eq(self.bank_en.replicate(len(bank.write_en))),
            bank.write_row.eq(self.bank_row),
            bank.write_data.eq(self.bank_data),
            bank.row_0.eq(former.read_row),
            bank.active_rows.eq(former.read_en),
            bank.read.eq(1),
            former.step_plane.eq(ring.step_plane),
            self.read_en.eq(former.read_en),
            self.read_row.eq(former.read_row),
            ring.record.eq(self.record),
            ring.go.eq(self.go),
            ring.plane_valid.eq(former.valid),
            ring.plane.eq(former.plane),
            ring.free.eq(Cat(octet.free for octet in octets)),
            tree.send_valid.eq(ring.send_valid),
            tree.send_row.eq(ring.send_row),
            tree.send_data.eq(ring.send_data),
            tree.send_octets.eq(ring.send_octets),
            tree.send_go.eq(ring.send_go),
            *(getattr(tree, f"send_{mark}").eq(getattr(ring, f"send_{mark}")) for mark in marks),
            tree.weight_valid.eq(self.weight_valid),
            tree.weight.eq(self.weight),
            output.octet.eq(ring.drain_octet),
            output.load.eq(1),
            self.issue_valid.eq(ring.issue_valid),
            self.issue.eq(ring.issue),
            self.sums.eq(output.chosen),
            self.busy.eq(ring.busy),
            self.adding.eq(Cat(octet.adding for octet in octets).any()),
            self.plane_sent.eq(ring.send_valid),
        ]
        block = self._arch.block
        for number, octet in enumerate(octets):
            m.submodules[f"octet_{number}"] = octet
            m.d.comb += [
                octet.number.eq(number),
                octet.record.eq(self.record),
                octet.input_valid.eq(tree.octet_valid[number]),
                octet.input_row.eq(tree.input_row),
                octet.input_data.eq(tree.input_data),
                octet.go.eq(tree.octet_go[number]),
                *(getattr(octet, mark).eq(getattr(tree, f"octet_{mark}")) for mark in marks),
                octet.weight_valid.eq(tree.array_valid[number * block : (number + 1) * block]),
                octet.weight_row.eq(tree.weight_row),
                octet.weight_data.eq(tree.weight_data),
                octet.lock.eq(self.lock),
                octet.add_go.eq(self.add_go),
                octet.segment.eq(ring.drain_segment),
                output.sums[number].eq(octet.sums),
                self.traces[number].eq(octet.trace),
            ]
        return m
