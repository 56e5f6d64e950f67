"""A lane of the SIMD unit: accumulates the taps of one byte, then requantizes the total."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, ACTIVATION_BITS
from hwgen.dbpim.rtl.layouts import simd_tag
from hwgen.dbpim.rtl.requantizer import SHIFT_BITS, Requantizer
from hwgen.network.quantization import MULTIPLIER_BITS

FACTOR_BITS = MULTIPLIER_BITS + 1
"""A factor is M of a map of ADD, or an int8 weight."""

CENTRED_BITS = ACTIVATION_BITS + 1

SUM_BYTES = 3
"""Bytes of a total that leaves unscaled."""


def tap_mode() -> data.StructLayout:
    """What a lane makes of a tap: without a flag, it adds the centred byte times the factor.

    first: the total starts with the bias; maximum: the larger one of total and byte
    weighs_planes: add byte * 256**plane; multiplies: the total becomes total * centred byte
    """
    flags = dict.fromkeys(("first", "maximum", "weighs_planes", "multiplies"), 1)
    return data.StructLayout({**flags, "plane": simd_tag()["plane"].shape})


class SimdLane(Part):
    """One byte of a word-vector: a total over its taps, then a byte of the result.

    ``total = (first ? bias : total_before) + (input_byte - zero_point) * factor``, and what
    ``tap_mode`` says instead;
    ``result = clip(((total * multiplier + 2**(shift - 1)) >> shift) + output_zero_point)``

    Ports
        enable             in   1          cycle 0: the inputs up to `total_before` hold a tap
        mode               in   tap_mode
        input_byte         in   8          unsigned
        zero_point         in   8          unsigned
        factor             in   signed 17
        bias               in   signed 32
        total_before       in   signed 32  the total before this tap
        total              out  signed 32  cycle 1: the total with this tap
        scale              in   1          the total is final: multiply
        multiplier, shift  in   16, 6      unsigned
        output_zero_point, low, high  in  8  cycle 2: unsigned
        result             out  8          unsigned
        sum                out  24         the lowest bytes of total * multiplier
    Latency  1 cycle from `enable` to `total`, which holds until the next; 1 cycle from `scale` to
             `result` and `sum`, which hold too
    Rate     1 a cycle
    Errors   none; the check of the network keeps every total within 32 bits
    Golden   ``golden.dbpim.simd``
    Source   docs/dbpim-microarchitecture.md, "simd"
    """

    family = "dbpim"

    def __init__(self) -> None:
        self._requantizer = Requantizer()
        self.parts = [self._requantizer]
        total = signed(ACCUMULATOR_BITS)
        super().__init__(
            {
                "enable": In(1),
                "mode": In(tap_mode()),
                "input_byte": In(ACTIVATION_BITS),
                "zero_point": In(ACTIVATION_BITS),
                "factor": In(signed(FACTOR_BITS)),
                "bias": In(total),
                "total_before": In(total),
                "total": Out(total),
                "scale": In(1),
                "multiplier": In(MULTIPLIER_BITS),
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
        mode = self.mode
        # Cycle 0: accumulate.
        base, factor = Signal(signed(ACCUMULATOR_BITS)), Signal(signed(FACTOR_BITS))
        centred = Signal(signed(CENTRED_BITS))
        plane = self.input_byte << (mode.plane << 3)
        m.d.comb += [
            base.eq(Mux(mode.first, self.bias, Mux(mode.multiplies, 0, self.total_before))),
            factor.eq(
                Mux(mode.multiplies, self.total_before[:CENTRED_BITS].as_signed(), self.factor)
            ),
            centred.eq(self.input_byte - self.zero_point),
        ]
        with m.If(self.enable):
            with m.If(mode.maximum):
                m.d.sync += self.total.eq(Mux(self.input_byte > base, self.input_byte, base))
            with m.Else():
                m.d.sync += self.total.eq(base + Mux(mode.weighs_planes, plane, centred * factor))

        # Cycle 1: multiply. Cycle 2: round, shift and clip.
        m.submodules.requantizer = requantizer = self._requantizer.instance()
        m.d.comb += [
            requantizer.enable.eq(self.scale),
            requantizer.accumulator.eq(self.total),
            requantizer.multiplier.eq(self.multiplier),
            requantizer.shift.eq(self.shift),
            requantizer.zero_point.eq(self.output_zero_point),
            requantizer.low.eq(self.low),
            requantizer.high.eq(self.high),
            self.result.eq(requantizer.result),
            self.sum.eq(requantizer.product),
        ]
        return m
