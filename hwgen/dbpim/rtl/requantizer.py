"""Requantization of an int32 accumulator to a byte, for one filter or one channel."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index, bits_for_range
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, ACTIVATION_BITS
from hwgen.network.quantization import (
    ACCUMULATOR_HIGH,
    ACCUMULATOR_LOW,
    MULTIPLIER_BITS,
    MULTIPLIER_HIGH,
    SHIFT_HIGH,
)

SHIFT_BITS = bits_for_index(SHIFT_HIGH + 1)
PRODUCT_BITS = bits_for_range(ACCUMULATOR_LOW * MULTIPLIER_HIGH, ACCUMULATOR_HIGH * MULTIPLIER_HIGH)


class Requantizer(Part):
    """Fixed-point scaling with one rounding (ties go up), zero point and clip.

    ``product = accumulator * multiplier``;
    ``result = clip(((product + 2**(shift - 1)) >> shift) + zero_point, low, high)``

    Ports
        enable       in   1          load accumulator and shift
        accumulator  in   signed 32
        multiplier   in   16         unsigned
        shift        in   6          1 to 47
        zero_point, low, high  in  8 unsigned, used in the cycle of `result`
        product      out  signed 32  lowest bits of the product, for results that stay int32
        result       out  8          unsigned
    Latency  1 cycle from `enable` to `product` and `result`, which hold until the next
    Rate     1 a cycle
    Errors   none
    Golden   ``golden.dbpim.requantizer.requantize``
    Source   formula and vectors in ``hwgen.network.quantization``
    """

    family = "dbpim"

    def __init__(self) -> None:
        super().__init__(
            {
                "enable": In(1),
                "accumulator": In(signed(ACCUMULATOR_BITS)),
                "multiplier": In(MULTIPLIER_BITS),
                "shift": In(SHIFT_BITS),
                "zero_point": In(ACTIVATION_BITS),
                "low": In(ACTIVATION_BITS),
                "high": In(ACTIVATION_BITS),
                "product": Out(signed(ACCUMULATOR_BITS)),
                "result": Out(ACTIVATION_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Cycle 0: multiply.
        product = Signal(signed(PRODUCT_BITS))
        shift = Signal(SHIFT_BITS)
        with m.If(self.enable):
            m.d.sync += [
                product.eq(self.accumulator * self.multiplier),
                shift.eq(self.shift),
            ]

        # Cycle 1: round, shift and clip. A shift of at least 1 leaves a bit of the product's width
        # for the half and the zero point.
        half = Signal(PRODUCT_BITS - 1)
        shifted = Signal(signed(PRODUCT_BITS))
        m.d.comb += [
            self.product.eq(product),
            half.eq((1 << shift) >> 1),
            shifted.eq(((product + half) >> shift) + self.zero_point),
            self.result.eq(
                Mux(shifted < self.low, self.low, Mux(shifted > self.high, self.high, shifted))
            ),
        ]
        return m
