"""Pipelined division of floats by a held divisor, to the nearest integers and bytes.

Tests: `tests/verif/dbpim/test_floats.py`.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS
from hwgen.dbpim.rtl.floats import FLOAT32, Stages, number

HALVES = ACTIVATION_BITS + 2
"""Bits of a quotient below 512, in halves; one that has more is above 256."""
AT_ONCE = 2
"""Bits of a quotient that a stage finds."""
STEPS = HALVES // AT_ONCE


class ByteDivider(Part):
    """``result = clip(rne(f(value / divisor)) + zero_point, low, high)``, f: nearest float32.

    Long division to halves, two bits in each stage; the last remainder decides. f alone makes a
    quotient a tie that is none: a quotient beside ``i + 1/2`` whose distance is less than half of
    the last of its 24 bits. A quotient of 25 bits does not exist, so that no distance is as much.

    Pipeline
        stage 1        fields, and the place of the quotient
        stages 2 to 6  ten bits of the quotient in halves, the highest first
        stage 7        rounded, moved and clipped
    Ports
        enable      in   1   all stages move; else they hold
        value       in   32  float32
        divisor     in   31  normal float32 above 0, without its sign; held
        zero_point  in   8   held too
        low, high   in   8   held too
        result      out  8
    Latency  ``BYTE_DIVIDER_CYCLES`` edges with `enable`, from value to result
    Rate     one result in each cycle
    Errors   none; for a value that is not finite the result is an end of the clip
    Golden   ``golden.ops.float32.divide``, ``golden.ops.float32.to_integers``
    Source   IEEE 754, division and roundToIntegralTiesToEven
    """

    family = "dbpim"

    def __init__(self) -> None:
        super().__init__(
            {
                "enable": In(1),
                "value": In(FLOAT32.bits),
                "divisor": In(FLOAT32.bits - 1),
                "zero_point": In(ACTIVATION_BITS),
                "low": In(ACTIVATION_BITS),
                "high": In(ACTIVATION_BITS),
                "result": Out(ACTIVATION_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        size = FLOAT32
        stages = Stages(self, m, self.enable)
        divisor = Cat(self.divisor[: size.fraction], Const(1, 1))
        value = number(m, self.value, size, name="value")
        negative = stages.hold(value.negative, "negative", stages=STEPS + 1)
        # Stage 1. The place of the first bit that may be 1; below 0 the quotient is below a half.
        place = Signal(signed(size.exponent + 2))
        m.d.comb += place.eq(value.exponent - self.divisor[size.fraction :] + 1)
        large = stages.hold(place >= HALVES, "large", stages=STEPS + 1)
        waits = Mux(place < 0, HALVES, Mux(place >= HALVES, 0, HALVES - 1 - place))
        waiting = stages.hold(waits[: bits_for_index(HALVES + 1)], "waiting_0")
        rest = stages.hold(Cat(value.significand, Const(0, 1)), "rest_0")
        quotient: Value = Const(0, 0)
        # Stages 2 to 6. `rest` is below twice the divisor.
        for bit in range(HALVES):
            begun = waiting <= bit
            less = Signal(signed(len(rest) + 1), name=f"less_{bit}")
            m.d.comb += less.eq(rest - divisor)
            fits = begun & ~less[-1]
            left = Mux(fits, less[: len(rest)], rest)
            doubled = begun if bit < HALVES - 1 else Const(0, 1)
            rest, quotient = Mux(doubled, left << 1, left)[: len(rest)], Cat(fits, quotient)
            if bit % AT_ONCE == AT_ONCE - 1:
                rest = stages.hold(rest, f"rest_{bit}")
                quotient = stages.hold(quotient, f"quotient_{bit}")
                waiting = stages.hold(waiting, f"waiting_{bit}")
        tiny = waiting == HALVES
        magnitude = self._nearest(m, quotient, rest, divisor)
        self._clip(m, stages, magnitude=Mux(tiny, 0, magnitude), negative=negative, large=large)
        return m

    def _nearest(self, m: Module, halves: Value, rest: Value, divisor: Value) -> Value:
        """Return the nearest integer of a quotient, as float32 rounds it first."""
        whole, half = halves[1:], halves[0]
        # Half of the last of 24 bits of the quotient, in units of the remainder.
        reach = Signal(HALVES)
        for bit in range(len(whole)):
            with m.If(whole[bit]):
                m.d.comb += reach.eq((divisor - 1) >> FLOAT32.significand - 1 - bit)
        distance = Mux(half, rest, divisor - rest)
        tie = distance <= reach
        odd = whole[0]
        up = Mux(half, odd | ~tie, odd & tie)
        nearest = Signal(HALVES)
        m.d.comb += nearest.eq(whole + up)
        return nearest

    def _clip(
        self, m: Module, stages: Stages, *, magnitude: Value, negative: Value, large: Value
    ) -> None:
        """Place the last stage: the zero point, and the ends of a byte."""
        moved = Signal(signed(HALVES + 2))
        m.d.comb += moved.eq(self.zero_point + Mux(negative, -magnitude, magnitude))
        least = Mux(large, negative, moved < self.low)
        most = Mux(large, ~negative, moved > self.high)
        clipped = Mux(least, self.low, Mux(most, self.high, moved))
        m.d.comb += self.result.eq(stages.hold(clipped[:ACTIVATION_BITS], "clipped"))
