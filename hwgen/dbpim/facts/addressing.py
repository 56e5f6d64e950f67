"""Where a word of a map lies in the activation buffers."""

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.program import Placement


def channel_words(channels: int, arch: Arch) -> int:
    """Return the words of one pixel."""
    return -(-channels // arch.word)


def row_pitch(columns: int, channels: int, arch: Arch) -> int:
    """Return the words that one stored row takes in every bank."""
    return -(-columns // arch.banks) * channel_words(channels, arch)


def stored_at(placement: Placement, *, image: int, y: int, x: int) -> tuple[int, int]:
    """Return stored row and column of pixel (y, x) of an image of the placement."""
    return image * placement.image_rows + y, image * placement.image_columns + x


def word_address(
    placement: Placement, arch: Arch, *, core: int, row: int, column: int, word: int
) -> tuple[int, int]:
    """Return (bank, address) of one word of a stored row and column in a core that holds it."""
    bank = (column + arch.bank_skew * row) % arch.banks
    row_base = placement.base + (row - placement.first[core]) * placement.row_pitch
    return bank, row_base + column // arch.banks * placement.channel_words + word
