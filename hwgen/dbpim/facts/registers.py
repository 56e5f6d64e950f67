"""The chip's AXI4-Lite registers: host, RTL, benches and documentation read this table."""

from hwgen.chip.registers import (
    CONTROL,
    STATUS,
    Row,
    address_rows,
    error_row,
    offsets,
    register_table,
)
from hwgen.dbpim.facts.instructions import ErrorCode

ADDRESS_BITS = 12
"""Address bits of the register port; an access above the table answers with an error."""

_TABLE: tuple[Row, ...] = (
    ("id", "read", "first 32 bits of the architecture's digest; a program must carry the same"),
    ("version", "read", "of the instruction set"),
    CONTROL,
    STATUS,
    error_row(ErrorCode),
    *address_rows("program_address", "of the program"),
    *address_rows("image_address", "of the images"),
    *address_rows("logits_address", "for the answers"),
    *address_rows("scratch_address", "for maps that do not fit"),
    ("cycles_low", "read", "clock cycles of the last run: bits 31 to 0"),
    ("cycles_high", "read", "bits 63 to 32"),
    (
        "load_cycles_low",
        "read",
        "load-stall cycles (nothing computed, a load was pending): bits 31 to 0",
    ),
    ("load_cycles_high", "read", "bits 63 to 32"),
    ("layers", "read", "steps of the last run that have retired"),
)

REGISTERS = register_table(_TABLE)
"""In the order of their offsets, without gaps."""

OFFSETS = offsets(REGISTERS)
