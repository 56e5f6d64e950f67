"""Drawn networks are made of what their names say, and equal seeds draw equal networks."""

import pytest
import torch

from tests.corpus import draws, torch_draws
from tests.corpus.draws import Draw, draw
from tests.corpus.exports import DRAWN, FX, KERAS_TFLITE, ONNXRUNTIME, PT2E, TOOLS, exports
from tests.corpus.torch_networks import CLASSES

SIDES = (16, 16, 3)
FILES = 312


def of_block(name: str, stride: int, head: str = "mean") -> Draw:
    return Draw(
        seed=0, sides=SIDES, act="relu", width=8, kernel=3, blocks=((name, stride),), head=head
    )


def answer_of(one: Draw) -> torch.Tensor:
    module, shape = torch_draws.network(one)
    with torch.no_grad():
        return module(torch.rand(1, *shape, generator=torch.Generator().manual_seed(1)))


def test_names_are_those_that_have_a_maker() -> None:
    assert set(draws.TORCH) == set(torch_draws.BLOCKS)
    assert set(draws.HEADS) == set(torch_draws.HEADS)
    assert set(draws.ACTS) == set(torch_draws.ACTS)


def test_names_are_those_that_have_a_maker_of_keras() -> None:
    keras_draws = pytest.importorskip("tests.corpus.keras_draws", exc_type=ImportError)
    assert set(draws.KERAS) == set(keras_draws.BLOCKS)
    assert set(draws.HEADS) == set(keras_draws.HEADS)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("block", draws.TORCH)
def test_every_block_gives_classes(block: str, stride: int) -> None:
    assert answer_of(of_block(block, stride)).shape == (1, CLASSES)


@pytest.mark.parametrize("head", draws.HEADS)
def test_every_head_answers(head: str) -> None:
    answer = answer_of(of_block("convolution", 2, head))
    assert torch.isfinite(answer).all() and answer.std() > 0


def test_equal_seeds_draw_equal_networks() -> None:
    one, again, other = (draw(seed, draws.TORCH) for seed in (3, 3, 4))
    assert one == again and one.name != other.name
    assert torch.equal(answer_of(one), answer_of(again))


def test_a_small_map_is_not_made_smaller() -> None:
    assert draws.stride_of((5, 9), 2) == 2
    assert draws.stride_of((4, 9), 2) == 1


def test_the_corpus_has_so_many_files_of_every_tool() -> None:
    found = list(exports())
    assert len(found) == len({each.name for each in found}) == FILES
    assert {each.tool for each in found} == set(TOOLS)
    drawn = {tool: {e.network for e in found if e.tool == tool} for tool in DRAWN}
    for tool, count in DRAWN.items():
        assert sum(name.startswith("drawn_") for name in drawn[tool]) == count, tool
    assert set(DRAWN) == {ONNXRUNTIME, FX, PT2E, KERAS_TFLITE}
