"""Products and squared differences that round as LiteRT's, whole on RTL: golden, model and RTL."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from golden.ops.maps import squared_difference
from hwgen.dbpim.compiler.supported import greatest_square, refusals
from hwgen.dbpim.facts.arch import Arch
from hwgen.importers.integer import lower
from hwgen.importers.tflite import read_integer_graph
from hwgen.network import INPUT, QuantizedNetwork, SquaredDifference
from tests.verif.dbpim.chips import check_chip, chip_arch
from verif.common.drawing import Drawing, draw_images
from verif.dbpim.component import litert
from verif.dbpim.random_network import extreme_images

BLOCK = Path(__file__).parents[2] / "importers" / "tflite" / "cases" / "vit_block.tflite"
GAINS = [(1.0, 0.03), (0.4, 1.0), (0.99, 0.93), (0.002, 1.0)]
SHAPES = [(4, 4, 3), (1, 1, 1), (5, 4, 2), (3, 1, 16)]
"""Images: rows, columns, channels."""


def squares(seed: int, shape: tuple[int, int, int], gains: tuple[float, float]) -> QuantizedNetwork:
    """Return layers of two maps that scale as LiteRT, beside convolutions that do not."""
    drawing = Drawing(seed, modes=("all",), shape=shape)
    drawing.rounding = "float32"
    channels = (int(drawing.rng.choice([1, 8, 19])),)
    first, second = drawing.conv(INPUT, channels), drawing.conv(INPUT, channels)
    # Small differences tell every step of an operand.
    gain = 2.0 ** (-20 if seed % 2 else -14)
    found = drawing.squared_difference(first, second, gains=gains, gain=gain)
    drawing.rounding = "tflite"
    found = drawing.multiply(found, first)
    found = drawing.squared_difference(second, found, gains=gains[::-1])
    found = drawing.rescale(found, bits=8)
    drawing.rounding = "half_up"
    return drawing.build(drawing.conv(found, (5,)))


def attention(seed: int, groups: int) -> QuantizedNetwork:
    """Return scores and values whose sums round twice."""
    drawing = Drawing(seed, modes=("all",), shape=(2, 4, 3))
    drawing.rounding = "float32"
    query, keys, values = (drawing.conv(INPUT, (8 * groups,)) for _ in range(3))
    drawing.rounding = "tflite"
    scores = drawing.matmul(query, keys, groups=groups, transposed=True)
    found = drawing.matmul(scores, values, groups=groups, transposed=False)
    return drawing.build(drawing.squared_difference(found, query, gains=(1.0, 0.5)))


def chip(seed: int) -> Arch:
    """Return the small chip; the lanes of every second one share requantizers."""
    return replace(litert(), lanes_per_requantizer=(1, 4)[seed % 2])


@pytest.mark.dear
@pytest.mark.promise(
    "layers of two maps that round as LiteRT run whole in RTL: every element, step, cycle and event"
)
@pytest.mark.parametrize("seed", range(4))
def test_squares(seed: int, tmp_path: Path) -> None:
    net = squares(seed, SHAPES[seed], GAINS[seed])
    images = np.concatenate([draw_images(net, 2, seed=seed), extreme_images(net)])
    check_chip(net, chip(seed), images, tmp_path, batch=1 + seed % 2)


@pytest.mark.dear
@pytest.mark.parametrize("groups", [1, 2])
def test_products(groups: int, tmp_path: Path) -> None:
    net = attention(groups, groups)
    check_chip(net, chip(groups), draw_images(net, 2, seed=groups), tmp_path, batch=groups)


def block() -> QuantizedNetwork:
    """Return LiteRT's transformer as its default kernels compute it."""
    return lower(read_integer_graph(BLOCK), kernels="xnnpack").network


@pytest.mark.promise("a transformer of LiteRT with its default kernels runs whole in RTL, equal")
def test_a_transformer_of_litert(tmp_path: Path) -> None:
    net = block()
    check_chip(net, litert(), draw_images(net, 1, seed=1), tmp_path)


def test_other_chips_say_what_helps() -> None:
    found = list(refusals(block(), chip_arch("small_rows")))
    assert {what.rpartition(": ")[2] for what, _, _ in found} == {"op", "rounding"}
    given = [str(given) for what, _, given in found if what.endswith("rounding")]
    assert len(given) == 4 and all("set `simd_tflite: true`" in each for each in given)
    assert not list(refusals(block(), litert()))


@pytest.mark.dear("0")
@pytest.mark.parametrize("seed", range(6))
def test_squares_beyond_a_total_are_refused(seed: int) -> None:
    net = squares(seed, SHAPES[1], (1.99, 1.99))
    layer = next(each for each in net.layers if isinstance(each, SquaredDifference))
    a, b = (net.map_of(name).quantization[0].zero_point for name in layer.inputs)
    every = np.arange(256)
    largest = squared_difference(
        every[:, np.newaxis],
        every,
        zero_points=(a, b),
        multipliers=layer.requantization[0].multipliers[:2],
        shifts=layer.operand_shifts,
    ).max()
    assert largest <= greatest_square(net, layer) < 1.001 * largest
    found = [what for what, _, _ in refusals(net, litert()) if what.endswith("squares")]
    assert (f"layer {layer.name}: squares" in found) == (largest >= 1 << 31)


def test_the_key_needs_a_row_unit_and_changes_no_other_chip() -> None:
    plain = chip_arch("small_rows")
    assert replace(plain, simd_tflite=False).digest == plain.digest != litert().digest
    with pytest.raises(ValidationError, match="simd_tflite must be false without a row_unit"):
        replace(chip_arch("small"), simd_tflite=True)
