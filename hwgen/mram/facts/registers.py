"""The chip's AXI4-Lite registers: host, RTL, benches and documentation read this table."""

from enum import IntEnum

from hwgen.chip.registers import IMAGES, RegisterField, command_table, counter_rows, offsets

VERSION = 3
"""Version of records and program image; the chip refuses a program with another one."""


class ErrorCode(IntEnum):
    """Value of the register `error`.

    LOCKED: LOAD of weight rows while the lock is on; NOT_LOADED: a run without a program, or LOAD
    of tables alone before weights; BAD_MODE: requested mode above those of the program;
    DAMAGED_PROGRAM: the checksum of what LOAD read does not fit
    """

    NONE = 0
    BAD_PROGRAM = 1
    WRONG_VERSION = 2
    WRONG_ARCHITECTURE = 3
    LOCKED = 4
    NOT_LOADED = 5
    BAD_MODE = 6
    BAD_RECORD = 7
    READ_ERROR = 8
    WRITE_ERROR = 9
    STALLED = 10
    DAMAGED_PROGRAM = 11


ERROR_BITS = 4

UNLOCK = RegisterField("weights", 0, 0, "read and write", "1 lets LOAD write weight rows again")

REGISTERS = command_table(
    ErrorCode,
    versioned="of records and program image",
    settings=(
        ("mode", "read and write while busy", "mode of the images that begin after this write"),
        ("unlock", "read and write", "of the resident weights; 0 after reset", (UNLOCK,)),
        IMAGES,
    ),
    counts=(
        *counter_rows("load_cycles", "cycles in which image, answer or program moves"),
        ("layers", "read", "records of the last command that have retired"),
        ("images_done", "read", "images of the last run that are over"),
        ("active_mode", "read", "mode of the image that runs or ran last"),
        *counter_rows("and_operations", "AND row operations of the last command"),
        *counter_rows("input_row_writes", "input rows written by the last command"),
        ("weight_row_writes", "read", "weight rows written since reset"),
        ("refused_row_writes", "read", "writes to weight rows that the lock refused since reset"),
    ),
)
"""In the order of their offsets, without gaps."""

OFFSETS = offsets(REGISTERS)
