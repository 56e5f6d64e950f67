"""Zero bits of a drawn network, counted again with Python's integers."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hwgen_studies.dbpim_paper.command import DbpimPaper
from hwgen_studies.dbpim_paper.zeros import BITS, GROUPS, NAME, counted

from golden.network import infer
from hwgen import api
from hwgen.commands.images import drawn_images
from hwgen.network import QuantizedNetwork
from hwgen.network.csd import csd_digits
from hwgen.network.densities import has_blocks
from hwgen.network.file import load_network, save_network
from hwgen.network.maps import Shape
from tests.cli.given import ROOT

NETWORK = ROOT / "configs/networks/digits_small_cnn.npz"


def windows(shape: Shape, layer: object) -> list[list[tuple[int, int, int]]]:
    """Return row, column and channel of the inputs of each window."""
    height, width, channels = shape
    kernel = getattr(layer, "kernel", (height, width))
    stride, padding = getattr(layer, "stride", (1, 1)), getattr(layer, "padding", (0, 0, 0, 0))
    tops = range(-padding[0], height + padding[1] - kernel[0] + 1, stride[0])
    lefts = range(-padding[2], width + padding[3] - kernel[1] + 1, stride[1])
    inside = list(product(range(kernel[0]), range(kernel[1]), range(channels)))
    return [[(y + dy, x + dx, c) for dy, dx, c in inside] for y, x in product(tops, lefts)]


def columns_of(values: list[int], group: int) -> tuple[int, int]:
    """Return zero columns, and all, of the inputs of a window."""
    zero = total = 0
    for first in range(0, len(values), group):
        for bit in range(BITS):
            zero += not any(value >> bit & 1 for value in values[first : first + group])
            total += 1
    return zero, total


def slowly(network: QuantizedNetwork, images: np.ndarray, name: str) -> dict[str, float]:
    """Return the shares of a layer."""
    layer = next(layer for layer in network.layers if layer.name == name)
    weights = network.parameters[name].weights.ravel().tolist()
    left = [value for value in weights if value]
    ones = sum((value & 255).bit_count() for value in left)
    used = sum(sum(digit != 0 for digit in csd_digits(value)) for value in left)
    found = {
        "values": 1 - len(left) / len(weights),
        "bits": 1 - ones / (BITS * len(weights)),
        "digits": 1 - used / (BITS * len(weights)),
        "bits_left": 1 - ones / (BITS * len(left)),
        "digits_left": 1 - used / (BITS * len(left)),
    }
    maps = infer(network, images)[layer.inputs[0]]
    for group in GROUPS:
        zero = total = 0
        for image in maps:
            height, width, _ = image.shape
            for places in windows(image.shape, layer):
                values = [
                    int(image[y, x, c]) if 0 <= y < height and 0 <= x < width else 0
                    for y, x, c in places
                ]
                here = columns_of(values, group)
                zero, total = zero + here[0], total + here[1]
        found[str(group)] = zero / total
    return found


@pytest.mark.promise(
    "zero weights, zero digits and zero columns of groups of inputs are counted, layer by layer"
)
def test_shares_are_those_of_each_bit() -> None:
    network = load_network(NETWORK)
    images = drawn_images(network, count=2).images
    rows = {row.layer: row for row in counted(network, images)}
    weighted = [layer.name for layer in network.layers if has_blocks(layer)]
    assert list(rows) == [*weighted, "all"]
    for name in weighted:
        row, known = rows[name], slowly(network, images, name)
        own = {key: getattr(row, key) for key in known if not key.isdigit()} | dict(row.columns)
        assert own == pytest.approx(known)
    whole = rows["all"]
    assert whole.weights == sum(rows[name].weights for name in weighted)
    zero = sum(rows[name].values * rows[name].weights for name in weighted)
    assert whole.values == pytest.approx(zero / whole.weights)


def test_page_picture_and_json_are_written(tmp_path: Path) -> None:
    network = load_network(NETWORK)
    file = tmp_path / "own.npz"
    save_network(replace(network, graph=replace(network.graph, name="own", dataset="")), file)
    context = api.Context(work=tmp_path / "work", console=None)
    given = {"parts": ("zeros",), "counted": (file,), "page": tmp_path / "zeros.html"}
    made = DbpimPaper(**given, images=2, out=tmp_path / "page", context=context).run()
    assert (made.race, made.figures) == (None, None)
    report = made.zeros
    shown = (tmp_path / "zeros.html").read_text(encoding="utf-8")
    assert "Zero bits" in shown and "this run has no such row" in shown
    assert report.images == {"own": "2 of drawn"}
    page = (tmp_path / "page" / f"{NAME}.md").read_text()
    whole = report.rows[-1]
    assert f"| own | all | {whole.weights:,} | {whole.values:.1%} |" in page
    assert {each.name for each in (tmp_path / "page").iterdir()} == {
        f"{NAME}.{kind}" for kind in ("md", "json", "svg")
    }
