"""SIMD unit of a core: pools and the residual add on maps of its activation buffer."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.rtl.common.choose import choose
from hwgen.rtl.dbpim import layouts
from hwgen.rtl.dbpim.region import Region, address_of, bank_of
from hwgen.rtl.dbpim.requantizer import Requantizer
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, Arch
from hwgen.spec.dbpim.instructions import INSTRUCTION_BITS, Opcode
from hwgen.spec.widths import bits_for_index, bits_for_range

LARGEST_WINDOW = ((1 << layouts.packet(Opcode.POOL)["kernel_width"].width) - 1) ** 2
LARGEST_TOTAL = LARGEST_WINDOW * ((1 << ACTIVATION_BITS) - 1)
TOTAL_BITS = bits_for_range(-LARGEST_TOTAL, LARGEST_TOTAL)


def at_layout(arch: Arch) -> data.StructLayout:
    """Loop counters: position, channel word, part of the word (`simd_lanes` channels), tap."""
    pool = layouts.packet(Opcode.POOL)
    return data.StructLayout(
        {
            "y": layouts.COORDINATE_BITS,
            "x": layouts.COORDINATE_BITS,
            "word": pool["input_channel_words"].shape,
            "part": bits_for_index(arch.macro.compartments // arch.simd_lanes),
            "kernel_y": pool["kernel_height"].shape,
            "kernel_x": pool["kernel_width"].shape,
        }
    )


def target_layout(arch: Arch) -> data.StructLayout:
    """Place of an output; `part` selects `simd_lanes` channels of the word."""
    return data.StructLayout(
        {
            "part": bits_for_index(arch.macro.compartments // arch.simd_lanes),
            "bank": bits_for_index(arch.banks),
            "address": arch.bank_address_bits,
        }
    )


def tap_layout(arch: Arch) -> data.StructLayout:
    """A tap whose word has been read.

    inside: it is in the map, else padding; second: it is of the second map of an ADD
    first, last: it is the first, last tap of the output
    """
    flags = dict.fromkeys(("valid", "inside", "second", "first", "last"), 1)
    bank = bits_for_index(arch.banks)
    return data.StructLayout({**flags, "bank": bank, "target": target_layout(arch)})


class Simd(Part):
    """Maximum or mean over windows, or the sum of two maps, `simd_lanes` channels at a time.

    ``maximum: y = clip(max(x))``; ``mean: y = requantize(sum(x - zx))``;
    ``add: y = clip((((a - za) * Ma + (b - zb) * Mb + 2**(s - 1)) >> s) + zp)``

    Pipeline
        cycle 0  tap: a bank is read
        cycle 1  accumulate the bytes read
        cycle 2  multiply the totals of an output, after its last tap
        cycle 3  shift and clip
        cycle 4  request of the write bus

    Ports
        go            in      1                 start with the positions of this core
        core          in      3                 number of the core, constant
        instruction   in      512               POOL or ADD packet, held until idle
        bank_read_en  out     M                 banks of the core's activation buffer
        bank_address  out     M x address
        bank_data     in      M x layouts.group one cycle after the address
        request       stream  layouts.bus_write
        reads         out     1                 a tap is issued in this cycle
        idle          out     1                 done, all stages are empty
    Latency  ``go`` to the first tap 1 + `core` cycles; ``SIMD_CYCLES`` from the last tap of an
             output to the request of the bus
    Rate     one tap a cycle; while a request waits, the whole unit stalls
    Errors   none; the check of the network refuses a window inside the padding
    Golden   ``golden.dbpim.simd.max_pool``, ``average_pool``, ``add``
    Source   docs/dbpim-microarchitecture.md; seed 002, Fig. 6 (SIMD core)
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._requantizer = Requantizer()
        self.parts = [self._requantizer]
        banks = arch.banks
        super().__init__(
            {
                "go": In(1),
                "core": In(layouts.CORE_BITS),
                "instruction": In(INSTRUCTION_BITS),
                "bank_read_en": Out(banks),
                "bank_address": Out(data.ArrayLayout(arch.bank_address_bits, banks)),
                "bank_data": In(data.ArrayLayout(layouts.group(arch), banks)),
                "request": Out(stream.Signature(layouts.bus_write(arch))),
                "reads": Out(1),
                "idle": Out(1),
            }
        )
        pool, add = layouts.packet(Opcode.POOL), layouts.packet(Opcode.ADD)
        self._pool = data.View(pool, self.instruction[: pool.size])
        self._add = data.View(add, self.instruction[: add.size])
        self._adds = self._pool.opcode == Opcode.ADD
        self._maximum = ~self._adds & ~self._pool.average

    def elaborate(self, platform: object) -> Module:
        m = Module()
        moves, running = Signal(), Signal()
        read, sum_ = Signal(tap_layout(self._arch)), Signal(tap_layout(self._arch))
        scaled, scaled_valid = Signal(target_layout(self._arch)), Signal()
        # Cycle 0: `tap`; 1: `read`; 2: `sum_`; 3: `scaled`; 4: `request`.
        tap = self._taps(m, running=running)
        with m.If(moves):
            m.d.sync += [
                read.eq(tap),
                sum_.eq(read),
                sum_.valid.eq(read.valid & (read.last | self._adds)),
                scaled.eq(sum_.target),
                scaled_valid.eq(sum_.valid & sum_.last),
                self.request.valid.eq(scaled_valid),
            ]
        m.d.comb += [
            moves.eq(~self.request.valid | self.request.ready),
            self.reads.eq(tap.valid & moves),
            self.idle.eq(~(running | read.valid | sum_.valid | scaled_valid | self.request.valid)),
        ]
        outputs = self._lanes(m, moves=moves, read=read, sum_=sum_)
        with m.If(moves):
            m.d.sync += self._write(self.request.payload, scaled, outputs)
        return m

    def _taps(self, m: Module, *, running: Signal) -> data.View:
        """Count taps, parts, channel words and positions; return the tap of this cycle."""
        pool, adds = self._pool, self._adds
        parts = self._arch.macro.compartments // self._arch.simd_lanes
        count = Signal(range((1 << len(pool.count_base)) + 1))
        left, steps = Signal.like(count), Signal.like(self.core)
        at, tap = Signal(at_layout(self._arch)), Signal(tap_layout(self._arch))
        last_y = at.kernel_y == Mux(adds, 0, pool.kernel_height - 1)
        last_x = at.kernel_x == Mux(adds, 1, pool.kernel_width - 1)
        m.d.comb += [
            count.eq(pool.count_base + (self.core < pool.count_extra)),
            tap.valid.eq(running & ~steps.any()),
            tap.second.eq(adds & at.kernel_x[0]),
            tap.first.eq(adds | ~(at.kernel_y | at.kernel_x).any()),
            tap.last.eq(last_y & last_x),
        ]
        carry = self.reads
        for counter, last in (
            (at.kernel_x, last_x),
            (at.kernel_y, last_y),
            (at.part, at.part == parts - 1),
            (at.word, at.word == pool.input_channel_words - 1),
        ):
            with m.If(carry):
                m.d.sync += counter.eq(Mux(last, 0, counter + 1))
            carry = carry & last
        with m.If(carry):
            m.d.sync += [left.eq(left - 1), running.eq(left != 1)]
        with m.If(running & steps.any()):
            m.d.sync += steps.eq(steps - 1)
        self._step(m, at, units=steps.any(), when=carry | (running & steps.any()))
        with m.If(self.go):
            m.d.sync += [running.eq(count.any()), left.eq(count), steps.eq(self.core), at.eq(0)]
        self._places(m, at, tap)
        return tap

    def _step(self, m: Module, at: data.View, *, units: Value, when: Value) -> None:
        """Step to the next position: of the next core while counting units, then of this core."""
        pool = self._pool
        x = at.x + Mux(units, pool.unit_x, pool.step_x)
        wraps = x >= pool.output_width
        with m.If(when):
            m.d.sync += [
                at.x.eq(Mux(wraps, x - pool.output_width, x)),
                at.y.eq(at.y + Mux(units, pool.unit_y, pool.step_y) + wraps),
            ]

    def _places(self, m: Module, at: data.View, tap: data.View) -> None:
        """Read the input pixel of the tap; compute the place of its output."""
        arch, pool = self._arch, self._pool
        column = Mux(self._adds, 0, at.kernel_x)
        row = at.y * pool.stride + at.kernel_y - pool.padding
        column = at.x * pool.stride + column - pool.padding
        base = Mux(tap.second, self._add.second_base, pool.input_base)
        source = Region(base, pool.input_row_pitch, pool.input_channel_words)
        target = Region(pool.output_base, pool.output_row_pitch, pool.output_channel_words)
        y, x = row[: layouts.COORDINATE_BITS], column[: layouts.COORDINATE_BITS]
        address = address_of(arch, source, y=y, x=x, word=at.word)
        m.d.comb += [
            tap.inside.eq(
                (row >= 0) & (row < pool.input_height) & (column >= 0) & (column < pool.input_width)
            ),
            tap.bank.eq(bank_of(arch, y=y, x=x)),
            tap.target.part.eq(at.part),
            tap.target.bank.eq(bank_of(arch, y=at.y, x=at.x)),
            tap.target.address.eq(address_of(arch, target, y=at.y, x=at.x, word=at.word)),
        ]
        for bank in range(arch.banks):
            chosen = self.reads & tap.inside & (tap.bank == bank)
            m.d.comb += [self.bank_read_en[bank].eq(chosen), self.bank_address[bank].eq(address)]

    def _lanes(self, m: Module, *, moves: Value, read: data.View, sum_: data.View) -> list[Value]:
        """Place the lanes: accumulate the bytes read, scale the totals; return the output bytes."""
        pool, add = self._pool, self._add
        lanes = self._arch.simd_lanes
        read_bytes = self._read_bytes(m, read)
        zero_point = Mux(read.second, add.second_zero_point, pool.input_zero_point)
        factor = Mux(sum_.second, add.second_multiplier, add.multiplier)
        outputs = []
        for lane in range(lanes):
            byte = Mux(read.inside, read_bytes[lane], 0)
            total = Signal(signed(TOTAL_BITS))
            before = Mux(read.first, 0, total)
            largest = Mux(byte > before, byte, before)
            with m.If(moves & read.valid):
                m.d.sync += total.eq(Mux(self._maximum, largest, before + byte - zero_point))
            m.submodules[f"requantizer_{lane}"] = requantizer = self._requantizer.instance()
            # A maximum passes unchanged: times 2, shifted right by 1, no zero point.
            m.d.comb += [
                requantizer.enable.eq(moves & sum_.valid),
                requantizer.accumulator.eq(total),
                requantizer.add.eq(sum_.second),
                requantizer.multiplier.eq(
                    Mux(self._maximum, 2, Mux(self._adds, factor, pool.multiplier))
                ),
                requantizer.shift.eq(Mux(self._maximum, 1, Mux(self._adds, add.shift, pool.shift))),
                requantizer.zero_point.eq(Mux(self._maximum, 0, pool.output_zero_point)),
                requantizer.low.eq(pool.output_low),
                requantizer.high.eq(pool.output_high),
            ]
            outputs.append(requantizer.result)
        return outputs

    def _read_bytes(self, m: Module, read: data.View) -> data.View:
        """Return the `simd_lanes` bytes of the tap's part, from the bank that was read."""
        lanes = self._arch.simd_lanes
        word = Signal(layouts.group(self._arch))
        piece = Signal(data.ArrayLayout(ACTIVATION_BITS, lanes))
        m.d.comb += word.eq(choose(list(self.bank_data), read.bank))
        starts = range(0, self._arch.macro.compartments, lanes)
        pieces = [Cat(*word[first : first + lanes]) for first in starts]
        m.d.comb += piece.eq(choose(pieces, read.target.part))
        return piece

    def _write(self, write: data.View, target: data.View, outputs: list[Value]) -> list[Value]:
        """Return the assignments of the request: the bytes in every part, one part enabled."""
        lanes = self._arch.simd_lanes
        parts = self._arch.macro.compartments // lanes
        return [
            write.data.eq(Cat(outputs).replicate(parts)),
            write.enable.eq(Cat((target.part == part).replicate(lanes) for part in range(parts))),
            write.bank.eq(target.bank),
            write.address.eq(target.address),
        ]
