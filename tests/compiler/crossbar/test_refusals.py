"""What cannot become layers is refused in one sentence that names the node."""

import onnx
import pytest
from onnx import TensorProto, helper

from hwgen.compiler.crossbar import network_of
from hwgen.compiler.crossbar.operators import OPERATORS
from hwgen.errors import FormatError
from tests.compiler.crossbar.graphs import conv, model, node

OTHER = {"v": (4, 4, 3, 3), "m": (4, 10), "big": (512, 10), "w1": (4, 4, 3), "tall": (4, 4, 3, 1)}
UNKNOWN = "an unknown one"


def unsorted() -> onnx.ModelProto:
    return model(node("Relu", "b", "a"), node("Relu", "a", "b"))


def two_images() -> onnx.ModelProto:
    weights = {"other": (1, 4, 8, 8)}
    return model(conv("x", "a"), conv("other", "b"), node("Add", "a b", "c"), weights=weights)


def branching() -> onnx.ModelProto:
    """Return a model whose condition is a constant and whose branches read the image."""
    value = helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 4, 8, 8))
    branch = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "branch", [], [value])
    choice = helper.make_node("If", ["c"], ["z"], "z", then_branch=branch, else_branch=branch)
    return model(conv("x", "a"), choice, weights={"c": (1,)})


def foreign() -> onnx.ModelProto:
    made = model(conv("x", "a"), helper.make_node("Fused", ["a"], ["b"], "b", domain="vendor"))
    made.opset_import.append(helper.make_opsetid("vendor", 1))
    return made


def mask() -> onnx.ModelProto:
    pool = node("MaxPool", "x", "a i", kernel_shape=[2, 2])
    return model(conv("x", "c"), pool, node("Cast", "i", "z", to=TensorProto.FLOAT))


ALL = ", ".join(sorted(OPERATORS))

CASES = {
    "empty graph": (model(), "the network must be an ONNX model with nodes, got none"),
    "cycle": (
        unsorted(),
        "input b of node a (Relu) must be stored, declared or written by a node before it"
        " (no cycles), got none of these",
    ),
    "no layer": (
        model(node("Identity", "x", "z")),
        "layers must be at least 1 long, got ()",
    ),
    "no weights": (
        model(node("MaxPool", "x", "z", kernel_shape=[2, 2])),
        "layers must be at least one convolution or fully connected layer, got none",
    ),
    "operator": (
        model(conv("x", "a"), node("Selu", "a", "z")),
        f"the operator of node z (Selu) must be one of {ALL}, got Selu",
    ),
    "transposed convolution": (
        model(node("ConvTranspose", "x w", "z")),
        f"the operator of node z (ConvTranspose) must be one of {ALL}, got ConvTranspose",
    ),
    "foreign operator": (
        foreign(),
        f"the operator of node b (vendor.Fused) must be one of {ALL}, got Fused",
    ),
    "control flow": (branching(), f"the operator of node z (If) must be one of {ALL}, got If"),
    "two images": (
        two_images(),
        "the images that the network reads must be one, got x, other",
    ),
    "no image": (
        model(node("ConstantOfShape", "s", "z"), constants={"s": [4]}),
        "the images that the network reads must be one, got none",
    ),
    "wide image": (
        model(conv("x", "z"), image=(1, 4, 8, 6)),
        "input x must be a square image or a vector, of 4 or 2 dimensions with the batch,"
        " got 1 x 4 x 8 x 6",
    ),
    "rank of the image": (
        model(node("Flatten", "x", "z"), image=(1, 4, 8)),
        "input x must be a square image or a vector, of 4 or 2 dimensions with the batch,"
        " got 1 x 4 x 8",
    ),
    "open sides": (
        model(conv("x", "z"), image=("batch", 4, "rows", None)),
        "input x must be of known channels, rows and columns, got 1 x 4 x rows x ?",
    ),
    "wide map": (
        model(conv("x", "a", strides=[2, 1]), conv("a", "z")),
        "strides of node a (Conv) must be square and of two dimensions, got 2 x 1",
    ),
    "wide kernel": (
        model(conv("x", "z", "tall"), weights=OTHER),
        "kernel of node z (Conv) must be square and of two dimensions, got 3 x 1",
    ),
    "wide padding": (
        model(conv("x", "z", pads=[1, 0, 1, 2])),
        "padding at the top and at the left of node z (Conv) must be square and of two dimensions,"
        " got 1 x 0",
    ),
    "wide result": (
        model(conv("x", "z", pads=[1, 1, 1, 0])),
        "output map of node z (Conv) must be square and of two dimensions, got 8 x 7",
    ),
    "dilation": (
        model(conv("x", "z", dilations=[2, 2])),
        "dilations of node z (Conv) must be 1, got 2",
    ),
    "one dimension": (
        model(conv("x", "z", "w1", pads=[1, 1]), weights=OTHER),
        "weights of node z (Conv) must be constant, of 4 dimensions, got 3",
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
    "product of maps": (
        model(conv("x", "a"), node("Sigmoid", "a", "b"), node("Mul", "a b", "z")),
        "inputs of node z (Mul) must be one map and constants, got 2 maps",
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
        model(conv("x", "a"), node("Relu", "a", "b"), node("Tanh", "b", "z")),
        "activation of node z (Tanh) must be relu, which layer a has already, got sigmoid",
    ),
    "activation of the image": (
        model(node("Relu", "x", "a"), conv("a", "z")),
        "input of node a (Relu) must be written by a layer, got the image",
    ),
    "matrix product over positions": (
        model(node("MatMul", "x m", "z"), image=(1, 4, 4, 4), weights=OTHER),
        "map of node z (MatMul) must be flattened (a value for each input, one position),"
        " got 1 x 4 x 4 x 4",
    ),
    "matrix product of maps": (
        model(conv("x", "a"), node("MatMul", "a a", "z")),
        "inputs of node z (MatMul) must be one map and weights, got others",
    ),
    "turned map": (
        model(node("Flatten", "x", "a"), node("Gemm", "a m", "z", transA=1), weights=OTHER,
              image=(1, 1, 1, 1)),
        "map of node z (Gemm) must be flattened (a value for each input, one position), got 1 x 1",
    ),
    "concatenated rows": (
        model(conv("x", "a"), conv("x", "b"), node("Concat", "a b", "z", axis=2)),
        "axis of node z (Concat) must be that of the channels, got row",
    ),
    "concatenated constant": (
        model(conv("x", "a"), node("Concat", "a c", "z", axis=1), weights={"c": (2,)}),
        "inputs of node z (Concat) must be maps alone, got a constant among them",
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
    "computed pads": (
        model(node("Identity", "p", "t"), node("Pad", "x t", "a"), conv("a", "z"),
              constants={"p": [0, 0, 1, 1, 0, 0, 1, 1]}),
        "pads of node a (Pad) must be stored in the file, got a computed one",
    ),
    "mirrored padding": (
        model(node("Pad", "x p", "a", mode="reflect"), conv("a", "z"),
              constants={"p": [0, 0, 1, 1, 0, 0, 1, 1]}),
        "mode of node a (Pad) must be constant, got reflect",
    ),
    "padded channels": (
        model(node("Pad", "x p", "a"), conv("a", "z"), constants={"p": [0, 1, 1, 1, 0, 0, 1, 1]}),
        "pads of node a (Pad) must be for rows and columns alone, got [0, 1, 1, 1, 0, 0, 1, 1]",
    ),
    "one-sided padding": (
        model(node("Pad", "x p", "a"), conv("a", "z"), constants={"p": [0, 0, 1, 0, 0, 0, 0, 1]}),
        "pads of node a (Pad) must be the same for rows and columns, and not negative,"
        " got [0, 0, 1, 0, 0, 0, 0, 1]",
    ),
    "padding before an activation": (
        model(conv("x", "a"), node("Pad", "a p", "b"), node("Relu", "b", "z"),
              constants={"p": [0, 0, 1, 1, 0, 0, 1, 1]}),
        "input of node z (Relu) must be not padded (Pad stands before Conv or a pooling),"
        " got padded",
    ),
    "places of maxima": (mask(), "input of node z (Cast) must be a map, got a mask or places"),
    "unknown shape": (
        model(conv("x", "a", "open"), weights={"open": (None, 4, 3, 3)}),
        "tensor open of node a (Conv) must be of a known shape, got an unknown one",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refused_in_one_sentence(case: str) -> None:
    made, sentence = CASES[case]
    with pytest.raises(FormatError) as caught:
        network_of(made, name="refused", source="here")
    assert str(caught.value) == f"{sentence} (here)"


LIBRARY_CASES = {
    "weights that do not fit": model(
        node("Flatten", "x", "a"), node("Gemm", "a m", "z"), weights=OTHER
    ),
    "cut into fewer values": model(
        conv("x", "a"), node("Reshape", "a s", "z"), constants={"s": [1, 9]}
    ),
    "window larger than the map": model(conv("x", "z", pads=[0] * 4), image=(1, 4, 2, 2)),
    "attribute of another type": model(conv("x", "z", group=1.5)),
    "missing attribute": model(conv("x", "a"), node("Concat", "a a", "z")),
    "negative padding": model(conv("x", "z", pads=[-1, -1, -1, -1])),
    "stride of nothing": model(conv("x", "z", strides=[0, 0])),
    "axis outside": model(conv("x", "a"), node("ReduceMean", "a", "z", axes=[7])),
    "three pads": model(node("Pad", "x p", "a"), conv("a", "z"), constants={"p": [0, 1, 1]}),
    "few dimensions to turn": model(node("Transpose", "x", "a", perm=[1, 0]), conv("a", "z")),
}


@pytest.mark.parametrize("case", LIBRARY_CASES)
def test_what_the_library_finds_names_the_node_too(case: str) -> None:
    made = LIBRARY_CASES[case]
    with pytest.raises(FormatError) as caught:
        network_of(made, name="refused", source="here")
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(" (here)")
    assert any(f" {n.name} " in sentence or n.op_type in sentence for n in made.graph.node)
