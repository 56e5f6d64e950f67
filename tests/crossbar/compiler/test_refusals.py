"""What a crossbar accelerator does not run is refused in one sentence that names the node."""

import onnx
import pytest
from onnx import TensorProto

from hwgen.crossbar.compiler import network_of
from hwgen.crossbar.compiler.walk import (
    FULLY_CONNECTED,
    GLOBAL_POOLS,
    MOVES,
    PRODUCTS,
    RELUS,
    SIGMOIDS,
    SUMS,
    UNMOVED,
    UNREAD,
    WINDOWS,
)
from hwgen.crossbar.facts.rules import PUBLISHED
from hwgen.errors import FormatError, RefusedNodesError
from hwgen.network.operations import OPERATIONS, Graph, Matrices, Node, Tensor
from tests.onnx_graphs import conv, layers_of, model, node

OTHER = {"m": (4, 10), "tall": (4, 4, 3, 1)}


def mask() -> onnx.ModelProto:
    pool = node("MaxPool", "x", "a i", kernel_shape=[2, 2])
    return model(conv("x", "c"), pool, node("Cast", "i", "z", to=TensorProto.FLOAT))


CASES = {
    "no layer": (
        model(node("Identity", "x", "z")),
        "layers must be at least 1 long, got ()",
    ),
    "no weights": (
        model(node("MaxPool", "x", "z", kernel_shape=[2, 2])),
        "layers must be at least one convolution or fully connected layer, got none",
    ),
    "rank of the image": (
        model(node("Flatten", "x", "z"), image=(1, 4, 8)),
        "input x must be an image or a vector, of 4 or 2 dimensions with the batch,"
        " got 1 x 4 x 8",
    ),
    "computed weights": (
        model(conv("x", "a"), node("Reshape", "x s", "k"), conv("a", "z", "k"),
              image=(1, 4, 6, 6), constants={"s": [4, 4, 3, 3]}),
        "inputs of node z (Conv) must be one map, then constants, got others",
    ),
    "channels": (
        model(conv("x", "z", "w", group=2)),
        "weights of node z (Conv) must be for 4 channels, got of shape (4, 4, 3, 3) and 2 groups",
    ),
    "two maps of other sizes": (
        model(conv("x", "a"), node("GlobalAveragePool", "a", "b"), node("Add", "a b", "z")),
        "maps of node z (Add) must be of one shape and layout, got (1, 4, 8, 8) and (1, 4, 1, 1)",
    ),
    "image added to itself": (
        model(node("Add", "x x", "a"), conv("a", "z")),
        "maps of node a (Add) must be of at least one layer, got the image alone",
    ),
    "image beside a map in a concatenation": (
        model(conv("x", "a"), node("Concat", "x a", "b", axis=1), conv("b", "z", "wide"),
              weights={"wide": (4, 8, 3, 3)}),
        "inputs of node b (Concat) must be maps of different layers, one each,"
        " got the image among them (a 1 x 1 convolution in front makes it a layer's)",
    ),
    "an image that is concatenated on and on": (
        model(conv("x", "a"), node("Concat", "x a", "b", axis=1), conv("b", "c", "wide"),
              node("Concat", "b c", "z", axis=1), weights={"wide": (4, 8, 3, 3)}),
        "inputs of node b (Concat) must be maps of different layers, one each,"
        " got the image among them (a 1 x 1 convolution in front makes it a layer's)",
    ),
    "image twice in a concatenation": (
        model(node("Concat", "x x", "b", axis=1), conv("b", "z", "wide"),
              weights={"wide": (4, 8, 3, 3)}),
        "inputs of node b (Concat) must be maps of different layers, one each,"
        " got the image among them (a 1 x 1 convolution in front makes it a layer's)",
    ),
    "image beside a map in a sum": (
        model(conv("x", "a"), node("Add", "x a", "z")),
        "inputs of node z (Add) must be maps of different layers, one each,"
        " got the image among them (a 1 x 1 convolution in front makes it a layer's)",
    ),
    "image beside a map in a product": (
        model(conv("x", "a"), node("Mul", "a x", "z")),
        "inputs of node z (Mul) must be maps of different layers, one each,"
        " got the image among them (a 1 x 1 convolution in front makes it a layer's)",
    ),
    "a map added to itself": (
        model(conv("x", "a"), node("Add", "a a", "z")),
        "inputs of node z (Add) must be maps of different layers, one each,"
        " got one of them twice",
    ),
    "a factor for each pixel": (
        model(conv("x", "a"), conv("a", "b", "one"), node("Mul", "a b", "z"),
              weights={"one": (1, 4, 3, 3)}),
        "maps of node z (Mul) must be of one shape and layout, got (1, 4, 8, 8) and (1, 1, 8, 8)",
    ),
    "product of the image with itself": (
        model(node("Mul", "x x", "a"), conv("a", "z")),
        "input of node a (Mul) must be written by a layer, got the image",
    ),
    "some rows": (
        model(conv("x", "a"), node("Slice", "a b e k", "z"),
              constants={"b": [0], "e": [4], "k": [2]}),
        "places of node z (Slice) must be of channels alone, got row 0 to 4",
    ),
    "every other column": (
        model(conv("x", "a"), node("Slice", "a b e k t", "z"),
              constants={"b": [0], "e": [8], "k": [3], "t": [2]}),
        "places of node z (Slice) must be of channels alone, got column 0 to 8 by 2",
    ),
    "channels in another order": (
        model(conv("x", "a"), node("Gather", "a i", "z", axis=1), constants={"i": [0, 1, 3, 2]}),
        "indices of node z (Gather) must be in order, of one distance, got others",
    ),
    "reciprocal": (
        model(conv("x", "a"), node("Div", "c a", "z"), weights={"c": (1,)}),
        "inputs of node z (Div) must be one map and constants, got a map to divide by",
    ),
    "broadcast to more": (
        model(node("GlobalAveragePool", "x", "a"), node("Add", "a c", "z"), weights={"c": (8, 8)}),
        "output of node z (Add) must be of shape (1, 4, 1, 1) as its map, got (1, 4, 8, 8)",
    ),
    "two activations": (
        model(conv("x", "a"), node("Relu", "a", "b"), node("Tanh", "a", "c"),
              node("Concat", "b c", "z", axis=1)),
        "activation of node c (Tanh) must be relu, which layer a has already, got sigmoid",
    ),
    "activation of the image": (
        model(node("Relu", "x", "a"), conv("a", "z")),
        "input of node a (Relu) must be written by a layer, got the image",
    ),
    "matrix product over columns": (
        model(node("MatMul", "x m", "z"), image=(1, 4, 4, 4), weights=OTHER),
        "map of node z (MatMul) must be flattened (a value for each input, one position),"
        " got 1 x 4 x 4 x 4",
    ),
    "matrix product of maps": (
        model(conv("x", "a"), node("MatMul", "a a", "z")),
        "inputs of node z (MatMul) must be one map and weights, got others",
    ),
    "turned map": (
        model(node("Flatten", "x", "a"), node("Gemm", "a n", "z", transA=1), weights={"n": (1, 10)},
              image=(1, 1, 1, 1)),
        "map of node z (Gemm) must be flattened (a value for each input, one position), got 1 x 1",
    ),
    "concatenated rows": (
        model(conv("x", "a"), conv("x", "b"), node("Concat", "a b", "z", axis=2)),
        "axis of node z (Concat) must be that of the channels, got row",
    ),
    "concatenated constant": (
        model(conv("x", "a"), node("ConstantOfShape", "s", "c"),
              node("Concat", "a c", "z", axis=1), constants={"s": [1, 2, 8, 8]}),
        "inputs of node z (Concat) must be maps alone, got a constant among them",
    ),
    "cut into fewer values": (
        model(conv("x", "a"), node("Reshape", "a s", "z"), constants={"s": [1, 9]}),
        "output of node z (Reshape) must be as many values as (1, 4, 8, 8), got (1, 9)",
    ),
    "space to depth": (
        model(node("Reshape", "x s", "a"), conv("a", "z"), image=(1, 1, 8, 8),
              constants={"s": [1, 4, 4, 4]}),
        "map of node z (Conv) must be batch x channels x rows x columns,"
        " got one 1 x mixed 4 x mixed 4 x mixed 4",
    ),
    "turned channels": (
        model(node("Transpose", "x", "a", perm=[0, 2, 1, 3]), conv("a", "z", "w8"),
              weights={"w8": (4, 8, 1, 1)}),
        "map of node z (Conv) must be batch x channels x rows x columns,"
        " got one 1 x row 8 x channel 4 x column 8",
    ),
    "mean over channels": (
        model(conv("x", "a"), node("ReduceMean", "a", "z", axes=[1])),
        "axes of node z (ReduceMean) must be rows and columns, got channel",
    ),
    "mirrored padding": (
        model(node("Pad", "x p", "a", mode="reflect"), conv("a", "z"),
              constants={"p": [0, 0, 1, 1, 0, 0, 1, 1]}),
        "mode of node a (Pad) must be constant, got reflect",
    ),
    "padded channels": (
        model(conv("x", "b"), node("Pad", "b p", "a"), constants={"p": [0, 1, 1, 1, 0, 0, 1, 1]}),
        "pads of node a (Pad) must be for rows and columns alone, got [0, 1, 1, 1, 0, 0, 1, 1]",
    ),
    "negative padding": (
        model(node("Pad", "x p", "a"), conv("a", "z"), constants={"p": [0, 0, -1, 0, 0, 0, 0, 1]}),
        "pads of node a (Pad) must be not negative, got [0, 0, -1, 0, 0, 0, 0, 1]",
    ),
    "padding before an activation": (
        model(conv("x", "a"), node("Pad", "a p", "b"), node("Relu", "b", "z"),
              constants={"p": [0, 0, 1, 1, 0, 0, 1, 1]}),
        "input of node z (Relu) must be not padded (Pad stands before Conv or a pooling),"
        " got padded",
    ),
    "a Split beyond its input": (
        model(conv("x", "a"), node("Split", "a s", "b c", axis=1), node("Add", "b c", "z"),
              constants={"s": [3, 2]}),
        "split of node b (Split) must be 2 sizes from 1 that add up to 4, got [3, 2]",
    ),
    "places of maxima": (mask(), "input of node z (Cast) must be a map, got a mask or places"),
}  # fmt: skip


@pytest.mark.promise(
    "what a crossbar accelerator does not run of a graph is one sentence; the rest is read"
)
@pytest.mark.parametrize("case", CASES)
def test_refused_in_one_sentence(case: str) -> None:
    made, sentence = CASES[case]
    with pytest.raises(FormatError) as caught:
        layers_of(made, name="refused", source="here")
    assert str(caught.value) == f"{sentence} (here)"


@pytest.mark.parametrize("case", [case for case in CASES if "beside a map in" in case])
def test_published_rules_have_the_image_everywhere(case: str) -> None:
    """The published tool counts no transfer of it."""
    made, _ = CASES[case]
    assert layers_of(made, name="read", source="here", rules=PUBLISHED).layers[1].providers == (0,)


def product(weights: tuple[int, ...]) -> Graph:
    """Return a fully connected layer of 4 inputs, as no reader would make it."""
    node = Node(
        op="fully_connected",
        name="z",
        operator="Gemm",
        inputs=("x", "w"),
        outputs=("z",),
        attributes=Matrices(first_transposed=False, second_transposed=False),
    )
    shapes = {"x": (1, 4), "w": weights, "z": (1, 10)}
    tensors = {name: Tensor(shape=shape) for name, shape in shapes.items()}
    return Graph(name="n", source="here", image="x", tensors=tensors, nodes=(node,), notes={})


GRAPHS = {
    (5, 10): "weights of node z (Gemm) must be for 4 inputs, got of shape (5, 10) (here)",
    (4, 10, 1): "weights of node z (Gemm) must be constant, of 2 dimensions, got 3 (here)",
}


@pytest.mark.parametrize("weights", GRAPHS)
def test_weights_of_another_shape(weights: tuple[int, ...]) -> None:
    assert network_of(product((4, 10))).layers[0].out_channels == 10
    with pytest.raises(FormatError) as caught:
        network_of(product(weights))
    assert str(caught.value) == GRAPHS[weights]


def test_every_operation_of_a_graph_has_a_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is added to graphs later is refused until it has one."""
    meanings = [
        *(GLOBAL_POOLS, WINDOWS, FULLY_CONNECTED, RELUS, SIGMOIDS),
        *(SUMS, PRODUCTS, UNMOVED, MOVES, UNREAD),
    ]
    assert sorted(op for ops in meanings for op in ops) == sorted(OPERATIONS)
    monkeypatch.setattr("hwgen.crossbar.compiler.walk.UNMOVED", UNMOVED - {"lrn"})
    with pytest.raises(FormatError) as caught:
        layers_of(model(conv("x", "a"), node("LRN", "a", "z", size=5)), name="n", source="here")
    assert str(caught.value) == (
        "operation of node z (LRN) must be one that a crossbar runs or reads through,"
        " got lrn (here)"
    )


def test_all_nodes_in_the_way_are_listed_at_once() -> None:
    """Those behind a refused node, too; what only follows from one is not repeated."""
    made = model(
        conv("x", "a"),
        node("LayerNormalization", "a n", "b"),
        node("Selu", "b", "c"),
        node("MatMul", "c c", "d"),
        node("NonZero", "d", "e"),
        node("Neg", "e", "f"),
        weights={"n": (8,)},
    )
    with pytest.raises(RefusedNodesError) as caught:
        layers_of(made, name="refused", source="here")
    first, *lines = str(caught.value).splitlines()
    assert first == "3 things stand in the way (here):"
    assert [line.split(" must be ")[0] for line in lines] == [
        "the operator of node b (LayerNormalization)",
        "inputs of node d (MatMul)",
        "the operator of node e (NonZero)",
    ]
