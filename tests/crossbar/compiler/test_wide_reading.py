"""Products, slices, functions, dilation, and what is not square."""

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper

from hwgen.crossbar.facts.network import CrossbarLayer
from tests.onnx_graphs import conv, layers_of, model, node


def layers(*nodes: object, **given: object) -> tuple[CrossbarLayer, ...]:
    made = model(*nodes, **given)  # type: ignore[arg-type]
    return layers_of(made, name="net", source="here").layers


@pytest.mark.promise(
    "products, factors of channels, slices, functions, dilation and unequal sides become layers"
)
def test_sides_of_rows_and_columns() -> None:
    tall = {"tall": (4, 4, 3, 1)}
    first, second = layers(
        conv("x", "a", "tall", pads=[2, 0, 1, 0], strides=[2, 1]),
        node("MaxPool", "a", "z", kernel_shape=[1, 2], strides=[1, 2]),
        image=(1, 4, 9, 6),
        weights=tall,
    )
    assert (first.kernels, first.strides, first.paddings) == ((3, 1), (2, 1), (2, 0))
    assert (first.in_sides, first.out_sides) == ((9, 6), (5, 6))
    assert (first.taps, first.operations) == (3, 2 * 3 * 4 * 4 * 30)
    assert (second.kernels, second.strides, second.out_sides) == ((1, 2), (1, 2), (5, 3))


def test_sides_of_the_image() -> None:
    wide = layers_of(model(conv("x", "z"), image=(1, 4, 8, 6)), name="net", source="here")
    assert (wide.input_side, wide.input_columns, wide.input_sides) == (8, 6, (8, 6))
    square = layers_of(model(conv("x", "z")), name="net", source="here")
    assert (square.input_columns, square.layers[0].columns) == (None, None)
    assert wide.digest != square.digest


def test_dilation() -> None:
    first, second = layers(
        conv("x", "a", dilations=[2, 3], pads=[2, 3, 2, 3]),
        conv("a", "z", "point", dilations=[2, 2], pads=[0] * 4),
        weights={"point": (4, 4, 1, 1)},
    )
    assert (first.dilation, first.spans, first.taps) == ((2, 3), (5, 7), 9)
    assert (second.dilation, second.spans) == ((1, 1), (1, 1))


def test_padding_of_one_side() -> None:
    (layer,) = layers(
        node("Pad", "x p", "a"),
        conv("a", "z", pads=[0, 0, 0, 1]),
        constants={"p": [0, 0, 1, 0, 0, 0, 2, 1]},
    )
    assert (layer.paddings, layer.in_sides, layer.out_sides) == ((1, 0), (8, 8), (9, 8))


def test_a_product_of_maps() -> None:
    found = layers(conv("x", "a"), conv("x", "b"), node("Mul", "a b", "z"))
    assert (found[2].kind, found[2].product, found[2].providers) == ("eltwise", True, (0, 1))
    assert (found[2].operands, found[2].is_plain, found[0].is_plain) == (2, False, True)


@pytest.mark.parametrize("order", ["a g", "g a"])
def test_a_factor_for_each_channel(order: str) -> None:
    found = layers(
        conv("x", "a"),
        node("GlobalAveragePool", "a", "m"),
        conv("m", "c", "point", pads=[0] * 4),
        node("HardSigmoid", "c", "g"),
        node("Mul", order, "z"),
        weights={"point": (4, 4, 1, 1)},
    )
    kinds = [(layer.kind, layer.providers, layer.out_sides) for layer in found[1:]]
    assert kinds[:2] == [("pool", (0,), (1, 1)), ("conv", (1,), (1, 1))]
    assert found[3].product and set(found[3].providers) == {0, 2}
    assert (found[2].activation, found[3].activation) == ("sigmoid", "none")


SILU = [node("Sigmoid", "a", "s"), node("Mul", "a s", "f")]
GELU = [
    node("Div", "a root", "d"),
    node("Erf", "d", "e"),
    node("Add", "e one", "g"),
    node("Mul", "a g", "h"),
    node("Mul", "h half", "f"),
]
CUBED = [
    node("Mul", "a a", "q"),
    node("Mul", "a q", "k"),
    node("Mul", "k half", "m"),
    node("Add", "a m", "n"),
    node("Tanh", "n", "f"),
]
HARD = [node("Add", "a one", "p"), node("Clip", "p", "r"), node("Mul", "a r", "f")]
CHAIN = [node("Relu", "a", "r"), node("Tanh", "r", "f")]


@pytest.mark.parametrize(
    "function",
    [SILU, GELU, CUBED, HARD, CHAIN, [node("HardSwish", "a", "f")], [node("Selu", "a", "f")]],
    ids=["silu", "gelu", "cubed", "hard swish of nodes", "chain", "hard swish", "selu"],
)
def test_functions_of_one_map_are_one_function(function: list[object]) -> None:
    constants = {"root": (1,), "one": (1,), "half": (1,)}
    found = layers(conv("x", "a"), *function, conv("f", "z"), weights=constants)
    assert [(layer.kind, layer.activation) for layer in found] == [
        ("conv", "sigmoid"),
        ("conv", "none"),
    ]


def test_halves_of_a_map_are_two_maps() -> None:
    found = layers(
        conv("x", "a"),
        node("Split", "a sizes", "l r", axis=1),
        node("Sigmoid", "r", "s"),
        node("Mul", "l s", "z"),
        constants={"sizes": [2, 2]},
    )
    assert [(layer.kind, layer.in_channels) for layer in found] == [("conv", 4), ("eltwise", 2)]
    assert found[1].product and found[1].providers == (0,)


def test_channels_are_cut_and_joined() -> None:
    found = layers(
        conv("x", "a"),
        node("Slice", "a b e k", "l"),
        node("Gather", "a i", "r", axis=1),
        conv("l", "c", "three"),
        node("Concat", "c r", "j", axis=1),
        conv("j", "z", "six"),
        constants={"b": [0], "e": [3], "k": [1], "i": [2, 3]},
        weights={"three": (4, 3, 3, 3), "six": (4, 6, 3, 3)},
    )
    assert [(layer.in_channels, layer.providers) for layer in found[1:]] == [(3, (0,)), (6, (1, 0))]


def test_a_matrix_product_of_each_pixel() -> None:
    found = layers(
        conv("x", "a"),
        node("Transpose", "a", "t", perm=[0, 2, 3, 1]),
        node("MatMul", "t m", "p"),
        node("Transpose", "p", "b", perm=[0, 3, 1, 2]),
        conv("b", "z", "ten"),
        weights={"m": (4, 10), "ten": (4, 10, 3, 3)},
    )
    assert (found[1].kind, found[1].kernels, found[1].out_sides) == ("conv", (1, 1), (8, 8))
    assert (found[1].in_channels, found[1].out_channels) == (4, 10)


def test_sizes_that_nodes_compute() -> None:
    """Exporters compute a half of the channels from the shape of the map."""
    found = layers(
        conv("x", "a"),
        node("Shape", "a", "s"),
        node("Gather", "s one", "c", axis=0),
        node("Div", "c two", "h"),
        node("Slice", "a zero h one", "l"),
        conv("l", "z", "half"),
        constants={"zero": [0], "one": [1], "two": [2]},
        weights={"half": (4, 2, 3, 3)},
    )
    assert found[1].in_channels == 2


SHUFFLE = [
    node("Reshape", "a two", "r"),
    node("Transpose", "r", "t", perm=[0, 2, 1, 3, 4]),
    node("Reshape", "t one", "o"),
]
SWAP = [node("Split", "a sizes", "l r", axis=1), node("Concat", "r l", "o", axis=1)]


@pytest.mark.parametrize("order", [SHUFFLE, SWAP], ids=["shuffled", "swapped"])
def test_channels_in_another_order_are_another_map(order: list[object]) -> None:
    constants = {"two": [1, 2, 2, 8, 8], "one": [1, 4, 8, 8], "sizes": [2, 2]}
    found = layers(conv("x", "a"), *order, node("Mul", "a o", "z"), constants=constants)
    assert [(layer.kind, layer.product) for layer in found] == [("conv", False), ("eltwise", True)]


def test_turned_there_and_back_is_the_same_map() -> None:
    found = layers(
        conv("x", "a"),
        node("Transpose", "a", "t", perm=[0, 2, 3, 1]),
        node("Sigmoid", "t", "s"),
        node("Transpose", "s", "b", perm=[0, 3, 1, 2]),
        node("Mul", "a b", "z"),
    )
    assert [(layer.kind, layer.activation) for layer in found] == [("conv", "sigmoid")]


def test_large_constants_are_not_computed() -> None:
    """Weights that a node makes need no values; those of a file could be made as large as ever."""
    value = numpy_helper.from_array(np.ones(1, np.int64))
    large = node("ConstantOfShape", "s", "i", value=value)
    found = layers(
        conv("x", "a"),
        node("GlobalAveragePool", "a", "p"),
        node("Flatten", "p", "f"),
        large,
        node("Cast", "i", "k", to=TensorProto.FLOAT),
        node("MatMul", "f k", "z"),
        constants={"s": [4, 1 << 25]},
    )
    assert (found[2].in_channels, found[2].out_channels) == (4, 1 << 25)
