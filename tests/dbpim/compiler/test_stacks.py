"""Maps one behind the other: programs in plain numpy, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.compiler.lower_stack import along, rows_of_ones
from hwgen.dbpim.facts.arch import RowUnit, load_arch
from hwgen.errors import RefusedNodesError
from hwgen.network import INPUT, QuantizedNetwork
from tests.dbpim.compiler.archs import CONFIGS, draw_arch
from tests.dbpim.compiler.test_execute import check
from verif.common.drawing import Drawing

ROWS = load_arch(CONFIGS / "small_rows.yaml")
PAPER = load_arch(Path("configs/dbpim/paper_rows.yaml"))


def stacked(*sides: tuple[int, int], channels: int = 12, seed: int = 1) -> QuantizedNetwork:
    """Return convolutions whose maps have these sides, one behind the other, and one behind it."""
    drawing = Drawing(
        seed, modes=("all",), shape=(*(max(each) for each in zip(*sides, strict=True)), 3)
    )
    image, maps = drawing.size(INPUT), list[str]()
    for height, width in sides:
        kernel = image[0] - height + 1, image[1] - width + 1
        like = maps[0] if maps else None
        maps.append(drawing.conv(INPUT, (channels,), kernel=kernel, like=like))
    return drawing.build(drawing.conv(drawing.stack(*maps), (9,)))


@pytest.mark.promise("pixels of maps of any sides lie one behind the other, each in its place")
@pytest.mark.parametrize("images", [1, 2])
@pytest.mark.parametrize(
    "sides", [((1, 1), (4, 4)), ((3, 5), (1, 1)), ((2, 3), (4, 3), (1, 3)), ((5, 1), (2, 1))]
)
def test_programs(sides: tuple[tuple[int, int], ...], images: int) -> None:
    check(stacked(*sides), ROWS, images=images)


@pytest.mark.parametrize("seed", range(8))
def test_programs_for_any_size(seed: int) -> None:
    rng = np.random.default_rng(seed)
    arch = draw_arch(seed)
    arch = replace(arch, simd_lanes=arch.word, row_unit=RowUnit(lanes=arch.macros_per_core))
    sides = [(1, 1), *(tuple(rng.integers(1, 6, 2).tolist()) for _ in range(1 + seed % 2))]
    net = stacked(*sides, channels=int(rng.integers(1, 3 * arch.word)), seed=seed)
    check(net, arch, images=int(rng.integers(1, 3)), seed=seed)


def test_a_one_for_each_pixel() -> None:
    """Six pixels are two words of three ones each, in words of four channels."""
    assert along(6, 4) == 3
    ones = rows_of_ones(np.array([-1, 0, 2, 3, 5, 6]), 6, 4)
    assert ones.shape == (6, 8)
    np.testing.assert_array_equal(np.argwhere(ones), [[1, 0], [2, 2], [3, 4], [4, 6]])


def test_too_many_pixels() -> None:
    net = stacked((1, 1), (1, 131))
    with pytest.raises(RefusedNodesError, match=r"divisor up to 8, must be at most 127 .* 131"):
        compile_network(net, ROWS)
