"""Sequences of tokens, whole on RTL: every element, step, cycle and event."""

import math
from pathlib import Path

import pytest

from hwgen.network.maps import Pair
from tests.dbpim.compiler.test_cost import one_pixel
from tests.dbpim.compiler.test_word_groups import attention
from tests.verif.dbpim.chips import check_chip, chip_arch, compiled
from verif.common.drawing import draw_images
from verif.dbpim.sequences import ENDS, Sequence, behind_a_token, network_of


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


@pytest.mark.dear("sides0-2-1-")
@pytest.mark.promise(
    "tokens of any number behind a token of its own are exact on RTL, in every element, step, cycle"
    " and event: what fills a word up neither counts in a softmax nor in a product"
)
@pytest.mark.parametrize(
    ("sides", "heads", "batch", "end"), [((4, 4), 2, 1, ""), ((2, 3), 1, 2, "first")]
)
def test_tokens_behind_one(sides: Pair, heads: int, batch: int, end: str, tmp_path: Path) -> None:
    net = behind_a_token(Sequence(sides=sides, width=16, heads=heads, end=end), seed=4)
    arch = chip_arch("small_rows")
    fold = compiled(net, arch, batch=batch).facts.folds["softmax_10"]
    assert (fold.sides, fold.kept) == ((1 + math.prod(sides), 1), 1 + math.prod(sides))
    check_chip(net, arch, draw_images(net, 2, seed=4), tmp_path, batch=batch)


@pytest.mark.promise(
    "attention of 10 tokens with heads of 12 channels is exact on RTL in every element, step, cycle"
    " and event: a word that a head or the keys do not fill holds zeros"
)
@pytest.mark.parametrize(
    ("tokens", "channels", "heads"),
    [
        ((1, 10), 12, 2),
        *(
            pytest.param(*sizes, marks=pytest.mark.long)
            for sizes in (((7, 1), 8, 1), ((1, 1), 4, 2), ((3, 5), 20, 2))
        ),
    ],
)
def test_heads_and_keys_that_fill_no_word(
    tokens: Pair, channels: int, heads: int, tmp_path: Path
) -> None:
    net, arch = attention(tokens, channels=channels, heads=heads), chip_arch("small_rows")
    fold = compiled(net, arch).facts.folds["softmax_11"]
    assert (fold.groups, fold.kept) == (heads, math.prod(tokens))
    check_chip(net, arch, draw_images(net, 1, seed=6), tmp_path)


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
