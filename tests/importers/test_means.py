"""Means of each road on every sum that is a half, where one factor too far shows."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hwgen.importers.integer import IntegerGraph, lower
from hwgen.importers.integer.arithmetic import Kernels
from hwgen.importers.onnx.quantized import read_integer_graph as read_onnx
from hwgen.importers.tflite import read_integer_graph as read_tflite
from tests.quantized_onnx import Model, judged_on, saved
from tests.tflite_files import VALID, Writer, pool_options

SCALES = {
    "equal": ((0.05, 7), (0.05, 7)),
    "twice": ((0.05, 7), (0.1, 3)),
    "finer": ((0.031, 100), (0.017, 3)),
    "coarser": ((0.0227, 0), (0.031, 0)),
}
MOST = 256
HALF = 1e-4
COUNTS = (1, 2, 3, 6, 14, 49, 64, 120, 399)


def halves(elements: int, scales: str) -> NDArray[np.int64]:
    """Return the sums of unsigned bytes that are nearest to a half of the output, if any are."""
    (source, zero), (output, _) = SCALES[scales]
    sums = np.arange(elements * 255 + 1)
    factor = float(np.float32(source)) / float(np.float32(output)) / elements
    real = (sums - elements * zero) * factor
    far = np.abs(real - np.floor(real) - 0.5)
    near = np.argsort(far, kind="stable")[:MOST]
    return near[far[near] < HALF]


def images_of(elements: int, sums: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return an image whose channels have these sums."""
    whole, rest = np.divmod(sums, elements)
    image = whole + (np.arange(elements)[:, None] < rest)
    return image.astype(np.uint8)[np.newaxis, :, np.newaxis, :]


def onnx_mean(elements: int, channels: int, scales: str, folder: Path) -> tuple[Path, IntegerGraph]:
    """Write a GlobalAveragePool."""
    (source, zero), (output, other) = SCALES[scales]
    model = Model((1, channels, elements, 1))
    mean = model.node("GlobalAveragePool", model.image(scale=source, zero=zero))
    path = saved(model.build(model.quantized(mean, output, other)), folder)
    return path, read_onnx(path)


def litert_mean(
    operator: str, elements: int, channels: int, scales: str, folder: Path
) -> tuple[Path, IntegerGraph]:
    """Write a MEAN or an AVERAGE_POOL_2D of bytes without sign, whose zero points are larger."""
    (source, zero), (output, other) = SCALES[scales]
    writer = Writer()
    kept = {"type": "uint8"}
    x = writer.map(elements, 1, channels, scale=source, zero_point=zero, **kept)
    y = writer.map(1, 1, channels, scale=output, zero_point=other, **kept)
    if operator == "MEAN":
        axes = writer.constant(np.array([1, 2], np.int32))
        writer.operator("MEAN", (x, axes), y, ("ReducerOptions", {"KeepDims": True}))
    else:
        options = pool_options(kernel=(elements, 1), stride=(1, 1), padding=VALID)
        writer.operator("AVERAGE_POOL_2D", (x,), y, options)
    path = writer.save(folder / "net.tflite")
    return path, read_tflite(path)


def different(
    path: Path, graph: IntegerGraph, kernels: Kernels, images: NDArray[np.uint8]
) -> tuple[int, bool]:
    """Return how many means differ, and whether the import says that some may."""
    lowered = lower(graph, kernels=kernels)
    told = bool(lowered.differences) or bool(lowered.notes)
    return judged_on(path, lowered.network, images, kernels)[0].different, told


ELEMENTS = [
    *(pytest.param((each,), id=str(each)) for each in COUNTS),
    pytest.param(tuple(range(1, 401)), marks=pytest.mark.long, id="all"),
]


@pytest.mark.promise(
    "means are those of onnxruntime and LiteRT at every half, or a line says where"
)
@pytest.mark.parametrize("counts", ELEMENTS)
def test_a_global_average_is_onnxruntimes_at_every_half(
    counts: tuple[int, ...], tmp_path: Path
) -> None:
    for elements in counts:
        for scales in SCALES:
            sums = halves(elements, scales)
            if not len(sums):
                continue
            path, graph = onnx_mean(elements, len(sums), scales, tmp_path)
            found = different(path, graph, "onnxruntime", images_of(elements, sums))
            assert found == (0, False), (elements, scales)


@pytest.mark.parametrize("counts", ELEMENTS)
@pytest.mark.parametrize("kernels", ["xnnpack", "reference"])
@pytest.mark.parametrize("operator", ["MEAN", "AVERAGE_POOL_2D"])
def test_a_mean_is_litert_s_at_every_half(
    operator: str, kernels: Kernels, counts: tuple[int, ...], tmp_path: Path
) -> None:
    """The default kernels add the zero point before they round: what that moves is said."""
    for elements in counts:
        for scales in SCALES if operator == "MEAN" else ("equal",):
            sums = halves(elements, scales)
            if not len(sums):
                continue
            path, graph = litert_mean(operator, elements, len(sums), scales, tmp_path)
            default = kernels == "xnnpack"
            wrong, told = different(path, graph, kernels, images_of(elements, sums))
            assert not wrong or (told and default), (elements, scales)
