"""Small files of Keras' converter: golden against LiteRT, with both of its kernels.

`cases` has them as the converter wrote them.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.commands.described import describe_import
from hwgen.importers.integer import lower
from hwgen.importers.integer.arithmetic import Kernels
from hwgen.importers.tflite import read_integer_graph
from tests.importers.tflite.test_refusals import sentences
from tests.quantized_onnx import judged_on
from tests.tflite_files import Writer

CASES = Path(__file__).parent / "cases"
EXACT = ("int16_mean_2", "int16_mean_17", "unet_bilinear", "dilated_conv1d")
KERNELS: tuple[Kernels, ...] = ("reference", "xnnpack")


def different(path: Path, kernels: Kernels, *, images: int = 6) -> int:
    """Return how many elements of the answer are not LiteRT's, over the whole range of images."""
    graph = read_integer_graph(path)
    network = lower(graph, kernels=kernels).network
    values = network.graph.input
    given = np.random.default_rng(3).integers(
        0, 1 << values.bits, (images, *values.shape), dtype=values.dtype
    )
    verdict, _, wanted = judged_on(path, network, given, kernels)
    assert len(np.unique(wanted)) > 3, "the answer must use its range"
    return verdict.different


@pytest.mark.promise(
    "16-bit means and bilinear growth of TFLite answer as both kernels of LiteRT, in every element"
)
@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("name", EXACT)
def test_every_element_is_equal(name: str, kernels: Kernels) -> None:
    assert different(CASES / f"{name}.tflite", kernels) == 0


@pytest.mark.parametrize("name", EXACT[:2])
def test_import_says_which_chips_have_maps_of_16_bits(name: str) -> None:
    layers = describe_import(CASES / f"{name}.tflite").layers
    assert all(
        each.families["dbpim"] == "no: the output's bits must be 8, got 16" for each in layers
    )


def growing(
    size: tuple[int, int], *, centres: bool = True, corners: bool = False, kind: str = "int8"
) -> Writer:
    """Return a file that resizes a map of 5 x 3 pixels and 6 channels."""
    writer = Writer()
    numbers: dict[str, Any] = {"scale": 0.05, "zero_point": -3 if kind == "int8" else 0}
    source = writer.map(5, 3, 6, type=kind, **numbers)
    wanted = writer.constant(np.array(size, np.int32))
    output = writer.map(*size, 6, type=kind, **numbers)
    how = {"AlignCorners": corners, "HalfPixelCenters": centres}
    writer.operator("RESIZE_BILINEAR", (source, wanted), output, ("ResizeBilinearOptions", how))
    return writer


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("centres", [True, False])
@pytest.mark.parametrize("size", [(10, 6), (20, 12), (5, 12), (10, 3)])
def test_growth_between_pixels(
    size: tuple[int, int], centres: bool, kernels: Kernels, tmp_path: Path
) -> None:
    path = growing(size, centres=centres).save(tmp_path / "net.tflite")
    assert different(path, kernels, images=40) == 0


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"size": (15, 9)}, "its size must be 5 x 3 times 1, 2 or 4, got 15 x 9"),
        ({"size": (7, 6)}, "its size must be 5 x 3 times 1, 2 or 4, got 7 x 6"),
        ({"size": (40, 24)}, "its size must be 5 x 3 times 1, 2 or 4, got 40 x 24"),
        (
            {"size": (10, 6), "corners": True, "centres": False},
            "its align_corners must be false, got true",
        ),
        ({"size": (10, 6), "kind": "int16"}, "its maps must be int8 or uint8, got int16"),
    ],
)
def test_other_growth_is_refused(keys: dict[str, Any], reason: str, tmp_path: Path) -> None:
    (sentence,) = sentences(growing(**keys), tmp_path)
    assert reason in sentence
