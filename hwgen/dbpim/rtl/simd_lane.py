"""Lanes of the SIMD unit: they accumulate the taps of a byte each, and share a requantizer.

Tests: `tests/verif/dbpim/test_simd.py`.
"""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.requantizer import ROUNDING_BITS, SHIFT_BITS
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.instructions import PLACES_BITS
from hwgen.dbpim.rtl.layouts import choose_rounding, lane_requantizer, simd_tag
from hwgen.dbpim.rtl.product_operands import CENTRED_BITS, PRODUCT_BITS, position_sum_bits
from hwgen.network.quantization import SIGNED_BITS
from hwgen.network.squared_difference import FINER

SUM_BYTES = 3
"""Bytes of a total that leaves unscaled."""
ROOT_BITS = 17
"""Bits of a difference whose square is below 2**31."""
FIRST_PLACES = SIGNED_BITS - FINER
"""Places by which a centred byte times 2**FINER * M is shifted first."""


def tap_mode(arch: Arch) -> data.StructLayout:
    """What a lane makes of a tap: without a flag, it adds the centred byte times the factor.

    first: the total starts with the bias; maximum: the larger one of total and byte
    weighs_planes: add byte * 256**plane; multiplies: the total becomes total * centred byte
    takes_addend: add `addend`; set on chips with a row unit alone
    scales: add the product, scaled as an operand of SQUARES, of the second tap subtract it; set on
        chips with `simd_tflite` alone
    """
    flags = dict.fromkeys(("first", "maximum", "weighs_planes", "multiplies"), 1)
    sums = {"takes_addend": 1} if arch.row_unit else {}
    scaled = {"scales": 1} if arch.simd_tflite else {}
    return data.StructLayout({**flags, "plane": simd_tag()["plane"].shape, **sums, **scaled})


class SimdLane(Part):
    """`lanes_per_requantizer` (L) bytes of a word-vector: totals over their taps, then results.

    For each byte
    ``total = (first ? bias : total_before) + (input_byte - zero_point) * factor``, and what
    ``tap_mode`` says instead;
    ``result = clip(round(total * multiplier, shift) + output_zero_point)``

    Ports
        take               in   1          cycle 0: `input_byte` and `factor` hold a tap
        input_byte         in   L x 8      unsigned
        factor             in   L x signed lane_factor_bits + 1: M of a map, or an int8 weight
        tap                in   1          cycle 1: the inputs up to `total_before` are those of it
        enable             in   1          cycle 1: it enters the total (only with `tap`)
        tap_product        out  L x 18     cycle 1: centred byte times factor, of two bytes [this
                                           port and the next are absent without a row unit]
        addend             in   L x signed 18 + log2(C)  cycle 1: with `takes_addend` in its place
        mode               in   tap_mode
        places             in   5          cycle 1: second shift of a scaled operand [this port and
                                           the next are absent without `simd_tflite`]
        squares            in   1          cycle 2: the square of the total is scaled
        zero_point         in   8          unsigned
        bias               in   L x signed 32
        total_before       in   L x signed 32  the totals before this tap
        total              out  L x signed 32  cycle 2: the totals with this tap
        complete           in   1          cycle 2: the totals are final
        scale              in   1          cycle 2: multiply one (only with `complete`)
        turn               in   index of L which: 0 first, when those of the others are kept for
                                           their turns [absent if L is 1]
        multiplier, shift  in   simd_multiplier_bits, 6  unsigned
        rounding           in   2          as of ``Requantizer``, cycle 3 [absent if there is one]
        output_zero_point, low, high  in  8  cycle 3: unsigned
        result             out  8          unsigned
        sum                out  24         the lowest bytes of total * multiplier
    Latency  1 cycle from `enable` to `total`, which holds until the next; 1 cycle from `scale` to
             `result` and `sum` of the turn, which hold too
    Rate     1 tap a cycle, 1 result a cycle
    Errors   none; the check of the network keeps every total within 32 bits
    Golden   ``verif.reference.dbpim.simd``
    Source   docs/dbpim-microarchitecture.md, "simd"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._requantizer = lane_requantizer(arch)
        self._factor_bits = arch.lane_factor_bits + 1
        self._lanes = lanes = arch.lanes_per_requantizer
        self.parts = [self._requantizer]
        total = signed(ACCUMULATOR_BITS)
        several = {"rounding": In(ROUNDING_BITS)} if len(arch.simd_roundings) > 1 else {}
        shared = {"turn": In(bits_for_index(lanes))} if lanes > 1 else {}
        sums = {
            "tap_product": Out(data.ArrayLayout(signed(PRODUCT_BITS), lanes)),
            "addend": In(data.ArrayLayout(signed(position_sum_bits(arch)), lanes)),
        }
        squared = {"places": In(PLACES_BITS), "squares": In(1)} if arch.simd_tflite else {}
        super().__init__(
            {
                **several,
                **shared,
                **squared,
                **(sums if arch.row_unit else {}),
                "take": In(1),
                "input_byte": In(data.ArrayLayout(ACTIVATION_BITS, lanes)),
                "factor": In(data.ArrayLayout(signed(self._factor_bits), lanes)),
                "tap": In(1),
                "enable": In(1),
                "mode": In(tap_mode(arch)),
                "zero_point": In(ACTIVATION_BITS),
                "bias": In(data.ArrayLayout(total, lanes)),
                "total_before": In(data.ArrayLayout(total, lanes)),
                "total": Out(data.ArrayLayout(total, lanes)),
                "complete": In(1),
                "scale": In(1),
                "multiplier": In(arch.simd_multiplier_bits),
                "shift": In(SHIFT_BITS),
                "output_zero_point": In(ACTIVATION_BITS),
                "low": In(ACTIVATION_BITS),
                "high": In(ACTIVATION_BITS),
                "result": Out(ACTIVATION_BITS),
                "sum": Out(SUM_BYTES * ACTIVATION_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.guarded(self.total)
        # Cycle 0: keep the operands. Cycle 1: accumulate.
        for number in range(self._lanes):
            self._accumulate(m, number)
        # Cycle 2: multiply. Cycle 3: round, shift and clip.
        m.submodules.requantizer = scaler = self._requantizer.instance()
        if hasattr(self, "rounding"):
            m.d.comb += choose_rounding(scaler, self.rounding)
        m.d.comb += [
            scaler.enable.eq(self.scale),
            # A total that is not final moves no multiplier.
            scaler.accumulator.eq(Mux(self.complete, self._scaled_total(m), 0)),
            scaler.multiplier.eq(Mux(self.complete, self.multiplier, 0)),
            scaler.shift.eq(self.shift),
            scaler.zero_point.eq(self.output_zero_point),
            scaler.low.eq(self.low),
            scaler.high.eq(self.high),
            self.result.eq(scaler.result),
            self.sum.eq(scaler.product),
        ]
        return m

    def _accumulate(self, m: Module, number: int) -> None:
        """Keep the operands of a lane, then add their product to its total."""
        mode, before, total = self.mode, self.total_before[number], self.total[number]
        byte = Signal(ACTIVATION_BITS, name=f"byte_{number}")
        kept = Signal(signed(self._factor_bits), name=f"factor_kept_{number}")
        self.guarded(byte, kept)
        with m.If(self.take):
            m.d.sync += [byte.eq(self.input_byte[number]), kept.eq(self.factor[number])]
        base = Signal(signed(ACCUMULATOR_BITS), name=f"base_{number}")
        factor = Signal(signed(self._factor_bits), name=f"factor_{number}")
        centred = Signal(signed(CENTRED_BITS), name=f"centred_{number}")
        # Totals come from memories: without a tap the factor is zero. The byte stays as it is.
        right = Signal.like(factor, name=f"right_{number}")
        plane = byte << (mode.plane << 3)
        m.d.comb += [
            base.eq(Mux(mode.first, self.bias[number], Mux(mode.multiplies, 0, before))),
            factor.eq(Mux(mode.multiplies, before[:CENTRED_BITS].as_signed(), kept)),
            centred.eq(byte - self.zero_point),
            right.eq(Mux(self.tap, factor, 0)),
        ]
        product = self._product(m, number, centred * right)
        with m.If(self.enable):
            with m.If(mode.maximum):
                m.d.sync += total.eq(Mux(byte > base, byte, base))
            with m.Else():
                added = Mux(mode.weighs_planes, plane, product)
                if hasattr(self, "addend"):
                    added = Mux(mode.takes_addend, self.addend[number], added)
                if hasattr(self, "places"):
                    operand = self._operand(m, number, centred * right)
                    added = Mux(mode.scales, Mux(mode.first, operand, -operand), added)
                m.d.sync += total.eq(base + added)

    def _product(self, m: Module, number: int, product: Value) -> Value:
        """Return the product of a lane; where positions have sums, its low bits leave the lane."""
        if not hasattr(self, "tap_product"):
            return product
        whole = Signal(product.shape(), name=f"product_{number}")
        m.d.comb += [whole.eq(product), self.tap_product[number].eq(whole)]
        return whole

    def _operand(self, m: Module, number: int, product: Value) -> Value:
        """Return a product of an operand of SQUARES over its places, ties up, then away from 0."""
        first = Signal(signed(len(product) - FIRST_PLACES + 1), name=f"first_{number}")
        magnitude = Signal(len(first), name=f"magnitude_{number}")
        away = Signal(len(first), name=f"away_{number}")
        m.d.comb += [
            first.eq((product + (1 << FIRST_PLACES - 1)) >> FIRST_PLACES),
            magnitude.eq(Mux(first < 0, -first, first)),
            away.eq((magnitude + ((1 << self.places) >> 1)) >> self.places),
        ]
        return Mux(first < 0, -away, away)

    def _scaled_total(self, m: Module) -> Value:
        """Return what the requantizer scales: a total, or its square."""
        total = self._total_of_turn(m)
        if not hasattr(self, "squares"):
            return total
        root = Signal(signed(ROOT_BITS))
        # Any other total squares nothing.
        m.d.comb += root.eq(Mux(self.squares, total, 0))
        return Mux(self.squares, root * root, total)

    def _total_of_turn(self, m: Module) -> Value:
        """Return the total that is scaled; those of later turns are kept while taps go on."""
        if self._lanes == 1:
            return self.total[0]
        later = [self.total[number] for number in range(1, self._lanes)]
        kept = [Signal.like(each, name=f"kept_{n}") for n, each in enumerate(later, 1)]
        self.guarded(*kept)
        with m.If(self.scale & (self.turn == 0)):
            m.d.sync += [register.eq(total) for register, total in zip(kept, later, strict=True)]
        return choose([self.total[0], *kept], self.turn)
