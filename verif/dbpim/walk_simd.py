"""The words that a core requests for a SIMD step, in their order."""

from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.dbpim.facts.instructions import Opcode, Operation
from verif.dbpim.walk_plan import Position, Step, StoredMap, Word


@dataclass(kw_only=True)
class Simd(Step):
    """A SIMD step; words: first channel word of the core, and how many.

    second: map b of ADD and MULTIPLY; broadcast: it has one pixel an image
    """

    operation: Operation
    words: tuple[int, int]
    second: StoredMap | None = None
    broadcast: bool = False

    def fields(self) -> dict[str, int]:
        """Return the fields of the instruction that the walker reads."""
        second = self.second.fields("second") if self.second else {}
        return {
            **super().fields(),
            **second,
            "opcode": Opcode.SIMD,
            "operation": self.operation,
            "second_broadcast": int(self.broadcast),
            "grow_y": self.grow[0],
            "grow_x": self.grow[1],
            "grow_zeros": int(self.zeros),
        }

    def work(self) -> dict[str, int]:
        """Return the fields of the core that the walker reads."""
        first = self.second.placement.first[0] if self.second else 0
        words = {"word_first": self.words[0], "word_count": self.words[1]}
        return {**super().work(), **words, "second_first": first}

    @property
    def taps(self) -> list[tuple[int, int]]:
        """Window row and column of each tap; of two maps both are those of the position."""
        height, width = self.kernel
        if self.second:
            return [(0, 0), (0, 0)]
        return [(ky, kx) for ky in range(height) for kx in range(width)]

    def walk(self) -> Iterator[Word]:
        """Yield the words: for each channel word, vector and tap."""
        first, count = self.words
        for word in range(first, first + count):
            for vector in self.vectors:
                positions = self.positions(vector, 0)
                for tap in range(len(self.taps)):
                    yield self._word(positions, word, tap, last_vector=vector == self.vectors[-1])

    def _word(self, positions: list[Position], word: int, tap: int, *, last_vector: bool) -> Word:
        """Return one tap of one vector."""
        last = tap == len(self.taps) - 1
        second = self.second is not None and tap == 1
        flags = {
            "first": int(tap == 0),
            "last": int(last),
            "second": int(second),
            "word_end": int(last and last_vector),
            "tap": tap,
            "word": word,
        }
        if self.second is None:
            flags["plane"] = self.taps[tap][1] % 4
        content = [self.content(at, word, tap) if at.active else None for at in positions]
        return Word(positions, content, second, {"simd": flags})

    def content(self, at: Position, word: int, tap: int) -> bytes:
        """Return one channel word of golden's window, or of the second map; outside beyond it."""
        size = self.arch.word
        channels = slice(word * size, (word + 1) * size)
        if self.second and tap == 1:
            y, x = (0, 0) if self.broadcast else (at.y, at.x)
            content = self.second.maps[at.image, y, x, channels]
        else:
            content = self.seen[at.image, at.y, at.x, *self.taps[tap], channels]
        return bytes(content.tolist()) or bytes([self.outside] * size)
