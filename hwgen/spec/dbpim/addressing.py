"""Where a word of a map lies in the activation buffers."""

from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.program import Region


def channel_words(channels: int, arch: Arch) -> int:
    """Return the words of one pixel."""
    return -(-channels // arch.macro.compartments)


def region_at(base: int, *, height: int, width: int, channels: int, arch: Arch) -> Region:
    """Return the region of a map whose first word in every bank is `base`."""
    words = channel_words(channels, arch)
    return Region(
        base=base,
        row_pitch=-(-width // arch.banks) * words,
        channel_words=words,
        height=height,
        width=width,
        channels=channels,
    )


def region_address(
    region: Region, arch: Arch, *, y: int, x: int, channel_word: int
) -> tuple[int, int]:
    """Return (bank, address) of one word of pixel (y, x)."""
    bank = (x + arch.bank_skew * y) % arch.banks
    column = x // arch.banks * region.channel_words
    return bank, region.base + y * region.row_pitch + column + channel_word
