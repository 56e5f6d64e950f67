"""What of TFLite is not supported is refused: every node at once, one sentence each."""

import itertools
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.network import infer
from hwgen.errors import FormatError
from hwgen.importers.integer import RefusedNetworkError, lower
from hwgen.importers.integer.arithmetic import Kernels
from hwgen.importers.tflite import read_integer_graph
from tests.tflite_files import (
    RELU6,
    SAME,
    Options,
    Writer,
    activation_options,
    conv_options,
    convolution,
    depthwise_options,
    pool_options,
    random_weights,
)


def sentences(writer: Writer, path: Path) -> list[str]:
    """Return the refusals of a file."""
    file = writer.save(path / "net.tflite")
    with pytest.raises(RefusedNetworkError) as caught:
        lower(read_integer_graph(file))
    text = str(caught.value)
    assert str(file) in text
    assert len(text.splitlines()) == max(1, len(caught.value.refusals) + 1) - (
        len(caught.value.refusals) == 1
    )
    return [refusal.sentence for refusal in caught.value.refusals]


def unary(name: str, options: Options | None = None, **given: Any) -> Writer:
    """Return a file of one operator on one map."""
    writer = Writer()
    x = writer.map(4, 4, 3)
    writer.operator(name, (x,), writer.map(4, 4, 3, **given), options)
    return writer


@pytest.mark.promise(
    "all nodes that cannot be imported are listed at once, one sentence each, before anything"
    " is computed"
)
def test_all_nodes_are_listed_at_once(tmp_path: Path) -> None:
    writer = Writer()
    x = writer.map(4, 4, 3)
    a, b, c = (writer.map(4, 4, 3) for _ in range(3))
    writer.operator("SIN", (x,), a)
    writer.operator("RELU", (a,), b)
    writer.operator("COS", (b,), c)
    d = writer.map(4, 4, 3)
    writer.custom = "Detect"
    writer.operator("CUSTOM", (x,), d)
    e = writer.map(4, 4, 3)
    writer.operator("ADD", (c, d), e, activation_options("AddOptions"))
    found = sentences(writer, tmp_path)
    assert [sentence.split(":")[0] for sentence in found] == [
        "node sin_0 (SIN)",
        "node cos_2 (COS)",
        "node custom_detect_3 (custom Detect)",
    ]
    assert "the operator must be one that docs/operators.md lists, got " in found[0]
    assert found[0].endswith("got SIN as node 1 of 5")


def grouped() -> Writer:
    writer = Writer()
    x, y = writer.map(4, 4, 4), writer.map(4, 4, 3)
    convolution(writer, x, y, random_weights(3, 1, 1, 3), conv_options())
    return writer


def tanh_fused() -> Writer:
    writer = Writer()
    x, y = writer.map(4, 4, 3), writer.map(4, 4, 3)
    convolution(writer, x, y, random_weights(3, 1, 1, 3), conv_options(activation=4))
    return writer


def same_average() -> Writer:
    options = pool_options(kernel=(3, 3), stride=(1, 1), padding=SAME)
    return unary("AVERAGE_POOL_2D", options)


def real_weights() -> Writer:
    writer = Writer()
    x, y = writer.map(4, 4, 3), writer.map(4, 4, 2)
    weights = writer.constant(np.ones((2, 1, 1, 3), np.float32))
    writer.operator("CONV_2D", (x, weights), y, conv_options())
    return writer


def wrong_axis() -> Writer:
    writer = Writer()
    x, y = writer.map(4, 4, 4), writer.map(2, 2, 4)
    weights = random_weights(1, 3, 3, 4)
    convolution(writer, x, y, weights, depthwise_options(), name="DEPTHWISE_CONV_2D", axis=3)
    tensor = writer.tensors[2]
    tensor.scales, tensor.zero_points, tensor.axis = (0.1,) * 4, (0,) * 4, 1
    return writer


def shape_before_conv() -> Writer:
    writer = Writer()
    x = writer.map(4, 4, 3)
    y, z, out = writer.map(4, 4, 3), writer.map(2, 8, 3), writer.map(1, 4, 3)
    writer.operator("RELU", (x,), y)
    writer.operator("RESHAPE", (y,), z, ("ReshapeOptions", {}))
    writer.operator("MAX_POOL_2D", (z,), out, pool_options(kernel=(2, 2), stride=(2, 2)))
    return writer


def softmax_inside() -> Writer:
    writer = unary("SOFTMAX", ("SoftmaxOptions", {"Beta": 2.0}))
    writer.operator("RELU", writer.outputs, writer.map(4, 4, 3))
    return writer


def by_rows(kind: str = "int8") -> Writer:
    writer = Writer()
    x, y = writer.map(4, 4, 3, type=kind), writer.map(4, 3, type=kind)
    axes = writer.constant(np.array([1], np.int32))
    writer.operator("MEAN", (x, axes), y, ("ReducerOptions", {"KeepDims": False}))
    return writer


def quarter_added() -> Writer:
    writer = Writer()
    x, y, z = writer.map(4, 4, 3), writer.map(2, 2, 3), writer.map(4, 4, 3)
    writer.operator("MAX_POOL_2D", (x,), y, pool_options(kernel=(2, 2), stride=(2, 2)))
    writer.operator("ADD", (x, y), z, activation_options("AddOptions"))
    return writer


def mirrored() -> Writer:
    writer = Writer()
    x, y = writer.map(4, 4, 3), writer.map(5, 4, 3)
    sides = writer.constant(np.array([[0, 0], [1, 0], [0, 0], [0, 0]], np.int32))
    writer.operator("MIRROR_PAD", (x, sides), y, ("MirrorPadOptions", {"Mode": 0}))
    return writer


def other_value() -> Writer:
    writer = Writer()
    x, y = writer.map(4, 4, 3), writer.map(5, 4, 3)
    sides = writer.constant(np.array([[0, 0], [1, 0], [0, 0], [0, 0]], np.int32))
    value = writer.constant(np.array([9], np.int8), scales=0.05)
    writer.operator("PADV2", (x, sides, value), y, ("PadV2Options", {}))
    return writer


def fused(scale: float) -> Writer:
    """A convolution with RELU6 to a map of a scale."""
    writer = Writer()
    x, y = writer.map(4, 4, 3), writer.map(4, 4, 3, scale=scale)
    convolution(writer, x, y, random_weights(3, 1, 1, 3), conv_options(activation=RELU6))
    return writer


def limit(scale: float) -> Writer:
    """A maximum with a constant of a scale."""
    writer = Writer()
    x, y = writer.map(4, 4, 3), writer.map(4, 4, 3)
    constant = writer.constant(np.array([9], np.int8), scales=scale)
    writer.operator("MAXIMUM", (x, constant), y, ("MaximumMinimumOptions", {}))
    return writer


def large_mean() -> Writer:
    writer = Writer()
    x, y = (writer.map(side, side, 1, type="int16") for side in (65, 1))
    options = pool_options(kernel=(65, 65), stride=(1, 1))
    writer.operator("AVERAGE_POOL_2D", (x,), y, options)
    return writer


def unpacked() -> Writer:
    writer = Writer()
    x = writer.map(4, 4, 3)
    rows = tuple(writer.map(4, 3) for _ in range(4))
    writer.operator("UNPACK", (x,), rows, ("UnpackOptions", {"Num": 4, "Axis": 1}))
    return writer


REFUSED = {
    **{
        f"a fused activation to a scale of {scale}": (
            partial(fused, scale),
            f"the scale of its output 0 must be a positive number, got {scale}",
        )
        for scale in (0.0, -0.5, math.nan, math.inf)
    },
    "a denormal scale": (partial(fused, 1e-44), "the scale of its output must be from 8.67e-19 to"),
    "a huge scale": (partial(fused, 1e30), "the scale of its output must be from 8.67e-19 to"),
    **{
        f"a constant with a scale of {scale}": (
            partial(limit, scale),
            f"the scale of its constant input 1 must be a positive number, got {scale}",
        )
        for scale in (0.0, math.inf)
    },
    "a mean of a large window": (
        large_mean,
        "its window must be of at most 4096 pixels of 16 bits, got 65 x 65",
    ),
    "a MEAN of 16 bits": (
        lambda: by_rows("int16"),
        "its maps must be int8 or uint8, or those of an AVERAGE_POOL_2D over the whole map",
    ),
    "one node of several outputs": (unpacked, "the operator must be one that docs/operators.md"),
    "groups": (grouped, "the channels of a filter must be such that it divides"),
    "activation": (tanh_fused, "its activation must be RELU, RELU6 or RELU_N1_TO_1, got TANH"),
    "real weights": (real_weights, "its weights must be of type int8 or uint8"),
    "scales along another axis": (wrong_axis, "the scales of its weights must be one, or 4"),
    "softmax inside": (softmax_inside, "its beta must be 1 inside a network, got 2.0"),
    "mean over rows": (by_rows, "its axes must be rows and columns [1, 2], got [1]"),
    "a sum of a quarter of the pixels": (quarter_added, "its inputs must be of one shape"),
    "mirrored padding": (mirrored, "the operator must be one that docs/operators.md lists"),
    "another value": (
        other_value,
        "its value must be the zero point (0), or the lowest integer (-128), got [9]",
    ),
    "no scale": (
        lambda: unary("RELU", scale=None),
        "its output 0 must be int8, uint8 or int16 with one scale, got int8 without a scale",
    ),
    "another type": (lambda: unary("RELU", type="int32"), "got int32"),
    "a large factor": (
        lambda: unary("QUANTIZE", ("QuantizeOptions", {}), scale=1e-7),
        "the ratio of its scales must be from 0 to below 32768, got 5e+05",
    ),
    "an infinite scale": (
        lambda: unary("RELU", scale=float("inf")),
        "the scale of its output 0 must be a positive number, got inf",
    ),
    "options of another operator": (
        lambda: unary("MAX_POOL_2D", ("ReshapeOptions", {})),
        "its options must be present, got none",
    ),
    "no options": (lambda: unary("MAX_POOL_2D"), "its options must be present, got none"),
}


@pytest.mark.promise(
    "scales that are 0, negative, infinite or far apart are refused or computed, never a fault"
)
@pytest.mark.parametrize("name", REFUSED)
def test_a_node_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    build, wanted = REFUSED[name]
    (sentence,) = sentences(build(), tmp_path)
    assert wanted in sentence


def unlike(name: str, one: float, other: float, result: float) -> Writer:
    """An operator between maps whose scales are far apart."""
    writer = Writer()
    x, y = writer.map(4, 4, 3, scale=one), writer.map(4, 4, 3, scale=result)
    if name == "LEAKY_RELU":
        writer.operator(name, (x,), y, ("LeakyReluOptions", {"Alpha": 0.5}))
    elif name in ("HARD_SWISH", "RELU6"):
        writer.operator(name, (x,), y)
    elif name == "constant":
        constant = writer.constant(np.array([3], np.int8), scales=other)
        writer.operator("ADD", (x, constant), y, activation_options("AddOptions"))
    else:
        z = writer.map(4, 4, 3, scale=other)
        writer.operator("RELU6", (x,), z)
        writer.operator(name, (x, z), y, activation_options(f"{name.title()}Options"))
    return writer


@pytest.mark.dear("RELU6-reference")
@pytest.mark.parametrize("kernels", ["xnnpack", "reference", "half_up"])
@pytest.mark.parametrize("name", ["LEAKY_RELU", "HARD_SWISH", "RELU6", "constant", "ADD", "MUL"])
def test_scales_far_apart_are_computed_or_refused(
    name: str, kernels: Kernels, tmp_path: Path
) -> None:
    """No ratio of scales that float32 holds ends in a fault."""
    computed, refused = 0, 0
    ends = (1e-44, 1e-17, 1e-9, 1.0, 1e9, 1e38)
    for one, other, result in itertools.product(ends, ends[2:5], ends):
        file = unlike(name, one, other, result).save(tmp_path / "net.tflite")
        try:
            network = lower(read_integer_graph(file), kernels=kernels).network
        except (FormatError, RefusedNetworkError):
            refused += 1
            continue
        image = np.arange(48, dtype=np.uint8).reshape(1, 4, 4, 3) * 5
        infer(network, image)
        computed += 1
    assert min(computed, refused) >= 6


def no_input() -> Writer:
    writer = unary("RELU")
    writer.inputs = ()
    return writer


def two_inputs() -> Writer:
    writer = unary("RELU")
    writer.inputs = (0, 1)
    return writer


def real_image() -> Writer:
    writer = Writer()
    x = writer.map(4, 4, 3, scale=None, type="float32")
    writer.operator("RELU", (x,), writer.map(4, 4, 3))
    return writer


def several_images() -> Writer:
    writer = unary("RELU")
    writer.tensors[0].shape = (2, 4, 4, 3)
    return writer


def written_twice() -> Writer:
    writer = unary("RELU")
    writer.operator("RELU6", (0,), 1)
    return writer


def constant_output() -> Writer:
    writer = unary("RELU")
    writer.outputs = (writer.constant(np.zeros((1, 3), np.int8), scales=0.1),)
    return writer


def overflow() -> Writer:
    writer = Writer()
    x, y = writer.map(1, 1, 3), writer.map(1, 1, 2)
    weights = writer.constant(random_weights(2, 1, 1, 3), scales=0.1)
    bias = writer.constant(np.array([0, 2**31 - 1], np.int32), scales=0.1)
    writer.operator("CONV_2D", (x, weights, bias), y, conv_options())
    return writer


def cyclic() -> Writer:
    writer = Writer()
    x, y, z = writer.map(4, 4, 3), writer.map(4, 4, 3), writer.map(4, 4, 3)
    writer.operator("ADD", (x, z), y, activation_options("AddOptions"))
    writer.operator("RELU", (y,), z)
    return writer


FILES = {
    "no input": (no_input, "the inputs of the network must be one, the image, got 0"),
    "two inputs": (two_inputs, "the inputs of the network must be one, the image, got 2"),
    "a real image": (real_image, "and a representative_dataset, got float32 behind the image"),
    "two images at a time": (several_images, "int8 of shape [2, 4, 4, 3]"),
    "written twice": (written_twice, "every output of node 1 (RELU6) must be new, got map_1"),
    "constant answer": (constant_output, "must be computed from its image"),
    "overflow": (overflow, "must be within int32, got an overflow in output channel 1"),
    "cyclic": (cyclic, "must be constant or written before it, got neither"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    build, wanted = FILES[name]
    file = build().save(tmp_path / "net.tflite")
    with pytest.raises((FormatError, RefusedNetworkError)) as caught:
        lower(read_integer_graph(file))
    assert wanted in str(caught.value)
    assert "\n" not in str(caught.value)
