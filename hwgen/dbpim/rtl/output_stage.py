"""Output stage of a core: adds the bias, requantizes and requests a write."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import holds_payload, one_hot
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode, field_bits
from hwgen.dbpim.facts.timing import TILE_SLOTS
from hwgen.dbpim.rtl import layouts


def sums_layout(arch: Arch) -> data.StructLayout:
    """Register of cycle 1: sums with bias, multipliers and shifts, filter group and position."""
    result, filter_ = layouts.result(arch), layouts.parameters(arch)
    scale = data.StructLayout({name: filter_[name].shape for name in ("multiplier", "shift")})
    return data.StructLayout(
        {
            "sums": layouts.psums(arch),
            "scales": data.ArrayLayout(scale, arch.filters),
            "group": field_bits(Opcode.TILE, "group"),
            "row": result["row"].shape,
            "column": result["column"].shape,
        }
    )


def target_layout(arch: Arch) -> data.StructLayout:
    """Register of cycle 2, beside the requantizers: the place of what they scale.

    part: which F bytes of the word
    """
    write = layouts.bus_write(arch)
    return data.StructLayout(
        {
            "row": write["row"].shape,
            "column": write["column"].shape,
            "word": write["word"].shape,
            "index": write["index"].shape,
            "part": bits_for_index(arch.word // arch.filters),
        }
    )


class OutputStage(Part):
    """One result a cycle: ``y[f] = requantize(sums[f] + bias[f])``, or the sum itself as int32.

    A result without `emit` is popped and dropped; of several macros the lowest-numbered goes first.
    One of two filter groups, on a chip with pair tiles, stays for a second cycle: its first F sums
    are the result of its group, then the others that of the second one.

    Pipeline
        cycle 0  pop: the lowest-numbered macro with a result; the bias is added
        cycle 1  stage 1 holds the biased sums, which are multiplied
        cycle 2  stage 2 holds the products, which are rounded, shifted and clipped; on a chip that
                 rounds as float32 it is three registers in a row
        cycle 3  stage 3 holds the bytes and requests the write, there in cycle 5

    Ports
        results            streams  M x layouts.result      of the macros
        tile_end_popped    out      M                       a `tile_end` of macro m is taken now
        result_tile        out      slot                    tile of the result that is next,
        result_second      out      1                       its second filter group is next
        result_double      in       1                       it has one [both with pair tiles]
        result_group       in       12                      its filter group and
        result_parameters  in       F x layouts.parameters  parameters, in the same cycle
        layer              in       CONV packet             held until all results are written;
                                                            with `raw` its rounding is `half_up`
        request            stream   layouts.bus_write       F bytes of one position, or with `raw`
                                                            F x int32 and no byte enabled
        empty              out      1                       stages 1 to 3 are empty
    Latency  ``arch.requantize_cycles`` from popping a result to its request
    Rate     1 a cycle; a stage loads when it is empty or its content moves on
    Errors   none; sum and bias fit int32, which the check of the network ensures
    Golden   ``golden.ops.requantize.requantize``
    Source   docs/dbpim-microarchitecture.md; seed 002, Fig. 6
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._requantizer = layouts.requantizer(arch)
        self.parts = [self._requantizer]
        macros, filters = arch.macros_per_core, arch.filters
        pairs = {"result_second": Out(1), "result_double": In(1)} if arch.pairs else {}
        super().__init__(
            {
                "results": In(stream.Signature(layouts.result(arch))).array(macros),
                "tile_end_popped": Out(macros),
                "result_tile": Out(bits_for_index(TILE_SLOTS)),
                **pairs,
                "result_group": In(field_bits(Opcode.TILE, "group")),
                "result_parameters": In(data.ArrayLayout(layouts.parameters(arch), filters)),
                "layer": In(layouts.packet(Opcode.CONV, arch)),
                "request": Out(stream.Signature(layouts.bus_write(arch))),
                "empty": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # A number for each register: the last one, the request, is stage 3.
        count = self._arch.requantize_cycles
        valids = [Signal(name=f"valid_{stage}") for stage in range(1, count)]
        moves = [Signal(name=f"moves_{stage}") for stage in range(1, count + 1)]
        stage_1 = Signal(sums_layout(self._arch))
        targets = [
            Signal(target_layout(self._arch), name=f"stage_{stage}") for stage in range(2, count)
        ]
        self.guarded(stage_1, *targets, self.request.payload)
        m.d.comb += moves[-1].eq(~self.request.valid | self.request.ready)
        m.d.comb += [
            moves[number].eq(~valids[number] | moves[number + 1])
            for number in reversed(range(count - 1))
        ]
        m.d.comb += self.empty.eq(~reduce(or_, [*valids, self.request.valid]))
        # Cycle 0: pop a result and add the bias.
        # A stage loads results alone: its registers and multipliers are still without one.
        chosen = self._halves(m, moves[0]) if self._arch.pairs else self._choose_result(m, moves[0])
        emitted = Signal()
        m.d.comb += emitted.eq(Cat(r.valid for r in self.results).any() & chosen.emit)
        with m.If(moves[0]):
            m.d.sync += valids[0].eq(emitted)
        with m.If(moves[0] & emitted):
            m.d.sync += self._add_bias(stage_1, chosen)
        # Cycle 1: multiply.
        take = [moves[number] & valids[number - 1] for number in range(1, count)]
        requantizers = self._multiply(m, take=take[:-1], stage_1=stage_1)
        for number, target in enumerate(targets, 1):
            with m.If(moves[number]):
                m.d.sync += valids[number].eq(valids[number - 1])
            with m.If(take[number - 1]):
                if number == 1:
                    m.d.sync += self._target(target, stage_1)
                else:
                    m.d.sync += target.eq(targets[number - 2])
        # Cycle 2: shift and clip. Then the request holds until it is granted.
        with m.If(moves[-1]):
            m.d.sync += self.request.valid.eq(valids[-1])
        with m.If(take[-1]):
            m.d.sync += self._write(self.request.payload, targets[-1], requantizers)
        holds_payload(m, "request", self.request)
        one_hot(m, "results that are taken", [r.valid & r.ready for r in self.results])
        return m

    def _choose_result(self, m: Module, take: Value) -> data.View:
        """Pop the result of the lowest-numbered macro that has one; look up its tile."""
        chosen = Signal(layouts.result(self._arch))
        for result in reversed(self.results):
            with m.If(result.valid):
                m.d.comb += chosen.eq(result.payload)
        m.d.comb += self.result_tile.eq(chosen.tile)
        for index, result in enumerate(self.results):
            lower = Cat(other.valid for other in self.results[:index]).any()
            popped = result.valid & result.ready
            m.d.comb += [
                result.ready.eq(take & ~lower),
                self.tile_end_popped[index].eq(popped & result.payload.tile_end),
            ]
        return chosen

    def _halves(self, m: Module, take: Value) -> data.View:
        """Take half of the result of a macro, and pop it with its last half.

        No macro goes before one whose result has its second half left.
        """
        chosen, offered = Signal(layouts.result(self._arch)), Signal()
        second, macro = self.result_second, Signal(range(self._arch.macros_per_core))
        for index, result in reversed(list(enumerate(self.results))):
            with m.If(result.valid & (~second | (macro == index))):
                m.d.comb += [chosen.eq(result.payload), offered.eq(1)]
        first = Signal()
        m.d.comb += [
            self.result_tile.eq(chosen.tile),
            first.eq(chosen.emit & self.result_double & ~second),
        ]
        with m.If(take & offered):
            m.d.sync += second.eq(first)
        for index, result in enumerate(self.results):
            lower = Cat(other.valid for other in self.results[:index]).any() & ~second
            turn = take & ~lower & (~second | (macro == index))
            m.d.comb += [
                result.ready.eq(turn & ~first),
                self.tile_end_popped[index].eq(
                    result.valid & result.ready & result.payload.tile_end
                ),
            ]
            with m.If(turn & result.valid):
                m.d.sync += macro.eq(index)
        return chosen

    def _add_bias(self, stage_1: data.View, chosen: data.View) -> list[Value]:
        """Return the assignments of stage 1."""
        stores = [
            stage_1.group.eq(self.result_group),
            stage_1.row.eq(chosen.row),
            stage_1.column.eq(chosen.column),
        ]
        for f, filter_ in enumerate(self.result_parameters):
            added = chosen.sums[f]
            if self._arch.pairs:
                added = Mux(self.result_second, chosen.sums[self._arch.filters + f], added)
            stores += [
                stage_1.sums[f].eq(added + filter_.bias),
                stage_1.scales[f].multiplier.eq(filter_.multiplier),
                stage_1.scales[f].shift.eq(filter_.shift),
            ]
        return stores

    def _multiply(self, m: Module, *, take: list[Value], stage_1: data.View) -> list[PartInstance]:
        """Place a requantizer for each filter; its registers belong to the stages from 2 on.

        take: each of them is loaded
        The multiplier 1 passes the int32 sum of a `raw` layer.
        """
        requantizers = []
        for f, scale in enumerate(stage_1.scales):
            m.submodules[f"requantizer_{f}"] = requantizer = self._requantizer.instance()
            m.d.comb += [
                requantizer.enable.eq(Cat(take)),
                requantizer.accumulator.eq(stage_1.sums[f]),
                requantizer.multiplier.eq(Mux(self.layer.raw, 1, scale.multiplier)),
                requantizer.shift.eq(scale.shift),
                requantizer.zero_point.eq(self.layer.output_zero_point),
                requantizer.low.eq(self.layer.output_low),
                requantizer.high.eq(self.layer.output_high),
                *layouts.choose_rounding(requantizer, self.layer.rounding),
            ]
            requantizers.append(requantizer)
        return requantizers

    def _target(self, target: data.View, stage_1: data.View) -> list[Value]:
        """Return the assignments of stage 2: the place of F channels of a pixel, or of F logits."""
        arch, layer = self._arch, self.layer
        parts_log2 = (arch.word // arch.filters).bit_length() - 1
        image = stage_1.column * layer.output_row_pitch
        return [
            target.row.eq(stage_1.row),
            target.column.eq(stage_1.column),
            target.word.eq(layer.output_first_word + stage_1.group[parts_log2:]),
            target.index.eq(layer.output_base + image + stage_1.group * arch.filters),
            target.part.eq(stage_1.group[:parts_log2]),
        ]

    def _write(
        self, write: data.View, target: data.View, requantizers: list[PartInstance]
    ) -> list[Value]:
        """Return the assignments of stage 3: the bytes in all parts of a word, one part enabled."""
        filters = self._arch.filters
        parts = self._arch.word // filters
        word = Cat(requantizer.result for requantizer in requantizers).replicate(parts)
        logits = Cat(requantizer.product for requantizer in requantizers)
        enable = Cat((target.part == part).replicate(filters) for part in range(parts))
        return [
            write.data.eq(Mux(self.layer.raw, logits, word)),
            write.enable.eq(Mux(self.layer.raw, 0, enable)),
            write.row.eq(target.row),
            write.column.eq(target.column),
            write.word.eq(target.word),
            write.index.eq(target.index),
            write.raw.eq(self.layer.raw),
            write.to_memory.eq(0),
        ]
