"""Shapes of numbers whose values have names: opcodes, kinds, states, registers of a map.

    kind = Signal(Coded(Kind.__members__, 3))
    with m.If(kind == Kind.CONV): ...

The value is a plain number for those who compute with it; its names are for those who read the
Verilog and the waves.

Tests: `tests/chip/rtl/test_coded.py`.
"""

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Const, Format, Shape, ShapeCastable, Value, ValueLike, unsigned


class Coded(ShapeCastable):
    """An unsigned number of some bits whose codes have names.

    Raises ValueError for a code that does not fit
    """

    def __init__(self, codes: Mapping[str, int], bits: int) -> None:
        for name, code in codes.items():
            if not 0 <= code < 1 << bits:
                raise ValueError(f"codes must fit in {bits} bits, got {int(code)} for {name}")
        self.codes = {name: int(code) for name, code in codes.items()}
        self.bits = bits

    def as_shape(self) -> Shape:
        """Return the shape of the number."""
        return unsigned(self.bits)

    def const(self, init: int | None) -> Const:
        """Return a constant; without a value 0."""
        return Const(0 if init is None else int(init), self.bits)

    def from_bits(self, raw: int) -> int:
        """Return a number as it is read in a simulation."""
        return raw

    def __call__(self, value: ValueLike) -> Value:
        """Return a value of this shape as it is computed with."""
        return Value.cast(value)

    def format(self, value: ValueLike, format_spec: str) -> Any:
        """Return how waves show the number: by the name of its code."""
        names = {code: name for name, code in self.codes.items()}
        return Format.Enum(Value.cast(value), names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Coded) and (self.codes, self.bits) == (other.codes, other.bits)

    def __hash__(self) -> int:
        return hash((tuple(self.codes.items()), self.bits))

    def __repr__(self) -> str:
        return f"Coded({self.codes}, {self.bits})"
