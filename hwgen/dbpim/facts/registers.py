"""The chip's AXI4-Lite registers: host, RTL, benches and documentation read this table."""

from hwgen.chip.registers import (
    Row,
    address_rows,
    counter_rows,
    error_row,
    identity_rows,
    offsets,
    register_table,
)
from hwgen.dbpim.facts.instructions import ErrorCode

_TABLE: tuple[Row, ...] = (
    *identity_rows("of the instruction set"),
    error_row(ErrorCode),
    *address_rows("program_address", "of the program"),
    *address_rows("image_address", "of the images"),
    *address_rows("logits_address", "for the answers"),
    *address_rows("scratch_address", "for maps that do not fit"),
    *counter_rows("cycles", "clock cycles of the last run"),
    *counter_rows("load_cycles", "load-stall cycles (nothing computed, a load was pending)"),
    ("layers", "read", "steps of the last run that have retired"),
)

_LATER: tuple[Row, ...] = (
    ("position", "read and write", "pixels that earlier calls have appended to the states"),
    ("position_bytes", "read and write", "bytes of these pixels in a state"),
)

REGISTERS = register_table(_TABLE, _LATER)
"""In the order of their offsets, without gaps."""

OFFSETS = offsets(REGISTERS)
