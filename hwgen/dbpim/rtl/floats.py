"""Binary floating-point numbers in registers: their fields, and the stages of a pipeline."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index


class FloatSize(NamedTuple):
    """Bits of a format of IEEE 754: of the significand with its hidden bit, of the exponent."""

    significand: int
    exponent: int

    @property
    def bits(self) -> int:
        """Bits of a number."""
        return self.significand + self.exponent

    @property
    def fraction(self) -> int:
        """Bits of the significand that are stored."""
        return self.significand - 1

    @property
    def bias(self) -> int:
        """Biased exponent of 1."""
        return (1 << self.exponent - 1) - 1

    @property
    def infinite(self) -> int:
        """Biased exponent of infinities."""
        return (1 << self.exponent) - 1


FLOAT32 = FloatSize(24, 8)


class Number(NamedTuple):
    """Fields of a number; exponent: biased, of a subnormal number and zero 1."""

    negative: Value
    significand: Value
    exponent: Value


def number(m: Module, bits: Value, size: FloatSize, *, name: str) -> Number:
    """Return the fields of a finite number."""
    stored = bits[size.fraction : size.bits - 1]
    significand = Signal(size.significand, name=f"{name}_significand")
    exponent = Signal(size.exponent, name=f"{name}_exponent")
    m.d.comb += [
        significand[: size.fraction].eq(bits[: size.fraction]),
        significand[-1].eq(stored.any()),
        exponent.eq(Mux(stored.any(), stored, 1)),
    ]
    return Number(bits[-1], significand, exponent)


def leading_zeros(m: Module, value: Value, *, name: str) -> Value:
    """Return the zeros above the leading 1; of zero the count means nothing.

    Halves are counted apart: the lower one counts where the upper one is zero.
    """
    places = 1 << bits_for_index(len(value))
    count = Signal(range(places), name=name)
    m.d.comb += count.eq(_zeros(Cat(Const(0, places - len(value)), value))[1])
    return count


def _zeros(value: Value) -> tuple[Value, Value]:
    """Return whether all bits are zero, and else how many are above the leading 1."""
    if len(value) == 2:
        return ~value.any(), ~value[1]
    half = len(value) // 2
    (none_low, low), (none_high, high) = _zeros(value[:half]), _zeros(value[half:])
    return none_low & none_high, Cat(Mux(none_high, low, high), none_high)


class Stages:
    """Registers of a pipeline that move with `enable`."""

    def __init__(self, part: Part, m: Module, enable: Value) -> None:
        self._part, self._module, self._enable = part, m, enable

    def hold(self, value: Value, name: str, *, stages: int = 1) -> Value:
        """Return a value some stages later."""
        for stage in range(stages):
            register = Signal(value.shape(), name=f"{name}_{stage + 1}")
            self._part.guarded(register)
            with self._module.If(self._enable):
                self._module.d.sync += register.eq(value)
            value = register
        return value
