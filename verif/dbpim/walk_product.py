"""The words that a core requests for a product of two maps, in their order."""

from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.dbpim.facts.instructions import Operation
from verif.dbpim.walk_plan import Bytes, Position, Word
from verif.dbpim.walk_simd import Simd


@dataclass(kw_only=True)
class Product(Simd):
    """A product of two maps; each result word reads `held` words of map a.

    groups: of channels; results: result words of a group
    """

    groups: int
    results: int
    held: int

    @property
    def skips(self) -> int:
        """Groups, and words of its group, before the first result word of the core."""
        return sum(divmod(self.words[0], self.results))

    def fields(self) -> dict[str, int]:
        """Return the fields of the instruction that the walker reads."""
        assert self.second is not None
        return {
            **super().fields(),
            "input_width": self.second.maps.shape[2],
            "kernel_height": self.held,
            "kernel_width": 1 + self.arch.word,
            "stride_y": self.results,
            "stride_x": self.arch.word // self.second.maps.shape[2],
            "outside": self.arch.word % self.second.maps.shape[2],
        }

    def walk(self) -> Iterator[Word]:
        """Yield the words: for each result word and vector, words of map a and pixels of map b."""
        first, count = self.words
        for word in range(first, first + count):
            for vector in self.vectors:
                positions = self.positions(vector, 0)
                for row in range(self.held):
                    yield self._held(positions, word, row)
                    for number in range(self.arch.word):
                        last = vector == self.vectors[-1]
                        yield self._met(positions, word, row, number, last_vector=last)

    def _held(self, positions: list[Position], word: int, row: int) -> Word:
        """Return a word of map a at each position."""
        at = self._of_group(word) + row
        content = [
            self._channels(self.source.maps[each.image, each.y, each.x], at)
            if each.active
            else None
            for each in positions
        ]
        flags = {"first": 0, "last": 0, "second": 0, "word_end": 0, "word": word}
        return Word(positions, content, False, {"simd": flags})

    def _met(
        self, positions: list[Position], word: int, row: int, number: int, *, last_vector: bool
    ) -> Word:
        """Return a pixel of map b, the same at each position."""
        assert self.second is not None
        size, maps = self.arch.word, self.second.maps
        scores = self.operation is Operation.SCORES
        of_group = word % self.results
        pixel = size * (of_group if scores else row) + number
        at = self._of_group(word) + row if scores else word
        pixels = maps.reshape(len(maps), -1, maps.shape[3])
        content = [
            self._channels(pixels[each.image, pixel], at) if each.active else None
            for each in positions
        ]
        last = row == self.held - 1 and number == size - 1
        flags = {
            "first": int(row == number == 0),
            "last": int(last),
            "second": 1,
            "word_end": int(last and last_vector),
            "tap": number,
            "word": word,
        }
        return Word(positions, content, True, {"simd": flags})

    def _of_group(self, word: int) -> int:
        """Return the first word of map a that belongs to the group of a result word."""
        return word // self.results * self.held

    def _channels(self, pixel: Bytes, word: int) -> bytes:
        """Return one channel word of a pixel."""
        size = self.arch.word
        return bytes(pixel[word * size : (word + 1) * size].tolist())
