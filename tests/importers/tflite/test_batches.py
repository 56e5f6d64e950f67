"""Parts of the image in a batch are the dilation of a convolution: golden against LiteRT."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import HwgenError
from hwgen.importers.integer import Lowered, lower
from hwgen.importers.tflite import read_integer_graph
from hwgen.network.conv import Conv
from tests.quantized_onnx import judged_on
from tests.tflite_files import (
    RELU,
    SAME,
    VALID,
    Options,
    Writer,
    conv_options,
    convolution,
    depthwise_options,
    random_weights,
)

IMAGES, SIGNED = 4, 128


def compared(writer: Writer, path: Path) -> tuple[Lowered, int]:
    """Return the imported network and its largest difference from LiteRT at the answer."""
    file = writer.save(path / "net.tflite")
    graph = read_integer_graph(file)
    lowered = lower(graph, kernels="reference")
    values = lowered.network.graph.input
    images = np.random.default_rng(5).integers(
        0, 1 << values.bits, (IMAGES, *values.shape), dtype=values.dtype
    )
    verdict, _, wanted = judged_on(file, lowered.network, images, "reference")
    assert len(np.unique(wanted)) > 3, "the runtime's answer must use its range"
    return lowered, verdict.steps


def integers(writer: Writer, *values: object) -> tuple[int, ...]:
    """Add constants of int32."""
    return tuple(writer.constant(np.array(each, np.int32)) for each in values)


def drawn(seed: int) -> tuple[Writer, tuple[int, ...]]:
    """Return a file with parts in a batch, and the window of its convolution over the whole map.

    Along one dimension (with a side of 1 that comes and goes) or two; a crop where no whole number
    of parts fits; inside sometimes a second convolution of 1 x 1, sometimes a function.
    """
    draw = np.random.default_rng(seed)
    rank, depthwise, function = 1 + seed % 2, seed // 2 % 2, seed // 4 % 2
    sides, times, kernel = (
        draw.integers(low, high, rank) for low, high in ((1, 12), (1, 5), (1, 4))
    )
    channels, filters = (int(each) for each in draw.integers(1, 6, 2))
    filters = channels if depthwise else filters
    reach = (kernel - 1) * times
    before = draw.integers(reach // 2, reach + 1)
    behind = np.maximum(reach - before, reach + 1 - before - sides)
    crop = -(sides + before + behind) % times
    inner = (sides + before + behind + crop) // times
    writer = Writer()
    x = writer.map(*sides, channels, zero_point=-3)
    block, pads = integers(writer, times, np.stack([before, behind + crop], 1))
    (crops,) = integers(writer, np.stack([0 * crop, crop], 1))
    parts = writer.map(*inner, channels, zero_point=-3)
    writer.operator("SPACE_TO_BATCH_ND", (x, block, pads), parts)
    if rank == 1:
        wide = writer.map(1, *inner, channels, zero_point=-3)
        writer.operator("EXPAND_DIMS", (parts, *integers(writer, -3)), wide)
        parts, kernel, times = wide, np.array([1, *kernel]), np.array([1, *times])
        inner = np.array([1, *inner])
    size = kernel.tolist()
    written = (inner - kernel + 1).tolist()
    shape: tuple[int, ...] = (1, *size, filters)
    options = depthwise_options(activation=RELU)
    if not depthwise:
        shape, options = (filters, *size, channels), conv_options()
    parts = convolve(writer, parts, (*written, filters), shape, options)
    if function:
        parts = writer.operator(
            "RELU", (parts,), writer.map(*written, filters, scale=0.3, zero_point=7)
        )
        parts = convolve(writer, parts, (*written, 3), (3, 1, 1, filters), conv_options())
        filters = 3
    if rank == 1:
        target = integers(writer, [-1, written[1], filters])
        low = writer.map(written[1], filters, scale=0.3, zero_point=7)
        parts = writer.operator("RESHAPE", (parts, *target), low)
    height_width = (sides + before + behind - reach).tolist()
    writer.operator(
        "BATCH_TO_SPACE_ND",
        (parts, block, crops),
        writer.map(*height_width, filters, scale=0.3, zero_point=7),
    )
    return writer, tuple(((kernel - 1) * times + 1).tolist())


def convolve(
    writer: Writer,
    source: int,
    out: tuple[int, ...],
    shape: tuple[int, ...],
    options: Options,
) -> int:
    """Add a convolution, or a depthwise one, by the shape of its weights."""
    depthwise = options[0] == "DepthwiseConv2DOptions"
    name, axis = ("DEPTHWISE_CONV_2D", 3) if depthwise else ("CONV_2D", 0)
    output = writer.map(*out, scale=0.3, zero_point=7)
    weights = random_weights(*shape)
    return convolution(writer, source, output, weights, options, scales=0.01, name=name, axis=axis)


@pytest.mark.promise("parts of the image in a batch (TFLite) are read as dilation")
@pytest.mark.parametrize("seed", range(16))
def test_parts_in_a_batch_are_dilation(seed: int, tmp_path: Path) -> None:
    writer, window = drawn(seed)
    lowered, most = compared(writer, tmp_path)
    assert most == 0
    first = next(each for each in lowered.network.layers if isinstance(each, Conv))
    assert sorted(first.kernel) == sorted(window)


def parts_around(options: Options, *, crop: int = 0, between: str = "") -> Writer:
    """Return a file of 6 x 6 in parts of 2 x 2 around a convolution of 2 x 2."""
    writer = Writer()
    x = writer.map(6, 6, 2)
    block, pads, crops = integers(writer, [2, 2], [[0, 0], [0, 0]], [[crop, 0], [0, 0]])
    parts = writer.operator("SPACE_TO_BATCH_ND", (x, block, pads), writer.map(3, 3, 2))
    side = 3 if options[1]["Padding"] == SAME else 2
    y = writer.map(side, side, 2, scale=0.3)
    convolution(writer, parts, y, random_weights(2, 2, 2, 2), options)
    if between:
        y = writer.operator(between, (y,), writer.map(side, side, 2, scale=0.3))
    whole = writer.map(2 * side - crop, 2 * side, 2, scale=0.3)
    writer.operator("BATCH_TO_SPACE_ND", (y, block, crops), whole)
    return writer


REFUSED: dict[str, tuple[Callable[[], Writer], str]] = {
    "padding inside": (lambda: parts_around(conv_options(padding=SAME)), "of other options"),
    "a crop of what is not padded": (
        lambda: parts_around(conv_options(padding=VALID), crop=1),
        "at most what is padded",
    ),
    "a function over channels": (
        lambda: parts_around(conv_options(), between="SOFTMAX"),
        "got SOFTMAX",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_parts_that_are_no_dilation_are_refused(name: str, tmp_path: Path) -> None:
    build, said = REFUSED[name]
    file = build().save(tmp_path / "net.tflite")
    with pytest.raises(HwgenError, match=said):
        lower(read_integer_graph(file), kernels="reference")
