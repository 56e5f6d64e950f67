"""The chip's AXI4-Lite registers: host, RTL, benches and documentation read this table."""

from enum import IntEnum

from hwgen.chip.registers import IMAGES, command_table, counter_rows, offsets

VERSION = 2
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
    DAMAGED_PROGRAM = 10


ERROR_BITS = 4

REGISTERS = command_table(
    ErrorCode,
    versioned="of the program image",
    settings=(
        IMAGES,
        ("interval", "read and write", "steps from one image to the next, at least 1"),
    ),
    counts=(
        *counter_rows("load_cycles", "cycles in which no step goes on"),
        ("layers", "read", "images of the last command whose results are stored"),
        ("images_done", "read", "images of the last run whose results are stored"),
        ("steps", "read", "steps of the last run"),
        ("held_clocks", "read", "clocks by which steps of the last run were longer than planned"),
        ("late", "read", "bit m % 32: an operation of macro m was not through in time"),
    ),
)
"""In the order of their offsets, without gaps."""

OFFSETS = offsets(REGISTERS)
