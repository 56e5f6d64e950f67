"""One lane of the DPU: from a sum to an element of a map.

Tests: `tests/verif/mram/test_parts.py`.
"""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.requantizer import Requantizer
from hwgen.mram.facts.arch import Arch
from hwgen.mram.rtl.layouts import parameters, record

STAGES = 5
"""Registers from a sum to its result, each of which loads a value alone."""
SIGN_BITS = 2
"""Bits by which a weighted sum of two elements is wider than element and factor: sign and sum."""


class DpuLane(Part):
    """Bias, scale, clip; then, with a skip map, a weighted sum that is scaled and clipped again.

    ``v = sum + bias``, ``a = clip(round(v * M, s) + zero_point, low, high)``,
    ``r = clip(round((a - za) * Ma + (b - zb) * Mb, t) + sum_zero_point, ..)``, each ``round`` as
    the record says, of those that ``Requantizer`` has

    Pipeline, in cycles after that of ``sum``
        cycle 0  sum + bias
        cycle 1  times M
        cycle 2  round, shift, zero point, clip: a
        cycle 3  the weighted sum; ``skip`` is b
        cycle 4  round, shift, zero point, clip
        cycle 5  ``result``

    Ports
        loads       in   5                     bit k: a value is in cycle k
        record      in   record                stable while a value is in the pipeline
        sum         in   signed accumulator
        parameters  in   bias, multiplier, shift  in the cycle of ``sum``
        skip        in   element               b, three cycles later
        result      out  signed accumulator    the element, extended by zeros; `raw`: v
    Latency  5 cycles from ``sum`` to ``result``, ``DPU_CYCLES``
    Rate     1 a cycle
    Errors   none: sums with bias fit the accumulator; shifts are 1 to 47
    Golden   ``verif.reference.mram.dpu_lane``
    Source   formula in ``hwgen.network.quantization``
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._lane = parameters(arch).elem_shape
        widths: dict[str, Any] = {"element_bits": arch.element_bits, "roundings": arch.rounding}
        self._own = Requantizer(
            family=self.family,
            accumulator_bits=arch.accumulator_bits,
            multiplier_bits=arch.multiplier_bits,
            **widths,
        )
        weighted_bits = arch.element_bits + SIGN_BITS + arch.factor_bits
        self._both = Requantizer(
            family=self.family,
            accumulator_bits=max(arch.accumulator_bits, weighted_bits),
            multiplier_bits=1,
            **widths,
        )
        self.parts = [self._own, self._both]
        super().__init__(
            {
                "loads": In(STAGES),
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
        self.guarded(value, multiplier, waiting, self.result)
        with m.If(self.loads[0]):
            m.d.sync += [
                value.eq(self.sum + self.parameters.bias),
                multiplier.eq(self.parameters.multiplier),
                waiting.eq(self.parameters.shift),
            ]

        # cycle 1: multiply; cycle 2: round, shift and clip
        m.submodules.own = own = self._own.instance()
        first = Signal(signed(wide))
        self.guarded(first)
        m.d.comb += [
            own.enable.eq(self.loads[1]),
            own.accumulator.eq(value),
            own.multiplier.eq(Mux(record.raw, 1, multiplier)),
            own.shift.eq(waiting),
            *self._clip(own),
        ]
        with m.If(self.loads[2]):
            m.d.sync += first.eq(Mux(record.raw, own.product, own.result))

        # cycle 3: the weighted sum; cycle 4: round, shift and clip
        m.submodules.both = both = self._both.instance()
        # Its multipliers stand still where no record has a skip map.
        bits = self._arch.element_bits
        a, b = (each & record.skip.replicate(bits) for each in (first[:bits], self.skip))
        weighted = (a - self._element("own_zero_point")) * record.own_multiplier + (
            b - self._element("skip_zero_point")
        ) * record.skip_multiplier
        m.d.comb += [
            both.enable.eq(self.loads[3]),
            both.accumulator.eq(Mux(record.skip, weighted, first)),
            both.multiplier.eq(1),
            both.shift.eq(record.sum_shift),
            *self._clip(both, prefix="sum_"),
        ]
        with m.If(self.loads[4]):
            m.d.sync += self.result.eq(Mux(record.skip, both.result, both.product))
        return m

    def _element(self, name: str) -> Value:
        """Return a field that holds a value of a map, as wide as an element of this chip."""
        return Value.cast(self.record[name])[: self._arch.element_bits]

    def _clip(self, requantizer: Any, *, prefix: str = "") -> list[Any]:
        """Return the numbers of the record that a requantizer uses beside its sum."""
        names = [*("zero_point", "low", "high"), *(["rounding"] if self._arch.floats else [])]
        return [
            getattr(requantizer, name).eq(Value.cast(self.record[f"{prefix}{name}"]))
            for name in names
        ]
