"""The data path of the MRAM chip: what computes, from the banks through the arrays and back.

Tests: `tests/verif/mram/test_chip_verilog.py`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch
from hwgen.mram.rtl.banks import Banks
from hwgen.mram.rtl.dpu import Dpu
from hwgen.mram.rtl.former import Former
from hwgen.mram.rtl.input_tree import InputTree
from hwgen.mram.rtl.layouts import (
    answer_write,
    array_row,
    bank_write,
    octet_trace,
    parameters,
    record,
)
from hwgen.mram.rtl.octet import Octet
from hwgen.mram.rtl.output_tree import OutputTree
from hwgen.mram.rtl.pool import Pool
from hwgen.mram.rtl.ring import Ring

SENDS = ("send_valid", "send_row", "send_data", "send_octets", "send_go")
"""Ports between ring and input tree, of the same names on both sides."""


class Datapath(Part):
    """Former, ring, input tree, octets, output tree, pool unit, DPU and image banks.

    Ports
        record           in   record         that runs
        go_conv, go_pool, go_add  in  1      its unit works from the next cycle on
        lock             in   1              weight rows cannot be written
        weight_valid     in   1              a weight row from the loader
        weight           in   array_row
        image_valid      in   1              a beat of an image from the loader
        image            in   bank_write
        parameter_en     out  1              read a parameter word
        parameter_index  out  word_bits
        parameters       in   parameters     in the next cycle
        answer_valid     out  1              a block for the answer buffer
        answer           out  answer_write
        conv_done, pool_done, add_done  out  1  the unit does nothing any more
        works            out  1              an octet or the pool unit works
        moves            out  1              the former reads a row, or a plane is sent
        octets           out  octet_trace    of each octet
        plane, reader_read, pool_read, skip_read, sum_lanes, result_lanes, bank_valid, bank
                         out                 as in ``layouts.chip_trace``
    Latency  ``hwgen.mram.facts.timing``
    Rate     one record at a time
    Errors   none
    Golden   ``golden.network``
    Source   seed 001, Fig. 4; docs/mram-microarchitecture.md
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._former = Former(arch=arch)
        self._ring = Ring(arch=arch)
        self._input_tree = InputTree(arch=arch)
        self._octet = Octet(arch=arch)
        self._output_tree = OutputTree(arch=arch)
        self._pool = Pool(arch=arch)
        self._dpu = Dpu(arch=arch)
        self._banks = Banks(arch=arch)
        self.parts = [self._former, self._ring, self._input_tree, self._octet, self._output_tree]
        self.parts += [self._pool, self._dpu, self._banks]
        lanes = bits_for_index(arch.block + 1)
        flags = ["conv_done", "pool_done", "add_done", "works", "moves", "plane", "bank_valid"]
        flags += ["reader_read", "pool_read", "skip_read", "parameter_en", "answer_valid"]
        controls = ("go_conv", "go_pool", "go_add", "lock", "weight_valid", "image_valid")
        super().__init__(
            {
                "record": In(record(arch)),
                **{name: In(1) for name in controls},
                "weight": In(array_row(arch)),
                "image": In(bank_write(arch)),
                "parameters": In(parameters(arch)),
                **{name: Out(1) for name in flags},
                "parameter_index": Out(bits_for_index(arch.parameter_entries)),
                "answer": Out(answer_write(arch)),
                "octets": Out(data.ArrayLayout(octet_trace(arch), arch.octets)),
                "sum_lanes": Out(lanes),
                "result_lanes": Out(lanes),
                "bank": Out(bank_write(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.former = former = self._former.instance()
        m.submodules.ring = ring = self._ring.instance()
        m.submodules.pool = pool = self._pool.instance()
        m.submodules.dpu = dpu = self._dpu.instance()
        m.submodules.banks = banks = self._banks.instance()
        # Octets begin in the cycle after `go`; the record's memory is far from them.
        kept = Signal.like(self.record)
        self.guarded(kept)
        with m.If(self.go_conv | self.go_add):
            m.d.sync += kept.eq(self.record)
        octets, adding = self._arrays(m, ring=ring, record=kept)
        m.d.comb += [each.record.eq(self.record) for each in (former, pool, dpu)]
        self._connect_former(m, former=former, ring=ring)
        self._connect_dpu(m, dpu=dpu, ring=ring, pool=pool)
        self._connect_banks(m, banks=banks, former=former, pool=pool, dpu=dpu)
        m.d.comb += [
            pool.go.eq(self.go_pool),
            dpu.go.eq(self.go_conv | self.go_pool),
            self.conv_done.eq(~ring.busy & ~dpu.busy),
            self.pool_done.eq(~pool.busy & ~dpu.busy),
            self.add_done.eq(~adding),
            self.works.eq(~ring.free.all() | adding | pool.busy),
            self.moves.eq(former.read_en | ring.step_plane),
            self.plane.eq(ring.step_plane),
            self.sum_lanes.eq(dpu.sum_lanes),
            self.result_lanes.eq(dpu.result_lanes),
            self.octets.eq(Cat(octet.trace for octet in octets)),
        ]
        return m

    def _arrays(
        self, m: Module, *, ring: PartInstance, record: Signal
    ) -> tuple[list[PartInstance], Value]:
        """Place the octets between the trees; return them, and whether one of them adds."""
        m.d.comb += ring.record.eq(self.record)
        m.submodules.input_tree = tree = self._input_tree.instance()
        m.submodules.output_tree = output = self._output_tree.instance()
        octets = [self._octet.instance() for _ in range(self._arch.octets)]
        block = self._arch.block
        marks = ("half", "flush") if self._arch.overlap else ()
        sends = (*SENDS, *(f"send_{mark}" for mark in marks))
        m.d.comb += [getattr(tree, name).eq(getattr(ring, name)) for name in sends]
        m.d.comb += [tree.weight_valid.eq(self.weight_valid), tree.weight.eq(self.weight)]
        for number, octet in enumerate(octets):
            m.submodules[f"octet_{number}"] = octet
            m.d.comb += [
                octet.number.eq(number),
                octet.record.eq(record),
                octet.input_valid.eq(tree.octet_valid[number]),
                octet.input_row.eq(tree.input_row),
                octet.input_data.eq(tree.input_data),
                octet.go.eq(tree.octet_go[number]),
                octet.weight_valid.eq(tree.array_valid.word_select(number, block)),
                octet.weight_row.eq(tree.weight_row),
                octet.weight_data.eq(tree.weight_data),
                *([octet.weight_weak.eq(tree.weight_weak)] if self._arch.weak_sensing else []),
                octet.lock.eq(self.lock),
                octet.add_go.eq(self.go_add),
                octet.segment.eq(ring.drain_segment),
                ring.free[number].eq(octet.free),
                output.sums[number].eq(octet.sums),
                *(getattr(octet, mark).eq(getattr(tree, f"octet_{mark}")) for mark in marks),
            ]
        m.d.comb += output.octet.eq(ring.drain_octet)
        self._output = output
        return octets, Cat(octet.adding for octet in octets).any()

    def _connect_former(self, m: Module, *, former: PartInstance, ring: PartInstance) -> None:
        """Connect former and ring: planes, and the step that takes one."""
        m.d.comb += [
            former.go.eq(self.go_conv),
            former.step_plane.eq(ring.step_plane),
            ring.go.eq(self.go_conv),
            ring.plane_valid.eq(former.valid),
            ring.plane.eq(former.plane),
        ]

    def _connect_dpu(
        self, m: Module, *, dpu: PartInstance, ring: PartInstance, pool: PartInstance
    ) -> None:
        """Connect the DPU: sums of the arrays, of the pool unit in a POOL; parameters; answers."""
        from_pool = Signal()
        m.d.sync += from_pool.eq(pool.result_valid)
        m.d.comb += [
            dpu.issue_valid.eq(ring.issue_valid),
            dpu.issue.eq(ring.issue),
            dpu.result_valid.eq(pool.result_valid),
            dpu.result_block.eq(pool.result_block),
            dpu.last_block.eq(pool.last_block),
            self._output.load.eq(dpu.sum_valid),
            dpu.sums.eq(Mux(from_pool, pool.sums, self._output.chosen)),
            dpu.parameters.eq(self.parameters),
            self.parameter_en.eq(dpu.parameter_en),
            self.parameter_index.eq(dpu.parameter_index),
            self.answer_valid.eq(dpu.answer_valid),
            self.answer.eq(dpu.answer),
        ]

    def _connect_banks(
        self,
        m: Module,
        *,
        banks: PartInstance,
        former: PartInstance,
        pool: PartInstance,
        dpu: PartInstance,
    ) -> None:
        """Connect the banks: input map, skip map, and results or an image."""
        m.d.comb += [
            banks.read_en.eq(former.read_en | pool.read_en),
            banks.read_bank.eq(self.record.in_bank),
            banks.read_row.eq(Mux(pool.busy, pool.read_row, former.read_row)),
            former.read_data.eq(banks.read_data),
            pool.read_data.eq(banks.read_data),
            banks.skip_en.eq(dpu.skip_en),
            banks.skip_bank.eq(self.record.skip_bank),
            banks.skip_row.eq(dpu.skip_row),
            dpu.skip_data.eq(banks.skip_data),
            self.bank_valid.eq(self.image_valid | dpu.bank_valid),
            self.bank.eq(Mux(self.image_valid, self.image, dpu.bank)),
            banks.write_valid.eq(self.bank_valid),
            banks.write.eq(self.bank),
            self.reader_read.eq(former.read_en),
            self.pool_read.eq(pool.read_en),
            self.skip_read.eq(dpu.skip_en),
        ]
