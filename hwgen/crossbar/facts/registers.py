"""The chip's AXI4-Lite registers: host, RTL, benches and documentation read this table."""

from enum import IntEnum

from hwgen.chip.registers import (
    COMMAND,
    Row,
    address_rows,
    counter_rows,
    error_row,
    identity_rows,
    offsets,
    register_table,
)

VERSION = 1
"""Version of the program image; the chip refuses a program with another one."""


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
    *identity_rows("of the program image"),
    error_row(ErrorCode),
    COMMAND,
    ("images", "read and write", "images of a run, at least 1"),
    ("interval", "read and write", "steps from one image to the next, at least 1"),
    *address_rows("program_address", "of the program"),
    *address_rows("image_address", "of the first image"),
    *address_rows("answer_address", "for the first answer"),
    *counter_rows("cycles", "clock cycles of the last command"),
    *counter_rows("load_cycles", "cycles in which no step goes on"),
    ("layers", "read", "images of the last command whose results are stored"),
    ("images_done", "read", "images of the last run whose results are stored"),
    ("steps", "read", "steps of the last run"),
    ("held_clocks", "read", "clocks by which steps of the last run were longer than planned"),
    ("late", "read", "bit m % 32: an operation of macro m was not through in time"),
)

REGISTERS = register_table(_TABLE)
"""In the order of their offsets, without gaps."""

OFFSETS = offsets(REGISTERS)
