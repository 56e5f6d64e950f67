"""Files that nobody can import: one sentence, exit code 2, and never seconds of silence."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from hwgen.cli import BAD_INPUT, main
from tests.quantized_onnx import Model, saved, small_float
from tests.tflite_files import (
    Writer,
    conv_options,
    convolution,
    random_weights,
)

SECONDS = 5
FILES = Path(__file__).parent / "files"
Onnx = Callable[[Model, str], Any]


def grid(model: Model, kind: type = np.uint8, scale: float = 0.05) -> list[str]:
    return [model.constant(scale), model.constant(3, kind)]


def operator(name: str, **attributes: Any) -> Onnx:
    """Return a model of one operator between two quantizations."""
    return lambda m, x: m.quantized(m.node(name, x, **attributes))


def resized(*scales: float, **attributes: Any) -> Onnx:
    return lambda m, x: m.quantized(m.node("Resize", x, "", m.constant(scales), **attributes))


def grown(**attributes: Any) -> Onnx:
    return lambda m, x: m.quantized(
        m.node("ConvTranspose", x, m.weights(3, 4, 2, 2, axis=1), **attributes)
    )


def moved(name: str, *constants: Any, **attributes: Any) -> Onnx:
    """Return a model of one operator with constants of integers, before a convolution."""

    def build(model: Model, image: str) -> str:
        given = [model.constant(each, np.int64) for each in constants]
        return model.quantized(model.node(name, image, *given, **attributes))

    return build


def loop(model: Model, image: str) -> str:
    outputs = [onnx.helper.make_tensor_value_info(name, 1, None) for name in ("c", "b")]
    nodes = [onnx.helper.make_node("Identity", [image], ["b"])]
    nodes.append(onnx.helper.make_node("Identity", ["cond"], ["c"]))
    inputs = [
        onnx.helper.make_tensor_value_info("i", 7, []),
        onnx.helper.make_tensor_value_info("cond", 9, []),
    ]
    body = onnx.helper.make_graph(nodes, "body", inputs, outputs)
    count, going = model.constant(3, np.int64), model.constant(np.array(True), np.bool_)
    return model.quantized(model.node("Loop", count, going, body=body))


def integers(model: Model, image: str) -> str:
    """Return the image as integers."""
    return model.node("QuantizeLinear", image, *grid(model))


def linear_conv(model: Model, image: str, *, weights: str = "", scale: float = 0.05) -> str:
    given = weights or model.constant(np.ones((4, 3, 1, 1)), np.int8)
    steps = [model.constant(0.01), model.constant(0, np.int8)]
    tensors = [integers(model, image), *grid(model), given, *steps, *grid(model, scale=scale)]
    made = model.node("QLinearConv", *tensors)
    return model.node("DequantizeLinear", made, *grid(model, scale=scale))


def many(name: str, **attributes: Any) -> Onnx:
    def build(model: Model, image: str) -> str:
        now = image
        for _ in range(1000):
            now = model.node(name, now, **attributes)
        return model.quantized(now)

    return build


ONNX: dict[str, Onnx] = {
    "a convolution that stands still": lambda m, x: m.quantized(
        m.conv(x, 4, 3, 3, 3, strides=[0, 0])
    ),
    "a dilation of 0": lambda m, x: m.quantized(m.conv(x, 4, 3, 3, 3, dilations=[0, 1])),
    "no group": lambda m, x: m.quantized(m.conv(x, 4, 3, 3, 3, group=0)),
    "groups that do not divide": lambda m, x: m.quantized(m.conv(x, 4, 2, 3, 3, group=2)),
    "a window beyond the map": lambda m, x: m.quantized(m.conv(x, 4, 3, 9, 9)),
    "a pooling that stands still": operator("MaxPool", kernel_shape=[2, 2], strides=[1, 0]),
    "a pooling without window": operator("MaxPool", kernel_shape=[0, 0]),
    "a mean that counts padding and rounds up": operator(
        "AveragePool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, count_include_pad=1
    ),
    "a loop": loop,
    "an enlargement by cubes": resized(1.0, 1.0, 2.0, 2.0, mode="cubic"),
    "an enlargement by 0": resized(1.0, 1.0, 0.0, 2.0),
    "an enlargement by a million": resized(1.0, 1.0, 1e6, 1e6),
    "an enlargement by half a pixel": resized(1.0, 1.0, 1.5, 1.5),
    "a transposed convolution of a given shape": grown(output_shape=[12, 12]),
    "a transposed convolution that stands still": grown(strides=[0, 2]),
    "a transposed convolution in groups": grown(group=2),
    "a block of 0": operator("DepthToSpace", blocksize=0),
    "a block that does not divide the channels": operator("DepthToSpace", blocksize=2),
    "a block that does not divide the rows": operator("SpaceToDepth", blocksize=4),
    "slopes of another length": lambda m, x: m.quantized(
        m.node("PRelu", x, m.constant([[[0.1]], [[0.2]]]))
    ),
    "the larger of three maps": lambda m, x: m.quantized(m.node("Max", x, x, x)),
    "a difference of two shapes": lambda m, x: m.quantized(
        m.node("Sub", x, m.quantized(m.conv(x, 3, 3, 3, 3)))
    ),
    "rows concatenated": lambda m, x: m.quantized(m.node("Concat", x, x, axis=2)),
    "a shape of other elements": moved("Reshape", [1, 7, 7, 3]),
    "an order of three dimensions": operator("Transpose", perm=[0, 1, 2]),
    "an index beyond the channels": moved("Gather", [0, 99], axis=1),
    "a batch in parts": moved("Reshape", [2, 3, 3, 6]),
    "a quantized convolution of real weights": lambda m, x: linear_conv(
        m, x, weights=m.constant(np.ones((4, 3, 1, 1)))
    ),
    "a quantized convolution of scale 0": lambda m, x: linear_conv(m, x, scale=0.0),
    "a quantized convolution of a negative scale": lambda m, x: linear_conv(m, x, scale=-1.0),
    "integers read as signed": lambda m, x: m.node(
        "DequantizeLinear", integers(m, x), *grid(m, np.int8)
    ),
    "1,000 functions": many("Tanh"),
    "1,000 unknown nodes": many("Sin"),
    "an operator that nobody knows": operator("Quaternion"),
    "a whole number for an image": lambda m, x: m.node("Cast", x, to=7),
}


def tflite_move(name: str, out: tuple[int, ...], *constants: Any, options: Any = None) -> Writer:
    writer = Writer()
    x, y = writer.map(4, 6, 6), writer.map(*out)
    given = tuple(writer.constant(np.array(each, np.int32)) for each in constants)
    writer.operator(name, (x, *given), y, options)
    z = writer.map(*out[:2], 4, scale=0.3)
    convolution(writer, y, z, random_weights(4, 1, 1, out[-1]), conv_options())
    return writer


def transposed(channels: int, stride: int) -> Writer:
    writer = Writer()
    x, y = writer.map(4, 4, 3), writer.map(8, 8, 2)
    shape = writer.constant(np.array([1, 8, 8, 2], np.int32))
    weights = writer.constant(random_weights(2, 2, 2, channels), scales=0.01)
    options = ("TransposeConvOptions", {"Padding": 0, "StrideH": stride, "StrideW": stride})
    writer.operator("TRANSPOSE_CONV", (shape, weights, x), y, options)
    return writer


def real() -> Writer:
    writer = Writer()
    x, y = (writer.map(4, 4, 3, scale=None, type="float32") for _ in range(2))
    writer.operator("RELU", (x,), y)
    return writer


def with_slopes() -> Writer:
    writer = Writer()
    x, y = writer.map(4, 4, 3), writer.map(4, 4, 3)
    writer.operator("PRELU", (x, writer.constant(np.ones((1, 1, 2), np.int8), scales=0.1)), y)
    return writer


def smaller_of_two_shapes() -> Writer:
    writer = Writer()
    x, y, z = writer.map(4, 4, 3), writer.map(1, 1, 3), writer.map(4, 4, 3)
    axes = writer.constant(np.array([1, 2], np.int32))
    writer.operator("MEAN", (x, axes), y, ("ReducerOptions", {"KeepDims": True}))
    writer.operator("MINIMUM", (x, y), z, ("MaximumMinimumOptions", {}))
    return writer


def constants_concatenated() -> Writer:
    writer = Writer()
    x, y = writer.map(4, 4, 3), writer.map(4, 4, 6)
    more = writer.constant(np.zeros((1, 4, 4, 3), np.int8), scales=0.05)
    options = ("ConcatenationOptions", {"Axis": 3, "FusedActivationFunction": 0})
    writer.operator("CONCATENATION", (x, more), y, options)
    return writer


SLICE = ("StridedSliceOptions", {})
TFLITE: dict[str, Callable[[], Writer]] = {
    "an order of other dimensions": lambda: tflite_move("TRANSPOSE", (4, 6, 6), [0, 1, 1, 3]),
    "a step of 0": lambda: tflite_move(
        "STRIDED_SLICE", (4, 6, 6), [0] * 4, [1, 4, 6, 6], [1, 0, 1, 1], options=SLICE
    ),
    "rows upside down": lambda: tflite_move(
        "STRIDED_SLICE", (4, 6, 6), [0, 3, 0, 0], [1, -5, 6, 6], [1, -1, 1, 1], options=SLICE
    ),
    "no repetition": lambda: tflite_move("TILE", (4, 6, 6), [1, 0, 1, 1]),
    "a billion repetitions": lambda: tflite_move("TILE", (4, 6, 6), [1, 30000, 30000, 1]),
    "rows one behind the other": lambda: tflite_move("TILE", (8, 6, 6), [1, 2, 1, 1]),
    "a number beyond the channels": lambda: tflite_move(
        "GATHER", (4, 6, 2), [0, 9], options=("GatherOptions", {"Axis": 3})
    ),
    "no rows": lambda: tflite_move(
        "RESIZE_NEAREST_NEIGHBOR", (4, 6, 6), [0, 6], options=("ResizeNearestNeighborOptions", {})
    ),
    "a block of no pixels": lambda: tflite_move(
        "DEPTH_TO_SPACE", (4, 6, 6), options=("DepthToSpaceOptions", {"BlockSize": 0})
    ),
    "a block of other channels": lambda: tflite_move(
        "DEPTH_TO_SPACE", (16, 24, 1), options=("DepthToSpaceOptions", {"BlockSize": 4})
    ),
    "filters of other channels": lambda: transposed(4, 2),
    "zeros at no steps": lambda: transposed(3, 0),
    "real numbers": real,
    "two slopes for three channels": with_slopes,
    "the smaller of two shapes": smaller_of_two_shapes,
    "a constant among maps": constants_concatenated,
}


def bytes_of(name: str) -> bytes:
    return (FILES / name).read_bytes()


CONTENTS: dict[str, Callable[[], tuple[str, bytes]]] = {
    "nothing": lambda: ("file.onnx", b""),
    "a text": lambda: ("file.onnx", b"this is no network\n"),
    "an archive": lambda: ("file.onnx", b"PK\x03\x04" + bytes(100)),
    "half of an export": lambda: ("file.onnx", bytes_of("resnet-script-calibrated.onnx")[:9000]),
    "the end of an export": lambda: ("file.onnx", bytes_of("resnet-script-calibrated.onnx")[9000:]),
    "half of a TFLite file": lambda: ("file.tflite", bytes_of("means.tflite")[:2000]),
    "a TFLite file of its identifier": lambda: ("file.tflite", bytes_of("means.tflite")[:8]),
    "a float network": lambda: ("file.onnx", small_float().SerializeToString()),
}


def checked(path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = time.process_time()
    assert main(["import", str(path), "--out", str(folder / "out.npz")]) == BAD_INPUT
    assert time.process_time() - begun < SECONDS
    error = capsys.readouterr().err
    assert error.startswith("hwgen: ") and len(error.splitlines()) == 1, error
    assert str(path) in error and not (folder / "out.npz").exists()


@pytest.mark.promise(
    "files that nobody can import are one sentence and exit code 2, within five seconds"
)
def test_there_are_forty_and_more() -> None:
    assert len(ONNX) + len(TFLITE) + len(CONTENTS) >= 40


@pytest.mark.parametrize("name", ONNX)
def test_onnx(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = Model()
    path = saved(model.build(ONNX[name](model, model.image())), tmp_path)
    checked(path, tmp_path, capsys)


@pytest.mark.parametrize("name", TFLITE)
def test_tflite(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checked(TFLITE[name]().save(tmp_path / "file.tflite"), tmp_path, capsys)


@pytest.mark.parametrize("name", CONTENTS)
def test_content(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suffix, content = CONTENTS[name]()
    path = tmp_path / suffix
    path.write_bytes(content)
    checked(path, tmp_path, capsys)
