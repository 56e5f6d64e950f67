"""One lane of the DPU: from a sum to an element of a map."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.mram.facts.arch import Arch
from hwgen.mram.rtl.layouts import parameters, record
from hwgen.network.quantization import MULTIPLIER_BITS, SHIFT_HIGH

SUM_BITS = 2 + MULTIPLIER_BITS
"""Bits by which a weighted sum of two elements is wider than one: signs, sum and factor."""


class DpuLane(Part):
    """Bias, scale, clip; then, with a skip map, a weighted sum that is scaled and clipped again.

    ``v = sum + bias``, ``a = clip(((v * M + 2**(s - 1)) >> s) + zero_point, low, high)``,
    ``r = clip((((a - za) * Ma + (b - zb) * Mb + 2**(t - 1)) >> t) + sum_zero_point, ..)``

    Pipeline, in cycles after that of ``sum``
        cycle 0  sum + bias
        cycle 1  times M
        cycle 2  round, shift, zero point, clip: a
        cycle 3  the weighted sum; ``skip`` is b
        cycle 4  round, shift, zero point, clip
        cycle 5  ``result``

    Ports
        record      in   record                stable while a value is in the pipeline
        sum         in   signed accumulator
        parameters  in   bias, multiplier, shift  in the cycle of ``sum``
        skip        in   element               b, three cycles later
        result      out  signed accumulator    the element, extended by zeros; `raw`: v
    Latency  5 cycles from ``sum`` to ``result``, ``DPU_CYCLES``
    Rate     1 a cycle
    Errors   none: sums with bias fit the accumulator; shifts are 1 to 47
    Golden   ``golden.mram.dpu_lane``
    Source   formula in ``hwgen.network.quantization``
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._lane = parameters(arch).elem_shape
        super().__init__(
            {
                "record": In(record(arch)),
                "sum": In(signed(arch.accumulator_bits)),
                "parameters": In(self._lane),
                "skip": In(arch.element_bits),
                "result": Out(signed(arch.accumulator_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        record, wide = self.record, self._arch.accumulator_bits
        # cycle 0: bias
        value, multiplier = Signal(signed(wide)), Signal.like(self.parameters.multiplier)
        waiting = Signal.like(self.parameters.shift)
        m.d.sync += [
            value.eq(self.sum + self.parameters.bias),
            multiplier.eq(self.parameters.multiplier),
            waiting.eq(self.parameters.shift),
        ]

        # cycle 1: multiply
        product, shift = Signal(signed(wide + MULTIPLIER_BITS)), Signal.like(self.parameters.shift)
        m.d.sync += [
            product.eq(value * Mux(record.raw, 1, multiplier)),
            shift.eq(waiting),
        ]
        # cycle 2: round, shift and clip
        own = self._scaled(
            product, shift=shift, zero_point=record.zero_point, low=record.low, high=record.high
        )
        first = Signal(signed(wide))
        m.d.sync += first.eq(Mux(record.raw, product, own))

        # cycle 3: the weighted sum
        a, b = first[: self._arch.element_bits], self.skip
        weighted = (a - self._element("own_zero_point")) * record.own_multiplier + (
            b - self._element("skip_zero_point")
        ) * record.skip_multiplier
        total = Signal(signed(max(wide, self._arch.element_bits + SUM_BITS)))
        m.d.sync += total.eq(Mux(record.skip, weighted, first))

        # cycle 4: round, shift and clip
        both = self._scaled(
            total,
            shift=record.sum_shift,
            zero_point=record.sum_zero_point,
            low=record.sum_low,
            high=record.sum_high,
        )
        m.d.sync += self.result.eq(Mux(record.skip, both, total))
        return m

    def _element(self, name: str) -> Value:
        """Return a field that holds a value of a map, as wide as an element of this chip."""
        return Value.cast(self.record[name])[: self._arch.element_bits]

    def _scaled(
        self, product: Value, *, shift: Value, zero_point: Value, low: Value, high: Value
    ) -> Value:
        """Return clip(((product + 2**(shift - 1)) >> shift) + zero_point, low, high)."""
        half = ((1 << shift) >> 1)[:SHIFT_HIGH]
        scaled = ((product + half) >> shift) + zero_point
        return Mux(scaled < low, low, Mux(scaled > high, high, scaled))
