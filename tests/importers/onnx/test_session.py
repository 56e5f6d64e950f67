"""Golden computes the graph that onnxruntime's default session makes of a file."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from hwgen.cli import main
from hwgen.commands.described import describe_import
from hwgen.commands.imports import ImportNetwork
from hwgen.errors import FormatError
from hwgen.importers.integer import RefusedNetworkError, lower
from hwgen.importers.onnx.constants_apart import with_constants_apart
from hwgen.importers.onnx.qdq.integer_bias import nearly, with_integer_biases
from hwgen.importers.onnx.qdq.weights import STEP_TOLERANCE
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.network.file import load_network
from tests.quantized_onnx import Model, agreeing, differing, kinds, saved

Write = Callable[[Model, str], str]
FILES, CASES = Path(__file__).parents[1] / "files", Path(__file__).parent / "cases"
OURS = "onnxruntime"
NETWORKS = 4
"""Drawn of each kind."""


def drawn_pair(model: Model, tensor: str) -> str:
    """Append a pair with a drawn scale and zero point."""
    scale, zero = float(model.rng.uniform(0.02, 0.1)), int(model.rng.integers(0, 256))
    return model.quantized(tensor, scale, zero)


def pairs(model: Model, tensor: str, count: int = 2) -> str:
    """Append pairs in a row."""
    for _ in range(count):
        tensor = drawn_pair(model, tensor)
    return tensor


def conv(model: Model, tensor: str, outputs: int = 4, inputs: int = 3) -> str:
    return model.conv(tensor, outputs, inputs, 1, 1, bias=False)


def residual(model: Model, image: str) -> str:
    """A map that is read by a pair and by a sum: its pair stays."""
    once = drawn_pair(model, conv(model, image))
    other = pairs(model, conv(model, once, 4, 4))
    return pairs(model, model.node("Add", other, drawn_pair(model, once)))


def read_by_two(model: Model, image: str) -> str:
    """The second pair has two readers."""
    twice = pairs(model, conv(model, image))
    return drawn_pair(model, model.node("Mul", drawn_pair(model, conv(model, twice, 4, 4)), twice))


def nothing_between(model: Model, image: str) -> str:
    """Nodes between two pairs that a session removes."""
    now = model.node("Identity", drawn_pair(model, conv(model, image)))
    now = model.node("Cast", drawn_pair(model, now), to=1)
    now = model.node("Mul", drawn_pair(model, now), model.constant(1.0))
    return drawn_pair(model, now)


def moved_between(model: Model, image: str) -> str:
    """Nodes between two pairs that stay, so that both pairs do."""
    now = drawn_pair(model, conv(model, image))
    now = drawn_pair(model, model.node("Transpose", now, perm=[0, 1, 3, 2]))
    return drawn_pair(model, model.node("MaxPool", now, kernel_shape=[2, 2]))


def beside_transposes(model: Model, image: str) -> str:
    """A session removes both transposes, and joins the pairs that become neighbours."""
    turned = model.node("Transpose", drawn_pair(model, conv(model, image)), perm=[0, 2, 3, 1])
    back = model.node("Transpose", drawn_pair(model, turned), perm=[0, 3, 1, 2])
    return drawn_pair(model, back)


def padded_before_maxima(model: Model, image: str) -> str:
    """A Pad of zeros becomes padding of the MaxPool behind it, which is never picked."""
    sides = model.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64)
    now = model.node("Pad", conv(model, image), sides, model.constant(0.0))
    return drawn_pair(model, model.node("MaxPool", now, kernel_shape=[2, 2]))


def with_a_bias(model: Model, image: str, ratio: float) -> str:
    """A convolution whose bias has nearly the scale of its sums, where the pair before it moved."""
    before = model.quantized(conv(model, image), 0.03, 120)
    scales = model.rng.uniform(0.001, 0.004, 4).astype(np.float32)
    zeros = model.constant(np.zeros(4), np.int8)
    integers = model.constant(model.rng.integers(-127, 128, (4, 4, 1, 1)), np.int8)
    weights = model.node("DequantizeLinear", integers, model.constant(scales), zeros, axis=0)
    steps = model.constant(scales * np.float32(0.03 * ratio))
    parts = [model.constant(model.rng.integers(-9000, 9000, 4), np.int32), steps]
    added = model.node("DequantizeLinear", *parts, model.constant(np.zeros(4), np.int32), axis=0)
    return drawn_pair(model, model.node("Conv", before, weights, added))


PAIRS: dict[str, Write] = {
    "in a row": lambda m, x: pairs(m, conv(m, x), 4),
    "behind an activation": lambda m, x: pairs(m, m.node("Relu", conv(m, x))),
    "of the image": lambda m, x: drawn_pair(m, conv(m, pairs(m, x))),
    "on both ways of a sum": residual,
    "with two readers": read_by_two,
    "with nothing between": nothing_between,
    "with moves between": moved_between,
    "with transposes beside": beside_transposes,
    "behind padded maxima": padded_before_maxima,
    "with a bias of nearly the scale": lambda m, x: with_a_bias(m, x, 1.008),
    "with no number in common": lambda m, x: m.quantized(
        m.quantized(conv(m, x), 0.05, 0), 0.04, 255
    ),
}


@pytest.mark.promise(
    "golden computes the graph that a default session of onnxruntime makes of a file, such as pairs"
    " in a row that become one, and int32 biases whose scale it does not read; half_up leaves the"
    " file as it is"
)
@pytest.mark.parametrize("seed", range(NETWORKS))
@pytest.mark.parametrize("name", PAIRS)
def test_pairs_in_a_row_are_one(name: str, seed: int, tmp_path: Path) -> None:
    model = Model(seed=seed)
    image = "x" if name == "of the image" else model.image()
    assert differing(saved(model.build(PAIRS[name](model, image)), tmp_path)) == 0


def test_without_the_arithmetic_of_a_session_every_pair_stays(tmp_path: Path) -> None:
    model = Model()
    path = saved(model.build(pairs(model, conv(model, model.image()), 3)), tmp_path)
    network = agreeing(model.build(pairs(model, conv(model, model.image()), 3)), tmp_path)
    assert kinds(network).count("rescale") >= 2
    graph = read_integer_graph(path)
    assert [each.op for each in lower(graph, kernels="onnxruntime").network.layers] == ["conv"]


@pytest.mark.promise(
    "import names the runtime whose rewriting it follows, with both digests where that moves a"
    " number, and says where it read a file as it is written"
)
def test_both_digests_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Model(seed=3)
    path = saved(model.build(beside_transposes(model, model.image())), tmp_path)
    told = ImportNetwork(path, tmp_path / "session.npz").run()
    assert told.content.runtime == f"onnxruntime {onnxruntime.__version__}"
    assert not told.content.unread
    half_up = ImportNetwork(path, tmp_path / "written.npz", kernels="half_up").run()
    assert not half_up.content.runtime
    for name in ("kept", "session_graph", "runtime", "as_given", "ends"):
        monkeypatch.delitem(sys.modules, f"hwgen.importers.onnx.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main(["import", str(path), "--out", str(tmp_path / "alone.npz")]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "not judged by model.onnx: the package onnxruntime is needed for this" in text
    assert "read as it is written: onnxruntime, which may rewrite it before" in text
    written = load_network(tmp_path / "alone.npz").digest
    assert told.content.as_written == written != told.network.digest
    monkeypatch.undo()
    # In real numbers of the file's own session they differ, whatever scale the network has.
    assert main(["compare", str(tmp_path / "alone.npz"), "--against", str(path)]) == 1
    assert main(["compare", str(tmp_path / "session.npz"), "--against", str(path)]) == 0


def test_names_and_order_of_the_file_stay(tmp_path: Path) -> None:
    """Also the bits of weights that a Clip says, which a session folds."""
    for name in ("resnet-script-calibrated", "eca_resnet-QDQ", "shufflenet-QDQ"):
        assert not describe_import(FILES / f"{name}.onnx").as_written
    residual = lower(read_integer_graph(CASES / "brevitas_residual_4bit_qcdq.onnx"), kernels=OURS)
    weighted = [each for each in residual.network.layers if hasattr(each, "weight_bits")]
    assert [each.weight_bits for each in weighted] == [4] * len(weighted)


def test_an_image_quantized_twice_is_compared_as_the_session_reads_it(tmp_path: Path) -> None:
    model = Model(seed=3)
    path = saved(model.build(drawn_pair(model, conv(model, pairs(model, "x")))), tmp_path)
    for kernels in ("default", "half_up"):
        out = tmp_path / f"{kernels}.npz"
        assert main(["import", str(path), "--kernels", kernels, "--out", str(out)]) == 0
        assert main(["compare", str(out), "--against", str(path), "--images", "20"]) == 0


def bias(model: Model, scales: Any, ratio: float, *, zero: int = 0, size: int | None = None) -> str:
    """Append an int32 bias whose scale is `ratio` times that of the sums."""
    integers = model.rng.integers(-3000, 3000, len(scales) if size is None else size)
    steps = np.asarray(scales, np.float32) * np.float32(0.02 * ratio)
    steps = steps if len(integers) > 1 else steps[:1]
    zeros = np.full(len(integers), zero)
    parts = [
        model.constant(integers, np.int32),
        model.constant(steps),
        model.constant(zeros, np.int32),
    ]
    return model.node("DequantizeLinear", *parts, axis=0)


def matrix(model: Model, outputs: int = 5, *, turned: bool = False) -> tuple[str, Any]:
    """Append a matrix of 20 inputs with a scale an output; return it and the scales."""
    integers = model.rng.integers(-127, 128, (outputs, 20) if turned else (20, outputs))
    scales = model.rng.uniform(0.001, 0.004, outputs).astype(np.float32)
    parts = [
        model.constant(integers, np.int8),
        model.constant(scales),
        model.constant(np.zeros(outputs), np.int8),
    ]
    return model.node("DequantizeLinear", *parts, axis=0 if turned else 1), scales


def gemm(model: Model, image: str, *, turned: bool = False, **given: Any) -> str:
    weights, scales = matrix(model, turned=turned)
    made = bias(model, scales, **given)
    return model.node("Gemm", image, weights, made, transB=int(turned))


def matmul(model: Model, image: str, *, first: bool = False) -> str:
    weights, scales = matrix(model)
    parts = [model.node("MatMul", image, weights), bias(model, scales, 1.7)]
    return model.node("Add", *(reversed(parts) if first else parts))


def factor(model: Model, image: str) -> str:
    """A Gemm with a factor stays one of real numbers."""
    weights, scales = matrix(model)
    return model.node("Gemm", image, weights, bias(model, scales, 1.7), alpha=1.5)


BIASES: dict[str, tuple[Write, int, int]] = {
    "of another scale": (lambda m, x: gemm(m, x, ratio=1.7), 128, 0),
    "of another scale, turned": (lambda m, x: gemm(m, x, ratio=0.4, turned=True), 128, 0),
    "with a zero point": (lambda m, x: gemm(m, x, ratio=1.0, zero=300), 128, 0),
    "one for all": (lambda m, x: gemm(m, x, ratio=1.0, size=1), 128, 0),
    "behind a MatMul": (matmul, 128, 0),
    "before a MatMul": (lambda m, x: matmul(m, x, first=True), 128, 0),
    "with an idle activation": (lambda m, x: m.node("Relu", gemm(m, x, ratio=1.7)), 0, 0),
    "with an activation": (lambda m, x: m.node("Relu", gemm(m, x, ratio=1.7)), 128, 1),
    "with a factor": (factor, 128, 1),
}
"""What writes a product, the zero point behind it, steps by which a line says that it may differ"""


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
@pytest.mark.parametrize("name", BIASES)
def test_a_bias_counts_as_the_session_takes_it(name: str, kind: type, tmp_path: Path) -> None:
    write, zero, steps = BIASES[name]
    model = Model((1, 20), kind=kind)
    moved = 128 if kind is np.int8 else 0
    image = model.quantized("x", 0.02, 128 - moved)
    answer = model.quantized(write(model, image), 0.05, zero - moved)
    path = saved(model.build(answer), tmp_path)
    assert [each.steps for each in describe_import(path).differences] == [steps] * (steps > 0)
    assert differing(path) <= steps


@pytest.mark.parametrize(
    ("ratio", "stays"), [(1 + STEP_TOLERANCE / 2, True), (1 + 3 * STEP_TOLERANCE, False)]
)
def test_a_bias_in_steps_of_its_sums_is_left_alone(ratio: float, stays: bool) -> None:
    model = Model((1, 20))
    file = model.build(gemm(model, model.quantized("x", 0.02, 128), ratio=ratio))
    assert (with_integer_biases(file) is file) == stays


@pytest.mark.parametrize(("sums", "near"), [(9e-7, True), (9e-6, False)])
def test_a_distance_below_a_millionth_is_none(sums: float, near: bool) -> None:
    """A session compares the scales of a convolution's bias and sums with both tolerances."""
    assert nearly(np.array([sums / 9]), np.array([sums])) == near


def test_sums_that_end_a_network_tell_a_rounded_bias(tmp_path: Path) -> None:
    """No pair stands behind them: a bias of half a sum is a step of the answer."""
    model = Model((1, 3, 5, 5))
    parts = [model.constant(np.ones((2, 3, 1, 1)), np.int8), model.constant(1.0)]
    weights = model.node("DequantizeLinear", *parts)
    bias = model.constant([20.02, 20.03])  # 500.5 and 500.75 sums
    sums = model.node("Conv", model.quantized("x", 0.04, 128), weights, bias)
    (note,) = describe_import(saved(model.build(sums), tmp_path)).notes
    assert note.what == "its bias is rounded"
    assert note.steps == pytest.approx(0.5, abs=1e-3)


@pytest.mark.promise(
    "files of opset 12 and older are converted by onnx and answer as in the runtime"
)
@pytest.mark.parametrize("opset", [11, 12])
def test_an_older_opset_is_converted(opset: int, tmp_path: Path) -> None:
    """The attributes of Squeeze became an input with opset 13."""
    model = Model(opset=opset)
    weights = [model.weights(*shape, axis=None) for shape in ((4, 3, 3, 3), (4, 5))]
    now = model.quantized(model.node("Conv", model.image(), weights[0]), 0.05, 120)
    now = model.quantized(model.node("GlobalAveragePool", now), 0.02, 120)
    rows = model.node("Squeeze", now, axes=[2, 3])
    path = saved(model.build(model.quantized(model.node("Gemm", rows, weights[1]))), tmp_path)
    assert differing(path) == 0


@pytest.mark.parametrize("last", [False, True])
def test_a_padded_sequence_is_a_padded_picture(last: bool, tmp_path: Path) -> None:
    """Of a causal convolution over steps, with a pair between; or of tokens."""
    model = Model((1, 4, 20))
    now = model.quantized(model.conv(model.image(), 6, 4, 3, bias=False), 0.03, 100)
    if last:
        now = model.node("Transpose", now, perm=[0, 2, 1])
    sides = [0, 2, 0, 0, 0, 0] if last else [0, 0, 2, 0, 0, 0]
    now = model.node("Pad", now, model.constant(sides, np.int64))
    now = model.quantized(now, 0.03, 100)
    if last:
        now = model.node("MatMul", now, model.weights(6, 5, axis=1))
    else:
        now = model.conv(now, 5, 6, 3, bias=False)
    path = saved(model.build(model.quantized(now, 0.05, 128)), tmp_path)
    assert differing(path) == 0
    assert set(kinds(lower(read_integer_graph(path)).network)) <= {"conv", "transpose"}


def test_what_lacks_a_pair_names_the_cure(tmp_path: Path) -> None:
    """Pairs stand in front of convolutions alone, as TensorRT and pt2e write them."""
    model = Model()
    sums = model.node("Relu", model.conv(model.image(), 4, 3, 3, 3))
    pooled = model.quantized(model.node("GlobalAveragePool", sums))
    path = saved(model.build(model.quantized(model.conv(pooled, 5, 4, 1, 1))), tmp_path)
    with pytest.raises(RefusedNetworkError, match="--calibrate adds what lacks"):
        lower(read_integer_graph(path), kernels="onnxruntime")
    images = np.random.default_rng(1).normal(size=(4, 6, 6, 3)).astype(np.float32)
    np.savez(tmp_path / "images.npz", images=images)
    out, qdq = str(tmp_path / "net.npz"), str(tmp_path / "qdq.onnx")
    given = ["import", str(path), "--calibrate", str(tmp_path / "images.npz"), "--qdq", qdq]
    assert main([*given, "--out", out]) == 0
    assert main(["compare", out, "--against", qdq]) == 0


def test_what_the_session_alone_makes_readable_has_no_reference_kernels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A session carries the pair behind a pool in front of it, as pt2e leaves fire modules."""
    model = Model()
    scales = (0.1, 0.07)
    image = model.image()
    parts = [model.quantized(model.conv(image, 4, 3, 1, 1), scale, 128) for scale in scales]
    joined = model.node("Concat", *parts, axis=1)
    pooled = model.node("MaxPool", joined, kernel_shape=[2, 2], strides=[2, 2])
    end = model.conv(model.quantized(pooled, 0.1, 128), 5, 8, 1, 1)
    path, out = saved(model.build(model.quantized(end)), tmp_path), str(tmp_path / "net.npz")
    assert main(["import", str(path), "--out", out]) == 0
    assert main(["compare", out, "--against", str(path)]) != 2
    capsys.readouterr()
    assert main(["compare", out, "--against", str(path), "--kernels", "reference"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "--kernels must be default for a file that is read as" in said
    assert "MaxPool" in said and "real numbers of" in said


@pytest.mark.parametrize("kernels", ["default", "reference"])
def test_a_part_that_is_quantized_shows_no_whole_map(kernels: str, tmp_path: Path) -> None:
    """As pt2e quantizes one half behind a Split of real numbers."""
    model = Model()
    image = model.image()
    parts = [model.quantized(model.conv(image, 4, 3, 1, 1), 0.1, 128) for _ in range(2)]
    joined = model.node("Concat", *parts, axis=1)
    first, second = model.node("Split", joined, outputs=2, axis=1).split()
    end = model.conv(model.quantized(second, 0.07, 100), 4, 4, 1, 1)
    both = model.node("Concat", first, model.quantized(end, 0.1, 128), axis=1)
    last = model.conv(model.quantized(both, 0.1, 128), 5, 8, 1, 1)
    path, out = saved(model.build(model.quantized(last)), tmp_path), str(tmp_path / "net.npz")
    assert main(["import", str(path), "--out", out]) == 0
    assert main(["compare", out, "--against", str(path), "--kernels", kernels]) in (0, 1)


def softmax_of_rows(model: Model) -> str:
    """A Softmax along the rows of a picture, with a layer behind."""
    scores = model.quantized(model.conv(model.image(), 4, 3, 1, 1), 0.1, 128)
    shares = model.quantized(model.node("Softmax", scores, axis=2), 1 / 256, 0)
    return model.quantized(model.conv(shares, 32, 4, 1, 1))


def test_a_softmax_along_rows_names_its_axis(tmp_path: Path) -> None:
    model = Model()
    path = saved(model.build(softmax_of_rows(model)), tmp_path)
    with pytest.raises(RefusedNetworkError, match=r"its axis must be .*, got 2 of \[1, 4, 6, 6\]"):
        lower(read_integer_graph(path), kernels="onnxruntime")


@pytest.mark.promise("a Softmax over the channels of a picture is read, and answers as the runtime")
def test_a_softmax_over_the_channels_of_a_picture(tmp_path: Path) -> None:
    model = Model()
    scores = model.quantized(model.conv(model.image(), 8, 3, 1, 1), 0.1, 128)
    shares = model.quantized(model.node("Softmax", scores, axis=1), 1 / 256, 0)
    path = saved(model.build(model.quantized(model.conv(shares, 4, 8, 1, 1), 0.003, 128)), tmp_path)
    assert differing(path) == 0


def test_weights_in_blocks_alone_are_named(tmp_path: Path) -> None:
    model = Model((1, 16))
    product = model.node("MatMulNBits", "x", domain="com.microsoft", K=16, N=8, bits=4)
    with pytest.raises(FormatError, match=r"weights alone in blocks .*MatMulNBits"):
        read_integer_graph(saved(model.build(product), tmp_path))


def test_constants_of_several_readers_are_stored_apart() -> None:
    model = Model((1, 4, 3, 3))
    shared = model.weights(4, 4, 1, 1)
    first = model.quantized(model.node("Conv", model.image(), shared))
    made = model.build(model.quantized(model.node("Conv", first, shared)))
    apart = with_constants_apart(made)
    read = [name for node in apart.graph.node for name in node.input]
    stored = [t.name for t in apart.graph.initializer if t.data_type == onnx.TensorProto.INT8]
    assert len(stored) == 4
    assert all(read.count(name) == 1 for name in stored if name in read)
