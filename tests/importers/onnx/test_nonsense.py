"""ONNX models that no exporter writes: one sentence that names the node, for both readers.

Each line has a float model, which synthesis reads, and a quantized one, which `import` reads.
"""

from pathlib import Path

import pytest
from onnx import TensorProto

from hwgen.errors import HwgenError
from hwgen.importers.onnx.read import MOST_ELEMENTS
from tests.importers.onnx.nonsense import (
    HUGE,
    Make,
    first,
    floating,
    quantized,
    quantized_conv,
    with_input,
    with_opsets,
    with_sides,
    with_strings,
)
from tests.onnx_graphs import node, read_onnx
from tests.quantized_onnx import imported, saved

Case = tuple[Make, str, Make, str]
"""A float model and a part of its sentence, a quantized model and a part of its sentence."""


def refused(case: Case, folder: Path) -> None:
    """Check that both readers refuse a model in one sentence with the words that are wanted."""
    float_model, float_words, quantized_model, quantized_words = case
    with pytest.raises(HwgenError) as first_error:
        read_onnx(saved(float_model(), folder))
    with pytest.raises(HwgenError) as second_error:
        imported(quantized_model(), folder)
    for error, words in ((first_error, float_words), (second_error, quantized_words)):
        sentence = str(error.value)
        assert words in sentence
        assert "\n" not in sentence
        assert sentence.endswith(f" ({folder / 'model.onnx'})")


AXES: dict[str, Case] = {
    "concatenation": (
        floating(node("Concat", "a a", "z", axis=9)),
        "tensor z of node z (Concat) must be of a known shape",
        quantized("ReduceMean", axes=[7]),
        "axes must be rows and columns (all but batch and channels)",
    ),
    "gathering": (
        floating(node("Gather", "a i", "z", axis=-7), constants={"i": [0]}),
        "tensor z of node z (Gather) must be of a known shape",
        quantized("Gather", [0], axis=-7),
        "got axis -7 is out of bounds",
    ),
    "transposition": (
        floating(node("Split", "a", "z y", axis=5)),
        "axis of node z (Split) must be from -4 to 3, got 5",
        quantized("Transpose", perm=[0, 1, 2, 9]),
        "got axis 9 is out of bounds",
    ),
    "new dimension": (
        floating(node("Unsqueeze", "a i", "z"), constants={"i": [HUGE]}),
        "tensor z of node z (Unsqueeze) must be of a known shape",
        quantized("Unsqueeze", [HUGE]),
        "its inputs must be such that it can be computed",
    ),
}


@pytest.mark.promise("ONNX that no exporter writes is one sentence")
@pytest.mark.parametrize("case", AXES)
def test_an_axis_out_of_range(case: str, tmp_path: Path) -> None:
    refused(AXES[case], tmp_path)


@pytest.mark.parametrize("kernel", [[5, 5], [0, 3], [-3, -3], [HUGE, HUGE]])
def test_a_kernel_shape_that_is_not_that_of_the_weights(kernel: list[int], tmp_path: Path) -> None:
    conv = quantized_conv(kernel_shape=kernel)
    refused((first(kernel_shape=kernel), "node z (Conv) must be", conv, "node conv"), tmp_path)
    with pytest.raises(HwgenError, match=r"kernel_shape must be \[3, 3\], as its weights are"):
        imported(conv(), tmp_path)


@pytest.mark.parametrize("mode", ["SAME", "", b"\xff\xfe", "\x1b[31m" * 9_000])
def test_an_unknown_auto_pad(mode: str | bytes, tmp_path: Path) -> None:
    words = "must be one of NOTSET, SAME_UPPER, SAME_LOWER, VALID, got "
    made = (first(auto_pad=mode), quantized_conv(auto_pad=mode))
    refused((made[0], f"auto_pad of node z (Conv) {words}", made[1], f"auto_pad {words}"), tmp_path)


@pytest.mark.parametrize("mode", ["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"])
def test_a_known_auto_pad_is_read(mode: str, tmp_path: Path) -> None:
    assert imported(quantized_conv(auto_pad=mode)(), tmp_path).layers


OLDER = "the opset must be 10 or newer"
OPSETS = {
    (): ("must be valid ONNX", f"{OLDER}, got 0"),
    (0,): ("must be valid ONNX", f"{OLDER}, got 0"),
    (-1,): ("must be valid ONNX", f"{OLDER}, got -1"),
    (5,): ("", f"{OLDER}, got 5"),
    (HUGE,): ("must be valid ONNX", f"Opset import version {HUGE} is out of supported range"),
}


@pytest.mark.parametrize("versions", OPSETS)
def test_an_opset_that_does_not_exist(versions: tuple[int, ...], tmp_path: Path) -> None:
    words = OPSETS[versions]
    with pytest.raises(HwgenError) as caught:
        imported(with_opsets(quantized_conv(), *versions)(), tmp_path)
    assert words[1] in str(caught.value)
    if words[0]:
        with pytest.raises(HwgenError, match=words[0]):
            read_onnx(saved(with_opsets(first(), *versions)(), tmp_path))


def test_tensors_of_text(tmp_path: Path) -> None:
    weights = "(DequantizeLinear): its integers must be of type int8"
    refused(
        (
            with_strings(first()),
            "weights of node z (Conv) must be constant, of 4 dimensions, got 1",
            with_strings(quantized_conv()),
            weights,
        ),
        tmp_path,
    )


@pytest.mark.parametrize("kind", ["STRING", "BOOL", "COMPLEX128"])
def test_an_image_that_is_no_numbers(kind: str, tmp_path: Path) -> None:
    number = TensorProto.DataType.Value(kind)
    words = f"input x must be of numbers, got {kind}"
    made = (
        with_input(first(), 1, 4, 8, 8, kind=number),
        with_input(quantized_conv(), 1, 3, 6, 6, kind=number),
    )
    refused((made[0], words, made[1], words), tmp_path)


ELEMENTS = f"must be of at most {MOST_ELEMENTS} elements, got "
SIDES: dict[str, Case] = {
    "image": (
        with_input(first(), 1, 4, HUGE, HUGE),
        f"tensor x {ELEMENTS}1 x 4 x {HUGE} x {HUGE}",
        with_input(quantized_conv(), 1, 3, HUGE, HUGE),
        f"input x must be of rank 2 to 4 and at most 16777216 elements, got 1 x 3 x {HUGE}",
    ),
    "batch": (
        with_input(first(), HUGE, 4, 8, 8),
        f"tensor x {ELEMENTS}{HUGE} x 4 x 8 x 8",
        with_input(quantized_conv(), HUGE, 3, 6, 6),
        f"input x must be of rank 2 to 4 and at most 16777216 elements, got {HUGE} x 3",
    ),
    "constant": (
        with_sides(first(), HUGE, HUGE),
        f"tensor w {ELEMENTS}{HUGE} x {HUGE}",
        with_sides(quantized_conv(), HUGE, HUGE),
        "must be whole, got cannot reshape array",
    ),
    "constant below zero": (
        with_sides(first(), -1, 4, 3, 3),
        "tensor w of node z (Conv) must be of a known shape",
        with_sides(quantized_conv(), -1, 3, 3, 3),
        "must be of sides from 0, got [-1, 3, 3, 3]",
    ),
    "window": (
        floating(node("MaxPool", "a", "z", kernel_shape=[HUGE, HUGE])),
        "tensor z of node z (MaxPool) must be of a known shape",
        quantized("MaxPool", kernel_shape=[HUGE, HUGE]),
        "its window must be inside its input 6 x 6, got a larger one",
    ),
    "pads": (
        first(pads=[HUGE] * 4),
        "tensor z of node z (Conv) must be of a known shape",
        quantized_conv(pads=[HUGE] * 4),
        "a map must be of at most 67108864 elements",
    ),
    "strides": (
        first(strides=[HUGE] * 2),
        "strides of node z (Conv) must be at most 65535",
        quantized_conv(strides=[HUGE] * 2),
        "strides must be at most 65535",
    ),
    "dilations": (
        first(dilations=[HUGE] * 2),
        "tensor z of node z (Conv) must be of a known shape",
        quantized_conv(dilations=[HUGE] * 2),
        "its window must be inside its input 6 x 6, got a larger one",
    ),
    "groups": (
        first(group=HUGE),
        f"weights of node z (Conv) must be for 4 channels, got of shape (4, 4, 3, 3) and {HUGE}",
        quantized_conv(group=HUGE),
        f"channels in, a multiple of groups out, got 3 and 4, {HUGE} groups",
    ),
    "reshaping": (
        floating(node("Reshape", "a i", "z"), constants={"i": [HUGE, HUGE]}),
        "tensor z of node z (Reshape) must be of a known shape",
        quantized("Reshape", [HUGE, HUGE]),
        "its inputs must be such that it can be computed",
    ),
}


@pytest.mark.parametrize("case", SIDES)
def test_sides_of_two_to_the_62(case: str, tmp_path: Path) -> None:
    refused(SIDES[case], tmp_path)
