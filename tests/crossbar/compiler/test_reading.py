"""What is read through, what becomes a layer, and which layers a layer reads."""

from collections.abc import Mapping

import onnx
import pytest
from onnx import TensorProto

from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from tests.onnx_graphs import CHANNELS, Shape, conv, layers_of, model, node

FC = {"m": (256, 10), "n": (10, 256), "r": (10,), "c": (1,), "k": (4, 10), "one": (4, 4, 1, 1)}
"""Weights: of 4 x 8 x 8 inputs and 10 outputs, biases, of 4 inputs."""


def layers(
    *nodes: onnx.NodeProto,
    image: Shape = (1, CHANNELS, 8, 8),
    extra: Mapping[str, Shape] | None = None,
    constants: Mapping[str, object] | None = None,
    opset: int = 17,
    rules: Rules = STRICT,
) -> list[CrossbarLayer]:
    """Return the layers of a graph that may read the weights above and `extra`."""
    made = model(
        *nodes, image=image, weights={**FC, **(extra or {})}, constants=constants, opset=opset
    )
    return list(layers_of(made, name="read", source="here", rules=rules).layers)


def readers(found: list[CrossbarLayer]) -> list[tuple[str, tuple[int, ...]]]:
    return [(layer.kind, layer.providers) for layer in found]


def test_a_convolution_is_complete() -> None:
    (layer,) = layers(conv("x", "a", strides=[2, 2]))
    assert layer == CrossbarLayer(
        name="a",
        kind="conv",
        providers=(),
        kernel=3,
        stride=2,
        padding=1,
        in_channels=4,
        out_channels=4,
        groups=1,
        in_side=8,
        out_side=4,
        activation="none",
    )


@pytest.mark.parametrize(
    ("mode", "padding"), [("VALID", 0), ("SAME_UPPER", 0), ("SAME_LOWER", 1), ("NOTSET", 0)]
)
def test_automatic_padding_is_that_at_the_top(mode: str, padding: int) -> None:
    (layer,) = layers(node("Conv", "x w", "a", auto_pad=mode, strides=[2, 2]))
    assert (layer.padding, layer.out_side) == (padding, 4 if mode.startswith("SAME") else 3)


def test_poolings_have_windows() -> None:
    found = layers(
        conv("x", "a"),
        node("MaxPool", "a", "b", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        node("AveragePool", "b", "c0", kernel_shape=[2, 2], pads=[1, 1, 0, 0]),
        node("GlobalMaxPool", "c0", "d"),
    )
    windows = [(p.kernel, p.stride, p.padding, p.in_side, p.out_side) for p in found[1:]]
    assert windows == [(3, 2, 0, 8, 4), (2, 1, 1, 4, 4), (4, 1, 0, 4, 1)]


@pytest.mark.parametrize("opset", [13, 18])
@pytest.mark.parametrize("keep", [0, 1])
def test_a_mean_over_rows_and_columns_is_a_global_pooling(opset: int, keep: int) -> None:
    axes = {"axes": [2, 3]} if opset < 18 else {}
    mean = node("ReduceMean", "a" if axes else "a s", "b", keepdims=keep, **axes)
    found = layers(
        conv("x", "a"),
        mean,
        node("Flatten", "b", "f"),
        node("Gemm", "f k", "z"),
        opset=opset,
        constants={} if axes else {"s": [-1, -2]},
    )
    assert readers(found) == [("conv", ()), ("pool", (0,)), ("fc", (1,))]
    assert (found[1].kernel, found[1].out_side, found[2].in_channels) == (8, 1, 4)


MATRICES = {
    "Gemm": [node("Flatten", "x", "f"), node("Gemm", "f m r", "z")],
    "Gemm with turned weights": [node("Flatten", "x", "f"), node("Gemm", "f n", "z", transB=1)],
    "MatMul and bias": [
        node("Flatten", "x", "f"),
        node("MatMul", "f m", "p"),
        node("Add", "p r", "z"),
    ],
    "MatMul with weights in front": [
        node("Reshape", "x s", "f"),
        node("MatMul", "n f", "z"),
    ],
}


@pytest.mark.parametrize("case", MATRICES)
def test_matrix_products_are_fully_connected(case: str) -> None:
    (layer,) = layers(*MATRICES[case], constants={"s": [1, 256, 1]})
    assert (layer.kind, layer.in_channels, layer.out_channels) == ("fc", 256, 10)
    assert (layer.in_side, layer.out_side, layer.kernel, layer.padding) == (1, 1, 1, 0)


TRANSPARENT = {
    "BatchNormalization": node("BatchNormalization", "a r4 r4 r4 r4", "b"),
    "Cast": node("Cast", "a", "b", to=TensorProto.FLOAT16),
    "Div": node("Div", "a c", "b"),
    "Dropout": node("Dropout", "a", "b"),
    "Identity": node("Identity", "a", "b"),
    "LRN": node("LRN", "a", "b", size=5),
    "Mul": node("Mul", "c a", "b"),
    "Softmax": node("Softmax", "a", "b"),
    "Sub": node("Sub", "a c", "b"),
    "Sum of one": node("Sum", "a", "b"),
    "bias": node("Add", "a c", "b"),
    "Pad of nothing": node("Pad", "a p", "b"),
    "Squeeze and back": node("Unsqueeze", "a p1", "b"),
}


@pytest.mark.parametrize("case", TRANSPARENT)
def test_what_moves_no_work_is_no_layer(case: str) -> None:
    before = TRANSPARENT[case]
    behind = [node("Squeeze", "b p1", "y")] if case.startswith("Squeeze") else []
    made = model(
        conv("x", "a"),
        before,
        *behind,
        node("MaxPool", "y" if behind else "b", "z", kernel_shape=[2, 2]),
        weights={**FC, "r4": (4,)},
        constants={"p": [0] * 8, "p1": [1]},
    )
    found = layers_of(made, name="read", source="here").layers
    assert readers(list(found)) == [("conv", ()), ("pool", (0,))]


def test_a_channel_shuffle_is_read_through() -> None:
    found = layers(
        conv("x", "a"),
        node("Reshape", "a s", "b"),
        node("Transpose", "b", "t", perm=[0, 2, 1, 3, 4]),
        node("Reshape", "t u", "d"),
        conv("d", "z"),
        constants={"s": [0, 2, 2, 8, 8], "u": [0, -1, 8, 8]},
    )
    assert readers(found) == [("conv", ()), ("conv", (0,))]


def test_an_image_by_rows_is_turned_and_read() -> None:
    turn = node("Transpose", "x", "t", perm=[0, 3, 1, 2])
    back = node("Transpose", "a", "b", perm=[0, 2, 3, 1])
    mean = node("ReduceMean", "b", "g", axes=[1, 2], keepdims=0)
    made = model(turn, conv("t", "a"), back, mean, node("Gemm", "g k", "z"),
                 image=("n", 16, 16, 4), weights=FC)  # fmt: skip
    network = layers_of(made, name="read", source="here")
    assert (network.input_channels, network.input_side) == (4, 16)
    assert readers(list(network.layers)) == [("conv", ()), ("pool", (0,)), ("fc", (1,))]


def test_an_image_may_be_a_vector() -> None:
    made = model(node("MatMul", "x m", "a"), node("Add", "a r", "z"), image=("n", 256), weights=FC)
    network = layers_of(made, name="read", source="here")
    assert (network.input_channels, network.input_side) == (256, 1)
    assert network.layers[0].in_channels == 256


def test_padding_of_its_own_node_belongs_to_every_reader() -> None:
    pad = node("Pad", "x p", "y")
    pool = node("MaxPool", "y", "b", kernel_shape=[2, 2])
    found = layers(pad, conv("y", "a"), pool, constants={"p": [0, 0, 2, 2, 0, 0, 1, 1]})
    assert [(layer.in_side, layer.out_side, layer.padding) for layer in found] == [
        (8, 11, 3),
        (8, 10, 2),
    ]


def test_a_concatenation_is_read_through() -> None:
    found = layers(
        conv("x", "a"),
        conv("x", "b"),
        node("Concat", "a b a x", "d", axis=-3),
        conv("d", "z", "wide"),
        extra={"wide": (4, 16, 3, 3)},
        rules=PUBLISHED,
    )
    assert readers(found)[-1] == ("conv", (0, 1))
    assert found[-1].in_channels == 16


def test_a_pyramid_feeds_one_fully_connected_layer() -> None:
    found = layers(
        conv("x", "a"),
        node("MaxPool", "a", "p", kernel_shape=[4, 4], strides=[4, 4]),
        node("GlobalMaxPool", "a", "q"),
        node("Flatten", "p", "pf"),
        node("Flatten", "q", "qf"),
        node("Concat", "pf qf", "d", axis=1),
        node("Gemm", "d v", "z"),
        extra={"v": (20, 10)},
    )
    assert readers(found) == [("conv", ()), ("pool", (0,)), ("pool", (0,)), ("fc", (1, 2))]
    assert found[-1].in_channels == 20


def test_additions_read_what_they_add() -> None:
    found = layers(
        conv("x", "a"),
        conv("a", "b"),
        node("Sum", "b a x", "s"),
        node("Relu", "s", "t"),
        node("Add", "t t", "z"),
        rules=PUBLISHED,
    )
    assert readers(found) == [
        ("conv", ()),
        ("conv", (0,)),
        ("eltwise", (0, 1)),
        ("eltwise", (2,)),
    ]
    assert [layer.activation for layer in found] == ["none", "none", "relu", "none"]
    assert (found[2].in_channels, found[2].out_channels, found[2].out_side) == (4, 4, 8)


ACTIVATIONS = {
    "Relu": "relu",
    "LeakyRelu": "relu",
    "Clip": "relu",
    "PRelu": "relu",
    "Sigmoid": "sigmoid",
    "HardSigmoid": "sigmoid",
    "Tanh": "sigmoid",
}


@pytest.mark.parametrize("operator", ACTIVATIONS)
def test_an_activation_belongs_to_the_layer_before(operator: str) -> None:
    reads = {"PRelu": "b c", "Clip": "b c c"}.get(operator, "b")
    norm = node("Mul", "a c", "b")
    found = layers(conv("x", "a"), norm, node(operator, reads, "y"), conv("y", "z"))
    assert [layer.activation for layer in found] == [ACTIVATIONS[operator], "none"]


def test_an_activation_of_one_branch_or_of_several_layers() -> None:
    found = layers(
        conv("x", "a"),
        conv("x", "b"),
        node("Concat", "a b", "d", axis=1),
        node("Relu", "d", "e"),
        conv("e", "f", "wide"),
        conv("f", "g"),
        node("Relu", "f", "h"),
        node("Add", "g h", "z"),
        extra={"wide": (4, 8, 3, 3)},
    )
    assert [layer.activation for layer in found] == ["relu", "relu", "relu", "none", "none"]


def test_shape_arithmetic_is_ignored() -> None:
    found = layers(
        conv("x", "a"),
        node("Shape", "a", "s"),
        node("Gather", "s first", "count"),
        node("Unsqueeze", "count front", "u"),
        node("Concat", "u rest", "t", axis=0),
        node("Reshape", "a t", "f"),
        node("Gemm", "f m", "z"),
        image=("batch", 4, 8, 8),
        constants={"first": 0, "front": [0], "rest": [-1]},
    )
    assert readers(found) == [("conv", ()), ("fc", (0,))]
