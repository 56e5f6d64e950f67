"""LSTM, GRU and RNN nodes as steps: real numbers against onnxruntime's own, then quantized."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from golden.network import infer
from hwgen.cli import main
from hwgen.errors import FormatError
from hwgen.importers.integer import fold, gathered, lower
from hwgen.importers.onnx import calibrate
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.quantized import integer_graph_of
from hwgen.importers.onnx.recurrent import GATES, with_steps
from tests.quantized_onnx import Model, differing, exact_session, saved

CASE = Path(__file__).parent / "cases" / "lstm_static.onnx"
STEPS, INPUTS, HIDDEN = 4, 6, 5
RNG = np.random.default_rng(7)


def recurrent(
    operator: str,
    *,
    directions: int = 1,
    layout: int = 0,
    output: str = "last",
    steps: int | str = STEPS,
    late: bool = True,
    inputs: int = INPUTS,
    hidden: int = HIDDEN,
    **given: Any,
) -> onnx.ModelProto:
    """Return a float model of one recurrent node.

    output: last, the state behind the last step; every, all states as tokens and a layer on them;
        two, another node of one direction on all states; ReduceMean, ReduceMax: of all states
    """
    model = Model((1, steps, inputs), opset=17)
    gates = GATES[operator]
    spread = 2 * np.sqrt(hidden / HIDDEN)
    sizes = [(directions, gates * hidden, each) for each in (inputs, hidden)]
    weights = [model.constant(model.rng.normal(size=size) / spread) for size in sizes]
    bias = model.rng.normal(size=(directions, 2 * gates * hidden)) / 2
    if not late:
        bias[:, gates * hidden :] = 0
    now = "x" if layout else model.node("Transpose", "x", perm=[1, 0, 2])
    if directions == 2:
        given["direction"] = "bidirectional"
    parts = [now, *weights, model.constant(bias)]
    count = steps if isinstance(steps, int) else STEPS
    states = model.node(operator, *parts, outputs=2, hidden_size=hidden, layout=layout, **given)
    every, last = states.split()
    if output == "last":
        row = model.node("Transpose", last, perm=[0, 1, 2] if layout else [1, 0, 2])
        now = model.node("Reshape", row, model.constant([1, -1], np.int64))
    elif output.startswith("Reduce"):
        rows = model.node("Transpose", every, perm=[0, 2, 1, 3])
        shape = model.constant([count, 1, directions * hidden], np.int64)
        now = model.node(output, model.node("Reshape", rows, shape), axes=[0], keepdims=0)
    else:
        order = [0, 1, 2, 3] if layout else [2, 0, 1, 3]
        rows = model.node("Transpose", every, perm=order)
        shape = model.constant([1, count, directions * hidden], np.int64)
        now = model.node("Reshape", rows, shape)
    if output == "two":
        now = model.node("Transpose", now, perm=[1, 0, 2])
        sizes = [(1, gates * hidden, each) for each in (directions * hidden, hidden)]
        more = [model.constant(model.rng.normal(size=size) / 2) for size in sizes]
        last = model.node(operator, now, *more, outputs=2, hidden_size=hidden).split()[1]
        now = model.node("Reshape", last, model.constant([1, hidden], np.int64))
    width = directions * hidden if output != "two" else hidden
    head = model.constant(model.rng.normal(size=(width, 3)))
    return model.build(model.node("MatMul", now, head))


def answers(model: onnx.ModelProto, images: np.ndarray) -> np.ndarray:
    """Return what onnxruntime answers to sequences (n, 1, steps, inputs)."""
    session = exact_session(model)
    return np.stack([session.run(None, {"x": each})[0] for each in images])


VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("LSTM", {}),
    ("LSTM", {"output": "every"}),
    ("LSTM", {"output": "two"}),
    ("LSTM", {"directions": 2}),
    ("LSTM", {"directions": 2, "output": "every"}),
    ("LSTM", {"direction": "reverse"}),
    ("LSTM", {"activations": ["Sigmoid", "Relu", "Tanh"]}),
    ("GRU", {"linear_before_reset": 1}),
    ("GRU", {"linear_before_reset": 1, "late": False}),
    ("GRU", {"linear_before_reset": 0}),
    ("GRU", {"output": "every", "direction": "reverse"}),
    ("RNN", {}),
    ("RNN", {"output": "two"}),
]


@pytest.mark.promise(
    "LSTM, GRU and RNN nodes of a float ONNX file become steps, which --calibrate quantizes"
)
@pytest.mark.parametrize(("operator", "given"), VARIANTS)
def test_steps_compute_what_the_node_does(operator: str, given: dict[str, Any]) -> None:
    model = recurrent(operator, **given)
    written = with_steps(model, "model.onnx")
    assert not {node.op_type for node in written.graph.node} & {*GATES}
    images = RNG.normal(size=(8, 1, STEPS, INPUTS)).astype(np.float32)
    assert np.allclose(answers(written, images), answers(model, images), rtol=0, atol=1e-5)


def test_all_steps_share_their_weights() -> None:
    model = with_steps(recurrent("LSTM"), "model.onnx")
    products = [node for node in model.graph.node if node.op_type == "Gemm"]
    assert len(products) == 4 * (2 * STEPS - 1) - 1
    assert len({node.input[1] for node in products}) == 2 * 4


@pytest.mark.dear("RNN-given5")
@pytest.mark.parametrize(
    ("operator", "given"),
    [
        ("LSTM", {}),
        ("LSTM", {"directions": 2, "output": "every"}),
        ("GRU", {"linear_before_reset": 1, "steps": "n"}),
        ("GRU", {"linear_before_reset": 0}),
        ("GRU", {"linear_before_reset": 1, "output": "ReduceMean"}),
        ("RNN", {"directions": 2, "output": "ReduceMax"}),
    ],
)
def test_a_calibrated_node_answers_as_onnxruntime_does(
    operator: str, given: dict[str, Any], tmp_path: Path
) -> None:
    images = RNG.normal(size=(64, INPUTS, 1, STEPS)).astype(np.float32)
    model = recurrent(operator, **given)
    made = quantized_model(saved(model, tmp_path), images)
    assert differing(saved(made, tmp_path)) == 0
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    sequences = images.transpose(0, 2, 3, 1)
    real, quantized = (answers(each, sequences) for each in (model, made))
    assert np.abs(real - quantized).max() < 0.1 * np.abs(real).max()


def drawn_cell(seed: int) -> tuple[onnx.ModelProto, np.ndarray]:
    """Return a network of one or two recurrent nodes, of any sizes from 1 on, and its images."""
    rng = np.random.default_rng(seed)
    steps, inputs, hidden = (int(each) for each in rng.integers(1, (5, 9, 9)))
    given = {
        "directions": int(rng.integers(1, 3)),
        "output": str(rng.choice(["last", "every", "two"])),
    }
    operator = str(rng.choice([*GATES]))
    model = recurrent(operator, steps=steps, inputs=inputs, hidden=hidden, **given)
    return model, rng.normal(size=(64, inputs, 1, steps)).astype(np.float32)


DRAWN = [1, 3, 8]


@pytest.mark.parametrize(
    "seed", [pytest.param(n, marks=[] if n in DRAWN else pytest.mark.long) for n in range(20)]
)
def test_a_drawn_cell_answers_as_onnxruntime_does(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And as without a layer that gathers the inputs of its steps."""
    monkeypatch.setattr(gathered, "LEAST_BYTES", 1)
    model, images = drawn_cell(seed)
    made = quantized_model(saved(model, tmp_path), images)
    assert differing(saved(made, tmp_path)) == 0
    graph = integer_graph_of(made, name="cell", source="cell.onnx")
    after = lower(graph, kernels="onnxruntime").network
    monkeypatch.setattr(fold, "with_inputs_gathered", lambda given: given)
    before = lower(graph, kernels="onnxruntime").network
    drawn = RNG.integers(0, 256, (16, *before.graph.input.shape)).astype(np.uint8)
    answers = [infer(each, drawn)[each.answer] for each in (before, after)]
    assert np.array_equal(*answers)


@pytest.mark.long
def test_twenty_steps_of_128_values(tmp_path: Path) -> None:
    """The answer behind the last state is onnxruntime's in every element."""
    model = recurrent("LSTM", steps=20, inputs=64, hidden=128)
    images = RNG.normal(size=(32, 64, 1, 20)).astype(np.float32)
    made = quantized_model(saved(model, tmp_path), images)
    assert differing(saved(made, tmp_path)) == 0


@pytest.mark.parametrize("operator", ["LSTM", "GRU"])
def test_no_pair_of_a_step_differs(operator: str, tmp_path: Path) -> None:
    images = RNG.normal(size=(64, INPUTS, 1, STEPS)).astype(np.float32)
    made = quantized_model(saved(recurrent(operator), tmp_path), images)
    graph = integer_graph_of(made, name="cell", source="cell.onnx")
    lowered = lower(graph, kernels="onnxruntime")
    assert {layer.op for layer in lowered.network.layers} >= {"add", "multiply"}
    assert not any("pairs" in each.what for each in lowered.differences)


def test_the_numbers_that_a_calibration_found_move_a_little(tmp_path: Path) -> None:
    images = RNG.normal(size=(64, INPUTS, 1, STEPS)).astype(np.float32)
    path = saved(recurrent("LSTM"), tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibrate, "with_pairs_equal", lambda *_: None)
        before = quantized_model(path, images)
    after = quantized_model(path, images)
    numbers = [
        {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
        for model in (before, after)
    ]
    assert numbers[0].keys() == numbers[1].keys()
    moved = [name for name, given in numbers[0].items() if not (given == numbers[1][name]).all()]
    assert moved and all("at_step" in name for name in moved)
    for name in moved:
        one, other = (float(each[name]) for each in numbers)
        near = abs(one - other) == 1 if name.endswith("zero_point") else one < other < one * 1.001
        assert near, name


@pytest.mark.dear
def test_a_file_that_quantizes_only_its_head(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By onnxruntime: pairs around the last layer, an LSTM of real numbers before it."""
    images, qdq, out = (tmp_path / each for each in ("images.npz", "qdq.onnx", "net.npz"))
    np.savez(images, images=RNG.normal(size=(40, 16, 1, 20)).astype(np.float32))
    assert main(["import", str(CASE), "--out", str(out)]) == 2
    assert "import the float file with --calibrate images.npz" in capsys.readouterr().err
    given = ["--calibrate", str(images), "--qdq", str(qdq), "--out", str(out)]
    assert main(["import", str(CASE), *given]) == 0
    assert main(["compare", str(out), "--against", str(qdq), "--images", "40"]) == 0
    assert "every element is equal" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"layout": 0, "clip": 1.0}, "clip and input_forget must be left out"),
        ({"activations": ["Sigmoid", "Elu", "Tanh"]}, "its activations must be Relu, Sigmoid"),
    ],
)
def test_what_no_step_has_is_refused(change: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    images = RNG.normal(size=(8, INPUTS, 1, STEPS)).astype(np.float32)
    with pytest.raises(FormatError, match=sentence):
        quantized_model(saved(recurrent("LSTM", **change), tmp_path), images)


def test_sequences_side_by_side_are_refused() -> None:
    model = recurrent("LSTM")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    with pytest.raises(FormatError, match=r"of known sides \(steps, 1, inputs\)"):
        with_steps(model, "model.onnx")


def test_lengths_from_outside_are_refused() -> None:
    model = recurrent("LSTM")
    node = next(each for each in model.graph.node if each.op_type == "LSTM")
    node.input.append("lengths")
    with pytest.raises(FormatError, match=r"its weights and lengths must be constants of the"):
        with_steps(model, "model.onnx")
