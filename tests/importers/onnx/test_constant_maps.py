"""Constants with a value a pixel: sums, differences and products of a map and one that is held."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.commands.described import describe_import
from hwgen.dbpim.compiler.remarks import layer_remarks
from hwgen.importers.integer import lower
from hwgen.importers.onnx.quantized import read_integer_graph
from tests.quantized_onnx import Model, compared, differing, saved

SHAPES = [(1, 3, 6, 5), (1, 1, 6, 5), (3, 6, 1), (5,)]
OPERATORS = ("Add", "Sub", "Mul")
STEP = 1
"""Sub is computed in float32 by the runtime; a product rounds halves to the even element."""


def with_constant(operator: str, shape: tuple[int, ...], *, first: bool) -> onnx.ModelProto:
    model = Model((1, 3, 6, 5))
    now = model.quantized(model.conv(model.image(), 3, 3, 1, 1), scale=0.0517, zero=128)
    drawn = model.rng.integers(0, 256, shape).astype(np.uint8)
    parts = (drawn, np.uint8), (0.0213, np.float32), (100, np.uint8)
    constant = model.node("DequantizeLinear", *(model.constant(*each) for each in parts))
    inputs = (constant, now) if first else (now, constant)
    return model.build(model.quantized(model.node(operator, *inputs), scale=0.0809, zero=120))


@pytest.mark.promise(
    "ONNX constants with a value a pixel are added, subtracted and multiplied as maps, at most a"
    " step from the runtime; chips with a row unit run them"
)
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("operator", OPERATORS)
def test_a_constant_map(operator: str, shape: tuple[int, ...], first: bool, tmp_path: Path) -> None:
    model = with_constant(operator, shape, first=first)
    path = saved(model, tmp_path)
    assert differing(path) <= (0 if operator == "Add" else STEP)
    network = lower(read_integer_graph(path), kernels="half_up").network
    assert "constant" in {layer.op for layer in network.layers}
    assert not any(each.startswith("no") for each in layer_remarks(network).values())
    _, counters = compared(model, tmp_path)
    (last,) = (counters.same_inputs[network.answer],)
    assert last.larger == 0 and last.one_step < last.elements / 50


@pytest.mark.parametrize("operator", OPERATORS)
def test_real_constants_of_this_kind_are_one_sentence(operator: str, tmp_path: Path) -> None:
    model = Model((1, 3, 6, 5))
    now = model.quantized(model.conv(model.image(), 3, 3, 1, 1), scale=0.0517, zero=128)
    real = model.constant(model.rng.normal(size=(1, 1, 6, 5)))
    built = model.build(model.quantized(model.node(operator, now, real), scale=0.0809, zero=120))
    (found,) = describe_import(saved(built, tmp_path)).refused
    wanted = "its constant must be one, one a channel, or a map quantized with one scale, got [1, 1"
    assert wanted in found.reason
