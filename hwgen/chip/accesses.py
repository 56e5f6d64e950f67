"""Which events access a part of a chip that can be replaced, and what its table charges.

Tests: `tests/dbpim/model/test_accesses.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Access:
    """What an event does with a part that can be replaced.

    event: name, a key of the table of energies
    part: name of the part, with or without its sizes
    kind: of the access; what an array computes in a cycle is a read. None: the table charges here
        for what is in the part, and what replaces it charges elsewhere
    bits: of the part's words that the event moves, of a memory; None: a whole access
    table_pj: what the table charges for it, in an event
    """

    event: str
    part: str
    kind: Literal["read", "write"] | None
    bits: int | None = None
    table_pj: float


@dataclass(frozen=True, kw_only=True)
class AccessEnergy:
    """Picojoules of an access to a whole part; bits: of its words, None: of an array."""

    read_pj: float
    write_pj: float
    bits: int | None

    def of(self, access: Access) -> float:
        """Return what an event takes with it."""
        if access.kind is None:
            return 0.0
        pj = self.read_pj if access.kind == "read" else self.write_pj
        return pj if access.bits is None or self.bits is None else pj * access.bits / self.bits


def energies_of(
    accesses: Iterable[Access], events: Mapping[str, int], each: AccessEnergy
) -> tuple[float, float]:
    """Return the picojoules of counted events in a part, and those of the table in its place.

    accesses: to the part
    """
    spent = table = 0.0
    for one in accesses:
        count = events.get(one.event, 0)
        spent += count * each.of(one)
        table += count * one.table_pj
    return spent, table


def by_block(rows: Iterable[tuple[str, float, float]]) -> dict[str, tuple[float, float]]:
    """Return logic and memories of each block, in pJ; rows: block, logic, memories."""
    found: dict[str, tuple[float, float]] = {}
    for block, logic, memories in rows:
        old = found.get(block, (0.0, 0.0))
        found[block] = (old[0] + logic, old[1] + memories)
    return found
