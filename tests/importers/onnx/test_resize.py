"""Maps that grow: linear means of neighbours, as a Resize has them."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.commands.differences import differences_of
from hwgen.errors import RefusedNetworkError
from hwgen.importers.integer import lower
from hwgen.importers.onnx.quantized import read_integer_graph
from tests.quantized_onnx import Model, differing, kinds, saved


def grown(
    factor: tuple[int, int], how: str, folder: Path, *, scale: float = 0.04, side: int = 5
) -> Path:
    model = Model((1, 3, side, 4))
    now = model.image(scale=0.04)
    scales = model.constant([1, 1, *factor])
    made = model.node("Resize", now, "", scales, mode="linear", coordinate_transformation_mode=how)
    return saved(model.build(model.quantized(made, scale)), folder)


@pytest.mark.promise("linear Resize by 2 and 4 is a mean over repeated pixels")
@pytest.mark.parametrize("how", ["half_pixel", "pytorch_half_pixel", "asymmetric"])
@pytest.mark.parametrize("factor", [(2, 2), (4, 4), (1, 2), (4, 2)])
@pytest.mark.parametrize("scale", [0.04, 0.0391])
def test_linear_growth(how: str, factor: tuple[int, int], scale: float, tmp_path: Path) -> None:
    path = grown(factor, how, tmp_path, scale=scale)
    graph = read_integer_graph(path)
    lowered = lower(graph, kernels="onnxruntime")
    assert kinds(lowered.network) == ["upsample", "average_pool"]
    found = differences_of(graph, lowered, "onnxruntime")[0]
    assert [each.operator for each in found] == ["Resize"]
    assert "are float32 there and go up at halves here" in found[0].what
    assert differing(path) <= 1


@pytest.mark.parametrize(("side", "layers"), [(4, 1), (16, 2)])
def test_a_pixel_that_grows_is_repeated(side: int, layers: int, tmp_path: Path) -> None:
    """By more than a chip repeats in one layer: in two."""
    model = Model((1, 8, side, side))
    image = model.image()
    mean = model.quantized(model.node("GlobalAveragePool", image))
    sizes = model.constant([1, 8, side, side], np.int64)
    large = model.quantized(model.node("Resize", mean, "", "", sizes, mode="linear"))
    joined = model.quantized(model.node("Concat", image, large, axis=1))
    path = saved(model.build(model.quantized(model.conv(joined, 4, 16, 1, 1))), tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    assert kinds(network).count("upsample") == layers
    assert kinds(network).count("average_pool") == 1


@pytest.mark.parametrize(
    ("factor", "how", "what"),
    [
        ((3, 3), "half_pixel", "its size must be 5 x 4 times 1, 2, 4, of 3 channels, got 3 x 15"),
        ((2, 2), "align_corners", "its coordinates must be half_pixel or .* got align_corners"),
    ],
)
def test_other_growths_are_refused(
    factor: tuple[int, int], how: str, what: str, tmp_path: Path
) -> None:
    with pytest.raises(RefusedNetworkError, match=what):
        lower(read_integer_graph(grown(factor, how, tmp_path)))
