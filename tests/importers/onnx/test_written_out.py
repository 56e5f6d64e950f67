"""Recurrent cells as steps written out: parts of the image quantized apart, products plus a map."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

import golden.network
from hwgen.cli import main
from hwgen.commands.described import describe_import
from hwgen.importers.integer import lower
from hwgen.importers.onnx.qdq.values import Numbers
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.network.file import load_network
from hwgen.network.host import ImageStep, RawImage, raw_image_complaints
from tests.quantized_onnx import Model, differing, exact_session, saved

CASES = Path(__file__).parent / "cases"
GRIDS = [(0.02, 127), (0.05, 128), (0.031, 3)]
"""Scale and zero point of each step; two zero points are odd."""


def steps(model: Model, count: int = 3) -> list[str]:
    """Return each step of a sequence (1, 3, 6), quantized with numbers of its own."""
    chosen = (model.constant(step, np.int64) for step in range(count))
    parts = [model.node("Gather", "x", each, axis=1) for each in chosen]
    return [model.quantized(part, *grid) for part, grid in zip(parts, GRIDS, strict=False)]


def summed(model: Model) -> str:
    """Return the sum of a matrix product of each step."""
    first, *others = [
        model.quantized(model.node("Gemm", each, model.weights(6, 4, axis=1)), 0.02, 120)
        for each in steps(model)
    ]
    for other in others:
        first = model.quantized(model.node("Add", first, other), 0.03, 125)
    return first


def halves(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return images that lie half way between two integers of their step, and beyond the range."""
    whole = rng.integers(-300, 300, (40, 3, 6)) + 0.5
    scales = np.array([scale for scale, _ in GRIDS], np.float32).reshape(1, 3, 1)
    return (whole * scales).astype(np.float32)


@pytest.mark.promise(
    "steps of a sequence may each have their own scale; a product of weights plus a map is rounded"
    " once, as onnxruntime does"
)
def test_each_step_is_quantized_as_the_file_says(tmp_path: Path) -> None:
    model = Model((1, 3, 6))
    path = saved(model.build(summed(model)), tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    assert network.raw_image is not None and network.graph.input.shape == (6, 1, 3)
    assert network.graph.input.quantization[0].scale == 1
    session = exact_session(onnx.load(path))
    images = halves(np.random.default_rng(5))
    wanted = np.concatenate([session.run(None, {"x": each[np.newaxis]})[0] for each in images])
    given = network.raw_image.integers(
        images.transpose(0, 2, 1)[:, :, np.newaxis], network.graph.input
    )
    integers = given[:, :, 0, 0].astype(int)
    expected = np.rint(images[:, 0] / np.float32(GRIDS[0][0])) + GRIDS[0][1]
    assert np.array_equal(integers, expected.clip(0, 255))
    answer = network.map_of(network.answer).quantization[0]
    found = (
        golden.network.answer(network, given).reshape(40, 4) - float(answer.zero_point)
    ) * answer.scale
    assert np.allclose(found, wanted, rtol=0, atol=answer.scale / 4)


def test_one_image_in_two_ways_is_refused(tmp_path: Path) -> None:
    model = Model((1, 20))
    both = [model.quantized("x", *grid) for grid in GRIDS[:2]]
    path = saved(model.build(model.quantized(model.node("Add", *both))), tmp_path)
    (refused,) = describe_import(path).refused
    assert "the image must be quantized in one way" in refused.reason


def test_a_step_without_numbers_leaves_the_refusal(tmp_path: Path) -> None:
    model = Model((1, 3, 6))
    one, other = steps(model, 2)
    path = saved(model.build(model.quantized(model.node("Add", one, other))), tmp_path)
    (refused,) = describe_import(path).refused
    assert "got in two" in refused.reason


def cell(operator: str = "Gemm", *, alpha: float = 1.0, scale: float = 0.01) -> Model:
    """Return a model of a product of weights and a map that is added or subtracted.

    operator: Gemm, Sub: the product minus the map, Reverse: the map minus the product
    """
    model = Model((1, 20))
    image = model.image(scale=0.02, zero=117)
    other = model.node("Gemm", image, model.weights(20, 8, axis=1))
    added, weights = model.quantized(other, scale, 140), model.weights(20, 8, axis=1)
    if operator == "Gemm":
        result = model.node("Gemm", image, weights, added, alpha=alpha)
    else:
        product = model.node("MatMul", image, weights)
        pair = (product, added) if operator == "Sub" else (added, product)
        result = model.node("Sub", *pair)
    model.answer = model.quantized(result, 0.015, 101)
    return model


@pytest.mark.parametrize(
    ("operator", "alpha"), [("Gemm", 1.0), ("Gemm", 0.5), ("Sub", 1.0), ("Reverse", 1.0)]
)
def test_a_product_plus_a_map_is_rounded_once(operator: str, alpha: float, tmp_path: Path) -> None:
    model = cell(operator, alpha=alpha)
    path = saved(model.build(model.answer), tmp_path)
    assert differing(path) == 0
    lowered = lower(read_integer_graph(path), kernels="onnxruntime")
    (note,) = [each for each in lowered.notes if "steps of its sums" in each.what]
    assert note.steps < 0.01
    assert [layer.op for layer in lowered.network.layers][-1] == "linear"


def test_a_map_of_too_many_steps_is_added_to_rounded_sums(tmp_path: Path) -> None:
    """More than 64 weights would be needed: sums are rounded first, and a line says so."""
    model = cell(scale=5.0)
    path = saved(model.build(model.answer), tmp_path)
    lowered = lower(read_integer_graph(path), kernels="onnxruntime")
    assert [layer.op for layer in lowered.network.layers][-2:] == ["linear", "add"]
    assert any("rounded first" in each.what for each in lowered.notes)


def test_such_an_image_is_exported_and_imported_again(tmp_path: Path) -> None:
    network, model, again = (tmp_path / name for name in ("a.npz", "a.onnx", "b.npz"))
    built = Model((1, 3, 6))
    path = saved(built.build(summed(built)), tmp_path)
    assert main(["import", str(path), "--kernels", "half_up", "--out", str(network)]) == 0
    assert main(["export-onnx", str(network), "--out", str(model)]) == 0
    assert main(["import", str(model), "--out", str(again)]) == 0
    first, second = (load_network(path).raw_image for path in (network, again))
    assert first is not None and second is not None
    assert [each.operation for each in second.steps] == ["divide", "round", "add"]
    assert [each.values for each in second.steps] == [each.values for each in first.steps]
    assert "Round" in {node.op_type for node in onnx.load(model).graph.node}


def test_a_network_file_rounds_to_whole_numbers_only() -> None:
    step = ImageStep(node="r", operation="round", values=(0.5,))
    image = Numbers(bits=8, signed=False, scale=1.0, zero_point=0).map((1, 1, 3)).feature_map()
    (found,) = raw_image_complaints(RawImage(steps=(step,), byte=1.0), image)
    assert found[1:] == ("rounded to multiples of 1", (0.5,))
