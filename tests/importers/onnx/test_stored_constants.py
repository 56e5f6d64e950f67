"""Sums and products with stored, quantized constants: as a session computes them, step by step."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.commands.described import describe_import
from hwgen.importers.integer import lower
from hwgen.importers.onnx.quantized import read_integer_graph
from tests.quantized_onnx import Model, differing, kinds, saved

STEP = 1 / 255
IMAGES = 60
SIDES = (1, 4, 5, 3)


def stored(model: Model, shape: tuple[int, ...], *, kind: type = np.uint8, zero: int = 128) -> str:
    limits = np.iinfo(kind)
    integers = model.rng.integers(limits.min, limits.max + 1, shape)
    grid = [model.constant(STEP), model.constant(zero, kind)]
    return model.node("DequantizeLinear", model.constant(integers, kind), *grid)


def on_halves(
    operator: str, shape: tuple[int, ...], *, first: bool, kind: type = np.uint8
) -> Model:
    """Return a sum or product whose scales are few times one step."""
    model = Model(SIDES, seed=len(shape), kind=kind)
    image, constant = model.image(scale=2 * STEP, zero=101), stored(model, shape)
    inputs = (constant, image) if first else (image, constant)
    model.answer = model.quantized(model.node(operator, *inputs), scale=3 * STEP, zero=101)
    return model


@pytest.mark.promise(
    "sums and products with stored, quantized constants are those of onnxruntime's QLinearAdd and"
    " QLinearMul, alone and inside a function of one byte"
)
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("shape", [(), (1, 4, 1, 1), (4, 1, 1)], ids=str)
@pytest.mark.parametrize("operator", ["Add", "Mul"])
def test_a_constant_on_halves(
    operator: str, shape: tuple[int, ...], first: bool, tmp_path: Path
) -> None:
    model = on_halves(operator, shape, first=first)
    path = saved(model.build(model.answer), tmp_path)
    found = describe_import(path)
    steps = differing(path, IMAGES)
    assert steps == 0 or (shape and steps == 1 and found.differences)


@pytest.mark.parametrize("operator", ["Add", "Mul"])
def test_a_signed_map_is_unsigned_in_a_session(operator: str, tmp_path: Path) -> None:
    model = on_halves(operator, (), first=False, kind=np.int8)
    path = saved(model.build(model.answer), tmp_path)
    assert differing(path, IMAGES) == 0


def gelu(model: Model, tensor: str) -> str:
    """Quantize a Gelu operator by operator, as onnxruntime does."""
    root = stored_one(model, float(np.sqrt(2)))
    now = model.quantized(model.node("Div", tensor, root), scale=0.02, zero=120)
    now = model.quantized(model.node("Erf", now), scale=2 * STEP, zero=128)
    now = model.quantized(model.node("Add", now, stored_one(model, 1.0)), scale=2 * STEP, zero=0)
    now = model.quantized(model.node("Mul", tensor, now), scale=0.05, zero=9)
    return model.quantized(model.node("Mul", now, stored_one(model, 0.5)), scale=0.025, zero=9)


def stored_one(model: Model, value: float) -> str:
    """Store a number as onnxruntime quantizes it: 255 steps."""
    grid = [model.constant(value / 255), model.constant(0, np.uint8)]
    return model.node("DequantizeLinear", model.constant(255, np.uint8), *grid)


def test_a_gelu_is_one_table(tmp_path: Path) -> None:
    model = Model((1, 64))
    path = saved(model.build(gelu(model, model.image(scale=0.03, zero=120))), tmp_path)
    assert differing(path, IMAGES) == 0
    assert kinds(lower(read_integer_graph(path), kernels="onnxruntime").network) == ["table"]


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("zero", [0, 30])
def test_what_no_kernel_of_integers_takes_is_real(zero: int, twice: bool, tmp_path: Path) -> None:
    """A Relu that the quantization does not make idle, a result that two nodes read."""
    model = Model((1, 64))
    image = model.image(scale=STEP, zero=77)
    now = model.node("Relu", model.node("Mul", image, stored(model, ())))
    outputs = [model.quantized(now, scale=STEP / 2, zero=zero)]
    outputs += [model.quantized(now, scale=STEP, zero=zero)] if twice else []
    path = saved(model.build(*outputs), tmp_path)
    assert differing(path, IMAGES) == 0
    found = {each.operator for each in describe_import(path).differences}
    assert found == ({"Mul"} if zero or twice else set())


@pytest.mark.promise("stored weights of unsigned bytes that nothing reads are their zero point")
@pytest.mark.parametrize("zero", [0, 128, 255])
def test_unsigned_weights_behind_a_slice(zero: int, tmp_path: Path) -> None:
    model = Model((1, 12))
    ends = [model.constant([each], np.int64) for each in (3, 9, 1)]
    part = model.node("Slice", model.image(), *ends)
    weights = model.weights(5, 6, axis=None, kind=np.uint8, zero=zero)
    path = saved(
        model.build(model.quantized(model.node("Gemm", part, weights, transB=1), 0.2, 90)), tmp_path
    )
    assert differing(path) == 0


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
def test_integers_may_be_read_anew(kind: type, tmp_path: Path) -> None:
    """A Reshape of integers between a QuantizeLinear and a DequantizeLinear of other numbers."""
    model = Model((1, 3, 4, 4), kind=kind)
    one, other = (
        [model.constant(scale), model.constant(zero, kind)]
        for scale, zero in ((0.07, 11), (0.03, 9))
    )
    integers = model.node("QuantizeLinear", model.conv(model.image(), 4, 3, 1, 1), *one)
    flat = model.node("Reshape", integers, model.constant([1, 64], np.int64))
    back = model.node("DequantizeLinear", flat, *other)
    product = model.node("Gemm", back, model.weights(5, 64), transB=1)
    path = saved(model.build(model.quantized(product, 0.3, 100)), tmp_path)
    assert differing(path) == 0


@pytest.mark.parametrize("what", ["mean", "product of maps", "product of tokens", "map"])
def test_a_factor_may_be_negative(what: str, tmp_path: Path) -> None:
    model = Model((1, 4, 8) if what == "product of tokens" else (1, 3, 4, 4))
    now = image = model.image(zero=100)
    if what == "mean":
        now = model.node("GlobalAveragePool", image)
    if what == "product of maps":
        now = model.node("Mul", image, model.quantized(model.conv(image, 3, 3, 1, 1), 0.2, 90))
    if what == "product of tokens":
        now = model.node("MatMul", image, model.node("Transpose", image, perm=[0, 2, 1]))
    scaled = model.node("Mul", now, model.constant(-1.13))
    path = saved(model.build(model.quantized(scaled, 0.4, 120)), tmp_path)
    found = {each.operator for each in describe_import(path).differences}
    assert differing(path) <= (1 if found - {"Mul"} else 0)
