"""Sequences of tokens, whole on RTL: every element, step, cycle and event."""

from pathlib import Path

import pytest

from tests.dbpim.compiler.test_cost import one_pixel
from tests.verif.dbpim.chips import check_chip, chip_arch, compiled
from verif.common.drawing import draw_images
from verif.dbpim.sequences import ENDS, Sequence, network_of


def check(what: Sequence, folder: Path, *, seed: int, batch: int) -> None:
    """Compare a sequence on the small chip with golden and the model."""
    net, arch = network_of(what, seed=seed), chip_arch("small_rows")
    assert compiled(net, arch, batch=batch).facts.folds
    check_chip(net, arch, draw_images(net, 2, seed=seed), folder, batch=batch)


@pytest.mark.promise(
    "a sequence that the chip holds in rows and columns is exact on RTL, in every element, step,"
    " cycle and event, in the shape of its network"
)
def test_columns_and_rows_of_tokens(tmp_path: Path) -> None:
    check(Sequence(sides=(16, 1), width=16, heads=2, end="mean"), tmp_path, seed=1, batch=1)
    check(Sequence(sides=(1, 24), width=8, heads=1, end="bytes"), tmp_path, seed=2, batch=2)


def test_one_token_of_many_filters(tmp_path: Path) -> None:
    net, arch = one_pixel(32, 48, seed=3), chip_arch("small_rows")
    (layer, _) = (plan for plan in compiled(net, arch).facts.steps if plan.kind == "conv")
    assert layer.sets == arch.cores
    check_chip(net, arch, draw_images(net, 1, seed=3), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12))
def test_drawn_sequences(seed: int, tmp_path: Path) -> None:
    tokens, end = (8, 16, 24)[seed % 3], ENDS[seed % 4]
    sides = (tokens, 1) if seed % 2 else (1, tokens)
    what = Sequence(sides=sides, width=8 * (1 + seed % 2), heads=1, end=end, rows=seed % 5 > 0)
    check(what, tmp_path, seed=seed, batch=1 + seed % 2)
