"""What a file may leave out or say twice: batches, stored weights, names, metadata."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.crossbar.compiler.test_reading import layers, readers
from tests.onnx_graphs import conv, layers_of, model, node, read_onnx


@pytest.mark.parametrize("batch", ["n", None, 4, 1])
def test_the_batch_does_not_matter(batch: int | str | None) -> None:
    nodes = (conv("x", "a"), node("Reshape", "a s", "f"), node("Gemm", "f m", "z"))
    found = layers(*nodes, image=(batch, 4, 8, 8), constants={"s": [-1, 256]})
    assert found == layers(*nodes, constants={"s": [1, 256]})


def test_declared_outputs_of_another_batch_do_not_matter() -> None:
    made = model(conv("x", "z"), image=("n", 4, 8, 8))
    made.graph.output[0].CopyFrom(
        helper.make_tensor_value_info("z", TensorProto.FLOAT, (7, 4, 8, 8))
    )
    made.graph.value_info.append(made.graph.output[0])
    assert layers_of(made, name="read", source="here").layers[0].out_side == 8


def stored(made: onnx.ModelProto, *, declared: bool) -> onnx.ModelProto:
    """Return the model with weights of its own; `declared`: as inputs too, as old files do."""
    weights = numpy_helper.from_array(np.ones((4, 4, 3, 3), np.float32), "w")
    made.graph.initializer.append(weights)
    if not declared:
        kept = [tensor for tensor in made.graph.input if tensor.name != "w"]
        del made.graph.input[:]
        made.graph.input.extend(kept)
    return made


@pytest.mark.parametrize("declared", [False, True])
def test_weights_may_be_stored(declared: bool) -> None:
    bare = model(conv("x", "a"), node("Relu", "a", "z"))
    full = stored(model(conv("x", "a"), node("Relu", "a", "z")), declared=declared)
    before = full.SerializeToString()
    assert layers_of(full, name="n", source="") == layers_of(bare, name="n", source="")
    assert full.SerializeToString() == before


def test_weights_may_be_missing_elsewhere(tmp_path: Path) -> None:
    full = stored(model(conv("x", "z")), declared=False)
    tensor = full.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="not-here.bin")
    path = tmp_path / "outside.onnx"
    path.write_bytes(full.SerializeToString())
    assert read_onnx(path).layers == layers_of(model(conv("x", "z")), name="n", source="").layers


def test_weights_may_be_computed_from_constants() -> None:
    value = numpy_helper.from_array(np.array([4, 4, 3, 3]), "shape")
    found = layers(
        node("Constant", "", "s", value=value),
        node("ConstantOfShape", "s", "made"),
        conv("x", "z", "made"),
    )
    assert readers(found) == [("conv", ())]


def test_names_are_those_of_nodes_or_of_what_they_write() -> None:
    nodes = [conv("x", "a"), conv("a", "b"), conv("b", "d")]
    for one, name in zip(nodes, ("same", "", "same"), strict=True):
        one.name = name
    assert [layer.name for layer in layers(*nodes)] == ["same", "b", "d"]


@pytest.mark.parametrize(("value", "fused"), [("true", True), ("false", False), ("", False)])
def test_the_metadata_say_whether_activations_are_fused(value: str, fused: bool) -> None:
    made = model(conv("x", "z"))
    helper.set_model_props(made, {"hwgen.fused_activations": value, "else": "true"})
    assert layers_of(made, name="n", source="").fused_activations is fused


def test_the_file_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    content = model(conv("x", "z"), image=("n", 4, 8, 8)).SerializeToString()
    path.write_bytes(content)
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        network = read_onnx(path)
    finally:
        tmp_path.chmod(0o700)
    assert network.name == "mine"
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]
