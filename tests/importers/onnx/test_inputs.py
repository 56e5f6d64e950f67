"""Several inputs of a file as one image: states from outside, against onnxruntime's own inputs."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from hwgen.cli import main
from hwgen.errors import FormatError
from hwgen.importers.integer import lower
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.inputs import joined_inputs, said_of_inputs
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.network.host import ImageStep
from tests.quantized_onnx import Model, differing, exact_session, saved

RNG = np.random.default_rng(11)
Shapes = dict[str, tuple[int | str, ...]]


def with_inputs(model: onnx.ModelProto, shapes: Shapes) -> onnx.ModelProto:
    """Return a model with these inputs in place of its own."""
    del model.graph.input[:]
    model.graph.input.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    )
    return model


def cell(operator: str, *, inputs: int, size: int, steps: int = 1, directions: int = 1) -> Any:
    """Return a recurrent node whose states come from outside and go there, and its inputs."""
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[operator]
    model = Model(opset=14)
    weights = [
        model.constant(model.rng.normal(size=(directions, gates * size, each)) / 2)
        for each in (inputs, size)
    ]
    bias = model.constant(model.rng.normal(size=(directions, 2 * gates * size)) / 2)
    states = ("h", "c") if operator == "LSTM" else ("h",)
    given = {"direction": "bidirectional"} if directions == 2 else {}
    if operator == "GRU":
        given["linear_before_reset"] = 1
    rows = model.node("Transpose", "x", perm=[1, 0, 2])
    made = model.node(
        operator, rows, *weights, bias, "", *states, outputs=1 + len(states), hidden_size=size,
        **given,
    ).split()  # fmt: skip
    flat = model.node("Transpose", made[1], perm=[1, 0, 2])
    flat = model.node("Reshape", flat, model.constant([1, -1], np.int64))
    head = model.node("MatMul", flat, model.constant(model.rng.normal(size=(directions * size, 3))))
    shapes: Shapes = {"x": ("batch", steps, inputs)}
    shapes |= {name: (directions, "batch", size) for name in states}
    return with_inputs(model.build(head, *made[1:]), shapes), shapes


def apart(images: np.ndarray, shapes: Shapes) -> dict[str, np.ndarray]:
    """Return the inputs of the file that an image (1, 1, channels) holds."""
    sides = {
        name: [side if side != "batch" else 1 for side in each] for name, each in shapes.items()
    }
    ends = np.cumsum([0, *(np.prod(each) for each in sides.values())])
    flat = images.reshape(-1)
    return {
        name: flat[low:high].reshape(sides[name])
        for name, (low, high) in zip(shapes, pairwise(ends), strict=True)
    }


CELLS: list[tuple[str, dict[str, int]]] = [
    ("LSTM", {"inputs": 6, "size": 5}),
    ("LSTM", {"inputs": 3, "size": 4, "steps": 2, "directions": 2}),
    ("GRU", {"inputs": 4, "size": 7, "steps": 3}),
    ("RNN", {"inputs": 1, "size": 1}),
]


def images_of(shapes: Shapes, count: int = 40) -> np.ndarray:
    """Return drawn images that hold the inputs."""
    sides = (np.prod([1 if s == "batch" else s for s in each]) for each in shapes.values())
    return RNG.normal(size=(count, 1, 1, int(sum(sides)))).astype(np.float32)


@pytest.mark.promise(
    "a network of several inputs, states that come from outside among them, is one of one image"
)
@pytest.mark.parametrize(("operator", "given"), CELLS)
def test_a_cell_with_states_from_outside_is_onnxruntimes(
    operator: str, given: dict[str, int], tmp_path: Path
) -> None:
    model, shapes = cell(operator, **given)
    images = images_of(shapes)
    made = quantized_model(saved(model, tmp_path), images)
    whole = exact_session(made)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    image = whole.get_inputs()[0].name
    for each in images[:8]:
        wanted = session.run(None, apart(each, shapes))
        found = whole.run(None, {image: each.reshape(1, -1)})
        for one, other in zip(wanted, found, strict=True):
            assert one.shape == other.shape
            assert np.abs(one - other).max() < 0.15 * max(1.0, float(np.abs(one).max()))
    assert differing(saved(made, tmp_path)) == 0
    graph = read_integer_graph(saved(made, tmp_path))
    assert len(graph.ends) == len(model.graph.output)
    assert graph.behind[0] == said_of_inputs(made)[0]


def two_inputs() -> onnx.ModelProto:
    """Return a quantized file of two inputs, each with numbers of its own."""
    model = Model()
    parts = [model.quantized(name, *grid) for name, grid in (("x", (0.02, 100)), ("h", (0.5, 7)))]
    sums = [
        model.quantized(model.node("Gemm", each, model.weights(size, 4, axis=1)), 0.05, 120)
        for each, size in zip(parts, (6, 3), strict=True)
    ]
    built = model.build(model.quantized(model.node("Add", *sums), 0.06, 128))
    return with_inputs(built, {"x": (1, 6), "h": (1, 3)})


@pytest.mark.parametrize("opset", [11, 17])
def test_nodes_in_front_take_the_image_apart(opset: int) -> None:
    model = Model(opset=opset)
    shapes: Shapes = {"x": ("n", 3), "h": (2, "n", 3), "c": (1, 3)}
    total = model.node("Add", model.node("Add", "x", "h"), "c")
    given = with_inputs(model.build(total), shapes)
    joined = joined_inputs(given)
    assert joined.parts == {"x": (0, 3), "h": (3, 9), "c": (9, 12)}
    session = onnxruntime.InferenceSession(
        joined.model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    image = RNG.normal(size=(1, 12)).astype(np.float32)
    (found,) = session.run(None, {session.get_inputs()[0].name: image})
    first, second, third = image[:, :3], image[:, 3:9].reshape(2, 1, 3), image[:, 9:]
    assert np.allclose(found, first + second + third)


def test_each_input_keeps_its_numbers(tmp_path: Path) -> None:
    path = saved(two_inputs(), tmp_path)
    graph = read_integer_graph(path)
    assert graph.behind == (
        "the image holds the inputs of the file: x (channels 0 to 5), h (channels 6 to 8)",
    )
    network = lower(graph, kernels="onnxruntime").network
    assert network.graph.input.shape == (1, 1, 9) and network.raw_image is not None
    divided, rounded, added = network.raw_image.steps
    assert divided.values == (*[np.float32(0.02)] * 6, *[np.float32(0.5)] * 3)
    assert divided.words() == "divided by 0.0199999996 for 6, 0.5 for 3 channels"
    assert added.words() == "plus 100 for 6, 7 for 3 channels"
    assert rounded.words() == "rounded to a multiple of 1"
    assert differing(path) == 0


def test_unlike_constants_are_told_one_by_one() -> None:
    step = ImageStep(node="Sub", operation="subtract", values=(1.0, 2.0, 1.0))
    assert step.words() == "minus 1, 2, 1"


def test_a_file_of_one_input_stays() -> None:
    model = Model((1, 3, 6, 6))
    given = model.build(model.quantized(model.conv(model.image(), 2, 3, 3, 3)))
    joined = joined_inputs(given)
    assert joined.model is given and not joined.parts and said_of_inputs(given) == ()


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((1, 3, 6, 6), TensorProto.FLOAT),
        ((1, "steps"), TensorProto.FLOAT),
        ((2, 3), TensorProto.FLOAT16),
    ],
)
def test_what_is_no_row_of_values_is_not_joined(shape: tuple[int | str, ...], kind: int) -> None:
    model = two_inputs()
    model.graph.input[1].CopyFrom(helper.make_tensor_value_info("h", kind, shape))
    assert joined_inputs(model).model is model


def test_inputs_of_unknown_sides_are_refused(tmp_path: Path) -> None:
    model = with_inputs(two_inputs(), {"x": (1, 6), "h": (1, "size")})
    with pytest.raises(FormatError, match="the images that the network reads must be one, got"):
        read_integer_graph(saved(model, tmp_path))


def test_import_says_which_channels_are_which_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, shapes = cell("GRU", inputs=3, size=2)
    np.savez(tmp_path / "images.npz", images=images_of(shapes))
    file, images = str(saved(model, tmp_path)), str(tmp_path / "images.npz")
    out = ["--out", str(tmp_path / "network.npz"), "--state", "none"]
    assert main(["import", file, "--calibrate", images, *out]) == 0
    said = "the image holds the inputs of the file: x (channels 0 to 2), h (channels 3 to 4)"
    assert said in " ".join(capsys.readouterr().out.split())
