"""What ONNX leaves implicit stands in the graph."""

import pytest
from onnx import helper

from hwgen.importers.onnx import graph_of
from hwgen.network.operations import (
    Attributes,
    Concatenation,
    Graph,
    Matrices,
    Mean,
    Node,
    Padding,
    Plain,
    Tensor,
    Transposition,
    Window,
)
from tests.onnx_graphs import conv, model, node


def graph(*nodes: object, **given: object) -> Graph:
    return graph_of(model(*nodes, **given), name="read", source="here")


def window(
    pads: tuple[int, ...], *, side: int = 3, stride: int = 1, dilation: int = 1, groups: int = 1
) -> Window:
    return Window(
        kernel=(side,) * 2,
        strides=(stride,) * 2,
        pads=pads,
        dilations=(dilation,) * 2,
        groups=groups,
    )


ATTRIBUTES: dict[str, tuple[object, Attributes]] = {
    "no pads": (node("Conv", "x w", "z"), window((0, 0, 0, 0))),
    "pads": (conv("x", "z", pads=[1, 2, 3, 4]), window((1, 2, 3, 4))),
    "strides": (conv("x", "z", strides=[2, 2]), window((1, 1, 1, 1), stride=2)),
    "valid": (node("Conv", "x w", "z", auto_pad="VALID"), window((0, 0, 0, 0))),
    # 8 positions, stride 2: 4 outputs see 9 positions, one of them padded.
    "same": (
        node("Conv", "x w", "z", auto_pad="SAME_UPPER", strides=[2, 2]),
        window((0, 0, 1, 1), stride=2),
    ),
    "same, lower": (
        node("Conv", "x w", "z", auto_pad="SAME_LOWER", strides=[2, 2]),
        window((1, 1, 0, 0), stride=2),
    ),
    # A kernel of 3 with dilation 2 sees 5 positions.
    "same, dilated": (
        node("Conv", "x w", "z", auto_pad="SAME_UPPER", dilations=[2, 2]),
        window((2, 2, 2, 2), dilation=2),
    ),
    "groups": (conv("x", "z", "depthwise", group=4), window((1, 1, 1, 1), groups=4)),
    "pooling": (
        node("MaxPool", "x", "z", kernel_shape=[2, 2], strides=[2, 2]),
        window((0, 0, 0, 0), side=2, stride=2),
    ),
    "Gemm": (
        node("Gemm", "v m", "z", transB=1),
        Matrices(first_transposed=False, second_transposed=True),
    ),
    "MatMul": (
        node("MatMul", "v n", "z"),
        Matrices(first_transposed=False, second_transposed=False),
    ),
    "Concat from the end": (node("Concat", "x x", "z", axis=-3), Concatenation(axis=1)),
    "mean of some": (node("ReduceMean", "x", "z", axes=[-1, 2]), Mean(axes=(3, 2))),
    "mean of all": (node("ReduceMean", "x", "z", keepdims=0), Mean(axes=(0, 1, 2, 3))),
    "Transpose": (
        node("Transpose", "x", "z", perm=[0, 3, 1, 2]),
        Transposition(order=(0, 3, 1, 2)),
    ),
    "Transpose backwards": (node("Transpose", "x", "z"), Transposition(order=(3, 2, 1, 0))),
    "Pad": (
        node("Pad", "x p", "z", mode="edge"),
        Padding(pads=(0, 0, 1, 2, 0, 0, 3, 4), mode="edge"),
    ),
    "Reshape": (node("Reshape", "x s", "z"), Plain()),
}


@pytest.mark.promise(
    "a graph of ONNX says what the file leaves implicit, and reads back from what is written"
)
@pytest.mark.parametrize("case", ATTRIBUTES)
def test_attributes_are_complete(case: str) -> None:
    last, wanted = ATTRIBUTES[case]
    made = graph(
        node("Flatten", "x", "v"),
        last,
        weights={"depthwise": (4, 1, 3, 3), "m": (10, 256), "n": (256, 10)},
        constants={"p": [0, 0, 1, 2, 0, 0, 3, 4], "s": [1, 4, 64]},
    )
    assert made.nodes[-1].attributes == wanted


def test_a_graph_is_complete() -> None:
    made = model(
        conv("x", "a"),
        node("Reshape", "a s", "b"),
        node("Relu", "b", "z"),
        constants={"s": [1, 256]},
    )
    made.graph.node[2].name = ""
    helper.set_model_props(made, {"key": "value"})
    assert graph_of(made, name="n", source="here") == Graph(
        name="n",
        source="here",
        image="x",
        tensors={
            "x": Tensor(shape=(1, 4, 8, 8)),
            "w": Tensor(shape=(4, 4, 3, 3)),
            "a": Tensor(shape=(1, 4, 8, 8)),
            "b": Tensor(shape=(1, 256)),
            "z": Tensor(shape=(1, 256)),
        },
        nodes=(
            Node(
                op="conv",
                name="a",
                operator="Conv",
                inputs=("x", "w"),
                outputs=("a",),
                attributes=window((1, 1, 1, 1)),
            ),
            Node(op="reshape", name="b", operator="Reshape", inputs=("a",), outputs=("b",)),
            Node(op="relu", name="z", operator="Relu", inputs=("b",), outputs=("z",)),
        ),
        notes={"key": "value"},
    )


def test_sides_that_no_one_knows_are_left_out() -> None:
    made = graph(conv("x", "a"), node("Clip", "a low", "z"), weights={"low": ("n",)})
    assert made.nodes[1].inputs == ("a", "low")
    assert "low" not in made.tensors
