"""Images of rank 3: whose tokens are pixels, and whose steps are channels."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.commands.described import remarks_of
from hwgen.errors import DataError
from hwgen.importers.integer import lower
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.layout import layout_of
from hwgen.importers.onnx.quantized import integer_graph_of, read_integer_graph
from hwgen.importers.onnx.read import opened
from tests.quantized_onnx import Model, saved

WEIGHTS = np.random.default_rng(3).normal(size=(16, 16)).astype(np.float32) / 4
IMAGES = np.random.default_rng(4).normal(size=(12, 8, 1, 16)).astype(np.float32)


def of_tokens() -> Model:
    return Model((1, 8, 16))


def layout(model: onnx.ModelProto) -> str:
    return layout_of(opened(model, "a file"), "a file")


def weights(model: Model) -> str:
    return model.node("MatMul", "x", model.constant(WEIGHTS))


def norm(model: Model) -> str:
    ones = model.constant(np.ones(16, np.float32))
    return model.node("LayerNormalization", "x", ones, ones)


def position(model: Model) -> str:
    added = model.node("Add", "x", model.constant(np.ones((1, 8, 16), np.float32)))
    return model.node("MatMul", added, model.constant(WEIGHTS))


def rows(model: Model) -> str:
    flat = model.node("Reshape", "x", model.constant([8, 16], np.int64))
    return model.node("Gemm", flat, model.constant(WEIGHTS))


def norm_without_mean(model: Model) -> str:
    squares = model.node("Pow", "x", model.constant(2.0))
    mean = model.node("ReduceMean", squares, axes=[-1])
    root = model.node("Sqrt", model.node("Add", mean, model.constant(1e-5)))
    return model.node("MatMul", model.node("Div", "x", root), model.constant(WEIGHTS))


def turned_convolution(model: Model) -> str:
    turned = model.node("Transpose", "x", perm=[0, 2, 1])
    return model.node("Conv", turned, model.constant(WEIGHTS[..., np.newaxis]))


def convolution(model: Model) -> str:
    return model.node("Conv", "x", model.constant(WEIGHTS[:, :8, np.newaxis]))


def steps(model: Model) -> str:
    step = model.node("Gather", "x", model.constant(3, np.int64), axis=1)
    return model.node("MatMul", step, model.constant(WEIGHTS))


def mixed_tokens(model: Model) -> str:
    return model.node("MatMul", model.constant(WEIGHTS[:, :8]), "x")


def both(model: Model) -> str:
    kernel = model.constant(np.ones((8, 8, 1), np.float32))
    return model.node("Add", weights(model), model.node("Conv", "x", kernel))


def residual_and_pick(model: Model) -> str:
    total = model.node("Add", norm(model), "x")
    step = model.node("Gather", total, model.constant(0, np.int64), axis=1)
    return model.node("Gemm", step, model.constant(WEIGHTS))


OF_TOKENS = (
    weights,
    norm,
    norm_without_mean,
    position,
    rows,
    turned_convolution,
    residual_and_pick,
)
OF_STEPS = (convolution, steps, mixed_tokens, both)


@pytest.mark.promise("an image of rank 3 whose readers are token by token has tokens as pixels")
@pytest.mark.parametrize("read", [*OF_TOKENS, *OF_STEPS])
def test_readers_say_what_an_axis_is(read: Callable[[Model], str]) -> None:
    model = of_tokens()
    assert layout(model.build(read(model))) == ("tokens" if read in OF_TOKENS else "planes")


def calibrated(name: str, folder: Path) -> onnx.ModelProto:
    from tests.corpus.sequences import SEQUENCES, STEPS
    from tests.corpus.torch_networks import drawn
    from tests.zoo.exports import export

    make, shape = {**SEQUENCES, **STEPS}[name]
    path = export(drawn(make, seed=5), shape, folder / "float.onnx", "script")
    images = np.random.default_rng(0).normal(size=(8, *shape)).astype(np.float32)
    tokens = images if name in SEQUENCES else images.transpose(0, 2, 1)
    return quantized_model(path, np.ascontiguousarray(tokens[:, :, np.newaxis]))


@pytest.mark.parametrize(
    "name", ["encoder_post", "encoder_pre", "conformer", "linear_attention", "gpt_sdpa"]
)
@pytest.mark.promise("encoders and decoders on (batch, tokens, channels) run on a chip")
def test_no_layer_only_renames_a_layout(name: str, tmp_path: Path) -> None:
    model = calibrated(name, tmp_path)
    network = lower(integer_graph_of(model, name=name, source=name), kernels="onnxruntime").network
    assert network.graph.input.shape == (16, 1, 32)
    refused = [each for each in remarks_of(network)["dbpim"].values() if each.startswith("no:")]
    assert not refused


def test_steps_of_cells_and_convolutions_stay_channels(tmp_path: Path) -> None:
    for name in ("lstm", "conv1d"):
        graph = integer_graph_of(calibrated(name, tmp_path), name=name, source=name)
        assert graph.maps[graph.input].shape == (16, 1, 8)


def test_images_say_how_many_tokens_there_are(tmp_path: Path) -> None:
    model = Model(("n", "tokens", 16))
    path = saved(model.build(model.node("MatMul", "x", model.constant(WEIGHTS))), tmp_path)
    graph = read_integer_graph(saved(quantized_model(path, IMAGES), tmp_path))
    assert graph.maps[graph.input].shape == (8, 1, 16)


def test_images_that_are_turned_are_one_sentence(tmp_path: Path) -> None:
    model = of_tokens()
    path = saved(model.build(model.node("MatMul", "x", model.constant(WEIGHTS))), tmp_path)
    wanted = (
        r"of shape \(8, 1, 16\) or \(8, 16\), at least 1 \(its tokens are pixels\), got 12 of"
        " float32"
    )
    with pytest.raises(DataError, match=wanted):
        quantized_model(path, IMAGES.transpose(0, 3, 2, 1))
    said = (
        "the tokens of the input x are the pixels of the image, 8 rows of one pixel of 16 channels"
    )
    made = saved(quantized_model(path, IMAGES), tmp_path)
    assert read_integer_graph(made).remarks == (said,)
