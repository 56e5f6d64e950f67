"""Each operator of TFLite: golden on the imported network against LiteRT's reference kernels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler.remarks import layer_remarks
from hwgen.importers.integer import Lowered, lower
from hwgen.importers.integer.arithmetic import Kernels
from hwgen.importers.tflite import read_integer_graph
from hwgen.importers.tflite.runtime import runtime_of
from tests.tflite_files import (
    RELU,
    RELU6,
    SAME,
    VALID,
    Writer,
    activation_options,
    conv_options,
    convolution,
    depthwise_options,
    pool_options,
    random_bias,
    random_weights,
)

IMAGES = 4
Build = Callable[[], Writer]


def compared(writer: Writer, path: Path, kernels: Kernels = "half_up") -> tuple[Lowered, int]:
    """Return the imported network and its largest difference from LiteRT at the answer."""
    file = writer.save(path / "net.tflite")
    graph = read_integer_graph(file)
    lowered = lower(graph, kernels=kernels)
    values = lowered.network.graph.input
    images = np.random.default_rng(5).integers(
        0, 1 << values.bits, (IMAGES, *values.shape), dtype=values.dtype
    )
    answer = lowered.network.answer
    source = next(each.source for each in lowered.network.layers if each.name == answer)
    wanted = runtime_of(file, graph).run(images, [source]).maps[source]
    given = infer(lowered.network, images)[answer]
    assert given.shape == wanted.shape
    assert len(np.unique(wanted)) > 3, "the runtime's answer must use its range"
    steps = np.abs(given.astype(np.int64) - wanted.astype(np.int64))
    return lowered, int(steps.max())


def image(*shape: int, scale: float = 0.05, zero_point: int = -3) -> tuple[Writer, int]:
    writer = Writer()
    return writer, writer.map(*shape, scale=scale, zero_point=zero_point)


def conv(
    height: int, width: int, kernel: tuple[int, int], out: tuple[int, int], **options: object
) -> Writer:
    writer, x = image(height, width, 3)
    weights = random_weights(5, *kernel, 3)
    y = writer.map(*out, 5, scale=0.3, zero_point=7)
    scales = 0.002 * np.arange(1, 6)
    convolution(writer, x, y, weights, conv_options(**options), scales=scales)
    return writer


CONVOLUTIONS: dict[str, Build] = {
    "valid": lambda: conv(7, 6, (3, 3), (5, 4)),
    "same, odd padding behind": lambda: conv(8, 6, (3, 2), (4, 6), padding=SAME, stride=(2, 1)),
    "rectangular kernel and stride": lambda: conv(
        9, 8, (4, 3), (5, 3), padding=SAME, stride=(2, 3)
    ),
    "dilation": lambda: conv(9, 9, (3, 2), (5, 7), dilation=(2, 2)),
    "relu": lambda: conv(5, 5, (1, 1), (5, 5), activation=RELU),
    "relu6": lambda: conv(5, 5, (2, 2), (4, 4), activation=RELU6),
    "stride above kernel": lambda: conv(7, 7, (1, 1), (3, 3), padding=SAME, stride=(3, 3)),
}


@pytest.mark.promise(
    "each operator of TFLite becomes layers that differ from LiteRT's reference kernels by a"
    " step at most"
)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_differ_by_a_step_at_most(name: str, tmp_path: Path) -> None:
    lowered, steps = compared(CONVOLUTIONS[name](), tmp_path)
    assert steps <= 1
    assert [layer.op for layer in lowered.network.layers] == ["conv"]


def test_padding_same_has_the_odd_row_behind(tmp_path: Path) -> None:
    lowered, _ = compared(CONVOLUTIONS["same, odd padding behind"](), tmp_path)
    assert lowered.network.layers[0].padding == (0, 0, 1, 1)


@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_convolutions(multiplier: int, tmp_path: Path) -> None:
    writer, x = image(6, 6, 4)
    y = writer.map(3, 3, 4 * multiplier, scale=0.1)
    convolution(
        writer, x, y,
        random_weights(1, 3, 3, 4 * multiplier),
        depthwise_options(multiplier, padding=SAME, stride=(2, 2), activation=RELU),
        scales=0.001 * np.arange(1, 4 * multiplier + 1),
        name="DEPTHWISE_CONV_2D", axis=3,
    )  # fmt: skip
    lowered, steps = compared(writer, tmp_path)
    assert steps <= 1
    assert lowered.network.layers[0].groups == 4


def test_grouped_convolutions(tmp_path: Path) -> None:
    writer, x = image(5, 5, 6)
    y = writer.map(3, 3, 4, scale=0.3)
    convolution(writer, x, y, random_weights(4, 3, 3, 3), conv_options())
    lowered, steps = compared(writer, tmp_path)
    assert steps <= 1
    assert lowered.network.layers[0].groups == 2


def test_fully_connected_reads_a_reshaped_map(tmp_path: Path) -> None:
    writer, x = image(3, 4, 5)
    y = writer.map(3, 4, 5, scale=0.06, zero_point=-128)
    flat, z = writer.map(60, scale=0.06, zero_point=-128), writer.map(7, scale=0.4)
    writer.operator("RELU", (x,), y)
    shape = writer.constant(np.array([1, 60], np.int32))
    writer.operator("RESHAPE", (y, shape), flat, ("ReshapeOptions", {}))
    weights = writer.constant(random_weights(7, 60), scales=0.003)
    bias = writer.constant(random_bias(7), scales=0.003 * 0.06)
    writer.operator(
        "FULLY_CONNECTED", (flat, weights, bias), z, activation_options("FullyConnectedOptions")
    )
    lowered, steps = compared(writer, tmp_path)
    assert steps <= 1
    assert [layer.op for layer in lowered.network.layers] == ["rescale", "linear"]


def test_fully_connected_without_bias_over_pixels(tmp_path: Path) -> None:
    writer, x = image(3, 4, 5)
    z = writer.map(3, 4, 7, scale=0.3)
    weights = writer.constant(random_weights(7, 5), scales=0.01)
    options = {"FusedActivationFunction": RELU, "KeepNumDims": True}
    writer.operator("FULLY_CONNECTED", (x, weights), z, ("FullyConnectedOptions", options))
    lowered, steps = compared(writer, tmp_path)
    assert steps <= 1
    assert [layer.op for layer in lowered.network.layers] == ["conv"]


def two_maps(name: str, options: str, activation: int) -> Writer:
    """A map and what a convolution makes of it, combined."""
    writer, x = image(4, 4, 3)
    y = writer.map(4, 4, 3, scale=0.2, zero_point=11)
    convolution(writer, x, y, random_weights(3, 1, 1, 3), conv_options())
    z = writer.map(4, 4, 3, scale=0.15, zero_point=-9)
    writer.operator(name, (x, y), z, activation_options(options, activation))
    return writer


@pytest.mark.parametrize("activation", [0, RELU])
@pytest.mark.parametrize(("name", "op"), [("ADD", "add"), ("MUL", "multiply")])
def test_arithmetic_on_two_maps(name: str, op: str, activation: int, tmp_path: Path) -> None:
    lowered, steps = compared(two_maps(name, f"{name.title()}Options", activation), tmp_path)
    assert lowered.network.layers[-1].op == op
    # The convolution may differ by a step, too, and each factor is about one.
    assert steps <= 2


@pytest.mark.parametrize("name", ["ADD", "MUL", "SUB"])
@pytest.mark.parametrize("constant_first", [False, True])
def test_constants_by_channel(name: str, constant_first: bool, tmp_path: Path) -> None:
    writer, x = image(4, 4, 3)
    values = np.array([-100, 20, 90], np.int8).reshape(1, 1, 1, 3)
    constant = writer.constant(values, scales=0.02, zero_points=4)
    z = writer.map(4, 4, 3, scale=0.11, zero_point=3)
    inputs = (constant, x) if constant_first else (x, constant)
    writer.operator(name, inputs, z, activation_options(f"{name.title()}Options"))
    lowered, steps = compared(writer, tmp_path)
    assert lowered.network.layers[0].op == "conv"
    assert steps <= 1


def test_a_product_with_one_value_a_channel(tmp_path: Path) -> None:
    writer, x = image(4, 4, 3)
    pooled = writer.map(1, 1, 3, scale=0.05, zero_point=-3)
    axes = writer.constant(np.array([1, 2], np.int32))
    writer.operator("MEAN", (x, axes), pooled, ("ReducerOptions", {"KeepDims": True}))
    z = writer.map(4, 4, 3, scale=0.02)
    writer.operator("MUL", (pooled, x), z, activation_options("MulOptions"))
    lowered, steps = compared(writer, tmp_path)
    assert lowered.network.layers[-1].inputs == ("input", "mean_0")
    # A mean that is a step off moves the product by 6.4 / 0.02 * 0.05 / 1 steps at most.
    assert steps <= 16


def part_of(writer: Writer, source: int, shape: tuple[int, int, int]) -> int:
    """Append what has sides of 1 in place of some sides of a map: a maximum, then a convolution."""
    height, width, channels = writer.tensors[source].shape[1:]
    kernel = (height if shape[0] == 1 else 1, width if shape[1] == 1 else 1)
    pooled = writer.map(*shape[:2], channels, scale=0.05, zero_point=-3)
    writer.operator("MAX_POOL_2D", (source,), pooled, pool_options(kernel=kernel, stride=(1, 1)))
    part = writer.map(*shape, scale=0.2, zero_point=11)
    convolution(writer, pooled, part, random_weights(shape[2], 1, 1, channels), conv_options())
    return part


SMALLER = {
    "a value a channel": ((7, 6, 3), (1, 1, 3)),
    "a map of one channel": ((5, 8, 4), (5, 8, 1)),
    "a row": ((16, 5, 3), (1, 5, 3)),
    "a column": ((6, 34, 2), (6, 1, 2)),
    "a row of one channel": ((4, 20, 3), (1, 20, 1)),
    "one number": ((3, 48, 3), (1, 1, 1)),
}


@pytest.mark.promise(
    "sums, differences and products repeat the smaller map, its channels, rows or columns, exactly"
    " as the runtime does, in layers that DB-PIM chips run"
)
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("name", ["ADD", "MUL", "SUB"])
@pytest.mark.parametrize("case", SMALLER)
def test_a_smaller_map_is_repeated(case: str, name: str, first: bool, tmp_path: Path) -> None:
    shape, smaller = SMALLER[case]
    writer, x = image(*shape)
    y = part_of(writer, x, smaller)
    z = writer.map(*shape, scale=0.15, zero_point=-9)
    inputs = (y, x) if first else (x, y)
    writer.operator(name, inputs, z, activation_options(f"{name.title()}Options"))
    _, steps = compared(writer, tmp_path, "reference")
    assert steps == 0
    lowered = lower(read_integer_graph(tmp_path / "net.tflite"), kernels="half_up")
    assert set(layer_remarks(lowered.network).values()) == {""}


@pytest.mark.parametrize("name", ["ADD", "MUL"])
def test_both_maps_are_repeated(name: str, tmp_path: Path) -> None:
    writer, x = image(6, 9, 3)
    parts = part_of(writer, x, (6, 1, 1)), part_of(writer, x, (1, 9, 3))
    z = writer.map(6, 9, 3, scale=0.15, zero_point=-9)
    writer.operator(name, parts, z, activation_options(f"{name.title()}Options"))
    _, steps = compared(writer, tmp_path, "reference")
    assert steps == 0


@pytest.mark.promise(
    "a constant of any shape that fits a map is added, multiplied or subtracted exactly as the"
    " runtime does; chips with a row unit run it"
)
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("name", ["ADD", "MUL", "SUB"])
@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 4, 1), (1, 4, 3), (5, 1, 1)])
def test_a_constant_map(
    shape: tuple[int, int, int], name: str, first: bool, tmp_path: Path
) -> None:
    writer, x = image(5, 4, 3)
    values = np.random.default_rng(2).integers(-128, 128, (1, *shape)).astype(np.int8)
    constant = writer.constant(values, scales=0.02, zero_points=4)
    z = writer.map(5, 4, 3, scale=0.11, zero_point=3)
    inputs = (constant, x) if first else (x, constant)
    writer.operator(name, inputs, z, activation_options(f"{name.title()}Options"))
    _, steps = compared(writer, tmp_path, "reference")
    assert steps == 0
    lowered = lower(read_integer_graph(tmp_path / "net.tflite"), kernels="half_up")
    assert not any(each.startswith("no") for each in layer_remarks(lowered.network).values())


POOLS = {
    "AVERAGE_POOL_2D": ("average_pool", (2, 3), (2, 1), VALID, (2, 4)),
    "MAX_POOL_2D": ("max_pool", (3, 2), (2, 2), SAME, (3, 3)),
}


@pytest.mark.parametrize("name", POOLS)
def test_poolings(name: str, tmp_path: Path) -> None:
    op, kernel, stride, padding, out = POOLS[name]
    writer, x = image(5, 6, 3)
    y = writer.map(*out, 3, scale=0.05, zero_point=-3)
    writer.operator(name, (x,), y, pool_options(kernel=kernel, stride=stride, padding=padding))
    lowered, steps = compared(writer, tmp_path)
    assert lowered.network.layers[0].op == op
    assert steps <= (1 if op == "average_pool" else 0)


def test_a_clipped_maximum_is_rescaled(tmp_path: Path) -> None:
    writer, x = image(4, 4, 2)
    y = writer.map(2, 2, 2, scale=0.05, zero_point=-3)
    options = pool_options(kernel=(2, 2), stride=(2, 2), activation=RELU6)
    writer.operator("MAX_POOL_2D", (x,), y, options)
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["max_pool", "rescale"]
    assert steps == 0


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize(("name", "op"), [("MEAN", "average_pool"), ("REDUCE_MAX", "max_pool")])
def test_reductions_over_the_whole_map(name: str, op: str, keep: bool, tmp_path: Path) -> None:
    writer, x = image(5, 4, 9)
    mean = name == "MEAN"
    shape = (1, 1, 9) if keep else (9,)
    y = writer.map(*shape, scale=0.02 if mean else 0.05, zero_point=5 if mean else -3)
    axes = writer.constant(np.array([1, -2], np.int32))
    writer.operator(name, (x, axes), y, ("ReducerOptions", {"KeepDims": keep}))
    lowered, steps = compared(writer, tmp_path)
    assert lowered.network.layers[0].op == op
    assert steps <= (1 if mean else 0)


def padded(value: int | None, sides: list[list[int]], out: tuple[int, int]) -> tuple[Writer, int]:
    writer, x = image(4, 5, 3)
    y = writer.map(*out, 3, scale=0.05, zero_point=-3)
    inputs = (x, writer.constant(np.array(sides, np.int32)))
    if value is not None:
        inputs += (writer.constant(np.array([value], np.int8), scales=0.05, zero_points=-3),)
    name = "PAD" if value is None else "PADV2"
    writer.operator(name, inputs, y, (f"{name.title()}Options".replace("v2", "V2"), {}))
    return writer, y


@pytest.mark.parametrize("value", [None, -3])
def test_padding_is_folded_into_a_window(value: int | None, tmp_path: Path) -> None:
    writer, y = padded(value, [[0, 0], [1, 0], [2, 1], [0, 0]], (5, 8))
    z = writer.map(3, 3, 4, scale=0.3)
    options = conv_options(stride=(1, 2))
    convolution(writer, y, z, random_weights(4, 3, 3, 3), options)
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["conv"]
    assert lowered.network.layers[0].padding == (1, 2, 0, 1)
    assert steps <= 1


def test_padding_before_a_mean_counts(tmp_path: Path) -> None:
    writer, y = padded(None, [[0, 0], [1, 1], [1, 0], [0, 0]], (6, 6))
    z = writer.map(2, 2, 3, scale=0.05, zero_point=-3)
    writer.operator("AVERAGE_POOL_2D", (y,), z, pool_options(kernel=(3, 3), stride=(3, 3)))
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["average_pool"]
    assert steps <= 1


@pytest.mark.promise("signed maps become unsigned exactly, and what moves integers is exact")
def test_padding_by_the_lowest_integer_is_that_of_a_max_pool(tmp_path: Path) -> None:
    writer, y = padded(-128, [[0, 0], [1, 1], [1, 0], [0, 0]], (6, 6))
    z = writer.map(2, 2, 3, scale=0.05, zero_point=-3)
    writer.operator("MAX_POOL_2D", (y,), z, pool_options(kernel=(3, 3), stride=(3, 3)))
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["max_pool"]
    assert lowered.network.layers[0].padding == (1, 1, 1, 0)
    assert steps == 0


def test_padding_that_stands_alone_is_exact(tmp_path: Path) -> None:
    writer, _ = padded(None, [[0, 0], [1, 2], [0, 3], [0, 0]], (7, 8))
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["conv"]
    assert steps == 0


def test_padding_of_channels_is_a_shortcut(tmp_path: Path) -> None:
    writer, x = image(4, 5, 3)
    y = writer.map(4, 5, 5, scale=0.05, zero_point=-3)
    sides = writer.constant(np.array([[0, 0], [0, 0], [0, 0], [0, 2]], np.int32))
    writer.operator("PAD", (x, sides), y, ("PadOptions", {}))
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["shortcut"]
    assert steps == 0


def test_concatenation(tmp_path: Path) -> None:
    writer, x = image(4, 4, 3)
    y, z = (writer.map(4, 4, each, scale=0.05, zero_point=-3) for each in (3, 6))
    writer.operator("MAX_POOL_2D", (x,), y, pool_options(kernel=(1, 1), stride=(1, 1)))
    options = ("ConcatenationOptions", {"Axis": -1, "FusedActivationFunction": 0})
    writer.operator("CONCATENATION", (y, x), z, options)
    lowered, steps = compared(writer, tmp_path)
    assert lowered.network.layers[-1].op == "concatenate"
    assert steps == 0


def test_split_and_concatenation_in_another_order(tmp_path: Path) -> None:
    writer, x = image(4, 4, 6)
    parts = tuple(writer.map(4, 4, 2, scale=0.05, zero_point=-3) for _ in range(3))
    axis = writer.constant(np.array(3, np.int32))
    writer.operator("SPLIT", (axis, x), parts, ("SplitOptions", {"NumSplits": 3}))
    y = writer.map(4, 4, 6, scale=0.05, zero_point=-3)
    options = ("ConcatenationOptions", {"Axis": 3, "FusedActivationFunction": 0})
    writer.operator("CONCATENATION", parts[::-1], y, options)
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == [
        "conv", "conv", "shortcut", "concatenate",
    ]  # fmt: skip
    assert steps == 0


FUNCTIONS = {
    "LOGISTIC": (None, 1 / 256, -128),
    "TANH": (None, 1 / 128, 0),
    "HARD_SWISH": (("HardSwishOptions", {}), 0.03, -100),
    "ELU": (None, 0.03, -90),
    "LEAKY_RELU": (("LeakyReluOptions", {"Alpha": 0.1}), 0.03, -90),
    "GELU": (("GeluOptions", {"Approximate": False}), 0.03, -90),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_become_tables(name: str, tmp_path: Path) -> None:
    options, scale, zero_point = FUNCTIONS[name]
    writer, x = image(8, 8, 4)
    y = writer.map(8, 8, 4, scale=scale, zero_point=zero_point)
    writer.operator(name, (x,), y, options)
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["table"]
    assert steps <= 1


@pytest.mark.parametrize("name", ["RELU", "RELU6", "RELU_N1_TO_1", "QUANTIZE"])
def test_activations_that_stand_alone(name: str, tmp_path: Path) -> None:
    writer, x = image(4, 4, 3)
    y = writer.map(4, 4, 3, scale=0.04, zero_point=-20)
    options = ("QuantizeOptions", {}) if name == "QUANTIZE" else None
    writer.operator(name, (x,), y, options)
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["rescale"]
    assert steps <= 1


def test_an_activation_is_folded_where_the_quantization_stays(tmp_path: Path) -> None:
    writer = conv(5, 5, (3, 3), (3, 3))
    y = writer.map(3, 3, 5, scale=0.3, zero_point=7)
    writer.operator("RELU", writer.outputs, y)
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["conv"]
    assert lowered.network.layers[0].output.quantization[0].low == 7 + 128
    assert steps <= 1


def test_unsigned_maps_and_asymmetric_weights_have_nine_bits(tmp_path: Path) -> None:
    writer = Writer()
    x = writer.map(5, 5, 3, scale=0.05, zero_point=120, type="uint8")
    y = writer.map(3, 3, 4, scale=0.4, zero_point=99, type="uint8")
    weights = np.random.default_rng(1).integers(0, 256, (4, 3, 3, 3)).astype(np.uint8)
    given = writer.constant(weights, scales=0.01, zero_points=17)
    bias = writer.constant(random_bias(4), scales=0.01 * 0.05)
    writer.operator("CONV_2D", (x, given, bias), y, conv_options())
    lowered, steps = compared(writer, tmp_path)
    assert lowered.network.layers[0].weight_bits == 9
    assert lowered.network.graph.input.quantization[0].zero_point == 120
    assert steps <= 1


@pytest.mark.promise(
    "convolutions and means of maps of 16 bits are LiteRT's; a matrix says that its factors are"
    " rounded"
)
def test_maps_of_sixteen_bits(tmp_path: Path) -> None:
    writer = Writer()
    x = writer.map(5, 5, 3, scale=0.0005, type="int16")
    y = writer.map(3, 3, 4, scale=0.0008, type="int16")
    given = writer.constant(random_weights(4, 3, 3, 3), scales=0.001 * np.arange(1, 5))
    bias = writer.constant(random_bias(4).astype(np.int64), scales=0.001 * np.arange(1, 5) * 0.0005)
    writer.operator("CONV_2D", (x, given, bias), y, conv_options())
    lowered, steps = compared(writer, tmp_path)
    assert lowered.network.graph.input.bits == 16
    assert lowered.network.graph.input.quantization[0].zero_point == 1 << 15
    # 2^15 steps of relative error 2^-17, and a rounding.
    assert steps <= 1
    for kernels in ("xnnpack", "reference"):
        lowered, steps = compared(writer, tmp_path, kernels)
        assert (steps, lowered.notes) == (0, ())


def test_a_matrix_of_sixteen_bits_says_that_its_factors_are_rounded(tmp_path: Path) -> None:
    writer = Writer()
    x = writer.map(5, 5, 3, scale=0.0005, type="int16")
    y = writer.map(16, scale=0.003, type="int16")
    weights = writer.constant(random_weights(16, 75), scales=0.0021)
    options = activation_options("FullyConnectedOptions")
    writer.operator("FULLY_CONNECTED", (x, weights), y, options)
    lowered, steps = compared(writer, tmp_path, "xnnpack")
    assert steps == 1
    assert [note.what for note in lowered.notes] == ["its factors are rounded"]


@pytest.mark.parametrize("padding", [SAME, VALID])
@pytest.mark.parametrize(("size", "kernel"), [(16, 2), (9, 3), (17, 17), (40, 33), (66, 64)])
def test_means_of_sixteen_bits_are_exact(
    size: int, kernel: int, padding: int, tmp_path: Path
) -> None:
    writer = Writer()
    x = writer.map(size, size, 2, scale=0.0005, type="int16")
    out = size if padding == SAME else size - kernel + 1
    y = writer.map(out, out, 2, scale=0.0005, type="int16")
    options = pool_options(kernel=(kernel, kernel), stride=(1, 1), padding=padding)
    writer.operator("AVERAGE_POOL_2D", (x,), y, options)
    lowered, steps = compared(writer, tmp_path, "xnnpack")
    assert (steps, lowered.notes) == (0, ())
    assert [layer.op for layer in lowered.network.layers] == ["average_pool"]


MEANS = {
    "kept": (2, (0.05, 7), (0.05, 7), "int8"),
    "kept, without sign": (2, (0.05, 131), (0.05, 131), "uint8"),
    "kept, even and no power of two": (6, (0.05, 7), (0.05, 7), "int8"),
    "odd": (5, (0.031, -7), (0.017, 3), "int8"),
    "changed": (4, (0.05, 7), (0.03, -21), "int8"),
}


@pytest.mark.promise("a MEAN rounds as XNNPACK's, or a line counts the sums that do not")
@pytest.mark.parametrize("name", MEANS)
def test_a_mean_is_that_of_the_default_kernels_or_says_where_not(name: str, tmp_path: Path) -> None:
    """Halves go to the even integer of the file, not away from zero as in AVERAGE_POOL_2D."""
    size, source, target, kind = MEANS[name]
    writer = Writer()
    x = writer.map(size, size, 64, scale=source[0], zero_point=source[1], type=kind)
    y = writer.map(1, 1, 64, scale=target[0], zero_point=target[1], type=kind)
    axes = writer.constant(np.array([1, 2], np.int32))
    writer.operator("MEAN", (x, axes), y, ("ReducerOptions", {"KeepDims": True}))
    file = writer.save(tmp_path / "net.tflite")
    graph = read_integer_graph(file)
    lowered = lower(graph, kernels="xnnpack")
    values, rng = lowered.network.graph.input, np.random.default_rng(5)
    images = rng.integers(0, 1 << values.bits, (40, *values.shape), dtype=values.dtype)
    runtime = runtime_of(file, graph, answers=["map_1"], default=True)
    wanted = runtime.run(images, ["map_1"]).maps["map_1"].astype(np.int64)
    steps = np.abs(infer(lowered.network, images)["mean_0"] - wanted)
    assert bool(lowered.differences) == (name == "changed")
    assert steps.max() == len(lowered.differences)


@pytest.mark.parametrize("name", ["SOFTMAX", "LOG_SOFTMAX"])
def test_the_head_is_dropped(name: str, tmp_path: Path) -> None:
    writer, x = image(1, 1, 8)
    y = writer.map(5, scale=0.2)
    weights = writer.constant(random_weights(5, 8), scales=0.01)
    writer.operator("FULLY_CONNECTED", (x, weights), y, activation_options("FullyConnectedOptions"))
    z = writer.map(5, scale=1 / 256, zero_point=-128)
    options = ("SoftmaxOptions", {"Beta": 1.0}) if name == "SOFTMAX" else ("LogSoftmaxOptions", {})
    writer.operator(name, (y,), z, options)
    network = lower(read_integer_graph(writer.save(tmp_path / "net.tflite"))).network
    assert [layer.op for layer in network.layers] == ["linear"]


def test_a_real_image_and_a_real_answer_are_left_out(tmp_path: Path) -> None:
    writer = Writer()
    real = writer.map(4, 4, 3, scale=None, type="float32")
    x, y = writer.map(4, 4, 3, scale=0.05, zero_point=-3), writer.map(4, 4, 2, scale=0.3)
    writer.operator("QUANTIZE", (real,), x, ("QuantizeOptions", {}))
    convolution(writer, x, y, random_weights(2, 1, 1, 3), conv_options())
    answer = writer.map(4, 4, 2, scale=None, type="float32")
    writer.operator("DEQUANTIZE", (y,), answer, ("DequantizeOptions", {}))
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["conv"]
    assert steps <= 1


def moved(name: str, out: tuple[int, ...], *constants: Any, options: Any = None) -> Writer:
    """Return a file of one operator that moves the elements of a map of 4 x 6 x 6."""
    writer, x = image(4, 6, 6)
    given = tuple(writer.constant(np.array(each, np.int32)) for each in constants)
    y = writer.map(*out, scale=0.05, zero_point=-3)
    writer.operator(name, (x, *given), y, options)
    z = writer.map(*out[:2], 4, scale=0.3)
    convolution(writer, y, z, random_weights(4, 1, 1, out[2]), conv_options())
    return writer


MOVED: dict[str, tuple[Build, list[str]]] = {
    "every second row": (
        lambda: moved(
            "STRIDED_SLICE", (2, 6, 6), [0] * 4, [1, 4, 6, 6], [1, 2, 1, 1],
            options=("StridedSliceOptions", {}),
        ),
        ["shortcut", "conv"],
    ),
    "some channels by masks": (
        lambda: moved(
            "STRIDED_SLICE", (4, 6, 2), [0, 0, 0, 4], [0, 0, 0, 6], [1] * 4,
            options=("StridedSliceOptions", {"BeginMask": 7, "EndMask": 7}),
        ),
        ["conv", "conv"],
    ),
    "the last channels": (
        lambda: moved(
            "SLICE", (4, 6, 4), [0, 0, 0, 2], [1, 4, 6, -1], options=("SliceOptions", {})
        ),
        ["conv", "conv"],
    ),
    "channels by number": (
        lambda: moved("GATHER", (4, 6, 3), [5, 0, 0], options=("GatherOptions", {"Axis": 3})),
        ["conv", "conv"],
    ),
}  # fmt: skip


@pytest.mark.promise(
    "operators of TFLite that move elements become as few layers as their result needs"
)
@pytest.mark.parametrize("name", MOVED)
def test_operators_that_move_elements(name: str, tmp_path: Path) -> None:
    build, expected = MOVED[name]
    lowered, steps = compared(build(), tmp_path)
    assert [layer.op for layer in lowered.network.layers] == expected
    assert steps <= 1


def reshaped(writer: Writer, source: int, output: int) -> None:
    """Add a reshaping, its shape as a constant."""
    shape = writer.constant(np.array(writer.tensors[output].shape, np.int32))
    writer.operator("RESHAPE", (source, shape), output, ("ReshapeOptions", {}))


def test_a_shuffle_of_channels_is_one_selection(tmp_path: Path) -> None:
    """Five dimensions in between: only the elements that arrive count."""
    writer, x = image(4, 4, 6)
    wide, turned = writer.map(4, 4, 2, 3, scale=0.05), writer.map(4, 4, 3, 2, scale=0.05)
    y, z = writer.map(4, 4, 6, scale=0.05, zero_point=-3), writer.map(4, 4, 2, scale=0.3)
    order = writer.constant(np.array([0, 1, 2, 4, 3], np.int32))
    reshaped(writer, x, wide)
    writer.operator("TRANSPOSE", (wide, order), turned, ("TransposeOptions", {}))
    reshaped(writer, turned, y)
    convolution(writer, y, z, random_weights(2, 3, 3, 6), conv_options(padding=SAME))
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["conv", "conv"]
    assert steps <= 1


@pytest.mark.promise(
    "maxima, minima, differences and slopes a channel are several layers that round once"
)
@pytest.mark.parametrize("name", ["MAXIMUM", "MINIMUM"])
def test_the_larger_and_the_smaller_of_two_maps_are_exact(name: str, tmp_path: Path) -> None:
    writer, x = image(4, 6, 6)
    flipped, z = (writer.map(4, 6, 6, scale=0.05, zero_point=-3) for _ in range(2))
    order = writer.constant(np.array([3, 2, 5, 4, 1, 0], np.int32))
    writer.operator("GATHER", (x, order), flipped, ("GatherOptions", {"Axis": 3}))
    writer.operator(name, (x, flipped), z, ("MaximumMinimumOptions", {}))
    lowered, steps = compared(writer, tmp_path)
    assert {layer.op for layer in lowered.network.layers} == {"conv", "table", "add"}
    assert steps == 0


def test_a_difference_of_two_maps(tmp_path: Path) -> None:
    lowered, steps = compared(two_maps("SUB", "SubOptions", RELU), tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["conv", "table", "add"]
    assert steps <= 2


@pytest.mark.parametrize("slopes", [[20], [20, -100, 90]])
def test_slopes_below_zero(slopes: list[int], tmp_path: Path) -> None:
    writer, x = image(4, 6, 3)
    given = writer.constant(np.array(slopes, np.int8).reshape(1, 1, -1), scales=0.01)
    z = writer.map(4, 6, 3, scale=0.06, zero_point=-20)
    writer.operator("PRELU", (x, given), z)
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["rescale", "rescale", "conv", "add"]
    assert steps <= 1


def test_bytes_in_and_out_of_a_signed_network(tmp_path: Path) -> None:
    """A QUANTIZE from uint8 to int8 changes no integer; one behind the head is dropped."""
    writer = Writer()
    x = writer.map(1, 1, 8, scale=0.05, zero_point=125, type="uint8")
    signed, y = writer.map(1, 1, 8, scale=0.05, zero_point=-3), writer.map(5, scale=0.2)
    writer.operator("QUANTIZE", (x,), signed, ("QuantizeOptions", {}))
    weights = writer.constant(random_weights(5, 8), scales=0.01)
    options = activation_options("FullyConnectedOptions")
    writer.operator("FULLY_CONNECTED", (signed, weights), y, options)
    z = writer.map(5, scale=1 / 256, zero_point=-128)
    writer.operator("SOFTMAX", (y,), z, ("SoftmaxOptions", {"Beta": 1.0}))
    answer = writer.map(5, scale=1 / 256, zero_point=0, type="uint8")
    writer.operator("QUANTIZE", (z,), answer, ("QuantizeOptions", {}))
    network = lower(read_integer_graph(writer.save(tmp_path / "net.tflite"))).network
    assert [layer.op for layer in network.layers] == ["linear"]
    assert network.graph.input.quantization[0].zero_point == 125
    assert "signed" not in network.graph.preprocessing


def test_a_sequence_as_rows_and_as_columns(tmp_path: Path) -> None:
    """Keras writes Conv1D as a convolution of one row, between two reshapings."""
    writer, x = image(12, 4)
    wide = writer.map(1, 12, 4, scale=0.05, zero_point=-3)
    y, pooled = (writer.map(1, each, 6, scale=0.3) for each in (6, 3))
    flat, z = writer.map(3, 6, scale=0.3), writer.map(18, scale=0.3)
    answer = writer.map(5, scale=2.0)
    reshaped(writer, x, wide)
    options = conv_options(padding=SAME, stride=(1, 2))
    convolution(writer, wide, y, random_weights(6, 1, 3, 4), options)
    options = pool_options(kernel=(1, 2), stride=(1, 2))
    writer.operator("MAX_POOL_2D", (y,), pooled, options)
    reshaped(writer, pooled, flat)
    reshaped(writer, flat, z)
    weights = writer.constant(random_weights(5, 18), scales=0.01)
    options = activation_options("FullyConnectedOptions")
    writer.operator("FULLY_CONNECTED", (z, weights), answer, options)
    lowered, steps = compared(writer, tmp_path)
    assert [layer.op for layer in lowered.network.layers] == ["conv", "max_pool", "linear"]
    assert steps <= 2
