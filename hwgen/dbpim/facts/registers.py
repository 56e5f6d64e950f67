"""The chip's AXI4-Lite registers: host, RTL, benches and documentation read this table."""

from hwgen.chip import registers
from hwgen.dbpim.facts.instructions import ErrorCode

_TABLE: tuple[registers.Row, ...] = (
    *registers.identity_rows("of the instruction set"),
    registers.error_row(ErrorCode),
    *registers.address_rows("program_address", "of the program"),
    *registers.address_rows("image_address", "of the images"),
    *registers.address_rows("logits_address", "for the answers"),
    *registers.address_rows("scratch_address", "for maps that do not fit"),
    *registers.counter_rows("cycles", "clock cycles of the last run"),
    *registers.counter_rows(
        "load_cycles", "load-stall cycles (nothing computed, a load was pending)"
    ),
    ("layers", "read", "steps of the last run that have retired"),
)

_LATER: tuple[registers.Row, ...] = (
    ("position", "read and write", "pixels that earlier calls have appended to the states"),
    ("position_bytes", "read and write", "bytes of these pixels in a state"),
)

REGISTERS = registers.register_table(_TABLE, _LATER)
"""In the order of their offsets, without gaps."""

OFFSETS = registers.offsets(REGISTERS)
