"""The search of six kinds of chips."""

from dataclasses import replace

import pytest
from hwgen_studies.dbpim_paper.six_kinds import (
    KINDS,
    STARTS,
    Found,
    Measured,
    table_lines,
)

from hwgen.commands.context import Context
from hwgen.dbpim.facts.arch import Arch
from hwgen.jobs.executors import SerialExecutor


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Measured]:
    context = Context(work=tmp_path_factory.mktemp("work"), console=None)
    return {kind.name: Measured(context, kind, SerialExecutor()) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_begins_with_the_same_sizes(measured: dict, kind: object) -> None:
    """What a kind has no part for is left out; what it cannot have is the largest it can."""
    name = kind.name  # type: ignore[attr-defined]
    archs = [measured[name].arch(sizes) for sizes in STARTS]
    assert len({arch.digest for arch in archs}) == len(STARTS)
    assert [(arch.cores, arch.macros_per_core) for arch in archs] == [(4, 8), (4, 16), (4, 8)]
    assert all(arch.macro.columns <= arch.columns_per_filter * arch.word for arch in archs)


def test_a_search_takes_as_many_chips_as_it_may_and_the_least_product(
    measured: dict[str, Measured], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chip is as good as its lanes are few: the search goes there, a step at a time."""
    seen: list[Arch] = []

    def found(self: Measured, arch: Arch) -> Found:
        seen.append(arch)
        return Found(kind=self.kind, arch=arch, cycles=1000 * arch.cores, area_mm2=1.0)

    monkeypatch.setattr(Measured, "found", found)
    best = measured["best_digits"].search(20)
    assert len(seen) == 20 == len({arch.digest for arch in seen})
    assert best.arch.cores == min(arch.cores for arch in seen) == 2


def test_a_row_has_the_product_and_the_ratio() -> None:
    arch = Measured(Context(console=None), KINDS[4], SerialExecutor()).arch(STARTS[0])
    first = Found(kind=KINDS[4], arch=arch, cycles=40000, area_mm2=2.0)
    *_, row = table_lines([first, replace(first, cycles=20000)])
    assert row == "| `best_digits` | two signed digits | 20,000 | 2.000 | 40.0 | 2.00 |"
