"""Block masks by hand, against the reference, and with a short tail."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from rich.progress import Progress

import verif.reference.dbpim.pruning as reference
from hwgen.data import Dataset
from hwgen.network.pruning import file_of_rule
from hwgen.train.prune import block_mask, block_scores, block_sizes, mask_by
from hwgen.train.recipe import Pruning, Recipe
from hwgen.train.run import Run
from tests.network.test_pruning import install

DIGITS = Pruning(share=0.5, first_layer=True, head=True, blocks="digits")


def test_a_block_is_one_position_in_eight_filters() -> None:
    weight = torch.zeros(16, 2, 1, 1)
    weight[3, 0], weight[9, 1] = 5.0, -4.0
    weight[0, 1], weight[8, 0] = 1.0, 2.0
    mask = block_mask(weight, 0.5)[:, :, 0, 0]
    assert mask[:8].tolist() == [[True, False]] * 8
    assert mask[8:].tolist() == [[False, True]] * 8


def test_a_tail_ranks_as_if_it_were_whole() -> None:
    weight = torch.zeros(10, 1, 1, 1)
    weight[:8], weight[8:] = 1.0, 1.1
    # The whole block has norm 2.83 and the tail 1.56, yet the tail's weights are larger.
    assert torch.allclose(block_scores(weight).flatten(), torch.tensor([1.0, 1.1]))
    assert block_mask(weight, 0.5).flatten().tolist() == [False] * 8 + [True] * 2


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.6, 0.95])
@pytest.mark.parametrize("filters", [1, 8, 20, 28])
def test_against_the_reference(filters: int, share: float) -> None:
    weight = np.random.default_rng(filters).normal(size=(filters, 5, 3, 3))
    ours = block_mask(torch.tensor(weight), share).permute(0, 2, 3, 1).reshape(filters, -1)
    theirs = reference.prune(weight.transpose(0, 2, 3, 1).reshape(filters, -1), share)
    # Equal scores have no order across layouts; random weights have none.
    assert np.array_equal(ours[::8].numpy(), theirs)
    assert np.count_nonzero(~theirs) == int(np.ceil(share * theirs.size - 1e-9))


@pytest.mark.promise(
    "filters of one digit may be pruned in blocks of sixteen, and have steps of least error"
)
@pytest.mark.parametrize("filters", [16, 48])
def test_blocks_of_sixteen_against_the_reference(filters: int) -> None:
    weight = np.random.default_rng(filters).normal(size=(filters, 5, 3, 3))
    mask = block_mask(torch.tensor(weight), 0.5, [16] * (filters // 16))
    ours = mask.permute(0, 2, 3, 1).reshape(filters, -1)
    theirs = reference.prune(weight.transpose(0, 2, 3, 1).reshape(filters, -1), 0.5, size=16)
    assert np.array_equal(ours[::16].numpy(), theirs)


def test_a_block_of_sixteen_counts_as_two() -> None:
    weight = torch.ones(24, 4, 1, 1)
    weight[:16, 1] = 0.5  # the weakest block, of 16 filters
    weight[16:, 2] = 0.7
    mask = block_mask(weight, 0.25, [16, 8])[:, :, 0, 0]
    # A quarter of the twelve groups of 8: the block of 16 and the next one.
    assert (~mask).nonzero().tolist() == [[row, 1] for row in range(16)] + [
        [row, 2] for row in range(16, 24)
    ]


def filters_of_digits(*digits: int) -> torch.Tensor:
    """Return groups of 8 filters, most of whose weights have so many digits."""
    values = {1: [127.0, 64.0, 32.0, 16.0], 2: [127.0, 3.0, 5.0, 9.0]}
    rows = [values[count] for count in digits for _ in range(8)]
    return torch.tensor(rows)[:, :, None, None] / 127


def test_only_two_neighbours_of_one_digit_make_blocks_of_sixteen() -> None:
    weight = filters_of_digits(1, 1, 1, 2, 1)
    assert block_sizes(weight, DIGITS, "mode") == [16, 8, 8, 8]
    assert block_sizes(weight, DIGITS, "one") == [16, 16, 8]
    assert block_sizes(weight, DIGITS, "int8") == [8] * 5
    eight = Pruning(share=0.5, first_layer=True, head=True)
    assert block_sizes(weight, eight, "one") == [8] * 5


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of an installed package whose rule leaves the best input of each group."""
    return install(tmp_path, monkeypatch, BEST)


BEST = "def rule(scores, share):\n    return scores == scores.max(axis=1, keepdims=True)\n"


@pytest.mark.usefixtures("rules")
def test_a_rule_of_a_package_sees_inputs_in_the_order_of_the_weights() -> None:
    weight = torch.rand(12, 3, 2, 2)
    weight[:8, 1, 1, 0], weight[8:, 2, 0, 1] = 5.0, -7.0
    mask = mask_by("foreign", weight, 0.5)
    expected = torch.zeros(12, 3, 2, 2, dtype=torch.bool)
    expected[:8, 1, 1, 0] = expected[8:, 2, 0, 1] = True
    assert torch.equal(mask, expected)


def test_a_changed_rule_is_another_training(
    rules: Path, recipe: Recipe, few_digits: Dataset, tmp_path: Path
) -> None:
    def digests(pruning: Pruning) -> list[str]:
        run = Run(
            replace(recipe, pruning=pruning),
            few_digits,
            None,
            out=tmp_path,
            device=torch.device("cpu"),
            resume=True,
            bars=Progress(disable=True),
        )
        return [run.digest(name) for name in ("float", "pruned")]

    pruning = Pruning(share=0.5, first_layer=True, head=True, rule="foreign")
    before, plain = digests(pruning), digests(DIGITS)
    file = file_of_rule("foreign")
    assert file == rules / "foreign_rule.py"
    file.write_text(BEST + "\n")
    after = digests(pruning)
    assert before[0] == after[0] and before[1] != after[1]
    assert digests(DIGITS) == plain


def test_a_rule_of_a_package_knows_no_blocks_of_sixteen() -> None:
    with pytest.raises(ValidationError, match="weakest with blocks of digits"):
        Pruning(share=0.5, first_layer=True, head=True, blocks="digits", rule="foreign")
