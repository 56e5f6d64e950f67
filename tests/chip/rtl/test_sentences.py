"""What a docstring's table says of ports: order, sentences, rows of several names and lines."""

from types import SimpleNamespace

import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.sentences import sentences_of


class Told(Part):
    """Has a table.

    Ports
        second, third   in    1   a bit, with a ``mark``,
                                  and a second line
        first           in    2   two bits
        untold          in    1

    Latency: none
    """

    family = "tiny"

    def __init__(self) -> None:
        super().__init__(
            {"first": In(2), "untold": In(1), "second": In(1), "third": In(1), "last": Out(1)}
        )

    def elaborate(self, platform: object) -> Module:
        return Module()


class Untold(Told):
    """Has no table."""


def test_a_table_gives_order_and_sentences() -> None:
    found = sentences_of(Told())
    assert list(found.ports) == ["second", "third", "first", "untold", "clk", "rst", "last"]
    sentence = "a bit, with a mark, and a second line"
    assert found.of_ports == {"second": sentence, "third": sentence, "first": "two bits"}


class Conditional(Part):
    """Says what holds on some chips alone.

    Ports
        first   in   1  its sign [with ``signs``]
        second  in   1  a bit [with ``signs``: of two] [without ``signs``:
                        of one]
    """

    family = "tiny"

    def __init__(self, signs: bool) -> None:
        self._arch = SimpleNamespace(sparsity=SimpleNamespace(signs=signs))
        super().__init__({"first": In(1), "second": In(1)})

    def elaborate(self, platform: object) -> Module:
        return Module()


@pytest.mark.promise("sentences of ports in Verilog speak of the chip at hand, not of others")
@pytest.mark.parametrize(("signs", "second"), [(True, "a bit; of two"), (False, "a bit; of one")])
def test_conditions_are_those_of_the_chip(signs: bool, second: str) -> None:
    assert sentences_of(Conditional(signs)).of_ports == {"first": "its sign", "second": second}


def test_a_part_that_knows_no_chip_says_no_condition() -> None:
    part = Conditional(True)
    del part._arch
    assert sentences_of(part).of_ports == {"first": "its sign", "second": "a bit"}


def test_without_a_table_ports_stay_as_they_are() -> None:
    found = sentences_of(Untold())
    assert list(found.ports) == ["clk", "rst", "first", "untold", "second", "third", "last"]
    assert not found.of_ports
