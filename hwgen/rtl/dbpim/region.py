"""Address of a channel word of a pixel in the activation buffers (`hwgen.spec.dbpim.program`)."""

from typing import NamedTuple

from amaranth.hdl import Value

from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.widths import bits_for_index


class Region(NamedTuple):
    """A map in the buffers; it occupies the same addresses in every bank."""

    base: Value
    row_pitch: Value
    channel_words: Value


def bank_of(arch: Arch, *, y: Value, x: Value) -> Value:
    """Return the bank that holds pixel (y, x): (x + bank_skew * y) mod banks."""
    skewed = x + arch.bank_skew * y
    return (skewed & (arch.banks - 1))[: bits_for_index(arch.banks)]


def address_of(arch: Arch, region: Region, *, y: Value, x: Value, word: Value) -> Value:
    """Return base + y * row_pitch + (x // banks) * channel_words + word, as a bank's address."""
    column = x[arch.banks.bit_length() - 1 :]
    address = region.base + y * region.row_pitch + column * region.channel_words + word
    return address[: arch.bank_address_bits]
