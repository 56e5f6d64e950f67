"""The search of six kinds of chips: what it rounds, and what it takes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hwgen_studies.dbpim_paper.six_kinds import (
    KINDS,
    STARTS,
    Found,
    Measured,
    rounded_to_four_bits,
    table_lines,
)

from hwgen.commands.context import Context
from hwgen.dbpim.facts.arch import Arch
from hwgen.jobs.executors import SerialExecutor
from hwgen.network.file import load_network
from hwgen.network.sparsity import ALPHA

ROOT = Path(__file__).parents[3]
DIGITS = ROOT / "configs/networks/digits_small_cnn.npz"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Measured]:
    context = Context(work=tmp_path_factory.mktemp("work"), console=None)
    return {kind.name: Measured(context, kind, SerialExecutor()) for kind in KINDS}


def blocks(weights: np.ndarray) -> Iterator[np.ndarray]:
    """Yield which inputs have a weight, of each group of 8 filters."""
    for first in range(0, len(weights), ALPHA):
        yield weights[first : first + ALPHA].any(axis=0)


def test_rounded_weights_have_four_bits_and_the_masks_of_before() -> None:
    network = load_network(DIGITS)
    found = rounded_to_four_bits(network)
    for name, before in network.parameters.items():
        after = found.parameters[name]
        whole, weights = before.weights.astype(int), after.weights.astype(int)
        assert weights.min() >= -8 and weights.max() <= 7
        near = np.abs(whole - 16 * weights) <= 8
        lifted = (np.abs(weights) == 1) & (np.abs(whole) < 8)
        assert (near | lifted | (whole > 120)).all()
        for one, other in zip(blocks(whole), blocks(weights), strict=True):
            np.testing.assert_array_equal(one, other)
        if before.shift.size:
            np.testing.assert_array_equal(before.shift.astype(int) - 4, after.shift)


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
