"""What goes over the line between a host and a chip with few pins, whatever carries its bytes.

The host asks with a frame, the chip answers with one; numbers are little-endian, checksums have
their high byte first, so that the checksum of a whole frame with its checksum is 0:

    START, command, address (4 bytes), length (2 bytes), checksum of those 7
    then of a command that writes: `length` bytes, checksum of those
    answer: status, of a command that reads and is DONE `length` bytes, checksum of both

A frame whose first checksum is wrong, or that ends before its last byte, has no answer. Behind a
wrong first checksum the chip looks for the next START at once, among the bytes behind the last one
first; data that end early are over when the line was quiet.

Tests: `tests/verif/common/test_frames.py`.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

START = 0x5A
"""The first byte of a frame of the host; the chip ignores all others before it."""
HEADER_BYTES = 7
"""Command, address and length."""
CHECKSUM_BYTES = 2
CHECKSUM_INIT = 0xFFFF
"""Checksums are CRC-16 with x^16 + x^12 + x^5 + 1, the highest bit first: `binascii.crc_hqx`."""
REGISTER_BYTES = 4
"""The only length of a command to a register."""
MOST_BYTES = 0xFFFF
"""Length of a frame at most."""
SILENT_CYCLES = 1 << 8
"""Clock cycles that a register of the chip has for its answer."""
QUIET_BITS = 1 << 14
"""Bits of an UART that are high until the chip drops data that are torn."""
BIT_CYCLES = (4, 1 << 16)
"""Clock cycles of a bit of an UART, the fewest and the most."""
LEAST_MEMORY_BYTES, MOST_MEMORY_BYTES = 1 << 10, 1 << 20
"""Of the memory behind the line, a power of two."""
SPI_CYCLES = 8
"""Clock cycles of the chip in one of SCK at least."""
SPI_IDLE = 0
"""What SPI shows before the status."""
SPI_WAIT_BYTES = 2 * SILENT_CYCLES // (8 * SPI_CYCLES)
"""Idle bytes before the status at most, at SPI_CYCLES."""


@dataclass(frozen=True, kw_only=True)
class PinFacts:
    """What stands between a chip and its pins; bit_cycles: clock cycles of a bit of the UART."""

    line: Literal["spi", "uart"]
    memory_bytes: int
    bit_cycles: int


class Command(IntEnum):
    """What the host asks for."""

    SIZE = 1
    READ = 2
    WRITE = 3
    READ_REGISTER = 4
    WRITE_REGISTER = 5


WRITES = (Command.WRITE, Command.WRITE_REGISTER)
"""Commands that have data."""


class Status(IntEnum):
    """The first byte of an answer.

    REFUSED: no such command, or bytes outside the memory; DAMAGED: the checksum of the data
    BUS_ERROR: the register answered with an error; SILENT: it did not answer
    """

    DONE = 0x81
    REFUSED = 0x82
    DAMAGED = 0x84
    BUS_ERROR = 0x88
    SILENT = 0x90
