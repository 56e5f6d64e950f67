"""Quantized ONNX models, each against onnxruntime: operators, layouts, styles of quantization."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.quantized_onnx import Model, agreeing, compared, imported, kinds

Case = tuple[Callable[[Model, str], str], list[str]]


def elementwise(*operators: str) -> Callable[[Model, str], str]:
    """Return a chain of functions behind a convolution."""

    def chain(model: Model, image: str) -> str:
        now = model.quantized(model.conv(image, 4, 3, 1, 1), zero=100)
        for operator in operators:
            now = model.node(operator, now)
        return model.quantized(now, 0.03, 20)

    return chain


def gelu_by_erf(model: Model, image: str) -> str:
    inner = model.node("Div", image, model.constant(1.4142135))
    bent = model.node("Add", model.node("Erf", inner), model.constant(1.0))
    whole = model.node("Mul", model.node("Mul", image, bent), model.constant(0.5))
    return model.quantized(whole, 0.05, 10)


def silu(model: Model, image: str) -> str:
    return model.quantized(model.node("Mul", image, model.node("Sigmoid", image)), 0.05, 10)


def gates(model: Model, image: str) -> str:
    pooled = model.quantized(model.node("GlobalAveragePool", image), 0.02, 128)
    gate = model.quantized(model.conv(pooled, 3, 3, 1, 1), 0.05, 128)
    gate = model.quantized(model.node("Sigmoid", gate), 1 / 256, 0)
    return model.quantized(model.node("Mul", gate, image), 0.03, 5)


def shuffle(model: Model, image: str) -> str:
    now = model.quantized(model.conv(image, 6, 3, 1, 1))
    shape = model.constant([0, 2, 3, 6, 6], np.int64)
    now = model.node("Transpose", model.node("Reshape", now, shape), perm=[0, 2, 1, 3, 4])
    now = model.node("Reshape", now, model.constant([0, 6, 6, 6], np.int64))
    return model.quantized(model.conv(now, 4, 3, 1, 1, group=2))


def split(model: Model, image: str) -> str:
    now = model.quantized(model.conv(image, 4, 3, 1, 1))
    sizes = model.constant([1, 3], np.int64)
    one, other = model.node("Split", now, sizes, outputs=2, axis=1).split()
    return model.quantized(model.node("Concat", other, one, axis=1))


def split_behind_relu(model: Model, image: str) -> str:
    now = model.quantized(model.node("Relu", model.conv(image, 4, 3, 1, 1)), zero=100)
    sizes = model.constant([1, 3], np.int64)
    parts = model.node("Split", now, sizes, outputs=2, axis=1).split()
    one, other = (model.quantized(part, zero=100) for part in parts)
    return model.quantized(model.node("Concat", other, one, axis=1), zero=100)


def option_a(model: Model, image: str) -> str:
    bounds = [[0, 0], [6, 6], [2, 3], [2, 2]]
    now = model.node("Slice", image, *(model.constant(each, np.int64) for each in bounds))
    pads = model.constant([0, 0, 0, 0, 0, 2, 0, 0], np.int64)
    return model.quantized(model.node("Pad", now, pads))


def channels_in_front(model: Model, image: str) -> str:
    steps = [[0, 0], [6, 6], [2, 3], [2, 2]]
    now = model.node("Slice", image, *(model.constant(each, np.int64) for each in steps))
    pads = model.constant([0, 1, 0, 0, 0, 2, 0, 0], np.int64)
    return model.quantized(model.node("Pad", now, pads))


def padded(model: Model, image: str) -> str:
    pads = model.constant([0, 0, 1, 0, 0, 0, 2, 1], np.int64)
    return model.quantized(model.conv(model.node("Pad", image, pads), 4, 3, 3, 3))


def batch_norm(model: Model, image: str) -> str:
    parts = [model.constant(values) for values in ([-1, 0.5, 2, 1], [0.1, -0.2, 0, 0.3])]
    parts += [model.constant(values) for values in ([0.5, 0, -0.5, 0.2], [0.5, 1, 2, 1])]
    now = model.node("BatchNormalization", model.conv(image, 4, 3, 3, 3), *parts)
    return model.quantized(model.node("Relu", now), 0.02, 0)


def residual(model: Model, image: str) -> str:
    now = model.quantized(model.conv(image, 3, 3, 3, 3, pads=[1, 1, 1, 1]), 0.05, 100)
    return model.quantized(model.node("Relu", model.node("Add", now, image)), 0.06, 0)


def constants(model: Model, image: str) -> str:
    now = model.node("Mul", image, model.constant(np.full((1, 3, 1, 1), 0.5)))
    now = model.node("Sub", model.node("Div", now, model.constant(0.8)), model.constant(0.25))
    return model.quantized(now, 0.03, 12)


def by_channel(model: Model, image: str) -> str:
    now = model.node("Mul", image, model.constant([[[0.5]], [[-1.0]], [[2.0]]]))
    return model.quantized(
        model.node("Add", now, model.constant([[[0.1]], [[0]], [[-1]]])), 0.07, 9
    )


def through_rows(model: Model, image: str) -> str:
    rows = model.node("Transpose", image, perm=[0, 2, 3, 1])
    now = model.node("MatMul", rows, model.weights(3, 5, axis=1))
    now = model.quantized(model.node("Add", now, model.constant(model.rng.normal(size=5))))
    pooled = model.node("ReduceMean", now, axes=[1, 2], keepdims=0)
    return model.quantized(pooled, 0.02, 40)


def before_max_pool(value: float) -> Callable[[Model, str], str]:
    """Rows and columns of a value below all others in front of a window."""

    def write(model: Model, image: str) -> str:
        sides = model.constant([0, 0, 1, 2, 0, 0, 2, 0], np.int64)
        wide = model.node("Pad", image, sides, model.constant(value))
        pooled = model.node("MaxPool", wide, kernel_shape=[3, 3], strides=[2, 1])
        return model.quantized(pooled)

    return write


def matrices_of_a_sequence(model: Model, image: str) -> str:
    """What onnxruntime's quant_pre_process makes of nn.Linear on a sequence."""
    line = model.node("Reshape", image, model.constant([0, 3, 36], np.int64))
    now = model.node("Transpose", line, perm=[0, 2, 1])
    for outputs, inputs in ((5, 3), (4, 5)):
        rows = model.node("Reshape", now, model.constant([-1, inputs], np.int64))
        weights = model.weights(outputs, inputs)
        rows = model.quantized(model.node("Gemm", rows, weights, transB=1), 0.05, 120)
        now = model.node("Reshape", rows, model.constant([1, 36, outputs], np.int64))
    return now


def vector(model: Model, image: str) -> str:
    flat = model.node("Flatten", model.node("Identity", image))
    now = model.quantized(model.node("Gemm", flat, model.weights(7, 108), transB=1), 0.09, 130)
    square = model.node("Unsqueeze", now, model.constant([2, 3], np.int64))
    return model.node("Squeeze", square, model.constant([2, 3], np.int64))


def branch(model: Model, image: str) -> str:
    """Return another map of the image's shape."""
    return model.quantized(model.conv(image, 3, 3, 3, 3, pads=[1, 1, 1, 1]), 0.05, 128)


def sum_with_sums(model: Model, image: str) -> str:
    now = model.conv(image, 3, 3, 3, 3, pads=[1, 1, 1, 1])
    return model.quantized(model.node("Relu", model.node("Add", now, image)), 0.06, 0)


def difference_with_sums(model: Model, image: str) -> str:
    flat = model.node("Flatten", image)
    one = model.quantized(model.node("Gemm", flat, model.weights(7, 108), transB=1), 0.09, 130)
    other = model.node("Gemm", flat, model.weights(7, 108), transB=1)
    return model.quantized(model.node("Sub", other, one), 0.09, 130)


def channels_as_sequence(model: Model, image: str) -> str:
    """Efficient channel attention: a convolution along the channels of a mean."""
    pooled = model.quantized(model.node("GlobalAveragePool", image), 0.02, 128)
    shape = model.constant([0, 1, 3], np.int64)
    row = model.node("Reshape", pooled, shape)
    gate = model.quantized(model.conv(row, 1, 1, 3, bias=False, pads=[1, 1]), 0.05, 128)
    gate = model.quantized(model.node("Sigmoid", gate), 1 / 256, 0)
    gate = model.node("Reshape", gate, model.constant([0, 3, 1, 1], np.int64))
    return model.quantized(model.node("Mul", image, gate), 0.03, 5)


def along_columns(model: Model, image: str) -> str:
    """A sequence that its layers read along rows, along columns, and as a vector."""
    line = model.node("Reshape", image, model.constant([0, 3, 36], np.int64))
    now = model.quantized(model.conv(line, 4, 3, 5, pads=[2, 2], strides=[2]), 0.05, 100)
    wide = model.node("Unsqueeze", now, model.constant([2], np.int64))
    pooled = model.node("MaxPool", wide, kernel_shape=[1, 3], strides=[1, 3])
    pooled = model.quantized(model.conv(pooled, 4, 4, 1, 3, pads=[0, 1, 0, 1]), 0.1, 110)
    flat = model.node("Flatten", model.node("Squeeze", pooled, model.constant([2], np.int64)))
    return model.quantized(model.node("Gemm", flat, model.weights(5, 24), transB=1), 0.1, 120)


def rescaled_half(model: Model, image: str) -> str:
    now = model.quantized(model.conv(image, 4, 3, 1, 1), zero=100)
    parts = model.node("Split", now, model.constant([2, 2], np.int64), outputs=2, axis=1).split()
    one, other = (model.quantized(each, 0.02 + 0.03 * k, 90) for k, each in enumerate(parts))
    return model.quantized(model.node("Concat", other, one, axis=1), 0.05, 90)


def rescaled_padding(model: Model, image: str) -> str:
    pads = model.constant([0, 0, 1, 0, 0, 0, 2, 1], np.int64)
    return model.quantized(model.conv(rescaled(model, model.node("Pad", image, pads)), 4, 3, 3, 3))


def rescaled(model: Model, tensor: str) -> str:
    return model.quantized(tensor, 0.07, 9)


def grown(model: Model, tensor: str) -> str:
    scales = [model.constant([]), model.constant([1, 1, 2, 2])]
    made = rescaled(model, model.node("Resize", tensor, *scales, mode="nearest"))
    return model.quantized(model.conv(made, 4, 3, 3, 3))


def mean_of_steps(model: Model, image: str) -> str:
    """The batch behind what is averaged, as recurrent layers have it."""
    steps = model.node("Transpose", image, perm=[2, 3, 0, 1])
    pooled = model.quantized(model.node("ReduceMean", steps, axes=[0, 1], keepdims=0), 0.02, 40)
    return model.quantized(model.node("Gemm", pooled, model.weights(5, 3), transB=1))


CASES: dict[str, Case] = {
    "conv": (lambda m, x: m.quantized(m.conv(x, 4, 3, 3, 3)), ["conv"]),
    "conv without bias": (lambda m, x: m.quantized(m.conv(x, 4, 3, 2, 2, bias=False)), ["conv"]),
    "strides and uneven pads": (
        lambda m, x: m.quantized(m.conv(x, 4, 3, 3, 2, strides=[2, 1], pads=[2, 0, 1, 1])),
        ["conv"],
    ),
    "same padding above": (
        lambda m, x: m.quantized(m.conv(x, 4, 3, 3, 4, strides=[2, 2], auto_pad="SAME_UPPER")),
        ["conv"],
    ),
    "same padding below": (
        lambda m, x: m.quantized(m.conv(x, 4, 3, 2, 4, auto_pad="SAME_LOWER")),
        ["conv"],
    ),
    "dilation": (lambda m, x: m.quantized(m.conv(x, 4, 3, 2, 2, dilations=[2, 3])), ["conv"]),
    "depthwise": (lambda m, x: m.quantized(m.conv(x, 6, 1, 3, 3, group=3)), ["conv"]),
    "relu6": (
        lambda m, x: m.quantized(
            m.node("Clip", m.conv(x, 4, 3, 1, 1), m.constant(0.0), m.constant(6.0)), 0.05, 0
        ),
        ["conv"],
    ),
    "batch norm of negative gamma": (batch_norm, ["conv"]),
    "max pool, rounded up": (
        lambda m, x: m.quantized(
            m.node("MaxPool", x, kernel_shape=[3, 2], strides=[2, 4], ceil_mode=1)
        ),
        ["max_pool"],
    ),
    "average pool that counts padding": (
        lambda m, x: m.quantized(
            m.node("AveragePool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
        ),
        ["average_pool"],
    ),
    "global max pool": (lambda m, x: m.quantized(m.node("GlobalMaxPool", x)), ["max_pool"]),
    "max over axes": (
        lambda m, x: m.quantized(m.node("ReduceMax", x, axes=[2, -1], keepdims=0)),
        ["max_pool"],
    ),
    "the lowest number before a max pool": (before_max_pool(-0.12), ["max_pool"]),
    "minus infinity before a max pool": (before_max_pool(-np.inf), ["max_pool"]),
    "residual": (residual, ["conv", "add"]),
    "gates": (gates, ["average_pool", "conv", "table", "multiply"]),
    "sigmoid": (elementwise("Sigmoid"), ["conv", "table"]),
    "hard swish": (elementwise("HardSwish"), ["conv", "table"]),
    "functions behind each other": (
        elementwise("Tanh", "LeakyRelu", "Softplus"),
        ["conv", "table"],
    ),
    "gelu by erf": (gelu_by_erf, ["table"]),
    "silu of two nodes": (silu, ["table"]),
    "shuffle": (shuffle, ["conv", "conv"]),
    "split": (split, ["conv", "conv", "concatenate"]),
    "split behind a Relu": (split_behind_relu, ["conv", "conv", "concatenate"]),
    "option A": (option_a, ["shortcut"]),
    "option A with channels in front": (channels_in_front, ["conv"]),
    "padding before a convolution": (padded, ["conv"]),
    "constants": (constants, ["table"]),
    "constants by channel": (by_channel, ["conv"]),
    "channels last": (through_rows, ["conv", "average_pool"]),
    "matrices of a sequence": (matrices_of_a_sequence, ["conv", "conv"]),
    "vectors": (vector, ["linear"]),
    "concatenation of one map": (
        lambda m, x: m.quantized(m.conv(m.node("Concat", x, axis=1), 4, 3, 1, 1)),
        ["conv"],
    ),
    "selu": (elementwise("Selu"), ["conv", "table"]),
    "celu and softsign": (elementwise("Celu", "Softsign"), ["conv", "table"]),
    "a slope a channel": (
        lambda m, x: m.quantized(
            m.node("PRelu", x, m.constant([[[0.25]], [[-0.5]], [[0.0]]])), 0.03, 60
        ),
        ["rescale", "rescale", "conv", "add"],
    ),
    "difference": (
        lambda m, x: m.quantized(m.node("Sub", x, branch(m, x)), 0.03, 128),
        ["conv", "table", "add"],
    ),
    "maximum": (
        lambda m, x: m.quantized(m.node("Max", x, branch(m, x)), 0.02, 90),
        ["conv", "rescale", "rescale", "table", "add", "add"],
    ),
    "minimum": (
        lambda m, x: m.quantized(m.node("Min", branch(m, x), x), 0.05, 128),
        ["conv", "rescale", "table", "add", "table", "add"],
    ),
    "maximum of a constant": (
        lambda m, x: m.quantized(m.node("Max", m.conv(x, 4, 3, 1, 1), m.constant(-0.5)), 0.05),
        ["conv"],
    ),
    "channels as a sequence": (
        channels_as_sequence,
        ["average_pool", "linear", "table", "multiply"],
    ),
    "a sequence along columns": (along_columns, ["conv", "max_pool", "conv", "linear"]),
    "another scale": (lambda m, x: m.quantized(x, 0.05, 7), ["rescale"]),
    "another scale of some channels": (
        rescaled_half,
        ["conv", "rescale", "conv", "rescale", "rescale", "concatenate"],
    ),
    "another scale behind padding": (rescaled_padding, ["conv", "rescale", "conv"]),
    "another scale behind repeated pixels": (grown, ["conv", "rescale", "upsample"]),
    "mean over steps in front of the batch": (mean_of_steps, ["average_pool", "linear"]),
    "a function in front of repeated pixels": (
        lambda m, x: grown(m, m.node("HardSwish", x)),
        ["conv", "table", "upsample"],
    ),
}

HIDDEN = {
    "shuffle": 1, "split": 1, "a slope a channel": 1,
    "difference": 2, "maximum": 2, "minimum": 2,
    "another scale of some channels": 3, "another scale behind padding": 2,
    "another scale behind repeated pixels": 2, "a function in front of repeated pixels": 1,
}  # fmt: skip
"""Layers that the runtime shows, where some are between its tensors."""


@pytest.mark.promise(
    "quantized ONNX models of every style, operator and layout agree with onnxruntime within a"
    " step a layer"
)
@pytest.mark.parametrize("case", CASES)
def test_operators_agree_with_onnxruntime(case: str, tmp_path: Path) -> None:
    write, expected = CASES[case]
    model = Model()
    built = model.build(write(model, model.image()))
    network = agreeing(built, tmp_path, shown=HIDDEN.get(case))
    assert sorted(kinds(network)) == sorted(expected)


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
@pytest.mark.parametrize("axis", [0, None])
@pytest.mark.parametrize("zero", [0, 5])
def test_styles_of_quantization(kind: type, axis: int | None, zero: int, tmp_path: Path) -> None:
    model = Model(("n", 3, 6, 6), kind=kind, opset=13)
    image = model.image(scale=0.02, zero=-7 if kind is np.int8 else 120)
    weights = model.weights(4, 3, 3, 3, axis=axis, zero=zero)
    made = model.quantized(model.node("Conv", image, weights), 0.05, 11)
    network = agreeing(model.build(made), tmp_path)
    layer = network.layers[0]
    assert layer.weight_bits == (9 if zero else 8)
    offset = 128 if kind is np.int8 else 0
    assert layer.output.quantization[0].zero_point == 11 + offset


def test_unsigned_weights_are_centred(tmp_path: Path) -> None:
    model = Model()
    weights = model.weights(4, 3, 1, 1, kind=np.uint8, zero=128)
    network = agreeing(
        model.build(model.quantized(model.node("Conv", model.image(), weights))), tmp_path
    )
    assert network.layers[0].weight_bits == 8


def test_weights_quantized_by_nodes(tmp_path: Path) -> None:
    model = Model()
    real = model.constant(model.rng.normal(size=(4, 3, 3, 3)) / 10)
    grid = [model.constant(0.003), model.constant(0, np.int8)]
    narrow = [model.constant(-127, np.int8), model.constant(127, np.int8)]
    integers = model.node("Clip", model.node("QuantizeLinear", real, *grid), *narrow)
    weights = model.node("DequantizeLinear", integers, *grid)
    made = model.quantized(model.node("Conv", model.image(), weights))
    network = agreeing(model.build(made), tmp_path)
    assert network.parameters[network.layers[0].name].weights.min() >= -127


def test_an_integer_bias_stays_to_the_bit(tmp_path: Path) -> None:
    """The rounding of float32 scales would move the second by several steps."""
    model = Model()
    image = model.image(scale=0.3, zero=0)
    weights = model.constant(np.ones((2, 3, 1, 1)), np.int8)
    scales = np.array([0.0123, 0.0177], np.float32)
    zeros = model.constant([0, 0], np.int8)
    real = model.node("DequantizeLinear", weights, model.constant(scales), zeros, axis=0)
    integers = model.constant([7, -1234567891], np.int32)
    steps = model.constant(scales * np.float32(0.3))
    bias = model.node("DequantizeLinear", integers, steps, axis=0)
    built = model.build(model.quantized(model.node("Conv", image, real, bias), 50.0, 0))
    network = imported(built, tmp_path)
    assert network.parameters[network.layers[0].name].bias.tolist() == [[7, -1234567891]]


def test_an_image_with_channels_last(tmp_path: Path) -> None:
    model = Model(("n", 6, 5, 3))
    image = model.node("Transpose", model.image(), perm=[0, 3, 1, 2])
    made = model.quantized(model.conv(image, 4, 3, 3, 3))
    last = model.node("Transpose", made, perm=[0, 2, 3, 1])
    network = agreeing(model.build(last), tmp_path)
    assert network.graph.input.shape == (6, 5, 3)
    assert kinds(network) == ["conv"]


def test_a_reshape_computed_from_the_shape(tmp_path: Path) -> None:
    model = Model(("n", 3, 6, 6))
    now = model.quantized(model.conv(model.image(), 4, 3, 3, 3))
    batch = model.node("Gather", model.node("Shape", now), model.constant([0], np.int64))
    shape = model.node("Concat", batch, model.constant([-1], np.int64), axis=0)
    flat = model.node("Reshape", now, shape)
    made = model.node("Gemm", flat, model.weights(5, 64, axis=None), transB=1)
    network = agreeing(model.build(made), tmp_path)
    assert kinds(network) == ["conv", "linear"]
    assert network.map_of(network.answer).bits == 32


def test_the_head_is_dropped_and_the_order_of_classes_stays(tmp_path: Path) -> None:
    model = Model()
    flat = model.node("Flatten", model.image())
    made = model.node("Gemm", flat, model.weights(6, 108, axis=None), transB=1)
    network = agreeing(model.build(model.node("Softmax", made)), tmp_path)
    assert kinds(network) == ["linear"]


def test_a_batch_of_two(tmp_path: Path) -> None:
    model = Model((2, 3, 6, 6))
    now = model.quantized(model.conv(model.image(), 4, 3, 3, 3))
    flat = model.node("Reshape", now, model.constant([2, 64], np.int64))
    made = model.node("Gemm", flat, model.weights(5, 64, axis=None), transB=1)
    assert kinds(agreeing(model.build(made), tmp_path)) == ["conv", "linear"]


def test_preprocessing_before_the_quantization_is_left_out(tmp_path: Path) -> None:
    model = Model()
    scaled = model.node("Div", "x", model.constant(255.0))
    made = model.quantized(model.conv(model.quantized(scaled, 1 / 255, 0), 4, 3, 1, 1))
    network = agreeing(model.build(made), tmp_path)
    assert network.graph.input.quantization[0].scale == pytest.approx(1 / 255)


def test_a_table_of_integers(tmp_path: Path) -> None:
    model = Model()
    grid = [model.constant(0.04), model.constant(3, np.uint8)]
    integers = model.node("QuantizeLinear", "x", *grid)
    table = model.rng.permutation(256)
    index = model.node("Cast", integers, to=6)
    looked_up = model.node("Gather", model.constant(table, np.uint8), index, axis=0)
    made = model.node("DequantizeLinear", looked_up, *grid)
    network = agreeing(model.build(made), tmp_path)
    assert network.tables[network.answer].tolist() == [table.tolist()]


def test_sequences(tmp_path: Path) -> None:
    model = Model((1, 4, 9))
    weights = model.weights(6, 4, 3)
    made = model.quantized(model.node("Conv", model.image(), weights, pads=[1, 1]))
    pooled = model.node("MaxPool", made, kernel_shape=[3], strides=[2])
    network = agreeing(model.build(model.quantized(pooled)), tmp_path)
    assert network.map_of(network.answer).shape == (4, 1, 6)


@pytest.mark.promise("sums that no QuantizeLinear follows are rounded once more, which a note says")
@pytest.mark.parametrize("write", [sum_with_sums, difference_with_sums])
def test_sums_that_are_not_quantized_are_rounded_first(
    write: Callable[[Model, str], str], tmp_path: Path
) -> None:
    """Two roundings in place of one: a step for many elements, never more."""
    model = Model()
    lowered, counters = compared(model.build(write(model, model.image())), tmp_path)
    assert "the sums that it adds are rounded first" in [note.what for note in lowered.notes]
    answer = counters.same_inputs[lowered.network.answer]
    assert answer.largest == 1 and 0 < answer.one_step < answer.elements / 2
