"""Constants by channel on LiteRT's default kernels: all integers of a map, all channels."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.network import infer
from hwgen.cli import main
from hwgen.importers.integer import Lowered, lower
from hwgen.importers.tflite import read_integer_graph
from hwgen.importers.tflite.runtime import runtime_of
from tests.tflite_files import Writer, activation_options

SIDE = 16
"""Of an image that has every integer of a byte once in each channel."""
Grid = tuple[float, int]
"""Scale and zero point of signed bytes."""
HALF = 1 / 127.5
HARD_SEED = 79
"""Sixteen channels of which one has no weight, bias and factor that give all its results."""


def written(
    name: str, channels: int, constant: list[int], grids: tuple[Grid, Grid, Grid], *, first: bool
) -> Writer:
    """Return a file of one operator; grids: of the map, the constant and the output."""
    (scale, zero), (step, origin), (made, target) = grids
    writer = Writer()
    x = writer.map(SIDE, SIDE, channels, scale=scale, zero_point=zero)
    values = np.array(constant, np.int8).reshape((1, 1, -1) if name == "PRELU" else (1, 1, 1, -1))
    given = writer.constant(values, scales=step, zero_points=origin)
    y = writer.map(SIDE, SIDE, channels, scale=made, zero_point=target)
    options: Any = None if name == "PRELU" else activation_options(f"{name.title()}Options")
    writer.operator(name, (given, x) if first else (x, given), y, options)
    return writer


def differing(path: Path) -> tuple[int, Lowered]:
    """Return how many results golden has unlike LiteRT as people run it, and the import."""
    graph = read_integer_graph(path)
    lowered = lower(graph, kernels="xnnpack")
    layer = lowered.network.layers[-1]
    image = np.arange(256, dtype=np.uint8).reshape(1, SIDE, SIDE, 1)
    images = image.repeat(lowered.network.graph.input.channels, axis=3)
    runtime = runtime_of(path, graph, answers=[layer.source], default=True)
    wanted = runtime.run(images, [layer.source]).maps[layer.source]
    assert len(np.unique(wanted)) > 3
    return int((infer(lowered.network, images)[layer.name] != wanted).sum()), lowered


def drawn(name: str, channels: int, seed: int, *, first: bool = False) -> Writer:
    chance = np.random.default_rng(seed)
    scales = chance.uniform((0.02, 0.002, 0.03), (0.08, 0.03, 0.12))
    zeros = chance.integers(-100, 100, 3)
    zeros[1] *= name != "PRELU"
    grids = tuple((float(a), int(b)) for a, b in zip(scales, zeros, strict=True))
    constant = chance.integers(-128, 128, channels).tolist()
    return written(name, channels, constant, grids, first=first)  # type: ignore[arg-type]


OPERATORS = [("ADD", False), ("MUL", True), ("SUB", False), ("SUB", True), ("PRELU", False)]


@pytest.mark.promise(
    "sums, products and slopes of a map and constants by channel are LiteRT's for all integers"
    " of the map, or a line of the import counts the results that differ"
)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("channels", [1, 8])
@pytest.mark.parametrize(("name", "first"), OPERATORS)
def test_all_results_are_those_of_the_default_kernels(
    name: str, first: bool, channels: int, seed: int, tmp_path: Path
) -> None:
    path = drawn(name, channels, seed, first=first).save(tmp_path / "net.tflite")
    different, lowered = differing(path)
    assert (different, lowered.differences) == (0, ())


FUNCTIONS = ("HARD_SWISH", "RELU", "RELU6", "RELU_N1_TO_1", "LOGISTIC", "TANH")


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", FUNCTIONS)
def test_all_results_of_a_function_are_those_of_the_default_kernels(
    name: str, seed: int, tmp_path: Path
) -> None:
    chance = np.random.default_rng(seed)
    (scale, made), zeros = chance.uniform(0.01, 0.06, 2), chance.integers(-100, 100, 2)
    if name in FIXED:
        made, zeros[1] = FIXED[name]
    writer = Writer()
    x = writer.map(SIDE, SIDE, 1, scale=float(scale), zero_point=int(zeros[0]))
    y = writer.map(SIDE, SIDE, 1, scale=float(made), zero_point=int(zeros[1]))
    writer.operator(name, (x,), y)
    different, lowered = differing(writer.save(tmp_path / "net.tflite"))
    assert (different, lowered.differences) == (0, ())


FIXED: dict[str, Grid] = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
"""Output grids that the format prescribes."""
KERAS: dict[str, tuple[str, list[int], tuple[Grid, Grid, Grid]]] = {
    "Rescaling, its factor": ("MUL", [127], ((1.0, -128), (HALF / 127, 0), (HALF, -128))),
    "Rescaling, its offset": ("ADD", [-128], ((HALF, -128), (1 / 128, 0), (HALF, 0))),
    "Rescaling, an offset on halves": ("ADD", [-128], ((HALF, -128), (1 / 255, 127), (HALF, -1))),
    "Normalization, its means": (
        "SUB", [124, 116, 104], ((1 / 255, -128), (0.485 / 124, 0), (1 / 64, -30)),
    ),
    "Normalization, its deviations": (
        "MUL", [111, 127, 120], ((1 / 64, -30), (4.44 / 127, 0), (4.4 / 255, -14)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KERAS)
def test_preprocessing_of_keras_is_equal(name: str, tmp_path: Path) -> None:
    operator, constant, grids = KERAS[name]
    path = written(operator, 3, constant, grids, first=False).save(tmp_path / "net.tflite")
    different, lowered = differing(path)
    assert (different, lowered.differences, lowered.notes) == (0, (), ())


def test_what_is_above_zero_of_a_prelu_is_a_table(tmp_path: Path) -> None:
    """Slopes round twice, also above zero; the part below is a convolution."""
    path = drawn("PRELU", 4, 0).save(tmp_path / "net.tflite")
    different, lowered = differing(path)
    assert different == 0
    assert [layer.op for layer in lowered.network.layers] == ["table", "rescale", "conv", "add"]


def test_results_that_differ_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = drawn("SUB", 16, HARD_SEED, first=True).save(tmp_path / "net.tflite")
    different, lowered = differing(path)
    (found,) = lowered.differences
    assert different > 0
    assert found.what == f"node sub_0, in {different} of all 4,096 results"
    assert main(["import", str(path), "--out", str(tmp_path / "net.npz")]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert (
        f"may differ by 1 step from the runtime, and the answer by more: SUB (1 node): {found.what}"
        in text
    )
    assert not re.search("held exactly", text)
