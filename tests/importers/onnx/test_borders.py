"""Borders of the map itself: reflected or repeated, equal in every element."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import RefusedNetworkError
from hwgen.importers.integer import lower
from hwgen.importers.onnx.quantized import read_integer_graph
from tests.quantized_onnx import Model, differing, saved


def bordered(mode: str, sides: tuple[int, int, int, int], folder: Path) -> Path:
    model = Model((1, 3, 6, 5), seed=sum(sides))
    top, left, bottom, right = sides
    pads = [0, 0, top, left, 0, 0, bottom, right]
    constant = model.constant(pads, np.int64)
    now = model.quantized(model.node("Pad", model.image(), constant, mode=mode))
    return saved(model.build(model.quantized(model.conv(now, 4, 3, 3, 3))), folder)


@pytest.mark.promise("padding by reflection and by the outermost pixels, in every element")
@pytest.mark.parametrize("mode", ["reflect", "edge"])
@pytest.mark.parametrize(
    "sides", [(1, 1, 1, 1), (0, 2, 3, 0), (3, 4, 2, 1), (0, 0, 0, 0), (5, 0, 0, 4)]
)
def test_borders(mode: str, sides: tuple[int, int, int, int], tmp_path: Path) -> None:
    path = bordered(mode, sides, tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    top, left, bottom, right = sides
    assert network.map_of(network.answer).shape == (4 + top + bottom, 3 + left + right, 4)
    assert differing(path) == 0


def test_a_border_beyond_the_map_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedNetworkError, match=r"node pad_\d+ \(Pad\)|valid ONNX|its operands"):
        lower(read_integer_graph(bordered("reflect", (6, 0, 0, 0), tmp_path)))
