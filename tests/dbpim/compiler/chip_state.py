"""What a chip holds between two steps, and who wrote each byte of it.

A tag says which step wrote a byte, and as which stored row, column and channel word. Reads compare
tags, so that a word of another map, of a row that the core does not hold or of the power-on garbage
is found where it is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import ROW_BITS

EMPTY = -1
"""Tag of a byte that nothing has written."""
AT = (1 << 3 * ROW_BITS) - 1
"""Bits of a tag that hold row, column and word; the step is above them."""


class ExecutionError(AssertionError):
    """A program does what a chip must not do."""


def tag_of(step, row, column, word):
    """Return the tag of bytes, element by element."""
    return (((np.int64(step) << ROW_BITS | row) << ROW_BITS | column) << ROW_BITS) | word


def untag(tag: int) -> tuple[int, int, int, int]:
    """Return step, row, column and word of a tag."""
    mask = (1 << ROW_BITS) - 1
    return (
        tag >> 3 * ROW_BITS,
        tag >> 2 * ROW_BITS & mask,
        tag >> ROW_BITS & mask,
        tag & mask,
    )


def unknown(tag):
    """Return the tag of a byte computed from one that is not there: `tag` is that of its read."""
    return -2 - tag


@dataclass(frozen=True, kw_only=True)
class View:
    """A map as one core reads it, from the fields of an instruction."""

    base: int
    row_pitch: int
    words: int
    first: int


@dataclass(frozen=True, kw_only=True)
class Words:
    """Results of one core in one step: n words.

    rows, columns, words: (n,), as stored; data: (n, C); enable: (n, C)
    tags: (n, C), of bytes that are not known; None: all are
    """

    rows: np.ndarray
    columns: np.ndarray
    words: np.ndarray
    data: np.ndarray
    enable: np.ndarray
    tags: np.ndarray | None = None


@dataclass
class Writes:
    """What one step stored, in no order: n words in buffers, and bytes elsewhere.

    cores, banks, addresses, rows, columns, words: (n,); enable, data: (n, C)
    logits: byte address in the logit buffer -> byte
    memory: (space, first byte, bytes) of a STORE
    """

    cores: list = field(default_factory=list)
    banks: list = field(default_factory=list)
    addresses: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    columns: list = field(default_factory=list)
    words: list = field(default_factory=list)
    enable: list = field(default_factory=list)
    data: list = field(default_factory=list)
    logits: dict[int, int] = field(default_factory=dict)
    memory: tuple[str, int, bytes] | None = None

    def array(self, name: str) -> np.ndarray:
        """Return one column of the words in buffers."""
        parts = getattr(self, name)
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)


class ChipState:
    """Buffers, logit buffer and memory, with the tag of each byte.

    buffers: uint8, (cores, banks * bank words, C); logits: uint8, 4 bytes an entry
    spaces: image, scratch, answer and program: uint8
    """

    def __init__(self, arch: Arch, spaces: dict[str, int], *, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.arch = arch
        shape = (arch.cores, arch.banks * arch.bank_words, arch.word)
        self.buffers = rng.integers(0, 256, shape, np.uint8)
        self.tags = np.full(shape, EMPTY, np.int64)
        self.word_tags = np.full(shape[:2], EMPTY, np.int64)
        self.touched = np.zeros(shape[:2], bool)
        self.logits = rng.integers(0, 256, 4 * arch.logit_entries, np.uint8)
        self.logit_tags = np.full(len(self.logits), EMPTY, np.int64)
        self.spaces = {name: rng.integers(0, 256, n, np.uint8) for name, n in spaces.items()}
        self.space_tags = {name: np.full(n, EMPTY, np.int64) for name, n in spaces.items()}
        self.step = -1
        self.names: list[str] = []
        self.layers: list[str] = []
        self.readable: set[str] = set()
        self.writes = Writes()

    def begin(self, name: str, layer: str, inputs: Iterable[str]) -> None:
        """Begin the next step, which reads the maps of `inputs` or sums of its own layer."""
        self.step += 1
        self.names.append(name)
        self.layers.append(layer)
        self.readable = {layer, *inputs}
        self.touched[:] = False
        self.writes = Writes()

    def refuse(self, message: str) -> None:
        """Raise the error of a step."""
        raise ExecutionError(f"step {self.step} ({self.names[self.step]}): {message}")

    def read(self, core: int, view: View, *, rows, columns, words, inside, outside: int):
        """Return bytes (..., C) of words of a core, and tags of unknown bytes, or None.

        rows, columns, words, inside: of one shape; a word that is not inside is C bytes `outside`
        """
        banks, bank_words = self.arch.banks, self.arch.bank_words
        bank = (columns + self.arch.bank_skew * rows) % banks
        address = view.base + (rows - view.first) * view.row_pitch
        address = address + columns // banks * view.words + words
        legal = inside & (address >= 0) & (address < bank_words)
        place = np.where(legal, bank * bank_words + address, 0)
        data = self.buffers[core][place]
        data[~inside] = outside
        self.touched[core, place[legal]] = True
        found = self.word_tags[core][place]
        right = legal & (found >= 0) & ((found ^ tag_of(0, rows, columns, words)) & AT == 0)
        right &= found >> 3 * ROW_BITS != self.step
        self.check_one_map(core, found[right])
        if (right | ~inside).all():
            return data, None
        return data, self.unknown_bytes(core, place, (rows, columns, words), inside & ~right, legal)

    def check_one_map(self, core: int, found: np.ndarray) -> None:
        """Refuse a read of words that several layers wrote, or that are of no input."""
        steps = np.unique(found >> 3 * ROW_BITS)
        layers = {self.layers[step] for step in steps}
        if len(layers) > 1 or layers - self.readable:
            names = ", ".join(sorted({self.names[step] for step in steps}))
            self.refuse(f"core {core} reads words of an input that other layers wrote: {names}")

    def unknown_bytes(self, core: int, place, at, suspect, legal) -> np.ndarray:
        """Return the tag of each unknown byte of a read, 0 where the byte is the wanted one."""
        rows, columns, words = (np.broadcast_to(each, place.shape)[suspect] for each in at)
        wanted = tag_of(0, rows, columns, words)[:, np.newaxis]
        found = self.tags[core][place[suspect]]
        right = legal[suspect][:, np.newaxis] & (found >= 0) & ((found ^ wanted) & AT == 0)
        right &= found >> 3 * ROW_BITS != self.step
        # Bytes without a channel may be left from another map at the same place.
        layers = np.unique(self.layers, return_inverse=True)[1][found >> 3 * ROW_BITS]
        newest = np.where(right, found, EMPTY).argmax(axis=1)[:, np.newaxis]
        right &= layers == np.take_along_axis(layers, newest, axis=1)
        self.check_one_map(core, found[right])
        reads = unknown(tag_of(self.step, rows, columns, words))[:, np.newaxis]
        inherited = legal[suspect][:, np.newaxis] & (found < EMPTY)
        tags = np.zeros((*place.shape, found.shape[1]), np.int64)
        tags[suspect] = np.where(right, 0, np.where(inherited, found, reads))
        lost = (~right & ~inherited).all(axis=1)
        if lost.any():
            self.refuse_word(
                core, int(np.flatnonzero(lost)[0]), place[suspect], reads, legal[suspect]
            )
        return tags

    def refuse_word(self, core: int, number: int, place, reads, legal) -> None:
        """Raise the error of a read that finds nothing of the wanted word."""
        _, row, column, word = untag(unknown(int(reads[number, 0])))
        what = f"core {core} reads word {word} of row {row}, column {column}"
        if not legal[number]:
            self.refuse(f"{what} outside of its buffer")
        found = int(self.tags[core][place[number]].max())
        bank, address = divmod(int(place[number]), self.arch.bank_words)
        self.refuse(
            f"{what} at bank {bank}, address {address}, where it holds {self.described(found)}"
        )

    def described(self, tag: int) -> str:
        """Return who wrote a byte, for a sentence."""
        if tag == EMPTY:
            return "nothing since power-on"
        if tag < EMPTY:
            step, row, column, word = untag(unknown(tag))
            return (
                f"a byte that step {step} ({self.names[step]}) computed from an unknown byte of"
                f" word {word} of row {row}, column {column}"
            )
        step, row, column, word = untag(tag)
        return f"word {word} of row {row}, column {column} from step {step} ({self.names[step]})"

    def use(self, core: int, tags: np.ndarray | None) -> None:
        """Refuse unknown bytes that count in a result."""
        if tags is None or not tags.any():
            return
        first = int(tags[tags != 0].flat[0])
        step, row, column, word = untag(unknown(first))
        what = f"core {core} uses a byte of word {word} of row {row}, column {column}"
        reader = "" if step == self.step else f", read by step {step} ({self.names[step]}),"
        self.refuse(f"{what}{reader} that is not there")
