"""SIMD unit of a core: every operation that no macro computes, on fetched word-vectors."""

from collections.abc import Sequence
from typing import NamedTuple

from amaranth.hdl import Cat, ClockSignal, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out, connect, flipped

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.instructions import Opcode, Operation
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.load_bus import table_loads, taps_loads
from hwgen.dbpim.rtl.product_operands import ProductOperands
from hwgen.dbpim.rtl.simd_lane import SimdLane
from hwgen.dbpim.rtl.simd_output import SimdOutput, simd_part, vector_bytes
from hwgen.dbpim.rtl.table_store import TableStore
from hwgen.dbpim.rtl.tap_store import TapStore


class Turns(NamedTuple):
    """Turns of the lanes that share a requantizer.

    turn: whose bytes are scaled; following: the turn after it; again: it is of the same part
    front: parts up to their totals move in this cycle
    slot, part: of the taps, and number of the part, that are scaled at the turn after it
    """

    turn: Value
    following: Value
    again: Value
    front: Value
    slot: Value
    part: Value


class Simd(Part):
    """Windows, depthwise convolutions, maps combined or looked up: `simd_lanes` bytes at a time.

    The operations are those of ``Operation``; a word-vector is C bytes of each of the M positions
    of a vector. The taps of a result are consecutive word-vectors. Those of map a of a product are
    held for the taps that follow, in one cycle whatever their parts.

    Pipeline
        cycle 0  the oldest fetched word is visible: a part of it is read, and looked up; after its
                 last part it is released
        cycle 1  the part is accumulated
        cycle 2  after the last tap: multiply; lanes that share a requantizer take turns, a cycle
                 each, and the part of the next last tap waits for them
        cycle 3  shift and clip; the bytes enter the register of the result; on a chip that rounds
                 as float32 the two cycles from here on are cycles 5 and 6
        cycle 4  after the last part: the result is valid

    Ports
        go           in      1             the step in `instruction` starts, in this core
        finish       in      1             the step is over in all cores
        instruction  in      SIMD          fields that no core owns, held from `go` to `finish`
        word         in      fetched_word  the oldest word; its field `tag` is not read
        word_valid   in      1             there is one, of a SIMD instruction
        word_release  out    1             the last part of the oldest word moves
        result       stream  vector_write  C bytes of the positions; taken by own banks or by a bus
        idle         out     1             no part in the pipeline and no result: a word may wait
        reads        out     1             a part moves in this cycle
        taps         in      taps_loads    what the loader brings of depthwise weights
        taps_walked  in      1             the last word of a channel word is requested
        taps_known   out     1             the walker may request words. DEPTHWISE: the TAPS of the
                                           channel word are known; TABLE: the table is; else 1
        table        in      table_loads   what it brings of tables
    Latency  ``arch.simd_cycles`` from the last part of the last tap to the result, and a cycle for
             each turn but the first
    Rate     one part of `simd_lanes` bytes in each cycle, of TABLE `table_lookups` bytes, of a last
             tap one in `lanes_per_requantizer` cycles; while a result waits, the whole unit stalls
    Errors   none
    Golden   ``verif.reference.dbpim.simd``
    Source   docs/dbpim-microarchitecture.md, "simd"; seed 002, Fig. 6 (SIMD core)
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._lanes, self._turns = arch.simd_lanes, arch.lanes_per_requantizer
        self._lane = SimdLane(arch=arch)
        self._output = SimdOutput(arch=arch)
        self._taps = TapStore(arch=arch)
        self._table = TableStore(arch=arch)
        self.parts = [self._lane, self._output, self._taps, self._table]
        self._product_operands = ProductOperands(arch=arch) if arch.row_unit else None
        if self._product_operands:
            self.parts.append(self._product_operands)
        if arch.simd_parts > 1:
            width = arch.simd_lanes * ACCUMULATOR_BITS
            self._totals = RegisterFile(family=self.family, depth=arch.simd_parts, width=width)
            self.parts.append(self._totals)
        instruction = layouts.packet(Opcode.SIMD, arch)
        super().__init__(
            {
                "go": In(1),
                "finish": In(1),
                "instruction": In(instruction),
                "word": In(layouts.fetched_word(arch)),
                "word_valid": In(1),
                "word_release": Out(1),
                "result": Out(stream.Signature(layouts.vector_write(arch))),
                "idle": Out(1),
                "reads": Out(1),
                "taps": In(taps_loads(arch)),
                "table": In(table_loads(arch)),
                "taps_walked": In(1),
                "taps_known": Out(1),
            }
        )
        self._computes = {each: self.instruction.operation == each for each in Operation}

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layout = simd_part(self._arch)
        read, held, total, scaled = (
            Signal(layout, name=name) for name in ("read", "held", "total", "scaled")
        )
        m.submodules.output = output = self._output.instance()
        final = total.valid & total.last_tap
        turns = self._take_turns(m, held=held, total=total, final=final, moves=output.moves)
        again, front = turns.again, turns.front
        m.submodules.tap_store = taps = self._taps.instance()
        m.submodules.table_store = table = self._table.instance()
        self._connect_stores(m, taps=taps, table=table)
        # Cycle 0: `read`; 1: `held`; 2: `total`; 3: `scaled`; 4: the result.
        operands = self._hold(m, read)
        self._read(m, read, slot=taps.slot, moves=front)
        # A stage loads parts alone: its registers are still without one.
        with m.If(output.moves):
            m.d.sync += scaled.valid.eq(final | again)
        with m.If(front):
            m.d.sync += [held.valid.eq(read.valid), total.valid.eq(held.valid)]
        with m.If(self.reads):
            m.d.sync += held.eq(read)
        with m.If(front & held.valid):
            m.d.sync += total.eq(held)
        with m.If(front & final & ~again):
            m.d.sync += scaled.eq(total)
        part, turn, last_turn = scaled, turns.turn, ~again
        scale = [output.moves & (final | again)]
        on_the_way = scaled.valid
        for number in range(self._arch.float32_cycles):
            scale.append(output.moves & part.valid)
            part, turn, last_turn = self._follow(
                m, part, turn, last_turn, moves=output.moves, number=number
            )
            on_the_way = on_the_way | part.valid
        groups = self._arch.simd_requantizers
        lanes = [self._lane.instance() for _ in range(groups)]
        for number, lane in enumerate(lanes):
            m.submodules[f"lane_{number}"] = lane
            m.d.comb += [
                lane.complete.eq(final | again),
                lane.scale.eq(Cat(scale)),
            ]
        self._operands(m, lanes, read=read, taps=taps, table=table, products=operands)
        self._accumulate(
            m, lanes, moves=front, held=held, total=total, taps=taps, products=operands
        )
        self._scale(m, lanes, turns=turns, taps=taps)
        connect(m, output.result, flipped(self.result))
        m.d.comb += [
            output.instruction.eq(self.instruction),
            output.part.eq(part),
            *([output.turn.eq(turn), output.last_turn.eq(last_turn)] if self._turns > 1 else []),
            output.bytes.eq(Cat(lane.result for lane in lanes)),
            output.sums.eq(Cat(lane.sum for lane in lanes)),
            taps.used.eq(self.word_release & read.word_end & self._computes[Operation.DEPTHWISE]),
            taps.released.eq(output.word_taken & self._computes[Operation.DEPTHWISE]),
            self.idle.eq(~(held.valid | total.valid | on_the_way | self.result.valid)),
        ]
        return m

    def _follow(
        self,
        m: Module,
        part: data.View,
        turn: Value,
        last_turn: Value,
        *,
        moves: Value,
        number: int,
    ) -> tuple[data.View, Value, Value]:
        """Return a part and its turn a stage of the requantizers later."""
        later = Signal(simd_part(self._arch), name=f"scaled_{number}")
        turn_later = Signal(range(self._turns), name=f"turn_{number}")
        ends = Signal(name=f"last_turn_{number}")
        with m.If(moves):
            m.d.sync += later.valid.eq(part.valid)
        with m.If(moves & part.valid):
            m.d.sync += [later.eq(part), turn_later.eq(turn), ends.eq(last_turn)]
        return later, turn_later, ends

    def _hold(self, m: Module, read: data.View) -> PartInstance | None:
        """Hold words of map a for a product; return what gives the lanes its operands, if any."""
        self._holds: Value | None = None
        if self._product_operands is None:
            return None
        m.submodules.product_operands = operands = self._product_operands.instance()
        tag, scores = self.word.simd, self._computes[Operation.SCORES]
        self._holds = Signal(name="holds")
        m.d.comb += [
            self._holds.eq((scores | self._computes[Operation.VALUES]) & ~tag.second),
            operands.hold.eq(self.reads & self._holds),
            operands.word.eq(self.word.bytes),
            operands.zero_point.eq(self.instruction.first_zero_point),
            operands.scores.eq(scores),
            operands.part.eq(read.number),
            operands.pixel.eq(tag.tap),
        ]
        return operands

    def _take_turns(
        self, m: Module, *, held: data.View, total: data.View, final: Value, moves: Value
    ) -> Turns:
        """Let the lanes that share a requantizer take turns.

        What is scaled next is kept beside the turn: choosing its numbers takes a cycle by itself.
        """
        if self._turns == 1:
            return Turns(Const(0), Const(0), Const(0), moves, total.slot, total.number)
        # Scales are of the channels of a word: of the number of a part no more bits decide.
        part = Signal(range(max(1, self._arch.word // self._lanes)))
        slot = Signal.like(total.slot)
        turn, following = Signal(range(self._turns)), Signal(range(self._turns))
        again, front, goes_on = Signal(), Signal(), Signal()
        last = Mux(self._computes[Operation.TABLE], self._arch.table_turns - 1, self._turns - 1)
        m.d.comb += [
            front.eq(moves & ~(final & again)),
            goes_on.eq((final | again) & (following != last)),
        ]
        with m.If(moves):
            m.d.sync += [
                turn.eq(following),
                again.eq(goes_on),
                following.eq(Mux(goes_on, following + 1, 0)),
            ]
        with m.If(moves & ~goes_on):
            loads = front & held.valid
            m.d.sync += [
                slot.eq(Mux(loads, held.slot, total.slot)),
                part.eq(Mux(loads, held.number, total.number)),
            ]
        return Turns(turn, following, again, front, slot, part)

    def _connect_stores(self, m: Module, *, taps: PartInstance, table: PartInstance) -> None:
        """Connect the loader's side of the stores, and tell the walker what it may request."""
        active = Signal()
        m.d.sync += active.eq((active | self.go) & ~self.finish)
        connect(m, flipped(self.taps), taps.loads)
        connect(m, flipped(self.table), table.loads)
        depthwise, looks_up = (
            self._computes[operation] for operation in (Operation.DEPTHWISE, Operation.TABLE)
        )
        over = self.finish & active & (self.instruction.opcode == Opcode.SIMD)
        m.d.comb += [
            taps.walked.eq(self.taps_walked & depthwise),
            self.taps_known.eq(Mux(depthwise, taps.known, ~looks_up | table.known)),
            table.released.eq(over & looks_up),
        ]

    def _read(self, m: Module, read: data.View, *, slot: Value, moves: Value) -> None:
        """Step through the parts of the oldest word; release it with the last one."""
        arch, tag = self._arch, self.word.simd
        table_parts = vector_bytes(arch) // arch.table_lookups
        ends = Mux(self._computes[Operation.TABLE], table_parts - 1, arch.simd_parts - 1)
        number = Signal.like(read.number)
        holds = self._holds
        m.d.comb += [
            read.valid.eq(self.word_valid if holds is None else self.word_valid & ~holds),
            read.number.eq(number),
            read.last_tap.eq(tag.last),
            read.last_part.eq(number == ends if holds is None else (number == ends) | holds),
            read.slot.eq(slot),
            read.positions.eq(self.word.positions),
            read.word.eq(tag.word),
            read.word_end.eq(tag.word_end),
            self.reads.eq(self.word_valid & moves),
            self.word_release.eq(self.reads & read.last_part),
        ]
        with m.If(self.reads):
            m.d.sync += number.eq(Mux(read.last_part, 0, number + 1))

    def _of_lane(self, values: Sequence[Value], lane: int, part: Value, *, lanes: int) -> Value:
        """Return a lane's value in a part; the values, one a byte or a channel, repeat."""
        firsts = range(0, max(lanes, len(values)), lanes)
        return choose([values[(first + lane) % len(values)] for first in firsts], part)

    def _operands(
        self,
        m: Module,
        lanes: Sequence[PartInstance],
        *,
        read: data.View,
        taps: PartInstance,
        table: PartInstance,
        products: PartInstance | None,
    ) -> None:
        """Give every lane its byte of the part, looked up or not, and what multiplies it."""
        instruction, tag, does = self.instruction, self.word.simd, self._computes
        # Words of a CONV pass by: without one of its own the unit sees zeros.
        bytes_ = []
        for place, position in enumerate(self.word.bytes):
            for channel, byte in enumerate(position):
                seen = Signal.like(byte, name=f"byte_{place}_{channel}")
                m.d.comb += seen.eq(Mux(self.word_valid, byte, 0))
                bytes_.append(seen)
        for number, byte in enumerate(table.bytes):
            chosen = self._of_lane(bytes_, number, read.number, lanes=len(table.bytes))
            m.d.comb += byte.eq(chosen)
        bits = self._arch.factor_bits
        factor = Mux(tag.second, instruction.bias[:bits], instruction.multiplier[:bits])
        factor = Mux(does[Operation.ADD], factor, 1)
        if self._arch.simd_tflite:
            scale = Mux(tag.second, instruction.second_scale, instruction.first_scale)
            factor = Mux(does[Operation.SQUARES], scale, factor)
        m.d.comb += taps.tap.eq(tag.tap)
        for number in range(self._lanes):
            turn, group = divmod(number, len(lanes))
            byte = self._of_lane(bytes_, number, read.number, lanes=self._lanes)
            found = table.found[number % len(table.found)]
            weight = self._of_lane(list(taps.weights), number, read.number, lanes=self._lanes)
            factor_of = Mux(does[Operation.DEPTHWISE], weight, factor)
            if products is not None:
                multiplies = does[Operation.SCORES] | does[Operation.VALUES]
                factor_of = Mux(multiplies, products.factor[number], factor_of)
            m.d.comb += [
                lanes[group].input_byte[turn].eq(Mux(does[Operation.TABLE], found, byte)),
                lanes[group].factor[turn].eq(factor_of),
            ]
        for lane in lanes:
            m.d.comb += lane.take.eq(self.reads)

    def _accumulate(
        self,
        m: Module,
        lanes: Sequence[PartInstance],
        *,
        moves: Value,
        held: data.View,
        total: data.View,
        taps: PartInstance,
        products: PartInstance | None,
    ) -> None:
        """Tell every lane what its operation makes of the byte that it keeps."""
        instruction, does, tag = self.instruction, self._computes, Signal(layouts.simd_tag())
        zero_point, given = Signal.like(instruction.first_zero_point), self.word.simd
        if products is not None:
            m.d.comb += products.sum_pixel.eq(tag.tap)
        befores = self._totals_before(m, lanes, held=held, total=total)
        combines = does[Operation.ADD] | does[Operation.MULTIPLY]
        if self._arch.simd_tflite:
            combines = combines | does[Operation.SQUARES]
        if self._product_operands is not None:
            combines = combines | does[Operation.SCORES] | does[Operation.VALUES]
        first, second = instruction.first_zero_point, instruction.second_zero_point
        with m.If(self.reads):
            m.d.sync += [
                tag.eq(given),
                zero_point.eq(Mux(combines, Mux(given.second, second, first), 0)),
            ]
        bias = Mux(does[Operation.SUM], instruction.bias.as_signed(), 0)
        m.d.comb += taps.bias_slot.eq(held.slot)
        for lane in lanes:
            m.d.comb += [
                lane.tap.eq(held.valid),
                lane.enable.eq(moves & held.valid),
                lane.mode.first.eq(tag.first),
                lane.mode.maximum.eq(does[Operation.MAXIMUM] | does[Operation.TABLE]),
                lane.mode.weighs_planes.eq(instruction.planes),
                lane.mode.multiplies.eq(does[Operation.MULTIPLY] & tag.second),
                lane.mode.plane.eq(tag.plane),
                lane.zero_point.eq(zero_point),
            ]
            if self._arch.simd_tflite:
                places = Mux(tag.second, instruction.second_places, instruction.first_places)
                m.d.comb += [
                    lane.mode.scales.eq(does[Operation.SQUARES]),
                    lane.places.eq(places),
                    lane.squares.eq(does[Operation.SQUARES]),
                ]
            if products is not None:
                m.d.comb += lane.mode.takes_addend.eq(does[Operation.SCORES])
        for number in range(self._lanes):
            turn, group = divmod(number, len(lanes))
            if products is not None:
                m.d.comb += [
                    products.product[number].eq(lanes[group].tap_product[turn]),
                    lanes[group].addend[turn].eq(products.addend[number]),
                ]
            own_bias = self._of_lane(list(taps.biases), number, held.number, lanes=self._lanes)
            m.d.comb += [
                lanes[group].bias[turn].eq(Mux(does[Operation.DEPTHWISE], own_bias, bias)),
                lanes[group].total_before[turn].eq(befores[number]),
            ]

    def _totals_before(
        self, m: Module, lanes: Sequence[PartInstance], *, held: data.View, total: data.View
    ) -> Sequence[Value]:
        """Return each lane's total of the tap before; parts wait for the next tap in a memory."""
        now = [lane.total[turn] for turn in range(self._turns) for lane in lanes]
        if self._arch.simd_parts == 1:
            return now
        m.submodules.totals = totals = self._totals.instance()
        m.d.comb += [
            totals.clk.eq(ClockSignal()),
            totals.write_en.eq(total.valid),
            totals.write_index.eq(total.number),
            totals.write_data.eq(Cat(now)),
            totals.read_index.eq(held.number),
        ]
        return [totals.read_data.word_select(n, ACCUMULATOR_BITS) for n in range(self._lanes)]

    def _scale(
        self,
        m: Module,
        lanes: Sequence[PartInstance],
        *,
        turns: Turns,
        taps: PartInstance,
    ) -> None:
        """Give every lane the numbers that scale the total whose turn it is."""
        instruction, does = self.instruction, self._computes
        # A byte passes unchanged: times 2, shifted right by 1, no zero point.
        passes = does[Operation.MAXIMUM] | does[Operation.TABLE]
        unscaled = does[Operation.ADD] | instruction.sums
        # No lane scales in the first cycle of an instruction: what it decodes to is kept meanwhile.
        multiplier = Signal(len(lanes[0].multiplier), name="instruction_multiplier")
        shift = Signal(len(instruction.shift), name="instruction_shift")
        depthwise = Signal()
        decoded = Mux(unscaled, 1, instruction.multiplier[: len(multiplier)])
        m.d.sync += [
            multiplier.eq(Mux(passes, 2, decoded)),
            shift.eq(Mux(passes, 1, instruction.shift)),
            depthwise.eq(does[Operation.DEPTHWISE]),
        ]
        m.d.comb += taps.scale_slot.eq(turns.slot)
        scales = [each.as_value() for each in taps.scales]
        for number, lane in enumerate(lanes):
            of_turns = [
                self._of_lane(scales, each, turns.part, lanes=self._lanes)
                for each in range(number, self._lanes, len(lanes))
            ]
            scale = data.View(taps.scales.shape().elem_shape, choose(of_turns, turns.following))
            if self._turns > 1:
                m.d.comb += lane.turn.eq(turns.following)
            m.d.comb += [
                *layouts.choose_rounding(lane, instruction.rounding),
                lane.multiplier.eq(Mux(depthwise, scale.multiplier, multiplier)),
                lane.shift.eq(Mux(depthwise, scale.shift, shift)),
                lane.output_zero_point.eq(Mux(passes, 0, instruction.output_zero_point)),
                lane.low.eq(Mux(does[Operation.TABLE], 0, instruction.output_low)),
                lane.high.eq(
                    Mux(does[Operation.TABLE], (1 << ACTIVATION_BITS) - 1, instruction.output_high)
                ),
            ]
