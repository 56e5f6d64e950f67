"""Conversions that leave out nets of fields and checks of bits say the same of all the rest."""

import re

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Cat, Module, Signal
from amaranth.hdl._nir import CombinationalCycle
from amaranth.lib import data
from amaranth.lib.wiring import Component, In, Out

from hwgen.chip.rtl.fields import without_field_nets
from hwgen.chip.rtl.netlists import bits_unchecked

PAIR = data.StructLayout({"first": 4, "second": data.ArrayLayout(2, 2)})


class Swap(Component):
    """Registers a pair of numbers the other way round."""

    pair: In(PAIR)  # type: ignore[valid-type]
    swapped: Out(PAIR)  # type: ignore[valid-type]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        stored = Signal(PAIR)
        m.d.sync += [stored.first.eq(self.pair.second), stored.second.eq(self.pair.first)]
        m.d.comb += self.swapped.eq(stored)
        return m


FIELD = re.compile(r" *(wire width \d|connect) \\\w+[.\[]")
"""A net of a field, or what connects it."""


def lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def converted() -> str:
    text: str = rtlil.convert(Swap(), emit_src=False)
    return text


@pytest.mark.promise(
    "what conversions leave out, nets of fields and checks of bits, changes nothing else"
)
def test_fields_have_no_nets() -> None:
    ordinary = converted()
    assert {r"\pair.first", r"\pair.second", r"\pair.second[1]"} <= set(ordinary.split())
    with without_field_nets():
        bare = converted()
    assert bare != ordinary
    assert lines(bare) == [line for line in lines(ordinary) if not FIELD.match(line)]
    assert converted() == ordinary


def test_unchecked_bits_are_the_same_bits() -> None:
    ordinary = converted()
    with bits_unchecked():
        assert converted() == ordinary
    assert converted() == ordinary


class Loop(Component):
    """A sum, a choice and an inversion; `around`: of which a bit may depend on itself."""

    given: In(8)
    found: Out(8)

    def __init__(self, around: str) -> None:
        super().__init__()
        self._around = around

    def elaborate(self, platform: object) -> Module:
        m = Module()
        total, picked = Signal(8), Signal(8)
        m.d.comb += [
            total.eq((picked if self._around == "sum" else self.given) + 1),
            picked.eq(total << self.given[:3]),
            # Bit by bit nothing depends on itself here.
            self.found.eq(Cat(~self.given[0], self.found[:-1] ^ picked[:-1])),
        ]
        if self._around == "bit":
            m.d.comb += self.found[1].eq(self.found[3])
        return m


@pytest.mark.promise("a bit that depends on itself is refused, however few nets are followed")
@pytest.mark.parametrize("around", ["sum", "bit"])
def test_cycles_are_refused(around: str) -> None:
    with bits_unchecked(), pytest.raises(CombinationalCycle, match="cycle detected"):
        rtlil.convert(Loop(around))


def test_what_only_looks_like_a_cycle_is_converted() -> None:
    ordinary = rtlil.convert(Loop("nothing"))
    with bits_unchecked():
        assert rtlil.convert(Loop("nothing")) == ordinary
