"""The chip's AXI4-Lite registers: host, RTL, benches and documentation read this table."""

from enum import IntEnum

from hwgen.chip.registers import (
    CONTROL,
    STATUS,
    RegisterField,
    Row,
    address_rows,
    error_row,
    offsets,
    register_table,
)

ADDRESS_BITS = 12
"""Address bits of the register port; an access above the table answers with an error."""

VERSION = 1
"""Version of the program image; the chip refuses a program with another one."""


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

_TABLE: tuple[Row, ...] = (
    ("id", "read", "first 32 bits of the architecture's digest; a program must carry the same"),
    ("version", "read", "of the program image"),
    CONTROL,
    STATUS,
    error_row(ErrorCode),
    (
        "command",
        "read and write",
        "what a start does",
        (
            RegisterField(
                "command",
                31,
                0,
                "read and write",
                "runs images, or loads a program",
                tuple((each.name.lower(), int(each)) for each in Command),
            ),
        ),
    ),
    ("images", "read and write", "images of a run, at least 1"),
    ("interval", "read and write", "steps from one image to the next, at least 1"),
    *address_rows("program_address", "of the program"),
    *address_rows("image_address", "of the first image"),
    *address_rows("answer_address", "for the first answer"),
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
