"""A short queue of words that takes up to two words in a cycle and gives one.

Tests: `tests/verif/dbpim/test_parts.py`.
"""

from typing import NamedTuple

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data

from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.instructions import ROW_BITS


class Pushed(NamedTuple):
    """Words that come in a cycle: `one` is there at all, `two` with a second one behind it."""

    one: Value
    two: Value
    words: tuple[Value, Value]


class WordQueue:
    """A queue within a part; a word may leave in the cycle in which it comes.

    valid, head: the oldest word, which leaves
    empty: no word is left behind this cycle
    """

    def __init__(self, arch: Arch, *, name: str) -> None:
        self._layout = placed_word(arch)
        self._entries = [
            Signal(self._layout, name=f"{name}_{number}") for number in range(arch.pair_words)
        ]
        self._count = Signal(range(arch.pair_words + 1), name=f"{name}_count")
        self._next = Signal.like(self._count, name=f"{name}_next")
        self.valid = Signal(name=f"{name}_valid")
        self.head = Signal(self._layout, name=f"{name}_head")
        self.empty = self._next == 0

    def step(self, m: Module, *, runs: Value, pushed: Pushed) -> None:
        """Take and give words in a cycle that `runs`; pushed: none where there is no room."""
        count, entries = self._count, self._entries
        first, second = pushed.words
        m.d.comb += [
            self.valid.eq(runs & ((count != 0) | pushed.one)),
            self.head.eq(Mux(count != 0, entries[0].as_value(), first)),
            self._next.eq(count + pushed.one + pushed.two - self.valid),
        ]
        with m.If(runs):
            m.d.sync += count.eq(self._next)
            for number, entry in enumerate(entries):
                held = entries[number + 1].as_value() if number + 1 < len(entries) else second
                new = Mux(count == number + 1, first, second)
                m.d.sync += entry.eq(Mux(count > number + 1, held, new))

    def has_room(self, *, two: Value) -> Value:
        """Return whether up to two words find room: one leaves in each cycle."""
        return ~(two & (self._count == len(self._entries)))


def placed_word(arch: Arch) -> data.StructLayout:
    """A word, and its row, column and channel word, counted from the LOAD's first."""
    return data.StructLayout(
        {
            "row": ROW_BITS,
            "column": ROW_BITS,
            "word": ROW_BITS,
            "data": ACTIVATION_BITS * arch.word,
        }
    )
