"""Casts in quantized ONNX files: those that keep every number are read, others are refused."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from hwgen.errors import HwgenError
from hwgen.importers.integer import lower
from hwgen.importers.onnx.quantized import read_integer_graph
from tests.quantized_onnx import Model, agreeing, saved

BEHIND_MAPS = "float32 or float64 of real numbers; int32, int64 or their own type of integers"
IMAGE_TYPES = "float32, float64 or that of the image"


def integers_cast(model: Model, *kinds: int) -> str:
    """Append a quantization with Casts of its integers, as torch's FX exports have one."""
    grid = [model.constant(0.04), model.constant(3, model.kind)]
    integers = model.node("QuantizeLinear", "x", *grid)
    for kind in kinds:
        integers = model.node("Cast", integers, to=kind)
    return model.node("DequantizeLinear", integers, *grid)


@pytest.mark.promise(
    "a Cast that keeps every number is read, as torch's FX writes it; one that loses any is one"
    " sentence"
)
@pytest.mark.parametrize("kind", [np.uint8, np.int8])
def test_a_cast_of_integers_to_their_own_type_is_nothing(kind: type, tmp_path: Path) -> None:
    model = Model(kind=kind)
    own = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    made = model.quantized(model.conv(integers_cast(model, own, own), 4, 3, 3, 3))
    assert len(agreeing(model.build(made), tmp_path).layers) == 1


def test_a_cast_of_real_numbers_to_real_numbers_is_nothing(tmp_path: Path) -> None:
    model = Model()
    there = model.node("Cast", model.image(), to=TensorProto.DOUBLE)
    back = model.node("Cast", there, to=TensorProto.FLOAT)
    made = model.quantized(model.conv(back, 4, 3, 3, 3))
    assert len(agreeing(model.build(made), tmp_path).layers) == 1


def refused(model: Model, tensor: str, folder: Path) -> str:
    """Return the sentence about a model whose convolution reads a tensor."""
    made = model.build(model.quantized(model.conv(tensor, 4, 3, 3, 3)))
    with pytest.raises(HwgenError) as caught:
        lower(read_integer_graph(saved(made, folder)))
    return str(caught.value)


@pytest.mark.parametrize("kind", [TensorProto.UINT8, TensorProto.FLOAT16, TensorProto.INT32])
def test_a_cast_that_loses_numbers_of_a_map_is_refused(kind: int, tmp_path: Path) -> None:
    model = Model()
    lost = model.node("Cast", model.image(), to=kind)
    sentence = refused(model, model.node("Cast", lost, to=TensorProto.FLOAT), tmp_path)
    assert f"its type must be {BEHIND_MAPS}, got {TensorProto.DataType.Name(kind).lower()}" in (
        sentence
    )


def test_a_cast_of_integers_to_another_type_is_refused(tmp_path: Path) -> None:
    model = Model()
    tensor = integers_cast(model, TensorProto.INT8, TensorProto.UINT8)
    assert f"its type must be {BEHIND_MAPS}, got int8" in refused(model, tensor, tmp_path)


def test_a_cast_that_rounds_the_image_is_refused(tmp_path: Path) -> None:
    model = Model()
    half = model.node("Cast", "x", to=TensorProto.FLOAT16)
    image = model.quantized(model.node("Cast", half, to=TensorProto.FLOAT))
    assert f"its type must be {IMAGE_TYPES}, got float16" in refused(model, image, tmp_path)


def test_an_image_of_half_precision_is_cast_before_its_steps(tmp_path: Path) -> None:
    """Its steps in half precision would round as the host's do not."""
    for first in (True, False):
        model = Model(image_type=TensorProto.FLOAT16)
        tensor = model.node("Cast", "x", to=TensorProto.FLOAT) if first else "x"
        third = model.constant(1 / 3, np.float32 if first else np.float16)
        tensor = model.node("Mul", tensor, third)
        if not first:
            tensor = model.node("Cast", tensor, to=TensorProto.FLOAT)
        image = model.quantized(tensor)
        if first:
            made = model.build(model.quantized(model.conv(image, 4, 3, 3, 3)))
            assert read_integer_graph(saved(made, tmp_path)).raw_image is not None
        else:
            sentence = refused(model, image, tmp_path)
            assert "preprocessing must be in float32, a Cast before it, got float16" in sentence
