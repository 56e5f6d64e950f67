"""Facts of the family: its architecture, its registers, its events."""

from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from hwgen.chip.registers import CONTROL, STATUS, address_rows, register_table
from hwgen.files.load import load_spec

VERSION = 1
ADDRESS_BITS = 12
WORD_BITS = 32
READ_ERROR, WRITE_ERROR, STALLED = 1, 2, 3
"""Values of the register `error`."""
ERROR_BITS = 2
EVENTS = ("additions",)

REGISTERS = register_table(
    [
        ("id", "read", "first 32 bits of the architecture's digest"),
        ("version", "read", "of this table"),
        CONTROL,
        STATUS,
        ("error", "read", "code of the error that stopped the chip; 0: none"),
        ("amount", "read and write", "what is added to each word"),
        ("words", "read and write", "how many, at least 1, at most `entries`"),
        *address_rows("source_address", "of the words"),
        *address_rows("answer_address", "for the sums"),
        ("cycles_low", "read", "clock cycles of the last run: bits 31 to 0"),
        ("cycles_high", "read", "bits 63 to 32"),
        ("load_cycles_low", "read", "cycles in which nothing is added: bits 31 to 0"),
        ("load_cycles_high", "read", "bits 63 to 32"),
        ("layers", "read", "steps of the last run that have retired: 1"),
    ]
)


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid", strict=True))
class Arch:
    """An adder; entries: words of its buffer of answers; port_bits: of the memory port."""

    format: Literal["hwgen.adder.architecture"]
    version: Literal[1]
    name: str
    entries: Annotated[int, Field(ge=16, le=1024)]
    port_bits: Literal[64, 128]
    clock_mhz: float

    @property
    def digest(self) -> str:
        """Of all that decides the Verilog."""
        return sha256(str(asdict(self)).encode()).hexdigest()


def load_arch(path: Path) -> Arch:
    """Return the architecture of a file."""
    return load_spec(Arch, path)
