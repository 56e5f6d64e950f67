"""A table of AXI4-Lite registers: name, offset, access and meaning of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

REGISTER_BYTES = 4

BUSY_BIT = 0
DONE_BIT = 1
ERROR_BIT = 2
"""Bits of the register `status`, which every family has."""

Access = Literal["read", "read and write", "read and write while busy", "write"]


@dataclass(frozen=True)
class Register:
    """32 bits at `offset`.

    Writing a `read` register answers with an error; while busy, so does writing any other, except
    one that is `read and write while busy`.
    """

    name: str
    offset: int
    access: Access
    meaning: str


def register_table(rows: Iterable[tuple[str, Access, str]]) -> tuple[Register, ...]:
    """Return registers of name, access and meaning at offsets without gaps, the first at 0."""
    return tuple(
        Register(name, REGISTER_BYTES * index, access, meaning)
        for index, (name, access, meaning) in enumerate(rows)
    )


def offsets(table: Sequence[Register]) -> dict[str, int]:
    """Return the offset of each register by its name."""
    return {register.name: register.offset for register in table}
