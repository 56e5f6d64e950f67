"""What is no sound network of known shapes is refused in one sentence that names the node."""

import onnx
import pytest
from onnx import TensorProto, helper

from hwgen.errors import FormatError
from tests.onnx_graphs import conv, layers_of, model, node

OTHER = {"m": (4, 10), "w1": (4, 4, 3)}


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


CASES = {
    "empty graph": (model(), "the network must be an ONNX model with nodes, got none"),
    "cycle": (
        unsorted(),
        "input b of node a (Relu) must be stored, declared or written by a node before it"
        " (no cycles), got none of these",
    ),
    "operator": (
        model(conv("x", "a"), node("Resize", "a", "z")),
        "the operator of node z (Resize) must be one that docs/operators.md lists, got Resize",
    ),
    "transposed convolution": (
        model(node("ConvTranspose", "x w", "z")),
        "the operator of node z (ConvTranspose) must be one that docs/operators.md lists, "
        "got ConvTranspose",
    ),
    "foreign operator": (
        foreign(),
        "the operator of node b (vendor.Fused) must be one that docs/operators.md lists, got Fused",
    ),
    "control flow": (
        branching(),
        "the operator of node z (If) must be one that docs/operators.md lists, got If",
    ),
    "two images": (
        two_images(),
        "the images that the network reads must be one, got x, other",
    ),
    "no image": (
        model(node("ConstantOfShape", "s", "z"), constants={"s": [4]}),
        "the images that the network reads must be one, got none",
    ),
    "open sides": (
        model(conv("x", "z"), image=("batch", 4, "rows", None)),
        "input x must be of known channels, rows and columns, or its size given (--image-size),"
        " got 1 x 4 x rows x ?",
    ),
    "one dimension": (
        model(conv("x", "z", "w1", pads=[1, 1]), weights=OTHER),
        "weights of node z (Conv) must be constant, of 4 dimensions, got 3",
    ),
    "computed pads": (
        model(node("RandomNormal", "", "r", shape=[8]),
              node("Cast", "r", "t", to=TensorProto.INT64), node("Pad", "x t", "a"),
              conv("a", "z")),
        "pads of node a (Pad) must be stored in the file, got a computed one",
    ),
    "unknown shape": (
        model(conv("x", "a", "open"), weights={"open": (None, 4, 3, 3)}),
        "tensor open of node a (Conv) must be of a known shape, got an unknown one",
    ),
    "some dimensions to turn": (
        model(node("Transpose", "x", "a", perm=[1, 0]), conv("a", "z")),
        "perm of node a (Transpose) must be every dimension from 0 to 3 once, got [1, 0]",
    ),
    "axes of a padding": (
        model(node("Pad", "x p c axes", "a"), conv("a", "z"),
              constants={"p": [1, 1, 0, 0], "axes": [2, 3]}, weights={"c": ()}, opset=18),
        "inputs of node a (Pad) must be map, pads and value, got axes too",
    ),
    "a shape from the image": (
        model(node("Cast", "x", "s", to=TensorProto.INT64), node("Reshape", "x s", "z")),
        "inputs of node z (Reshape) must be one map, then constants, got others",
    ),
}  # fmt: skip


@pytest.mark.promise(
    "a file that is damaged, foreign or unsound is one sentence that names the node"
)
@pytest.mark.parametrize("case", CASES)
def test_refused_in_one_sentence(case: str) -> None:
    made, sentence = CASES[case]
    with pytest.raises(FormatError) as caught:
        layers_of(made, name="refused", source="here")
    assert str(caught.value) == f"{sentence} (here)"


LIBRARY_CASES = {
    "weights that do not fit": model(
        node("Flatten", "x", "a"), node("Gemm", "a m", "z"), weights=OTHER
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
        layers_of(made, name="refused", source="here")
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(" (here)")
    assert any(f" {n.name} " in sentence or n.op_type in sentence for n in made.graph.node)
