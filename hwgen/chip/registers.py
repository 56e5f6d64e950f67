"""A table of AXI4-Lite registers: name, offset, access, meaning and bit fields of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

REGISTER_BYTES = 4
REGISTER_BITS = 8 * REGISTER_BYTES

ALIGNMENT_BYTES = 64
"""Addresses that a host gives a chip are multiples of this; address registers ignore the rest."""

ADDRESS_BITS = 12
"""Address bits of the register port; an access above the table answers with an error."""

BUSY_BIT = 0
DONE_BIT = 1
ERROR_BIT = 2
"""Bits of the register `status`, which every family has."""

Access = Literal["read", "read and write", "read and write while busy", "write"]
FieldAccess = Literal["read", "read and write", "write", "write 1 clears"]


@dataclass(frozen=True)
class RegisterField:
    """Bits `high` to `low` of a register; those of no field read 0, and writing them does nothing.

    codes: name and value of each number that means something by itself; empty: a quantity
    """

    name: str
    high: int
    low: int
    access: FieldAccess
    meaning: str
    codes: tuple[tuple[str, int], ...] = ()

    @property
    def mask(self) -> int:
        """Return ones at the bits of the field."""
        return (2 << self.high) - (1 << self.low)


@dataclass(frozen=True)
class Register:
    """32 bits at `offset`, from bit 31 to bit 0 divided into `fields`, the lowest one first.

    Writing a `read` register answers with an error; while busy, so does writing any other, except
    one that is `read and write while busy`.
    """

    name: str
    offset: int
    access: Access
    meaning: str
    fields: tuple[RegisterField, ...]

    @property
    def mask(self) -> int:
        """Return ones at all bits that belong to a field."""
        return sum(field.mask for field in self.fields)


Reset = Literal["all", "control"]
"""What reset reaches: all registers, or those of control and not the data that they guard."""


class Command(IntEnum):
    """Value of the register `command` of a chip that keeps its program: what a start does."""

    RUN = 0
    LOAD = 1


Row = tuple[str, Access, str] | tuple[str, Access, str, tuple[RegisterField, ...]]
"""Name, access, meaning, and the fields; without them the register is one number of 32 bits."""

CONTROL: Row = (
    "control",
    "write",
    "starts a run",
    (RegisterField("start", 0, 0, "write", "writing 1 starts; reads as 0"),),
)
STATUS: Row = (
    "status",
    "read",
    "of the last run",
    (
        RegisterField("busy", BUSY_BIT, BUSY_BIT, "read", "runs, or waits for the memory to end"),
        RegisterField("done", DONE_BIT, DONE_BIT, "read", "ended without an error"),
        RegisterField("error", ERROR_BIT, ERROR_BIT, "read", "stopped by an error"),
    ),
)
COMMAND: Row = (
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
)
IMAGES: Row = ("images", "read and write", "images of a run, at least 1")
INTERRUPT: tuple[Row, ...] = (
    (
        "interrupt",
        "read and write while busy",
        "what has happened since it was cleared",
        (
            RegisterField(
                "ended", 0, 0, "write 1 clears", "a run has ended, with or without an error"
            ),
        ),
    ),
    (
        "interrupt_enable",
        "read and write while busy",
        "what raises `irq`; 0 after reset",
        (RegisterField("ended", 0, 0, "read and write", "the bit of `interrupt` does"),),
    ),
)
"""Behind the other registers of every chip: `irq` is high while a bit is set in both."""


def error_row(codes: type[IntEnum]) -> Row:
    """Return the register with the code of the error that stopped a run."""
    high = max(codes).bit_length() - 1
    named = tuple((code.name.lower(), int(code)) for code in codes)
    field = RegisterField("code", high, 0, "read", "of the error; 0: none", named)
    return ("error", "read", "why the last run stopped", (field,))


def address_rows(name: str, meaning: str) -> tuple[Row, Row]:
    """Return both halves of an address in memory, a multiple of ALIGNMENT_BYTES."""
    low = ALIGNMENT_BYTES.bit_length() - 1
    text = f"bits 31 to {low} of the address; the bits below are 0"
    field = RegisterField("address", REGISTER_BITS - 1, low, "read and write", text)
    aligned = f"{meaning}, a multiple of {ALIGNMENT_BYTES}: bits 31 to 0"
    return (
        (f"{name}_low", "read and write", aligned, (field,)),
        (f"{name}_high", "read and write", "bits 63 to 32"),
    )


def identity_rows(versioned: str) -> tuple[Row, ...]:
    """Return the first registers of every chip; `versioned`: what the version is of."""
    meaning = "first 32 bits of the architecture's digest; a program must carry the same"
    return (("id", "read", meaning), ("version", "read", versioned), CONTROL, STATUS)


def counter_rows(name: str, meaning: str) -> tuple[Row, Row]:
    """Return both halves of a counter of 64 bits."""
    return (
        (f"{name}_low", "read", f"{meaning}: bits 31 to 0"),
        (f"{name}_high", "read", "bits 63 to 32"),
    )


def command_table(
    errors: type[IntEnum], *, versioned: str, settings: Iterable[Row], counts: Iterable[Row]
) -> tuple[Register, ...]:
    """Return the registers of a chip that keeps its program: LOAD brings one, RUN takes images.

    versioned: what the version is of; settings: of a run, `IMAGES` among them; counts: behind
    `cycles`
    """
    return register_table(
        (
            *identity_rows(versioned),
            error_row(errors),
            COMMAND,
            *settings,
            *address_rows("program_address", "of the program"),
            *address_rows("image_address", "of the first image"),
            *address_rows("answer_address", "for the first answer"),
            *counter_rows("cycles", "clock cycles of the last command"),
            *counts,
        )
    )


def register_table(rows: Iterable[Row], later: Iterable[Row] = ()) -> tuple[Register, ...]:
    """Return registers at offsets without gaps, the first at 0: `rows`, `INTERRUPT`, `later`.

    later: registers that came when the offsets of all others were in use
    Raises ValueError for fields that overlap or leave the register.
    """
    table = []
    for index, (name, access, meaning, *rest) in enumerate((*rows, *INTERRUPT, *later)):
        fields = rest[0] if rest else (number(access, meaning),)
        table.append(Register(name, REGISTER_BYTES * index, access, meaning, fields))
        bits = [bit for field in fields for bit in range(field.low, field.high + 1)]
        if sorted(set(bits)) != bits or not set(bits) <= set(range(REGISTER_BITS)):
            raise ValueError(
                f"the fields of {name} must follow one another in {REGISTER_BITS} bits"
            )
    return tuple(table)


def number(access: Access, meaning: str) -> RegisterField:
    """Return the only field of a register that is one number."""
    whole: FieldAccess = "read and write" if access == "read and write while busy" else access
    return RegisterField("value", REGISTER_BITS - 1, 0, whole, meaning)


def offsets(table: Sequence[Register]) -> dict[str, int]:
    """Return the offset of each register by its name."""
    return {register.name: register.offset for register in table}
