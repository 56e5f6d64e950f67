"""The chip's AXI4-Lite registers: host, RTL, benches and documentation read this table."""

from hwgen.chip.registers import Access, offsets, register_table
from hwgen.dbpim.facts.instructions import ALIGNMENT_BYTES

ADDRESS_BITS = 12
"""Address bits of the register port; an access above the table answers with an error."""

ALIGNED = f"a multiple of {ALIGNMENT_BYTES}"

_TABLE: tuple[tuple[str, Access, str], ...] = (
    ("id", "read", "first 32 bits of the architecture's digest; a program must carry the same"),
    ("version", "read", "of the instruction set"),
    ("control", "write", "writing 1 to bit 0 starts the program; the rest is ignored; reads as 0"),
    ("status", "read", "bit 0: busy; bit 1: done without error; bit 2: stopped by an error"),
    ("error", "read", "code of the error that stopped the chip, see ErrorCode; 0: none"),
    ("program_address_low", "read and write", f"of the program, {ALIGNED}: bits 31 to 0"),
    ("program_address_high", "read and write", "bits 63 to 32"),
    ("image_address_low", "read and write", f"of the images, {ALIGNED}: bits 31 to 0"),
    ("image_address_high", "read and write", "bits 63 to 32"),
    ("logits_address_low", "read and write", f"for the answers, {ALIGNED}: bits 31 to 0"),
    ("logits_address_high", "read and write", "bits 63 to 32"),
    ("scratch_address_low", "read and write", f"for maps that do not fit, {ALIGNED}: bits 31 to 0"),
    ("scratch_address_high", "read and write", "bits 63 to 32"),
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
