"""What a docstring's table says of ports: order, sentences, rows of several names and lines."""

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


def test_without_a_table_ports_stay_as_they_are() -> None:
    found = sentences_of(Untold())
    assert list(found.ports) == ["clk", "rst", "first", "untold", "second", "third", "last"]
    assert not found.of_ports
