"""Accesses to the parts of a DB-PIM chip that can be replaced, and their share of the table."""

from collections.abc import Callable, Iterator

from hwgen.chip.accesses import Access
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.energy import Cost, EnergyTable
from hwgen.dbpim.facts.units import Unit, size_of
from hwgen.dbpim.model.energy import default_table


def accesses(arch: Arch, *, table: EnergyTable | None = None) -> Iterator[Access]:
    """Yield the accesses; small register files are not told apart, and stay as the table has them.

    `dots` is an array with its cells: it computes in each bit plane, and a row is written at once.
    """
    prices = table or default_table()

    def share(event: str, chosen: Callable[[Cost], bool]) -> float:
        costs = prices.events[event]
        return sum(cost.of(arch) for cost in costs if cost.applies(arch) and chosen(cost))

    def of_unit(*units: str) -> Callable[[Cost], bool]:
        return lambda cost: cost.memory and cost.unit in units

    def buffers(cost: Cost) -> bool:
        return cost.memory and cost.part == "buffers"

    def psums(cost: Cost) -> bool:
        return cost.part == "psums"

    def dots(cost: Cost) -> bool:
        return cost.part in ("trees", "cells") or of_unit("cell", "metadata_bit")(cost)

    word = arch.word * ACTIVATION_BITS
    for event in ("bank_reads", "residual_sums"):
        pj = share(event, buffers)
        yield Access(event=event, part="activation_bank", kind="read", bits=word, table_pj=pj)
    yield Access(
        event="bank_bytes",
        part="activation_bank",
        kind="write",
        bits=ACTIVATION_BITS,
        table_pj=share("bank_bytes", buffers),
    )
    sums = size_of("sum_bit", arch)
    pj = share("psum_reads", psums)
    yield Access(event="psum_reads", part="psum_array", kind="read", bits=sums, table_pj=pj)
    pj = share("psum_writes", psums)
    yield Access(event="psum_writes", part="psum_array", kind="write", bits=sums, table_pj=pj)
    units: dict[str, Unit] = {"cell_array": "cell", "meta_array": "metadata_bit"}
    for part, unit in units.items():
        bits = size_of(unit, arch)
        pj = share("groups", of_unit(unit))
        yield Access(event="groups", part=part, kind="read", bits=bits, table_pj=pj)
        pj = share("row_writes", of_unit(unit))
        yield Access(event="row_writes", part=part, kind="write", bits=bits, table_pj=pj)
    for event in ("bit_planes", "inactive_bit_planes"):
        yield Access(event=event, part="dots", kind="read", table_pj=0.0)
    for event in ("column_planes", "groups"):
        yield Access(event=event, part="dots", kind=None, table_pj=share(event, dots))
    pj = share("row_writes", dots)
    yield Access(event="row_writes", part="dots", kind="write", table_pj=pj)
