"""What import and compare say of answers that may differ, and of the exit code of compare."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hwgen.cli import main
from hwgen.network.file import load_network
from tests.quantized_onnx import Model, saved

JUDGED = "judged by model.onnx: "
WHOLE = "exit code 1: every element must be equal for 0"
SAYS = "the import says what may differ; on the same inputs no layer does by more (--maps shows"
STEP = "a layer may differ by 1 step from the runtime, and the answer by more:"
SCALES = 0.02500000037252903, 0.0784313753247261, 0.15000000596046448


def masked(model: Model, image: str) -> str:
    """Return scores and a mask of two values, whose sum lies beside a half for many scores."""
    stored = model.constant(model.rng.choice([0, 255], (1, 8, 4, 4)), np.uint8)
    grid = [model.constant(SCALES[1]), model.constant(255, np.uint8)]
    mask = model.node("DequantizeLinear", stored, *grid)
    return model.quantized(model.node("Add", image, mask), SCALES[2], 200)


def mean_inside(model: Model, image: str) -> str:
    """Return a mean whose windows at the border count fewer elements."""
    sums = model.quantized(model.conv(image, 8, 8, 1, 1), SCALES[0], 128)
    pooled = model.node(
        "AveragePool",
        sums,
        kernel_shape=[3, 3],
        strides=[2, 2],
        pads=[1, 1, 1, 1],
        count_include_pad=0,
    )
    return model.quantized(pooled, SCALES[0], 128)


KINDS = {
    "a mask of two values": (masked, "Add (1 node): node"),
    "a mean without padding": (
        mean_inside,
        "AveragePool (1 node): onnxruntime computes it in float32",
    ),
}


def every_byte(shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return images in which each place has each byte once."""
    count = int(np.prod(shape))
    bytes_of = (np.arange(256)[:, np.newaxis] + 7 * np.arange(count)) % 256
    return bytes_of.astype(np.uint8).reshape(256, *shape)


def imported(model: Model, answer: str, folder: Path, *options: str) -> tuple[str, str]:
    """Import the file that a model becomes; return its path and that of the network."""
    path, network = str(saved(model.build(answer), folder)), str(folder / "net.npz")
    assert main(["import", path, "--out", network, *options]) == 0
    return path, network


def compared(path: str, network: str, folder: Path, *options: str) -> int:
    """Return the exit code of a comparison over every byte."""
    images = str(folder / "images.npz")
    np.savez(images, images=every_byte(load_network(Path(network)).graph.input.shape))
    return main(["compare", network, "--against", path, "--data", images, *options])


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was printed, in one line."""
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.promise(
    "import says by how many steps a layer may differ from the runtime; compare, which ends with 1"
    " where an answer does, says so again, and no layer differs by more"
)
@pytest.mark.parametrize("name", KINDS)
def test_what_may_differ_is_said_by_import_and_compare(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write, operator = KINDS[name]
    line = f"{STEP} {operator}"
    model = Model((1, 8, 4, 4))
    files = imported(model, write(model, model.quantized("x", SCALES[0], 128)), tmp_path)
    announced = said(capsys)
    assert line in announced and JUDGED in announced and "not foreseen" not in announced
    assert compared(*files, tmp_path, "--maps") == 1
    text = said(capsys)
    assert WHOLE in text and SAYS in text and line in text
    assert "largest difference 1 " in text


def test_an_answer_that_must_be_equal_names_another_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights of another file: nothing was announced."""
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
    files = []
    for folder, seed in (("one", 1), ("other", 2)):
        model = Model()
        model.rng = np.random.default_rng(seed)
        answer = model.quantized(model.conv(model.image(), 3, 3, 1, 1), 0.05, 128)
        files.append(imported(model, answer, tmp_path / folder))
    assert f"{JUDGED}equal in all" in said(capsys)
    assert compared(files[0][0], files[1][1], tmp_path) == 1
    text = said(capsys)
    assert WHOLE in text and SAYS not in text
    assert "no layer that it differs: the network is of another file" in text
    assert compared(*files[0], tmp_path) == 0
    assert WHOLE not in said(capsys)


def test_half_up_is_judged_by_steps_and_says_nothing_of_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Model((1, 8, 4, 4))
    answer = mean_inside(model, model.quantized("x", SCALES[0], 128))
    files = imported(model, answer, tmp_path, "--kernels", "half_up")
    assert "not exact" in (text := said(capsys)) and "not foreseen" not in text
    assert compared(*files, tmp_path) == 0
    assert WHOLE not in said(capsys)
