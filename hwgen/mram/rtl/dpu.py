"""DPU: turns sums of the arrays and of the pool unit into blocks of maps, or of an answer.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch
from hwgen.mram.rtl.dpu_lane import STAGES, DpuLane
from hwgen.mram.rtl.dpu_place import DpuPlace
from hwgen.mram.rtl.layouts import answer_write, bank_write, parameters, record, sum_issue, sums


class Dpu(Part):
    """`block` lanes, the parameters and skip elements that they need, and the place of results.

    Pipeline, i: cycle in which the ring issues a sum; of the pool unit, ``result_valid`` is i + 2
        cycle i + 2  read parameters
        cycle i + 3  ``sums``: bias
        cycle i + 4  multiply
        cycle i + 5  clip; read the skip map
        cycle i + 6  add
        cycle i + 7  clip
        cycle i + 8  write

    Ports
        record           in   record        stable from the first sum to the last result
        go               in   1             a record begins: positions count from 0
        issue_valid      in   1             the ring issues a sum
        issue            in   sum_issue
        sum_valid        out  1             the output tree takes the sum that was issued
        result_valid     in   1             sums of the pool unit come in the next cycle
        result_block     in   block_bits
        last_block       in   1
        sums             in   sums          in the cycle after the parameters are read
        parameter_en     out  1             read a parameter word
        parameter_index  out  word_bits
        parameters       in   parameters    in the next cycle
        skip_en          out  1             read a row of the skip map
        skip_row         out  row_bits
        skip_data        in   columns       in the same cycle
        bank_valid       out  1             a block for the output map
        bank             out  bank_write
        answer_valid     out  1             a block for the answer buffer
        answer           out  answer_write
        sum_lanes        out  lane_count    lanes with a kernel, of the sum issued in this cycle
        result_lanes     out  lane_count    the same of the result written in this cycle; else 0
        busy             out  1             a result is on its way
    Latency  ``SUM_CYCLES`` + ``DRAIN_CYCLES`` + ``DPU_CYCLES`` from ``issue_valid`` to the write
    Rate     one block in each cycle
    Errors   none
    Golden   ``verif.reference.mram.dpu_lane``, ``golden.network``
    Source   seed 001, Fig. 4: DPU; docs/mram-microarchitecture.md, "DPU"
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._lane = DpuLane(arch=arch)
        self._place = DpuPlace(arch=arch)
        self.parts = [self._lane, self._place]
        self._block_bits = bits_for_index(arch.result_blocks)
        lane_count = bits_for_index(arch.block + 1)
        super().__init__(
            {
                "record": In(record(arch)),
                "go": In(1),
                "issue_valid": In(1),
                "issue": In(sum_issue(arch)),
                "sum_valid": Out(1),
                "result_valid": In(1),
                "result_block": In(self._block_bits),
                "last_block": In(1),
                "sums": In(sums(arch)),
                "parameter_en": Out(1),
                "parameter_index": Out(bits_for_index(arch.parameter_entries)),
                "parameters": In(parameters(arch)),
                "skip_en": Out(1),
                "skip_row": Out(arch.bank_row_bits),
                "skip_data": In(arch.array.columns),
                "bank_valid": Out(1),
                "bank": Out(bank_write(arch)),
                "answer_valid": Out(1),
                "answer": Out(answer_write(arch)),
                "sum_lanes": Out(lane_count),
                "result_lanes": Out(lane_count),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.place = place = self._place.instance()
        tags = self._tags(m)
        written = tags[8]
        m.d.comb += [
            place.record.eq(self.record),
            place.go.eq(self.go),
            place.skip_valid.eq(tags[4].valid),
            place.skip_block.eq(tags[4].block),
            place.skip_last.eq(tags[4].last),
            place.out_valid.eq(tags[7].valid),
            place.out_block.eq(tags[7].block),
            place.out_last.eq(tags[7].last),
            self.parameter_en.eq(tags[2].valid),
            self.parameter_index.eq(self.record.parameter + tags[2].block),
            self.sum_lanes.eq(Mux(self.issue_valid, self._lanes(self.issue.block), 0)),
            self.result_lanes.eq(Mux(written.valid, self._lanes(written.block), 0)),
        ]
        loads = Cat(tags[number].valid for number in range(3, 3 + STAGES))
        results = self._lanes_of(m, self._skip(m, place, tag=tags[5]), loads)
        self._write(m, place, results, tag=written)
        return m

    def _tags(self, m: Module) -> dict[int, data.View]:
        """Return the tag of each stage: that of the result which is i + n cycles old.

        Tags of the pool unit enter at stage 2.
        """
        layout = data.StructLayout({"valid": 1, "block": self._block_bits, "last": 1})
        tags = {number: Signal(layout, name=f"tag_{number}") for number in range(1, 9)}
        delayed = Signal(layout)
        m.d.sync += [
            tags[1].valid.eq(self.issue_valid),
            tags[1].block.eq(self.issue.block),
            tags[1].last.eq(self.issue.last_block),
            delayed.eq(tags[1]),
        ]
        m.d.comb += [tags[2].eq(delayed), self.sum_valid.eq(delayed.valid)]
        with m.If(self.result_valid):
            m.d.comb += [
                tags[2].valid.eq(1),
                tags[2].block.eq(self.result_block),
                tags[2].last.eq(self.last_block),
            ]
        for number in range(3, 9):
            m.d.sync += tags[number].eq(tags[number - 1])
        later = [tags[number].valid for number in (1, *range(3, 9))]
        m.d.comb += self.busy.eq(Cat(delayed.valid, *later).any())
        return tags

    def _mask(self, block: Value) -> Value:
        """Return one bit for each lane: it has a kernel in this block of the record."""
        lane_bits = self._arch.block.bit_length() - 1
        lanes = [Cat(Const(lane, lane_bits), block) for lane in range(self._arch.block)]
        return Cat(lane < self.record.kernels for lane in lanes)

    def _lanes(self, block: Value) -> Value:
        """Return the number of lanes with a kernel."""
        mask = self._mask(block)
        return sum((mask[lane] for lane in range(1, len(mask))), mask[0])

    def _skip(self, m: Module, place: PartInstance, *, tag: data.View) -> list[Signal]:
        """Read the skip map in cycle i + 5; return its elements, which the lanes take in i + 6."""
        bits = self._arch.element_bits
        block_bits = bits * self._arch.block
        row = [self.skip_data.word_select(n, block_bits) for n in range(self._arch.row_blocks)]
        block = choose(row, place.skip_place)
        m.d.comb += [
            self.skip_en.eq(tag.valid & self.record.skip & place.skip_inside[0]),
            self.skip_row.eq(place.skip_row),
        ]
        taken = []
        for lane in range(self._arch.block):
            element = Signal(bits, name=f"skip_{lane}")
            beside = self.record.skip_zero_point
            here = place.skip_inside[lane]
            with m.If(tag.valid & self.record.skip):
                m.d.sync += element.eq(Mux(here, block.word_select(lane, bits), beside))
            taken.append(element)
        return taken

    def _lanes_of(self, m: Module, skips: list[Signal], loads: Value) -> list[Value]:
        """Place the lanes; return their results; loads: of their stages."""
        results = []
        # The record's memory is far away; it is stable long before a result reaches the lanes.
        kept = Signal.like(self.record)
        self.guarded(kept)
        m.d.sync += kept.eq(self.record)
        for number, skip in enumerate(skips):
            m.submodules[f"lane_{number}"] = lane = self._lane.instance()
            m.d.comb += [
                lane.loads.eq(loads),
                lane.record.eq(kept),
                lane.sum.eq(self.sums[number]),
                Value.cast(lane.parameters).eq(self.parameters[number]),
                lane.skip.eq(skip),
            ]
            results.append(lane.result)
        return results

    def _write(
        self, m: Module, place: PartInstance, results: list[Value], *, tag: data.View
    ) -> None:
        """Write a block of the output map, or of the answer."""
        arch, mask = self._arch, Signal(self._arch.block)
        elements = Cat(result[: arch.element_bits] for result in results)
        words = []
        for number, result in enumerate(results):
            word = Signal(signed(arch.answer_bits), name=f"word_{number}")
            m.d.comb += word.eq(result)
            words.append(word)
        m.d.comb += [
            mask.eq(self._mask(tag.block)),
            self.bank_valid.eq(tag.valid & ~self.record.answer),
            self.bank.bank.eq(self.record.out_bank),
            self.bank.row.eq(place.out_row),
            self.bank.mask.eq(mask << (place.out_place << (arch.block.bit_length() - 1))),
            self.bank.data.eq(elements.replicate(arch.row_blocks)),
            self.answer_valid.eq(tag.valid & self.record.answer),
            self.answer.index.eq(place.out_index),
            self.answer.mask.eq(mask),
            self.answer.data.eq(Cat(words)),
        ]
