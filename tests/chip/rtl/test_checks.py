"""Assertions stand behind a macro at the end of a module; its logic has the text without them."""

import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.check_text import BEGIN, MACRO, SECTION, without_assertions
from hwgen.chip.rtl.checks import (
    holds_payload,
    in_range,
    must,
    neither_over_nor_under,
    one_hot,
    within,
)
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.part import Part


class Counts(Part):
    """A counter of words, with assertions or without.

    Ports
        taken  in   4
        words  out  stream of 4 bits
    """

    family = "tiny"

    def __init__(self, *, checked: bool, depth: int = 10, guarded: bool = False) -> None:
        self._checked, self._depth, self._guarded = checked, depth, guarded
        super().__init__({"taken": In(4), "words": Out(stream.Signature(4))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        level = Signal(4)
        m.d.sync += level.eq(level + self.taken[0] - (self.words.valid & self.words.ready))
        m.d.comb += [self.words.valid.eq(level != 0), self.words.payload.eq(level)]
        if self._guarded:
            with m.If(self.taken[0]):
                must(m, level != 0, "level must be 1 to 15")
        if self._checked:
            neither_over_nor_under(
                m, "it", level=level, depth=10, into=self.taken[0], out_of=self.taken[1]
            )
            in_range(m, "level", level, self._depth)
            within(m, "taken", self.taken, 12, when=level == 0)
            one_hot(m, "bits", Cat(self.taken))
            holds_payload(m, "words", self.words)
        return m


def text_of(part: Part) -> str:
    return verilog_modules(part)["tiny_counts"]


@pytest.mark.promise("assertions change no line of a module's logic, and stand behind a macro")
def test_the_logic_is_as_it_would_be_without() -> None:
    checked, bare = text_of(Counts(checked=True)), text_of(Counts(checked=False))
    assert BEGIN not in bare
    assert checked != bare
    assert without_assertions(checked) == bare


def test_the_section_reads_as_a_person_writes_it() -> None:
    found = SECTION.search(text_of(Counts(checked=True)))
    assert found is not None
    section = found[0]
    assert section.startswith(f"`ifdef {MACRO}\n")
    assert 'assert (words__payload <= 4\'ha) `HWGEN_ELSE("level must be 0 to 10");' in section
    assert "at most one of bits must be 1" in section
    assert "=== asserted_words" in section
    assert "asserted_words_waits <= words__valid & !(words__ready | rst);" in section
    assert "    if (!rst) begin\n" in section


def test_what_no_fault_can_break_is_no_assertion() -> None:
    """All values of four bits are in a range of 16."""
    assert "level must be" not in text_of(Counts(checked=True, depth=15))


def test_an_assertion_within_an_if_is_an_error() -> None:
    with pytest.raises(ValueError, match="an assertion must hold in each cycle"):
        text_of(Counts(checked=False, guarded=True))
