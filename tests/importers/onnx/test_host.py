"""What the host does around a chip: steps before the image, the order of the answer behind it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from hwgen import api
from hwgen.cli import main
from hwgen.commands.images import choose_images
from hwgen.commands.operators import operators_page
from hwgen.importers.onnx.qdq.qoperator import FORMS
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.importers.onnx.runtime import pairs_saturate
from hwgen.network.file import load_network
from tests.quantized_onnx import IMAGES, Model, judged_on, saved
from verif.common.drawing import draw_images

BAD_INPUT = 2
COUNT = 8


def session_answers(path: Path, images: NDArray[Any]) -> NDArray[Any]:
    """Return what a plain session of onnxruntime answers, image by image."""
    options = onnxruntime.SessionOptions()
    if pairs_saturate():
        options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"x": image[np.newaxis]})[0] for image in images])


def halves(model: Model, tensor: str, *, reverse: bool = False) -> str:
    """Append (x - 0.5) / 0.5, or (0.5 - x) / 0.5."""
    half = model.constant(0.5)
    moved = model.node("Sub", *((half, tensor) if reverse else (tensor, half)))
    return model.node("Div", moved, half)


def two_branches(*, reverse: bool) -> Model:
    """Return a model with two convolutions of images that are quantized alike."""
    model = Model()
    grid: dict[str, Any] = {"scale": 1 / 127.5, "zero": 128}
    one = model.conv(model.quantized(halves(model, "x"), **grid), 4, 3, 3, 3)
    image = model.quantized(halves(model, "x", reverse=reverse), **grid)
    other = model.conv(image, 4, 3, 3, 3)
    both = [model.quantized(each, 0.05, 120) for each in (one, other)]
    model.answer = model.quantized(model.node("Concat", *both, axis=1), 0.05, 120)
    return model


@pytest.mark.promise(
    "steps before the image and the order of the answer are the host's, named, kept and applied"
)
def test_images_of_other_steps_are_not_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = two_branches(reverse=True)
    path, out = saved(model.build(model.answer), tmp_path), tmp_path / "net.npz"
    given = ["import", str(path), "--kernels", "half_up", "--out", str(out)]
    assert main(given) == BAD_INPUT and not out.exists()
    error = capsys.readouterr().err
    assert (
        "the image must be read in one way (as real numbers, then minus 0.5, then divided" in error
    )
    assert "got another (as real numbers, then subtracted from 0.5, then divided by 0.5)" in error


def test_an_image_is_quantized_twice_after_the_same_steps(tmp_path: Path) -> None:
    model = two_branches(reverse=False)
    assert compared(model, tmp_path) == 0


def compared(model: Model, folder: Path) -> int:
    """Import a model and compare it with its runtime; return the exit code of the comparison."""
    path, out = saved(model.build(model.answer), folder), folder / "net.npz"
    assert main(["import", str(path), "--out", str(out)]) == 0
    return main(["compare", str(out), "--against", str(path), "--images", str(COUNT)])


def focus(model: Model) -> str:
    """Append slices of the image, each quantized by itself, next to each other."""
    parts = []
    for row in (0, 1):
        for column in (0, 1):
            bounds = [[row, column], [6, 6], [2, 3], [2, 2]]
            now = model.node("Slice", "x", *(model.constant(each, np.int64) for each in bounds))
            parts.append(model.quantized(now, 1 / 255, 0))
    return model.quantized(model.node("Concat", *parts, axis=1), 1 / 255, 0)


def test_slices_of_the_image_are_quantized_each(tmp_path: Path) -> None:
    model = Model()
    model.answer = model.quantized(model.conv(focus(model), 4, 12, 3, 3), 0.05, 120)
    assert compared(model, tmp_path) == 0


def shuffled(model: Model, tensor: str) -> str:
    return model.node("DepthToSpace", tensor, blocksize=2, mode="CRD")


def head(model: Model, tensor: str) -> str:
    """Append what turns anchors and classes of a detection into rows."""
    shape = model.constant([0, 2, 4, 6, 6], np.int64)
    now = model.node("Transpose", model.node("Reshape", tensor, shape), perm=[0, 1, 3, 4, 2])
    return model.node("Reshape", now, model.constant([0, 72, 4], np.int64))


def flipped(model: Model, tensor: str) -> str:
    ends = [[-1], [-99], [1], [-1]]
    return model.node("Slice", tensor, *(model.constant(each, np.int64) for each in ends))


def first_half(model: Model, tensor: str) -> str:
    ends = [[0], [4], [1], [1]]
    return model.node("Slice", tensor, *(model.constant(each, np.int64) for each in ends))


ORDERS: dict[str, Callable[[Model, str], str]] = {
    "DepthToSpace": shuffled,
    "a head": head,
    "flip": flipped,
    "flatten": lambda model, tensor: model.node("Flatten", tensor),
}


@pytest.mark.parametrize("name", ORDERS)
def test_the_answer_has_the_order_of_the_file(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Model()
    sums = model.conv(model.image(), 8, 3, 3, 3, pads=[1, 1, 1, 1])
    model.answer = ORDERS[name](model, model.quantized(sums, 0.05, 120))
    assert compared(model, tmp_path) == 0
    path, out = tmp_path / "model.onnx", tmp_path / "net.npz"
    lines = "".join(capsys.readouterr().out.split("\n"))
    assert "left to the host: output" in lines and "in another order" in lines
    assert main(["info", str(out)]) == 0 and "in another order" in capsys.readouterr().out
    images = np.random.default_rng(3).normal(size=(IMAGES, 6, 6, 3)).astype(np.float32) * 3
    found = api.infer(out, images)
    wanted = session_answers(path, images.transpose(0, 3, 1, 2))
    assert found.answers.shape == wanted.shape
    assert np.array_equal(found.answers, np.rint(wanted / 0.05) + 120)


def test_a_part_of_a_map_is_taken_before_it_is_quantized(tmp_path: Path) -> None:
    """As a session does it, so that nothing is left to the host."""
    model = Model()
    sums = model.conv(model.image(), 8, 3, 3, 3, pads=[1, 1, 1, 1])
    model.answer = first_half(model, model.quantized(sums, 0.05, 120))
    assert compared(model, tmp_path) == 0
    network = load_network(tmp_path / "net.npz")
    assert network.map_of(network.answer).channels == 4 and network.answer_places is None


def test_an_answer_in_the_order_of_its_map_needs_no_host(tmp_path: Path) -> None:
    model = Model()
    answer = model.quantized(model.conv(model.image(), 8, 3, 3, 3), 0.05, 120)
    last = model.node("Transpose", answer, perm=[0, 2, 3, 1])
    for output in (answer, last):
        graph = read_integer_graph(saved(model.build(output), tmp_path))
        assert graph.answer_places is None and not graph.behind


def test_answers_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    """The runtime's answers are those of the file, whatever the reader knows of their order."""
    model = Model()
    sums = model.conv(model.image(), 8, 3, 3, 3, pads=[1, 1, 1, 1])
    model.answer = shuffled(model, model.quantized(sums, 0.05, 120))
    assert compared(model, tmp_path) == 0
    network = load_network(tmp_path / "net.npz")
    images = draw_images(network, 4, seed=1)
    found = api.infer(tmp_path / "net.npz", images).answers
    wanted = judged_on(tmp_path / "model.onnx", network, images)[2]
    assert np.array_equal(found.reshape(4, -1), np.rint(wanted / np.float32(0.05)) + 120)


def test_a_network_in_another_order_than_its_file_is_refused(tmp_path: Path) -> None:
    model = Model()
    sums = model.conv(model.image(), 8, 3, 3, 3, pads=[1, 1, 1, 1])
    model.answer = shuffled(model, model.quantized(sums, 0.05, 120))
    assert compared(model, tmp_path) == 0
    out = tmp_path / "net.npz"
    arrays = dict(np.load(out))
    del arrays["answer_places"]
    np.savez(out, **arrays)
    path = tmp_path / "model.onnx"
    assert main(["compare", str(out), "--against", str(path)]) == BAD_INPUT


def normalized(model: Model, tensor: str) -> str:
    """Append the steps of a data set: a mean and a deviation a channel."""
    average = model.constant([[[[0.4]], [[0.5]], [[0.3]]]])
    deviation = model.constant([[[[0.2]], [[0.25]], [[0.3]]]])
    return model.node("Div", model.node("Sub", tensor, average), deviation)


def test_steps_before_the_image_are_the_hosts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Model()
    image = model.quantized(normalized(model, "x"), 0.02, 110)
    model.answer = model.quantized(model.conv(image, 4, 3, 3, 3), 0.05, 120)
    assert compared(model, tmp_path) == 0
    out = tmp_path / "net.npz"
    assert "left to the host: the image" in capsys.readouterr().out
    assert main(["info", str(out)]) == 0
    for text in (capsys.readouterr().out, load_network(out).graph.preprocessing):
        line = " ".join(text.split())
        assert "real = the raw image, minus 0.400000006, 0.5, 0.300000012 (sub" in line
        assert "divided by 0.200000003, 0.25, 0.300000012 (div" in line
        assert "bytes of a data set are read times 0.00392156863" in line
    raw = np.random.default_rng(5).random((IMAGES, 6, 6, 3), np.float32)
    wanted = session_answers(tmp_path / "model.onnx", raw.transpose(0, 3, 1, 2))
    found = api.infer(out, raw).answers.transpose(0, 3, 1, 2)
    assert np.array_equal(found, np.rint(wanted / 0.05) + 120)


def test_images_of_a_data_set_are_raw(tmp_path: Path) -> None:
    model = Model((1, 1, 8, 8))
    half = model.constant(0.5)
    moved = model.node("Div", model.node("Sub", "x", half), half)
    image = model.quantized(moved, 1 / 127.5, 128)
    model.answer = model.quantized(model.conv(image, 4, 1, 3, 3), 0.05, 120)
    path, out = saved(model.build(model.answer), tmp_path), tmp_path / "net.npz"
    assert main(["import", str(path), "--out", str(out), "--dataset", "digits"]) == 0
    network = load_network(out)
    bytes_ = choose_images(load_network(Path("digits_small_cnn")), "digits", None).images
    for data in (None, "digits"):
        given = choose_images(network, data, COUNT).images
        real = (bytes_[:COUNT] / 255 - 0.5) / 0.5
        assert np.abs(given - (real * 127.5 + 128)).max() < 1
        assert not np.array_equal(given, bytes_[:COUNT])


def test_an_export_has_the_image_and_the_answer_of_the_file(tmp_path: Path) -> None:
    model = Model()
    limits = model.constant(0.1), model.constant(0.9)
    clipped = model.node("Clip", halves(model, normalized(model, "x"), reverse=True), *limits)
    image = model.quantized(clipped, 0.01, 3)
    sums = model.conv(image, 8, 3, 3, 3, pads=[1, 1, 1, 1])
    answer = flipped(model, head(model, model.quantized(sums, 0.05, 120)))
    path, out = saved(model.build(answer), tmp_path), tmp_path / "net.npz"
    given = ["import", str(path), "--kernels", "half_up", "--out", str(out)]
    assert main(given) == 0
    again, other = tmp_path / "again.onnx", tmp_path / "again.npz"
    assert main(["export-onnx", str(out), "--out", str(again)]) == 0
    assert main(["import", str(again), "--out", str(other)]) == 0
    one, two = load_network(out), load_network(other)
    assert one.raw_image == two.raw_image and one.raw_image is not None
    assert np.array_equal(np.ravel(one.answer_places), np.ravel(two.answer_places))
    assert one.answer_places is not None and two.answer_places is not None
    assert one.answer_places.shape == two.answer_places.shape
    assert main(["compare", str(out), "--against", str(path), "--images", str(COUNT)]) == 0


@pytest.mark.promise("the page of operators lists the quantized operators that are read")
def test_the_page_of_operators_lists_the_quantized_ones() -> None:
    rows = [row.split(" | ") for row in operators_page().splitlines() if row.startswith("| `")]
    assert len(FORMS) == 12
    for name, form in FORMS.items():
        assert any(row[0] == f"| `{form.operator}`" and f"`{name}`" in row[1] for row in rows)


@pytest.mark.parametrize("sides", [(), (7,), (5, 4)])
def test_a_normalization_before_the_image_has_any_rank(
    sides: tuple[int, ...], tmp_path: Path
) -> None:
    model = Model((1, 6, *sides))
    numbers = [model.constant(model.rng.uniform(0.5, 1.5, 6)) for _ in range(4)]
    image = model.quantized(model.node("BatchNormalization", "x", *numbers))
    if sides:
        answer = model.conv(image, 4, 6, *(1 for _ in sides))
    else:
        answer = model.node("MatMul", image, model.weights(6, 4, axis=None))
    model.answer = model.quantized(answer, 0.05, 120)
    assert compared(model, tmp_path) == 0


@pytest.mark.promise("a Softmax that ends a file is said to be left out, and compare plays it")
@pytest.mark.parametrize("quantized", [True, False])
def test_a_softmax_at_the_end_is_said(
    quantized: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Model((1, 16))
    scores = model.node("Gemm", model.image(), model.weights(8, 16), transB=1)
    shares = model.node("Softmax", model.quantized(scores, 0.2, 128), axis=-1)
    model.answer = model.quantized(shares, 1 / 256, 0) if quantized else shares
    assert compared(model, tmp_path) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "left to the host: Softmax (softmax_" in told
    assert "is left out: the order of classes is that before it" in told
    assert "every element is equal" in told


@pytest.mark.promise("compare takes the images that a calibration takes, also of a turned image")
def test_images_of_the_file_s_own_shape_are_compared(tmp_path: Path) -> None:
    """The network has one column of pixels where the file has one row."""
    model = Model((1, 8, 1, 6))
    rows = model.node("Squeeze", model.image(), model.constant([2], np.int64))
    rows = model.node("Transpose", rows, perm=[0, 2, 1])
    product = model.node("MatMul", rows, model.weights(8, 4, axis=1))
    path, out = saved(model.build(model.quantized(product, 0.2, 128)), tmp_path), tmp_path / "n.npz"
    assert main(["import", str(path), "--out", str(out)]) == 0
    assert load_network(out).graph.input.shape == (6, 1, 8)
    images = np.random.default_rng(1).normal(size=(4, 1, 6, 8)).astype(np.float32)
    np.savez(tmp_path / "images.npz", images=images)
    given = ["compare", str(out), "--against", str(path), "--data", str(tmp_path / "images.npz")]
    assert main(given) == 0
