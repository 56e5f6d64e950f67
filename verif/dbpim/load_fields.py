"""Random LOADs, the bytes that they read and the words that they must write."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.fields import encode
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import PIXEL_BYTES, Opcode, core_count
from verif.dbpim.random_tiles import beats_of
from verif.reference.dbpim.activation_buffer import bank_of
from verif.reference.dbpim.load import packed_words, whole_words

PlacedWord = tuple[int, int, int, tuple[int, ...]]
"""Stored row, stored column, channel word and bytes."""
PAIRS = 4
"""Words that wait for a bank."""
PIXELS_A_CYCLE = 4
"""Packed pixels that are passed in a cycle at most."""


@dataclass(frozen=True)
class Load:
    """Fields of a LOAD, without those of cores, and the whole beats that it reads."""

    arch: Arch
    fields: dict[str, int]
    content: NDArray[np.uint8]

    @property
    def packed(self) -> bool:
        """Whether memory holds packed pixels, not whole words."""
        return self.fields["pixel_bytes"] > 0

    def header(self) -> int:
        """Return the packet without the fields of cores."""
        fields = tuple(f for f in self.arch.packets[Opcode.LOAD] if core_count(f.name) == 0)
        return encode(fields, {"opcode": Opcode.LOAD, **self.fields})

    def beats(self) -> list[int]:
        """Return the data as beats."""
        return beats_of(self.content.tobytes(), self.arch)

    def passed(self) -> int:
        """Return the pixels that are passed in a row, or its words."""
        fields = self.fields
        if not self.packed:
            return fields["columns"] * fields["output_channel_words"]
        last = (fields["columns"] - 1) * fields["window_stride"] + fields["window_pixels"]
        return max(fields["memory_columns"] + fields["window_padding"], last)

    def passes(self) -> list[tuple[int, bool]]:
        """Return for each cycle with a beat the words written, and whether the beat is taken."""
        fields, arch, found = self.fields, self.arch, list[tuple[int, bool]]()
        size, rows = arch.word, fields["rows"]
        if not self.packed and arch.pair_words:
            return [(len(words), takes) for words, takes, _ in self.pairs()]
        if not self.packed:
            beats, per_beat = max(1, size // arch.port_bytes), max(1, arch.port_bytes // size)
            for number in range(rows * self.passed()):
                last = number == rows * self.passed() - 1
                found += [(0, True)] * (beats - 1)
                found.append((1, last or number % per_beat == per_beat - 1))
            return found
        per_beat, pixel = arch.port_bytes // fields["pixel_bytes"], 0
        for row in range(rows):
            places = deque(range(self.passed()))
            while places:
                writes, takes = 0, False
                for _ in range(min(arch.bus_words, PIXELS_A_CYCLE)):
                    if not places:
                        break
                    inside = 0 <= self.column(places[0]) < fields["memory_columns"]
                    if takes and inside:
                        break
                    writes += self.completes(places.popleft())
                    pixel += inside
                    held = pixel == rows * fields["memory_columns"]
                    takes |= inside and pixel % per_beat == 0 and not held
                found.append((writes, takes or (row == rows - 1 and not places)))
        return found

    def pairs(self) -> list[tuple[list[PlacedWord], bool, bool]]:
        """Return for each cycle the words written, whether the beat is taken, and waits for room.

        Words wait for even and for odd banks; two are taken where both find room.
        """
        left, waiting = deque(self.in_memory()), (deque[PlacedWord](), deque[PlacedWord]())
        per_beat, used, found = self.arch.port_bytes // self.arch.word, 0, []
        while left or any(waiting):
            kinds = [bank_of(*word[:2], banks=self.arch.banks) % 2 for word in [*left][:2]]
            needed = [len(queue) + kinds.count(kind) for kind, queue in enumerate(waiting)]
            full = any(kinds.count(kind) == 2 and needed[kind] > PAIRS + 1 for kind in kinds)
            for kind in [] if full else kinds:
                waiting[kind].append(left.popleft())
                used += 1
            takes = bool(left) and not full and used % per_beat == 0
            written = [queue.popleft() for queue in waiting if queue]
            found.append((written, takes or not (left or any(waiting)), full))
        return found

    def column(self, place: int) -> int:
        """Return the column of a packed pixel that is passed."""
        return place - self.fields["window_padding"]

    def completes(self, place: int) -> bool:
        """Return whether a pixel that is passed is the last one of a window."""
        fields = self.fields
        first = place - fields["window_pixels"] + 1
        window, part = divmod(first, fields["window_stride"])
        return part == 0 and 0 <= window < fields["columns"]

    def words(self) -> list[PlacedWord]:
        """Return the words in the order of writing."""
        if not self.packed and self.arch.pair_words:
            return [word for words, _, _ in self.pairs() for word in words]
        return self.in_memory()

    def in_memory(self) -> list[PlacedWord]:
        """Return the words as memory has them."""
        cut = packed_words if self.packed else whole_words
        size = self.arch.word
        found = cut(self.content, self.fields, word_channels=size)
        found = found.reshape(*found.shape[:2], -1, size)
        row, column = self.fields["first_row"], self.fields["first_column"]
        return [
            (row + y, column + x, word, tuple(found[y, x, word].tolist()))
            for y, x, word in np.ndindex(found.shape[:3])
        ]


def random_load(rng: np.random.Generator, arch: Arch, *, kind: str) -> Load:
    """Return a LOAD of a small map: "words", "pixels" or "windows"; its other fields are random."""
    size = arch.word
    rows, columns = (int(rng.integers(1, 7)) for _ in range(2))
    fields = {
        f.name: int(rng.integers(0, 1 << f.bits))
        for f in arch.packets[Opcode.LOAD][1:]
        if core_count(f.name) == 0
    }
    fields |= {"rows": rows, "columns": columns, "pixel_bytes": 0}
    fields |= {name: int(rng.integers(0, 1000)) for name in ("first_row", "first_column")}
    fields["output_channel_words"] = int(rng.integers(1, 5))
    count = rows * columns * fields["output_channel_words"] * size
    if kind != "words":
        fields |= random_pixels(rng, size, columns=columns, windows=kind == "windows")
        count = rows * fields["memory_columns"] * fields["pixel_bytes"]
    beats = -(-count // arch.port_bytes)
    fields["beats"] = beats
    content = rng.integers(0, 256, beats * arch.port_bytes, dtype=np.uint8)
    return Load(arch, fields, content)


def random_pixels(
    rng: np.random.Generator, size: int, *, columns: int, windows: bool
) -> dict[str, int]:
    """Return the fields of packed pixels: windows that fit a word of `size` bytes."""
    pixel_bytes = int(rng.choice([n for n in PIXEL_BYTES if n <= size]))
    channels = int(rng.integers(1, pixel_bytes + 1))
    count = int(rng.integers(1, size // channels + 1)) if windows else 1
    step = int(rng.integers(1, 6)) if windows else 1
    padding = int(rng.integers(0, count)) if windows else 0
    exact = max(1, (columns - 1) * step + count - padding)
    other = int(rng.integers(1, exact + 4)) if windows else columns
    return {
        "pixel_bytes": pixel_bytes,
        "pixel_channels": channels,
        "window_pixels": count,
        "window_stride": step,
        "window_padding": padding,
        "memory_columns": int(rng.choice([exact, other])),
    }
