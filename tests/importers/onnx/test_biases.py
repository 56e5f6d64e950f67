"""A product and its bias become one node before they are quantized."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from hwgen.importers.onnx.biases import with_biases_joined
from hwgen.importers.onnx.calibrate import quantized_model
from tests.quantized_onnx import saved

SIDES = ((5, 6), (1, 5, 6), (2, 3, 6), (1, 1, 1), (1, 2, 3, 6))
BIASES = ("channels", "row", "one", "map", "computed")


def product(
    sides: tuple[int, ...], outputs: int, *, bias: str, second: bool, read_twice: bool
) -> onnx.ModelProto:
    """Return a model with a product of rows by a stored matrix, and a bias."""
    draw = np.random.default_rng(outputs)
    shape = {"channels": (outputs,), "row": (1, outputs), "one": (1,)}.get(
        bias, (*sides[:-1], outputs)
    )
    stored = {"w": (sides[-1], outputs)} | ({} if bias == "computed" else {"b": shape})
    added = ["b", "p"] if second else ["p", "b"]
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"], "product"),
        helper.make_node("Add", added, ["y"], "sum"),
    ]
    if bias == "computed":
        nodes.insert(0, helper.make_node("MatMul", ["x", "w"], ["b"], "other"))
    ends = [("y", (*sides[:-1], outputs))] + ([("p", (*sides[:-1], outputs))] * read_twice)
    kind = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, sides)],
        [helper.make_tensor_value_info(name, kind, each) for name, each in ends],
        [
            numpy_helper.from_array(draw.normal(size=each).astype(np.float32), name)
            for name, each in stored.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answers(model: onnx.ModelProto, image: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found: list[np.ndarray] = session.run(None, {"x": image})
    return found


@pytest.mark.promise("--calibrate quantizes a product and its bias as one")
@pytest.mark.parametrize("seed", range(20))
def test_a_product_and_its_bias_become_one(seed: int) -> None:
    draw = np.random.default_rng(seed)
    sides, bias = SIDES[seed % len(SIDES)], BIASES[seed // len(SIDES)]
    outputs = int(draw.integers(1, 6))
    read_twice = seed % 7 == 6
    model = product(sides, outputs, bias=bias, second=bool(seed % 2), read_twice=read_twice)
    image = draw.normal(size=sides).astype(np.float32)
    before = answers(model, image)
    with_biases_joined(model.graph, {"x": sides})
    onnx.checker.check_model(model)
    for found, wanted in zip(answers(model, image), before, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    vector = bias in ("channels", "row") or (outputs == 1 and bias == "one")
    vector = vector or (bias == "map" and all(side == 1 for side in sides[:-1]))
    joined = vector and len(sides) > 2 and not read_twice
    assert [node.op_type for node in model.graph.node].count("Gemm") == joined


def test_no_pair_stands_between_a_product_of_an_attention_and_its_bias(tmp_path: Path) -> None:
    """Onnxruntime's preparation leaves these products apart."""
    tokens, channels = 4, 8
    draw = np.random.default_rng(2)
    constants = {
        **{f"w{each}": draw.normal(size=(channels, channels)) for each in "qkvo"},
        "g": np.ones(channels),
        **{f"b{each}": draw.normal(size=channels) for each in "qkvo"},
    }
    shapes = {"heads": [1, tokens, 2, channels // 2], "whole": [1, tokens, channels]}
    nodes = [helper.make_node("LayerNormalization", ["x", "g", "g"], ["n"])]
    for each in "qkv":
        nodes += [
            helper.make_node("MatMul", ["n", f"w{each}"], [f"p{each}"]),
            helper.make_node("Add", [f"p{each}", f"b{each}"], [each]),
        ]
    turns = {"q": [0, 2, 1, 3], "k": [0, 2, 3, 1], "v": [0, 2, 1, 3]}
    for each, order in turns.items():
        nodes += [
            helper.make_node("Reshape", [each, "heads"], [f"{each}h"]),
            helper.make_node("Transpose", [f"{each}h"], [f"{each}t"], perm=order),
        ]
    nodes += [
        helper.make_node("MatMul", ["qt", "kt"], ["s"]),
        helper.make_node("Softmax", ["s"], ["a"], axis=-1),
        helper.make_node("MatMul", ["a", "vt"], ["o"]),
        helper.make_node("Transpose", ["o"], ["ot"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["ot", "whole"], ["r"]),
        helper.make_node("MatMul", ["r", "wo"], ["po"]),
        helper.make_node("Add", ["po", "bo"], ["so"]),
        helper.make_node("Add", ["n", "so"], ["z"]),
        helper.make_node("LayerNormalization", ["z", "g", "g"], ["y"]),
    ]
    kind = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, (1, tokens, channels))],
        [helper.make_tensor_value_info("y", kind, (1, tokens, channels))],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in constants.items()]
        + [numpy_helper.from_array(np.array(v), k) for k, v in shapes.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    images = draw.normal(size=(4, tokens, 1, channels)).astype(np.float32)
    made = quantized_model(saved(model, tmp_path), images)
    written = [node.op_type for node in made.graph.node]
    assert (written.count("Gemm"), written.count("MatMul"), written.count("Add")) == (4, 2, 1)
