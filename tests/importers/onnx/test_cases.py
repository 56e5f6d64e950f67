"""Small files of other tools: what becomes of each, against the file in a default session.

`cases` has them as the tools wrote them: torch, onnxruntime's quantization, Brevitas.
"""

from pathlib import Path

import numpy as np
import pytest

import golden.network
from hwgen.cli import main
from hwgen.commands.exchange import calibrated_graph
from hwgen.importers.integer import lower
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.importers.onnx.runtime import runtime_of
from hwgen.network.file import load_network
from tests.quantized_onnx import Model, differing, saved

CASES = Path(__file__).parent / "cases"
EXACT = {
    "bias_of_another_scale": (1, 1, 20),
    "brevitas_mlp_qcdq": (1, 1, 20),
    "brevitas_residual_4bit_qcdq": (32, 32, 3),
    "pad_by_infinity_max_pool": (32, 32, 3),
    "pad_by_minimum_max_pool": (32, 32, 3),
    "requantized_twice": (16, 16, 3),
}
"""Files that golden answers as a default session does, with the shapes of their images."""
BREVITAS = ("brevitas_mlp_qcdq", "brevitas_residual_4bit_qcdq")


def test_every_case_is_listed() -> None:
    assert {path.stem for path in CASES.iterdir()} == {*EXACT}


@pytest.mark.parametrize("name", EXACT)
def test_every_element_is_equal(name: str) -> None:
    assert differing(CASES / f"{name}.onnx") == 0


def test_the_largest_of_sums_with_a_scale_each_is_the_class(tmp_path: Path) -> None:
    """Of the sums as they are it is another one for some images."""
    model = Model((1, 20))
    path = saved(
        model.build(model.node("Gemm", model.image(), model.weights(6, 20), transB=1)), tmp_path
    )
    graph = read_integer_graph(path)
    network = lower(graph, kernels="onnxruntime").network
    images = np.random.default_rng(2).integers(0, 256, (60, 1, 1, 20)).astype(np.uint8)
    outcome = runtime_of(path, graph, default=True).run(images, [])
    assert (golden.network.predict(network, images) == outcome.answers.argmax(axis=1)).all()
    assert (
        golden.network.answer(network, images).argmax(axis=3) != outcome.answers.argmax(axis=1)
    ).any()
    assert differing(path) == 0


def test_such_a_head_is_exported_and_imported_again(tmp_path: Path) -> None:
    network, model, again = (tmp_path / name for name in ("a.npz", "a.onnx", "b.npz"))
    path = CASES / "brevitas_mlp_qcdq.onnx"
    assert main(["import", str(path), "--kernels", "half_up", "--out", str(network)]) == 0
    assert main(["export-onnx", str(network), "--out", str(model)]) == 0
    assert main(["import", str(model), "--out", str(again)]) == 0
    first, second = (load_network(path) for path in (network, again))
    assert [layer.output for layer in first.layers] == [layer.output for layer in second.layers]
    for layer_name, arrays in first.parameters.items():
        for key, array in arrays.arrays().items():
            assert np.array_equal(array, second.parameters[layer_name].arrays()[key])


@pytest.mark.parametrize("name", BREVITAS)
def test_calibration_leaves_the_pairs_of_a_file(name: str, tmp_path: Path) -> None:
    images, qdq = tmp_path / "images.npz", tmp_path / "qdq.onnx"
    drawn = np.random.default_rng(1).uniform(-2, 2, (20, *EXACT[name])).astype(np.float32)
    np.savez(images, images=drawn)
    given = calibrated_graph(CASES / f"{name}.onnx", images, qdq)
    assert differing(qdq) == 0
    before, after = (
        lower(each, kernels="onnxruntime").network
        for each in (read_integer_graph(CASES / f"{name}.onnx"), given)
    )
    kept = {layer.name: layer for layer in after.layers}
    assert len(kept) == len(before.layers)
    for layer in before.layers[:-1]:
        numbers, same = (each.output.quantization[0] for each in (layer, kept[layer.name]))
        assert (numbers.scale, numbers.zero_point) == (same.scale, same.zero_point)
    for layer_name, weighted in before.parameters.items():
        assert np.array_equal(weighted.weights, after.parameters[layer_name].weights)
        assert np.array_equal(weighted.bias, after.parameters[layer_name].bias)
