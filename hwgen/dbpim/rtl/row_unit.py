"""Row unit of a core: softmax and layer norm, which read a whole pixel before they write one."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out, connect, flipped

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts import instructions as isa
from hwgen.dbpim.facts import timing
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.core_events import row_pulses
from hwgen.dbpim.rtl.floats_store import FloatsStore
from hwgen.dbpim.rtl.load_bus import floats_loads
from hwgen.dbpim.rtl.row_lane import RowLane, row_control

KEY_BITS = isa.GROUP_BITS + 1
"""Of the keys of a pixel: those of pixel 0, and the pixel's number."""
SUM_BITS = bits_for_index(timing.SQUARE_SUMS)


class Passes(NamedTuple):
    """Registers of the loops over a group of channels.

    held: pass, from 0; number: the same, of a norm without a mean from 1; channel: that is read
    next; settles: no byte is read until results are there; step: cycles since the last byte of the
    pass
    """

    held: Signal
    number: Signal
    channel: Signal
    settles: Signal
    step: Signal


class Reading(NamedTuple):
    """What is read in a cycle: a byte or a word, whether it is the last one of its pass."""

    now: Signal
    last: Signal


class RowUnit(Part):
    """Softmax and layer norm over groups of channels, in float32 of one order.

    The words of a group are read in three passes. softmax: largest byte, a word a cycle; sum of
    exponentials; quotients. layer norm: sum; squares of distances from the mean; quotients. The
    last two passes, of a norm all three, take a byte of each position a cycle. A norm without a
    mean, whose `kernel_height` is 2, leaves its first pass out, and waits behind its last one until
    the fma is free. Behind a pass the unit reads nothing until its results are there; the bytes of
    the last pass leave meanwhile.

    Ports
        go           in      1             the step in `instruction` starts, in this core
        finish       in      1             the step is over in all cores
        instruction  in      SIMD          held from `go` to `finish`; `bias`: channels of a group
        word         in      fetched_word  the oldest word; the words of a group follow each other,
                                           `kernel_height` times
        word_valid   in      1             there is one, of SOFTMAX or NORM
        word_release out     1             its last byte is read in this cycle
        result       stream  vector_write  C bytes of the positions; those beyond a group are 0
        idle         out     1             no byte on its way and no result
        reads        out     1             a byte or a word is read in this cycle
        known        out     1             the floats of the step are there
        pulses       out     row_pulses    events of this cycle, for benches only
        floats       in      floats_loads  what the loader brings
    Latency  ``SHARE_CYCLES`` or ``NORM_CYCLES`` and 1 from the last byte of a word to its result
    Rate     one byte of each position in each cycle; while a result waits, the whole unit stalls
    Errors   none
    Golden   ``golden.ops.softmax.softmax``, ``golden.ops.layer_norm.layer_norm``
    Source   docs/dbpim-microarchitecture.md, "row_unit"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._lane, self._store = RowLane(arch=arch), FloatsStore(arch=arch)
        self.parts = [self._lane, self._store]
        super().__init__(
            {
                "go": In(1),
                "finish": In(1),
                "instruction": In(layouts.packet(isa.Opcode.SIMD, arch)),
                "word": In(layouts.fetched_word(arch)),
                "word_valid": In(1),
                "word_release": Out(1),
                "result": Out(stream.Signature(layouts.vector_write(arch))),
                "idle": Out(1),
                "reads": Out(1),
                "known": Out(1),
                "pulses": Out(row_pulses()),
                "floats": In(floats_loads(arch)),
            }
        )
        self._norm = self.instruction.operation == isa.Operation.NORM
        self._centred = self.instruction.kernel_height != isa.PASSES_WITHOUT_MEAN
        self._channels = self.instruction.bias[: isa.GROUP_BITS]
        self._select_bits = bits_for_index(arch.word)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = store = self._store.instance()
        connect(m, flipped(self.floats), store.loads)
        lanes = [self._lane.instance() for _ in range(self._arch.row_lanes)]
        moves = Signal()
        over, works = self._over(m)
        m.d.comb += [
            moves.eq(~self.result.valid | self.result.ready),
            self.known.eq(store.known),
            store.released.eq(over),
        ]
        passes = Passes(
            held=Signal(range(isa.ROW_PASSES), name="held"),
            number=Signal(range(isa.ROW_PASSES), name="number"),
            channel=Signal(isa.GROUP_BITS, name="channel"),
            settles=Signal(name="settles"),
            step=Signal(range(timing.INVERSE_READY + 1), name="step"),
        )
        without = self._norm & ~self._centred & (passes.held == 0)
        m.d.comb += passes.number.eq(Mux(without, 1, passes.held))
        reading = self._read(m, passes, moves=moves)
        self._show(m, reading, passes)
        control = Signal(row_control(self._arch))
        leaving = self._leave(m, reading, passes, moves=moves)
        self._settle(m, passes, control=control, moves=moves, drained=~leaving.any())
        self._square(m, reading, passes, control=control, moves=moves)
        summed = Signal()
        with m.If(moves):
            m.d.sync += summed.eq(reading.now & (passes.number == Mux(self._norm, 0, 1)))
        select = passes.channel[: self._select_bits]
        m.d.comb += [
            control.norm.eq(self._norm),
            control.subtracts.eq(self._centred),
            control.squares.eq(passes.number == 1),
            control.restart.eq(reading.now & (passes.number == 0) & (passes.channel == 0)),
            control.largest.eq(reading.now & (passes.number == 0)),
            control.sums.eq(summed),
            control.select.eq(select),
        ]
        # Registers of a pipeline rest in passes that leave it out.
        ends = leaving.any() | (passes.number == isa.ROW_PASSES - 1)
        m.d.comb += [
            control.centres.eq(self._norm & ((passes.number != 0) | leaving.any())),
            control.scales.eq(ends),
        ]
        scaled = self._scaled(m, leaving, moves=moves)
        m.d.comb += store.channel.eq(scaled)
        for place, lane in enumerate(lanes):
            m.submodules[f"lane_{place}"] = lane
            self._connect_lane(m, lane, place, store=store, control=control, moves=moves & works)
            self._count_keys(m, lane, place, passes=passes)
        self._write(m, lanes, reading, passes, leaves=leaving[-1], moves=moves)
        m.d.comb += self.idle.eq(~(leaving.any() | self.result.valid))
        return m

    def _show(self, m: Module, reading: Reading, passes: Passes) -> None:
        """Show what happens in this cycle."""
        norm, first, second, third = (
            self._norm,
            *(passes.number == n for n in range(isa.ROW_PASSES)),
        )
        begins = passes.channel == 0
        shown = {
            "row_words": ~norm & first,
            "row_sums": Mux(norm, first, second),
            "row_squares": norm & second,
            "row_shares": ~norm & third,
            "row_norms": norm & third,
            "row_roots": norm & third & begins,
        }
        m.d.comb += [self.pulses[name].eq(reading.now & when) for name, when in shown.items()]

    def _over(self, m: Module) -> tuple[Value, Value]:
        """Return whether a step of the unit is over in this cycle, and whether it runs."""
        active, instruction = Signal(), self.instruction
        m.d.sync += active.eq((active | self.go) & ~self.finish)
        mine = Const(0, 1)
        for operation in isa.ROWS:
            mine |= instruction.operation == operation
        runs = active & (instruction.opcode == isa.Opcode.SIMD) & mine
        return self.finish & runs, runs

    def _connect_lane(
        self,
        m: Module,
        lane: PartInstance,
        place: int,
        *,
        store: PartInstance,
        control: Value,
        moves: Value,
    ) -> None:
        """Give a lane the word of its position, its value, and what all lanes get."""
        instruction = self.instruction
        m.d.comb += [
            lane.enable.eq(moves),
            lane.control.eq(control),
            # Words of other steps pass by: the lane sees zeros.
            lane.word.eq(Mux(self.word_valid, self.word.bytes[place], 0)),
            store.bytes[place].eq(lane.index),
            lane.found.eq(store.found[place]),
            lane.gamma.eq(store.gamma),
            lane.beta.eq(store.beta),
            lane.scalars.eq(store.scalars),
            lane.zero_point.eq(instruction.output_zero_point),
            lane.low.eq(instruction.output_low),
            lane.high.eq(instruction.output_high),
        ]

    def _count_keys(self, m: Module, lane: PartInstance, place: int, *, passes: Passes) -> None:
        """Say which channels of a position count: of a softmax its keys, else all."""
        given, position = (
            self.instruction.bias[isa.KEYS_PLACE : isa.KEYS_BY_PIXEL],
            self.word.positions[place],
        )
        number, keys = (Signal(KEY_BITS, name=f"{name}_{place}") for name in ("number", "keys"))
        limit = Signal(isa.GROUP_BITS, name=f"limit_{place}")
        all_count = self._norm | (given == 0) | (keys > self._channels)
        m.d.comb += [
            number.eq(position.row * self.instruction.output_width + position.column),
            keys.eq(given + Mux(self.instruction.bias[isa.KEYS_BY_PIXEL], number, 0)),
            limit.eq(Mux(all_count, self._channels, keys)),
            lane.counts.eq(passes.channel < limit),
        ]
        for byte, inside in enumerate(lane.compared):
            m.d.comb += inside.eq(passes.channel + byte < limit)

    def _read(self, m: Module, passes: Passes, *, moves: Value) -> Reading:
        """Read a byte of each position, or in the first pass of a softmax a word."""
        reading = Reading(now=Signal(name="reads_now"), last=Signal(name="reads_last"))
        whole = ~self._norm & (passes.number == 0)
        size = self._arch.word
        following = Signal(isa.GROUP_BITS + 1)
        word_ends = passes.channel[: self._select_bits] == size - 1
        m.d.comb += [
            following.eq(passes.channel + Mux(whole, size, 1)),
            reading.now.eq(self.word_valid & ~passes.settles & moves),
            reading.last.eq(reading.now & (following >= self._channels)),
            self.reads.eq(reading.now),
            self.word_release.eq(reading.now & (whole | word_ends | reading.last)),
        ]
        # A softmax knows its largest byte at once, and a group ends with its last pass.
        # Without a mean, squares would meet the bytes of the pixel before in the fma.
        whole_pass = passes.number != isa.ROW_PASSES - 1
        settles = Mux(self._norm, whole_pass | ~self._centred, passes.number == 1)
        with m.If(reading.now):
            m.d.sync += passes.channel.eq(Mux(reading.last, 0, following))
        with m.If(reading.last):
            m.d.sync += [passes.step.eq(1), passes.settles.eq(settles)]
            with m.If(~settles):
                m.d.sync += passes.held.eq(Mux(passes.number == 0, 1, 0))
        return reading

    def _settle(
        self, m: Module, passes: Passes, *, control: Value, moves: Value, drained: Value
    ) -> None:
        """Compute what the next pass needs, step by step."""
        mean, squares = (
            passes.settles & self._norm & (passes.number == number) for number in range(2)
        )
        share = passes.settles & ~self._norm
        scaled = passes.settles & self._norm & (passes.number == isa.ROW_PASSES - 1)
        at = {
            "start_mean": (mean, timing.SHARE_READY),
            "take_mean": (mean, timing.MEAN_READY),
            "start_variance": (squares, timing.SQUARE_READY),
            "adds_eps": (squares, timing.VARIANCE_READY),
            "start_root": (squares, timing.RADICAND_READY),
            "start_inverse": (squares, timing.DEVIATION_READY),
            "take_inverse": (squares, timing.INVERSE_READY),
        }
        for name, (when, step) in at.items():
            m.d.comb += getattr(control, name).eq(when & (passes.step == step))
        m.d.comb += control.take_share.eq(share & (passes.step >= timing.SHARE_READY) & drained)
        begins = scaled & (passes.step == timing.SCALED_READY)
        ends = control.take_mean | control.take_inverse | control.take_share | begins
        with m.If(moves & passes.settles):
            m.d.sync += passes.step.eq(passes.step + 1)
            with m.If(ends):
                m.d.sync += [
                    passes.settles.eq(0),
                    passes.held.eq(Mux(begins, 0, passes.number + 1)),
                ]
        self._add_pairs(m, passes, control=control, settles=squares)

    def _add_pairs(self, m: Module, passes: Passes, *, control: Value, settles: Value) -> None:
        """Add eight sums of squares: four apart, two apart, neighbours."""
        pairs = {
            **{timing.SQUARES_READY + place: (place, 4) for place in range(4)},
            **{timing.PAIRS_READY + place: (place, 2) for place in range(2)},
            timing.HALVES_READY: (0, 1),
        }
        with m.If(settles):
            for step, (place, apart) in pairs.items():
                with m.If(passes.step == step):
                    m.d.comb += [
                        control.pairs.eq(1),
                        control.pair.eq(place),
                        control.apart.eq(apart),
                    ]
                with m.If(passes.step == step + timing.FLOAT_CYCLES):
                    m.d.comb += [control.pair_put.eq(1), control.pair_out.eq(place)]

    def _square(
        self, m: Module, reading: Reading, passes: Passes, *, control: Value, moves: Value
    ) -> None:
        """Follow the bytes of the second pass of a norm to the fma and out of it."""
        on_way = Signal(1 + 2 * timing.FLOAT_CYCLES, name="squares_on_way")
        channel, out = Signal(isa.GROUP_BITS, name="squared"), Signal(SUM_BITS)
        enters, leaves = on_way[timing.FLOAT_CYCLES], on_way[-1]
        with m.If(moves):
            m.d.sync += on_way.eq(Cat(reading.now & self._norm & (passes.number == 1), on_way[:-1]))
            with m.If(enters):
                m.d.sync += channel.eq(Mux(channel + 1 == self._channels, 0, channel + 1))
            with m.If(leaves):
                m.d.sync += out.eq(out + 1)
        m.d.comb += [
            control.square_in.eq(channel),
            control.square_first.eq(channel < timing.SQUARE_SUMS),
            control.square_out.eq(out),
            control.square_put.eq(leaves),
        ]

    def _leave(self, m: Module, reading: Reading, passes: Passes, *, moves: Value) -> Signal:
        """Follow the bytes of the last pass; those of a softmax begin nearer to the end."""
        on_way = Signal(timing.NORM_CYCLES, name="results_on_way")
        begins = reading.now & (passes.number == isa.ROW_PASSES - 1)
        short = timing.NORM_CYCLES - timing.SHARE_CYCLES
        with m.If(moves):
            m.d.sync += [
                on_way.eq(Cat(begins & self._norm, on_way[:-1])),
                on_way[short].eq(on_way[short - 1] | (begins & ~self._norm)),
            ]
        return on_way

    def _scaled(self, m: Module, leaving: Signal, *, moves: Value) -> Value:
        """Return the channel of a norm that the fma scales."""
        channel = Signal(range(timing.NORM_CHANNELS), name="scaled")
        with m.If(self.go):
            m.d.sync += channel.eq(0)
        with m.Elif(moves & leaving[2 * timing.FLOAT_CYCLES]):
            m.d.sync += channel.eq(Mux(channel + 1 == self._channels, 0, channel + 1))
        return channel

    def _write(
        self,
        m: Module,
        lanes: list[PartInstance],
        reading: Reading,
        passes: Passes,
        *,
        leaves: Value,
        moves: Value,
    ) -> None:
        """Collect the bytes of a word, and offer it."""
        write, size = self.result.payload, self._arch.word
        channel = Signal(isa.GROUP_BITS, name="written")
        first, word = (
            Signal(isa.ROW_BITS, name="first_word"),
            Signal(isa.ROW_BITS, name="result_word"),
        )
        positions = Signal(layouts.positions(self._arch))
        results = Signal(write.bytes.shape())
        self.guarded(first, word, positions, results)
        with m.If(reading.now & (passes.number == isa.ROW_PASSES - 1) & (passes.channel == 0)):
            m.d.sync += [positions.eq(self.word.positions), first.eq(self.word.simd.word)]
        place = channel[: self._select_bits]
        group_ends = channel + 1 == self._channels
        with m.If(moves):
            m.d.sync += self.result.valid.eq(leaves & ((place == size - 1) | group_ends))
        with m.If(moves & leaves):
            m.d.sync += [
                channel.eq(Mux(group_ends, 0, channel + 1)),
                word.eq(first + channel[self._select_bits :]),
            ]
            for lane, position in zip(lanes, results, strict=True):
                for number, byte in enumerate(position):
                    with m.If(place == number):
                        m.d.sync += byte.eq(lane.result)
                    with m.Elif(place == 0):
                        m.d.sync += byte.eq(0)
        m.d.comb += [
            write.bytes.eq(results),
            write.positions.eq(positions),
            write.word.eq(self.instruction.output_first_word + word),
            write.enable.eq((1 << size) - 1),
            write.to_memory.eq(self.instruction.to_memory),
        ]
