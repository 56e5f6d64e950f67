"""QONNX: its Quant nodes become pairs that mean the same, and networks that are equal to them."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from hwgen.cli import BAD_INPUT, main
from hwgen.importers.integer import lower
from hwgen.importers.integer.arithmetic import Kernels
from hwgen.importers.onnx.qdq.qonnx import is_qonnx, without_quants
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.importers.onnx.runtime import scales_of_sums
from hwgen.network.weights import Weighted
from tests.qonnx_models import DOMAIN, NETWORKS, Quantized, evaluated, mlp
from tests.quantized_onnx import differing, judged_on, saved

BITS = (2, 4, 8)
IMAGES = 4
STYLES: dict[str, dict[str, Any]] = {
    "unsigned": {},
    "signed": {"signed": True},
    "narrow": {"narrow": True},
    "signed narrow": {"signed": True, "narrow": True},
    "one scale": {"per_channel": False},
    "with a zero point": {"zero": 2},
}
GRID = list(itertools.product(NETWORKS, BITS, STYLES))
COPRIME = 5
"""To the number of styles: so far apart, files have all of them."""


def made(network: str, bits: int, style: str, **others: Any) -> onnx.ModelProto:
    return NETWORKS[network](bits=bits, **STYLES[style], **others)


def images(model: onnx.ModelProto) -> np.ndarray:
    sides = [side.dim_value for side in model.graph.input[0].type.tensor_type.shape.dim]
    return np.random.default_rng(3).uniform(-2, 2, (IMAGES, *sides)).astype(np.float32)


@pytest.mark.parametrize(("network", "bits", "style"), GRID)
def test_the_pairs_mean_what_quants_mean(network: str, bits: int, style: str) -> None:
    """By onnx's evaluator on both sides, to the bit."""
    model = made(network, bits, style)
    pairs = without_quants(model, "x")
    assert not is_qonnx(pairs)
    assert [each.name for each in pairs.graph.input] == ["x"]
    for image in images(model):
        assert np.array_equal(evaluated(model, image), evaluated(pairs, image))


@pytest.mark.promise("a QONNX file is read as pairs that mean to the bit what its Quants mean")
@pytest.mark.parametrize(("network", "bits", "style"), GRID[::COPRIME])
def test_every_element_is_equal(network: str, bits: int, style: str, tmp_path: Path) -> None:
    """Golden and onnxruntime; and golden and the definition, where float32 sums are exact."""
    assert differing(saved(made(network, bits, style), tmp_path)) == 0
    equal_to_the_definition(made(network, bits, style, even=True), tmp_path)


def equal_to_the_definition(model: onnx.ModelProto, folder: Path) -> None:
    """Check golden against a session, and the session against the definition, in every element."""
    path = saved(model, folder)
    graph = read_integer_graph(path)
    lowered = lower(graph, kernels="onnxruntime").network
    given = lowered.graph.input
    drawn = np.random.default_rng(5).integers(0, 256, (IMAGES, *given.shape)).astype(np.uint8)
    verdict, _, answers = judged_on(path, lowered, drawn)
    assert verdict.equal
    values = given.quantization[0]
    sides = [side.dim_value for side in model.graph.input[0].type.tensor_type.shape.dim]
    for image, found in zip(drawn, answers, strict=True):
        real = (image.astype(np.float64) - values.zero_point) * values.scale
        places = real.transpose(2, 0, 1).reshape(sides)
        assert np.array_equal(evaluated(model, places).reshape(-1), found)


def test_scales_may_be_computed_of_constants(tmp_path: Path) -> None:
    """And a bias may have fewer bits, of which a matrix and an addition take it."""
    model = Quantized((1, 12), even=True)
    image, weights = model.image(), model.filters(5, 12)
    parts = [model.constant(model.scales[each].reshape(-1)) for each in (image, weights)]
    real = model.constant(model.rng.normal(size=5) / 64)
    bias = model.quant(real, model.node("Mul", *parts), bits=6)
    turned = model.node("Transpose", weights, perm=[1, 0])
    built = model.build(model.node("Add", model.node("MatMul", image, turned), bias))
    assert differing(saved(built, tmp_path)) == 0
    pairs = without_quants(built, "x")
    for each in images(built):
        assert np.array_equal(evaluated(built, each), evaluated(pairs, each))


def test_weights_without_a_sign(tmp_path: Path) -> None:
    """Their zero points differ by channel."""
    model = Quantized((1, 12))
    real = model.constant(model.rng.uniform(-0.3, 0.5, (5, 12)))
    zeros = np.array([[4.0], [6.0], [5.0], [7.0], [6.0]])
    weights = model.quant(real, np.full((5, 1), 0.05), zero=zeros, bits=4, signed=False)
    image = model.image()
    built = model.build(model.map(model.node("Gemm", image, weights, transB=1)))
    pairs = without_quants(built, "x")
    for each in images(built):
        assert np.array_equal(evaluated(built, each), evaluated(pairs, each))
    assert differing(saved(built, tmp_path)) == 0


ROUNDED = {
    "ROUND": [-3, -2, -2, -1, 0, 0, 1, 2, 2, 3],
    "HALF_EVEN": [-3, -2, -2, -1, 0, 0, 1, 2, 2, 3],
    "CEIL": [-2, -2, -1, -1, 0, 1, 1, 2, 2, 3],
    "FLOOR": [-3, -3, -2, -2, -1, 0, 1, 1, 2, 2],
    "UP": [-3, -3, -2, -2, -1, 1, 1, 2, 2, 3],
    "DOWN": [-2, -2, -1, -1, 0, 0, 1, 1, 2, 2],
    "HALF_UP": [-3, -3, -2, -1, -1, 1, 1, 2, 2, 3],
    "HALF_DOWN": [-3, -2, -2, -1, 0, 0, 1, 1, 2, 3],
}
"""What each name of rounding makes of `REALS`, by the specification's words."""
REALS = [-2.75, -2.5, -1.75, -1.25, -0.5, 0.5, 1.0, 1.5, 2.0, 2.75]


@pytest.mark.promise("weights of QONNX are rounded in each of the ways that its Quant names")
@pytest.mark.parametrize("mode", ROUNDED)
def test_weights_may_be_rounded_in_any_way(mode: str, tmp_path: Path) -> None:
    model = Quantized((1, len(REALS)))
    image = model.image()
    weights = model.quant(model.constant(np.array([REALS]) / 4), 0.25, bits=4, mode=mode.lower())
    path = saved(model.build(model.node("Gemm", image, weights, transB=1)), tmp_path)
    assert differing(path) == 0
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    (arrays,) = network.parameters.values()
    assert arrays.weights.reshape(-1).tolist() == ROUNDED[mode]


@pytest.mark.parametrize("mode", ROUNDED)
def test_qonnx_itself_rounds_so(mode: str) -> None:
    """Its own function, where the package is installed."""
    intquant = pytest.importorskip("qonnx.custom_op.general.intquant")
    found = intquant.int_quant(
        np.array(REALS, np.float32) / 4, np.float32(0.25), np.float32(0), np.array(4.0), 1, 0, mode
    )
    assert (found * 4).tolist() == ROUNDED[mode]


def test_a_bias_of_another_scale_keeps_its_real_numbers(tmp_path: Path) -> None:
    """A session takes an integer bias of a Gemm for steps of its sums, whatever its scale says."""
    model = Quantized((1, 12))
    image, weights = model.image(), model.filters(5, 12)
    bias = model.quant(model.constant(model.rng.normal(size=5)), 0.25, bits=8)
    built = model.build(model.map(model.node("Gemm", image, weights, bias, transB=1)))
    pairs = without_quants(built, "x")
    assert bias in {tensor.name for tensor in pairs.graph.initializer}
    for each in images(built):
        assert np.array_equal(evaluated(built, each), evaluated(pairs, each))
    assert differing(saved(built, tmp_path)) == 0


FINE = 512
"""Filters of few bits: so many that some sum lies where the rounding of its bias is seen."""


def few_bits() -> tuple[Quantized, str, str, np.ndarray]:
    """Return a model with an image, weights of 4 bits, and biases of sixteenths of their sums."""
    model = Quantized((1, 12), bits=4, narrow=True, even=True, per_channel=False)
    image, weights = model.image(), model.filters(FINE, 12)
    steps = model.scales[image] * model.scales[weights]
    model.scales["sums"] = 8 * steps
    return model, image, weights, model.rng.integers(-400, 400, FINE) / 16 * steps


def weight_bits(path: Path, kernels: Kernels) -> list[int]:
    layers = lower(read_integer_graph(path), kernels=kernels).network.graph.layers
    return [layer.weight_bits for layer in layers if isinstance(layer, Weighted)]


@pytest.mark.promise(
    "a real bias of QONNX, and one behind a factor, is held in the finest steps that bytes leave"
)
@pytest.mark.parametrize("product", ["Gemm", "MatMul"])
def test_a_bias_of_real_numbers_has_finer_steps(product: str, tmp_path: Path) -> None:
    """Weights of 4 bits are held times 16, which is exact; a session would round the bias."""
    model, image, weights, real = few_bits()
    bias = model.constant(real)
    if product == "Gemm":
        sums = model.node("Gemm", image, weights, bias, transB=1)
    else:
        turned = model.node("Transpose", weights, perm=[1, 0])
        sums = model.node("Add", model.node("MatMul", image, turned), bias)
    built = model.build(model.quant(model.node("Relu", sums), model.scales["sums"], signed=False))
    equal_to_the_definition(built, tmp_path)
    assert weight_bits(saved(built, tmp_path), "onnxruntime") == [8]


def test_a_factor_behind_sums_has_finer_steps(tmp_path: Path) -> None:
    """Its session computes in real numbers, so that the bias is one; half_up keeps the bits."""
    model, image, weights, real = few_bits()
    sums = model.node("Gemm", image, weights, transB=1)
    halved = model.node("Mul", sums, model.constant(np.full(FINE, 0.5)))
    moved = model.node("Add", halved, model.constant(real / 2))
    built = model.build(model.quant(moved, model.scales["sums"]))
    equal_to_the_definition(built, tmp_path)
    path = saved(built, tmp_path)
    assert weight_bits(path, "onnxruntime") == [8]
    assert weight_bits(path, "half_up") == [4]


@pytest.mark.promise("weights of QONNX and QCDQ keep their bits in the network file")
@pytest.mark.parametrize("bits", [2, 3, 4, 7, 8])
@pytest.mark.parametrize("narrow", [False, True])
def test_weights_keep_their_bits(bits: int, narrow: bool, tmp_path: Path) -> None:
    path = saved(mlp(bits=bits, narrow=narrow), tmp_path)
    assert weight_bits(path, "onnxruntime") == [bits, bits]


def test_a_map_that_is_quantized_twice_is_rounded_twice(tmp_path: Path) -> None:
    """A session joins two pairs, which then stand for other numbers."""
    model = Quantized((1, 3, 6, 6), even=True)
    first = model.map(model.layer("Conv", model.image(), 4, 3, 1, 1))
    again = model.quant(first, np.float32(model.scales[first] / 2), signed=False)
    built = model.build(model.map(model.layer("Conv", again, 4, 4, 1, 1)))
    equal_to_the_definition(built, tmp_path)


@pytest.mark.parametrize("domain", ["finn.custom_op.general", "onnx.brevitas"])
def test_earlier_names_of_the_domain(domain: str, tmp_path: Path) -> None:
    model = mlp(bits=4)
    for node in model.graph.node:
        node.domain = node.domain and domain
    model.opset_import[1].domain = domain
    assert differing(saved(model, tmp_path)) == 0


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The commands of a quantized file; `compare` says what it ran."""
    path, out, data = saved(mlp(bits=4), tmp_path), tmp_path / "a.npz", tmp_path / "images.npz"
    assert main(["info", str(path)]) == 0
    assert main(["import", str(path), "--out", str(out)]) == 0
    np.savez(data, images=np.zeros((4, 1, 1, 12), np.uint8))
    capsys.readouterr()
    assert main(["compare", str(out), "--against", str(path), "--data", str(data)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "of QONNX as QuantizeLinear, Clip and DequantizeLinear" in said


def test_calibration_is_for_float_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, data, out = saved(mlp(), tmp_path), tmp_path / "images.npz", tmp_path / "a.npz"
    np.savez(data, images=np.zeros((4, 1, 1, 12), np.float32))
    assert main(["import", str(path), "--out", str(out), "--calibrate", str(data)]) == BAD_INPUT
    (sentence,) = capfd.readouterr().err.splitlines()
    assert "the network must be float: import it without --calibrate" in sentence
    assert not out.exists()


def of_map(**numbers: Any) -> Callable[[Quantized, str], str]:
    """Return what appends a Quant with some numbers to a map."""
    scale = numbers.pop("scale", 0.1)
    return lambda model, image: model.quant(image, scale, **numbers)


def of_weights(**numbers: Any) -> Callable[[Quantized, str], str]:
    """Return what appends a matrix whose weights have a Quant with some numbers."""
    scale = numbers.pop("scale", 0.1)

    def append(model: Quantized, image: str) -> str:
        weights = model.quant(model.constant(np.ones((12, 4))), scale, **numbers)
        return model.node("MatMul", image, weights)

    return append


def of_image_scale(model: Quantized, image: str) -> str:
    return model.quant(image, model.node("Reshape", image, model.constant([12], np.int64)))


def bipolar(model: Quantized, image: str) -> str:
    return model.node("BipolarQuant", image, model.constant(0.1), domain=DOMAIN)


def truncated(model: Quantized, image: str) -> str:
    parts = [model.constant(each) for each in (0.1, 0.0, 8.0, 6.0)]
    return model.node("Trunc", image, *parts, domain=DOMAIN, rounding_mode="FLOOR")


REFUSED: dict[str, tuple[Callable[[Quantized, str], str], str]] = {
    "no bits": (of_map(bits=0), "its bitwidth must be from 2 to 8, got 0"),
    "one bit": (of_map(bits=1), "its bitwidth must be from 2 to 8, got 1"),
    "nine bits": (of_map(bits=9), "its bitwidth must be from 2 to 8, got 9"),
    "half a bit": (of_map(bits=7.5), "its bitwidth must be from 2 to 8, got 7.5"),
    "weights of 12 bits": (of_weights(bits=12), "must be from 2 to 8, of a bias to 32, got 12"),
    "scale of the image": (of_image_scale, "its scale must be a constant, got what is computed"),
    "scale of zero": (of_map(scale=0.0), "its scale must be a positive number, got 0"),
    "negative scale": (of_weights(scale=-0.5), "its scale must be a positive number, got -0.5"),
    "a scale a channel of a map": (of_map(scale=[0.1] * 12), "its scale must be one number, got"),
    "blocks of scales": (
        of_weights(scale=np.full((12, 4), 0.1)),
        "its scale must be one, or one for each entry of an axis of [12, 4], got [12, 4]",
    ),
    "rounding": (of_map(mode="FLOOR"), "its rounding_mode must be ROUND on a map: halves to even"),
    "no rounding": (of_weights(mode="ODD"), "its rounding_mode must be one of CEIL, DOWN, FLOOR,"),
    "half a zero point": (of_map(zero=0.5), "its zero point must be a whole number, got 0.5"),
    "a far zero point": (of_map(zero=200), "its zero point must be from -128 to 127, got 200"),
    "weights of nothing": (of_weights(scale=np.nan), "its scale must be a positive number, got n"),
    "two values": (bipolar, "the operator must be Quant of 2 bits or more, of which a weight is"),
    "truncation": (truncated, "the operator must be a Quant behind an AveragePool: Brevitas'"),
}


@pytest.mark.promise(
    "what QONNX has and integers of 2 to 8 bits do not is one sentence a node and exit code 2"
)
@pytest.mark.parametrize("case", REFUSED)
def test_one_sentence_says_why_not(
    case: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    append, expected = REFUSED[case]
    model = Quantized((1, 12))
    path = saved(model.build(append(model, model.image())), tmp_path)
    assert main(["import", str(path), "--out", str(tmp_path / "a.npz")]) == BAD_INPUT
    (sentence,) = capfd.readouterr().err.splitlines()
    assert expected in sentence, sentence
    assert not (tmp_path / "a.npz").exists()


def test_all_are_listed_at_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = Quantized((1, 12))
    image = model.image()
    first, second = (of_map(bits=bits)(model, image) for bits in (9, 10))
    path = saved(model.build(first, second), tmp_path)
    assert main(["import", str(path), "--out", str(tmp_path / "a.npz")]) == BAD_INPUT
    said = capfd.readouterr().err
    assert "got 9" in said and "got 10" in said


@pytest.mark.parametrize("damage", ["inputs", "outputs", "tensor", "type", "name"])
def test_damaged_files_are_refused(
    damage: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = mlp()
    node = model.graph.node[0]
    if damage == "inputs":
        del node.input[2:]
    elif damage == "outputs":
        del node.output[:]
    elif damage == "tensor":
        model.graph.initializer[0].raw_data = b"1"
    elif damage == "type":
        model.graph.initializer[0].data_type = 110
    else:
        node.output[0] = node.output[0] + "\n"
    assert main(["import", str(saved(model, tmp_path)), "--out", str(tmp_path / "a.npz")]) == 2
    assert len(capfd.readouterr().err.splitlines()) == 1


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "network",
    ["mlp", "sequence", "residual", "growing", "normalized", "separable", "transposed", "joined"],
)
@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("form", ["qcdq", "qonnx"])
def test_files_of_brevitas_answer_as_brevitas_does(
    network: str, bits: int, form: str, tmp_path: Path
) -> None:
    """In steps of the answer, on images of real numbers."""
    pytest.importorskip("brevitas")
    from tests.corpus.brevitas_networks import exported

    path = tmp_path / "model.onnx"
    reals, answers = exported(network, bits, form, path)
    assert differing(path) == 0
    graph = read_integer_graph(path)
    lowered = lower(graph, kernels="onnxruntime").network
    values = lowered.graph.input.quantization[0]
    steps = np.rint(reals / np.float32(values.scale)) + values.zero_point
    wide = steps.clip(0, 255).astype(np.uint8).reshape((*steps.shape, 1, 1)[:4])
    runtimes = judged_on(path, lowered, wide.transpose(0, 2, 3, 1))[2]
    scale = graph.maps[graph.outputs[0]].scale
    scale = scales_of_sums(graph).get(graph.outputs[0], scale)
    found, wanted = (np.rint(each.reshape(len(reals), -1) / scale) for each in
                     (runtimes, answers))  # fmt: skip
    assert np.array_equal(found, wanted)
