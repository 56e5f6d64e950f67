"""Where by constants, and masks of files that somebody else quantized."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import FormatError, RefusedNetworkError
from hwgen.importers.integer import lower
from hwgen.importers.onnx.quantized import read_integer_graph
from tests.quantized_onnx import Model, differing, kinds, saved

CHOSEN = np.triu(np.ones((8, 8), bool), 1)


def chosen(model: Model, values: object, *, swapped: bool = False, factor: float = 1.0) -> str:
    """Return a choice between the image, (1, 16, 8, 8), and constants."""
    now = model.image()
    now = now if factor == 1 else model.node("Div", now, model.constant(factor))
    pair = (now, model.constant(values)) if swapped else (model.constant(values), now)
    condition = model.constant(~CHOSEN if swapped else CHOSEN, bool)
    return model.quantized(model.node("Where", condition, *pair), scale=0.05, zero=100)


@pytest.mark.promise("Where chooses constants in some places of a map, in every element")
@pytest.mark.parametrize("values", [0.0, -1e4, 2.5, np.linspace(-3, 3, 8)])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("factor", [1.0, 1.7])
def test_constants_in_some_places(
    values: object, swapped: bool, factor: float, tmp_path: Path
) -> None:
    model = Model((1, 16, 8, 8))
    made = model.build(chosen(model, values, swapped=swapped, factor=factor))
    path = saved(made, tmp_path)
    assert differing(path) <= (0 if factor == 1 else 1)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    lowest = isinstance(values, float) and values < -10
    assert ("multiply" in kinds(network)) != lowest


def test_a_condition_of_the_image_is_refused(tmp_path: Path) -> None:
    model = Model((1, 16, 8, 8))
    now = model.image()
    condition = model.node("Greater", now, model.constant(0.0))
    made = model.build(model.quantized(model.node("Where", condition, now, model.constant(0.0))))
    with pytest.raises(RefusedNetworkError, match="Greater"):
        lower(read_integer_graph(saved(made, tmp_path)))


def scores(model: Model, *, scale: float, zero: int, way: str, lowest: float) -> str:
    """Return shares of scores behind a mask of another tool."""
    now = model.quantized(model.node("MatMul", model.image(), model.weights(16, 16, axis=1)))
    other = model.node("Transpose", now, perm=[0, 2, 1])
    products = model.quantized(model.node("MatMul", now, other), 0.04, 128)
    if way == "add":
        grid = [model.constant(-lowest / 255), model.constant(255, np.uint8)]
        integers = model.constant(np.where(CHOSEN, 0, 255), np.uint8)
        added = model.node("DequantizeLinear", integers, *grid)
        masked = model.node("Add", products, added)
    else:
        condition = model.constant(CHOSEN, bool)
        masked = model.node("Where", condition, model.constant(lowest), products)
    share = model.node("Softmax", model.quantized(masked, scale, zero))
    return model.quantized(share, 1 / 255, 0)


@pytest.mark.promise("a mask that leaves the scores few integers is named")
@pytest.mark.parametrize("way", ["add", "where"])
def test_a_mask_that_erases_scores_is_named(way: str, tmp_path: Path) -> None:
    for lowest, left in ((-1e4, 1), (-200.0, 13), (-20.0, None)):
        model = Model((1, 8, 16))
        shares = scores(model, scale=-lowest / 240, zero=245, way=way, lowest=lowest)
        last = model.quantized(model.node("MatMul", shares, model.weights(8, 8, axis=1)))
        graph = read_integer_graph(saved(model.build(last), tmp_path))
        named = [each for each in graph.remarks if "the mask at node" in each]
        assert len(named) == (left is not None)
        if left is not None:
            assert f"{lowest:.6g} in front of" in named[0]
            assert f"leaves {left} of 256 integers to the scores" in named[0]


def test_a_mask_of_no_number_is_named_where_it_is_refused(tmp_path: Path) -> None:
    cure = "as a mask of the lowest numbers makes it: import the float file with --calibrate"
    for lowest in (-np.inf, float(np.finfo(np.float32).min)):
        model = Model((1, 8, 16))
        shares = scores(model, scale=0.1, zero=245, way="add", lowest=lowest)
        last = model.node("MatMul", shares, model.weights(8, 8, axis=1))
        made = model.build(model.quantized(last))
        with pytest.raises((FormatError, RefusedNetworkError), match=cure):
            lower(read_integer_graph(saved(made, tmp_path)))
