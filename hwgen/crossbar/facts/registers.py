"""The chip's AXI4-Lite registers: host, RTL, benches and documentation read this table."""

from enum import IntEnum

from hwgen.chip.registers import Access, offsets, register_table
from hwgen.crossbar.facts.image_io import ALIGNMENT_BYTES

ADDRESS_BITS = 12
"""Address bits of the register port; an access above the table answers with an error."""

VERSION = 1
"""Version of the program image; the chip refuses a program with another one."""

ALIGNED = f"a multiple of {ALIGNMENT_BYTES}"


class Command(IntEnum):
    """Value of the register `command`: what a start does."""

    RUN = 0
    LOAD = 1


class ErrorCode(IntEnum):
    """Value of the register `error`.

    NOT_LOADED: a run before a program was loaded; LATE: a macro was not through in time, see the
    register `late`; CLASH: two packets met at a router or at the port of the I/O node; LOST: a flit
    came that nobody expected
    """

    NONE = 0
    WRONG_VERSION = 1
    WRONG_ARCHITECTURE = 2
    NOT_LOADED = 3
    LATE = 4
    CLASH = 5
    LOST = 6
    READ_ERROR = 7
    WRITE_ERROR = 8
    STALLED = 9


ERROR_BITS = 4

_TABLE: tuple[tuple[str, Access, str], ...] = (
    ("id", "read", "first 32 bits of the architecture's digest; a program must carry the same"),
    ("version", "read", "of the program image"),
    ("control", "write", "writing 1 to bit 0 starts the command; the rest is ignored; reads as 0"),
    ("status", "read", "bit 0: busy; bit 1: done without error; bit 2: stopped by an error"),
    ("error", "read", "code of the error that stopped the chip, see ErrorCode; 0: none"),
    ("command", "read and write", "0: run images; 1: load a program"),
    ("images", "read and write", "images of a run, at least 1"),
    ("interval", "read and write", "steps from one image to the next, at least 1"),
    ("program_address_low", "read and write", f"of the program, {ALIGNED}: bits 31 to 0"),
    ("program_address_high", "read and write", "bits 63 to 32"),
    ("image_address_low", "read and write", f"of the first image, {ALIGNED}: bits 31 to 0"),
    ("image_address_high", "read and write", "bits 63 to 32"),
    ("answer_address_low", "read and write", f"for the first answer, {ALIGNED}: bits 31 to 0"),
    ("answer_address_high", "read and write", "bits 63 to 32"),
    ("cycles_low", "read", "clock cycles of the last command: bits 31 to 0"),
    ("cycles_high", "read", "bits 63 to 32"),
    ("load_cycles_low", "read", "cycles in which no step goes on: bits 31 to 0"),
    ("load_cycles_high", "read", "bits 63 to 32"),
    ("layers", "read", "images of the last command whose results are stored"),
    ("images_done", "read", "images of the last run whose results are stored"),
    ("steps", "read", "steps of the last run"),
    ("held_clocks", "read", "clocks by which steps of the last run were longer than planned"),
    ("late", "read", "bit m % 32: an operation of macro m was not through in time"),
)

REGISTERS = register_table(_TABLE)
"""In the order of their offsets, without gaps."""

OFFSETS = offsets(REGISTERS)
