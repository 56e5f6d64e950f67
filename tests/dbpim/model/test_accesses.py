"""Accesses to parts that can be replaced: their share of the table, and energies in its place."""

from collections import defaultdict

import pytest

from hwgen.chip.accesses import Access, AccessEnergy, energies_of
from hwgen.commands.families import load_architecture
from hwgen.dbpim.facts.energy import TABLE, load_energy
from hwgen.dbpim.model import accesses, energy_pj
from hwgen.files.shipped import shipped_folder

CHIPS = ("tiny", "paper", "paper_rows")


@pytest.mark.parametrize("name", CHIPS)
def test_shares_are_of_the_table(name: str) -> None:
    """Parts that lie beside each other have at most the whole of an event, `dots` for itself."""
    _, arch = load_architecture(shipped_folder() / f"dbpim/{name}.yaml")
    shares: dict[tuple[str, bool], float] = defaultdict(float)
    for one in accesses(arch):
        shares[one.event, one.part == "dots"] += one.table_pj
    for (event, _), pj in shares.items():
        assert pj <= energy_pj({event: 1}, arch)[event] * (1 + 1e-9), event
    assert shares["bank_reads", False] == pytest.approx(
        energy_pj({"bank_reads": 1}, arch)["bank_reads"]
    )
    assert (
        0 < shares["residual_sums", False] < energy_pj({"residual_sums": 1}, arch)["residual_sums"]
    )


def test_dots_stand_for_trees_and_cells() -> None:
    _, arch = load_architecture(shipped_folder() / "dbpim/tiny.yaml")
    found = {
        one.event: one.table_pj for one in accesses(arch) if one.part == "dots" and one.table_pj
    }
    parts: dict[str, float] = defaultdict(float)
    for event, costs in load_energy(TABLE).events.items():
        for cost in costs:
            mine = cost.part in ("trees", "cells") or cost.unit in ("cell", "metadata_bit")
            if mine and cost.applies(arch):
                parts[event] += cost.of(arch)
    assert found == pytest.approx(parts)


def test_an_access_of_a_part_of_a_word_takes_its_share() -> None:
    write = Access(event="bytes", part="bank", kind="write", bits=8, table_pj=1.0)
    read = Access(event="reads", part="bank", kind="read", bits=32, table_pj=2.0)
    here = Access(event="planes", part="bank", kind=None, table_pj=4.0)
    each = AccessEnergy(read_pj=3.0, write_pj=5.0, bits=32)
    events = {"bytes": 4, "reads": 2, "planes": 10, "others": 1}
    assert energies_of([write, read, here], events, each) == (2 * 3.0 + 5.0, 4.0 + 4.0 + 40.0)
    whole = AccessEnergy(read_pj=3.0, write_pj=5.0, bits=None)
    assert energies_of([write], events, whole) == (20.0, 4.0)
