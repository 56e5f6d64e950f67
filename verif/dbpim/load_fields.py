"""Random LOADs, the bytes that they read and the words that they must write."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.dbpim.load import packed_words, whole_words
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import PACKETS, PIXEL_BYTES, Opcode, core_count
from hwgen.spec.fields import encode
from verif.dbpim.random_tiles import beats_of


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
        fields = tuple(f for f in PACKETS[Opcode.LOAD] if core_count(f.name) == 0)
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

    def words(self) -> list[tuple[int, int, int, tuple[int, ...]]]:
        """Return stored row, stored column, channel word and bytes, in the order of writing."""
        cut = packed_words if self.packed else whole_words
        size = self.arch.macro.compartments
        found = cut(self.content, self.fields, word_channels=size)
        found = found.reshape(*found.shape[:2], -1, size)
        row, column = self.fields["first_row"], self.fields["first_column"]
        return [
            (row + y, column + x, word, tuple(found[y, x, word].tolist()))
            for y, x, word in np.ndindex(found.shape[:3])
        ]


def random_load(rng: np.random.Generator, arch: Arch, *, kind: str) -> Load:
    """Return a LOAD of a small map: "words", "pixels" or "windows"; its other fields are random."""
    size = arch.macro.compartments
    rows, columns = (int(rng.integers(1, 7)) for _ in range(2))
    fields = {
        f.name: int(rng.integers(0, 1 << f.bits))
        for f in PACKETS[Opcode.LOAD][1:]
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
