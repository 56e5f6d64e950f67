"""Attention and norms of LiteRT in pieces: golden against LiteRT, with both of its kernels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from golden.network import infer
from hwgen.cli import main
from hwgen.commands.against import computed_kernels
from hwgen.commands.described import describe_import
from hwgen.dbpim.compiler.supported import refusals
from hwgen.dbpim.facts.arch import load_arch
from hwgen.errors import RefusedNetworkError
from hwgen.importers.integer import lower
from hwgen.importers.integer.arithmetic import Kernels
from hwgen.importers.integer.runtime import stored
from hwgen.importers.tflite import read_integer_graph
from hwgen.importers.tflite.file import read_file
from hwgen.importers.tflite.runtime import ending_at, interpreter_of
from hwgen.network import QuantizedNetwork, Requantization
from tests.network.changes import changed, refused
from tests.tflite_files import Writer

BLOCK = Path(__file__).parent / "cases" / "vit_block.tflite"
ENCODER = Path(__file__).parent / "cases" / "encoder_tokens.tflite"
"""Keras: norm in front of attention of two heads and of a GELU, mean over tokens; int8."""
HEADS = "/heads"
KERNELS: tuple[Kernels, ...] = ("reference", "xnnpack")
REDUCED = ("ReducerOptions", {"KeepDims": True})


def in_order_of_the_file(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return maps of tokens by heads and channels as (images, heads, tokens, channels)."""
    images, heads, tokens, channels = (len(values), *shape[1:])
    return values.reshape(images, tokens, heads, channels).swapaxes(1, 2)


def different(path: Path, kernels: Kernels, *, images: int) -> dict[str, int]:
    """Return how many elements of each map that the file has are not LiteRT's, by layer."""
    graph = read_integer_graph(path)
    network = lower(graph, kernels=kernels).network
    given = np.random.default_rng(3).integers(
        0, 256, (images, *network.graph.input.shape), dtype=np.uint8
    )
    file, content = read_file(path), path.read_bytes()
    numbers = {tensor.name: number for number, tensor in enumerate(file.tensors)}
    maps, found = infer(network, given), {}
    default = kernels == "xnnpack"
    runtime, _ = interpreter_of(content, path, default=default)
    for layer in network.layers:
        name = layer.source.removesuffix(HEADS)
        if name not in numbers:
            continue
        if default:
            runtime, _ = interpreter_of(ending_at(content, numbers[name]), path, default=True)
        about = runtime.get_input_details()[0]
        wanted = []
        for image in stored(given, graph.maps[graph.input]):
            runtime.set_tensor(about["index"], image.reshape(about["shape"]))
            runtime.invoke()
            wanted.append(runtime.get_tensor(numbers[name])[0].astype(np.int64))
        integers = maps[layer.name].astype(np.int64) - graph.maps[layer.source].offset
        if layer.source.endswith(HEADS):
            integers = in_order_of_the_file(integers, file.tensors[numbers[name]].shape)
        found[layer.name] = int(
            (integers.reshape(images, -1) != np.stack(wanted).reshape(images, -1)).sum()
        )
    return found


@pytest.mark.promise(
    "a transformer of Keras' converter is LiteRT's in every element of every map, with both kernels"
)
@pytest.mark.parametrize("kernels", KERNELS)
def test_a_block_of_a_transformer_is_exact_in_every_map(kernels: Kernels) -> None:
    found = different(BLOCK, kernels, images=6)
    assert len(found) == 38 and sum(found.values()) == 0
    kinds = {layer.op for layer in lower(read_integer_graph(BLOCK), kernels=kernels).network.layers}
    softmax = "fixed_softmax" if kernels == "reference" else "softmax"
    assert kinds >= {"matmul", "squared_difference", softmax, "table"}


def test_the_default_softmax_says_where_it_differs() -> None:
    (line,) = describe_import(BLOCK).differences
    assert (line.operator, line.steps) == ("SOFTMAX", 1)
    assert "node softmax_23, beside halves" in line.what
    lines = {layer.kind: layer.families["dbpim"] for layer in describe_import(BLOCK).layers}
    assert lines["squared_difference"] == "on chips with `simd_tflite`, such as small_rows_tflite"
    assert lines["matmul"] == "on chips with `simd_tflite`, such as small_rows_tflite"


@pytest.mark.promise("Keras' encoder on (batch, tokens, channels) runs on a chip that ships")
def test_an_encoder_of_tokens_runs_as_the_default_kernels_compute_it() -> None:
    lowered = lower(read_integer_graph(ENCODER), kernels="xnnpack")
    assert lowered.network.graph.input.shape in ((16, 1, 32), (1, 16, 32))
    chip = load_arch(Path(__file__).parents[3] / "configs" / "dbpim" / "small_rows_tflite.yaml")
    assert list(refusals(lowered.network, chip)) == []
    assert {(each.operator, each.steps) for each in lowered.differences} == {
        ("MEAN", 1),
        ("SOFTMAX", 1),
    }


def test_a_file_is_compared_with_the_kernels_that_it_was_imported_for() -> None:
    wanted = {"xnnpack": "default", "reference": "reference", "half_up": None}
    for kernels, target in wanted.items():
        network = lower(read_integer_graph(ENCODER), kernels=kernels).network
        assert computed_kernels(network) == target


@pytest.mark.promise(
    "with `--kernels half_up` a transformer of Keras' converter runs on chips with a row unit"
)
def test_with_the_rounding_of_every_chip_a_block_runs() -> None:
    lowered = lower(read_integer_graph(BLOCK), kernels="half_up")
    chip = load_arch(Path(__file__).parents[3] / "configs" / "dbpim" / "small_rows.yaml")
    assert list(refusals(lowered.network, chip)) == []
    assert 2 < lowered.largest_effect < 2.1, "squares of differences that are bytes"


@pytest.mark.long
def test_such_a_block_is_golden_in_rtl(tmp_path: Path) -> None:
    network, images = tmp_path / "block.npz", tmp_path / "images.npz"
    drawn = np.random.default_rng(3).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    np.savez(images, images=drawn)
    assert main(["import", str(BLOCK), "--kernels", "half_up", "--out", str(network)]) == 0
    given = ["run", str(network), "dbpim/small_rows", "--engine", "rtl", "--data", str(images)]
    assert main(given) == 0


def image(*shape: int, **keys: Any) -> tuple[Writer, int]:
    writer = Writer()
    return writer, writer.map(*shape, **keys)


def inverse_root(scale: float, out: float, zero_point: int) -> Writer:
    writer, x = image(16, 16, 1, scale=scale, zero_point=-128)
    writer.operator("RSQRT", (x,), writer.map(16, 16, 1, scale=out, zero_point=zero_point))
    return writer


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize(
    ("scale", "out", "zero_point"),
    [(6.1e-4, 0.0896, -128), (0.0061, 0.00365, -128), (3.9e-3, 0.06, 5), (1.7, 0.004, -100)],
)
def test_an_inverse_root_is_a_table(
    scale: float, out: float, zero_point: int, kernels: Kernels, tmp_path: Path
) -> None:
    path = inverse_root(scale, out, zero_point).save(tmp_path / "net.tflite")
    assert different(path, kernels, images=8) == {"rsqrt_0": 0}


def squares(one: float, other: float, out: float, shape: tuple[int, ...] = (4, 4, 6)) -> Writer:
    writer, x = image(4, 4, 6, scale=0.03, zero_point=-11)
    first, second = (
        writer.map(*each, scale=scale, zero_point=zero)
        for each, scale, zero in (((4, 4, 6), one, 3), (shape, other, -11))
    )
    writer.operator("QUANTIZE", (x,), first, ("QuantizeOptions", {}))
    if shape == (4, 4, 6):
        writer.operator("TANH", (x,), second)
    else:
        axes = writer.constant(np.array([1, 2], np.int32))
        writer.operator("REDUCE_MAX", (x, axes), second, REDUCED)
    output = writer.map(4, 4, 6, scale=out, zero_point=-128)
    writer.operator("SQUARED_DIFFERENCE", (first, second), output, ("SquaredDifferenceOptions", {}))
    return writer


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize(
    "scales_and_shape",
    [
        (0.03, 1 / 128, 0.07, (4, 4, 6)),
        (0.011, 1 / 128, 0.05, (4, 4, 6)),
        (0.05, 0.03, 0.6, (1, 1, 6)),
        (0.002, 0.03, 0.3, (1, 1, 6)),
    ],
)
def test_squares_of_differences(
    scales_and_shape: tuple[float, float, float, tuple[int, ...]], kernels: Kernels, tmp_path: Path
) -> None:
    path = squares(*scales_and_shape).save(tmp_path / "net.tflite")
    assert different(path, kernels, images=8)["squared_difference_2"] == 0


def attention(*, turned: tuple[bool, bool], heads: int = 2, scale: float = 0.11) -> Writer:
    """Return a file with a product of two maps, functions of its elements, and another product."""
    tokens, channels = 6, 4
    writer, x = image(tokens, heads * channels, scale=0.05, zero_point=-3)
    parts = []
    for size, zero in ((0.06, 4), (0.07, -7)):
        made = writer.map(tokens, heads * channels, scale=size, zero_point=zero)
        writer.operator("QUANTIZE", (x,), made, ("QuantizeOptions", {}))
        split = writer.map(tokens, heads, channels, scale=size, zero_point=zero)
        sides = writer.constant(np.array([1, tokens, heads, channels], np.int32))
        writer.operator("RESHAPE", (made, sides), split, ("ReshapeOptions", {}))
        place = len(parts)
        order = (0, 2, 3, 1) if turned[place] != bool(place) else (0, 2, 1, 3)
        shape = tuple((tokens, heads, channels)[axis - 1] for axis in order[1:])
        by_heads = writer.map(*shape, scale=size, zero_point=zero)
        constant = writer.constant(np.array(order, np.int32))
        writer.operator("TRANSPOSE", (split, constant), by_heads, ("TransposeOptions", {}))
        parts.append(by_heads)
    scores = writer.map(heads, tokens, tokens, scale=0.4, zero_point=20)
    options = ("BatchMatMulOptions", {"AdjX": turned[0], "AdjY": turned[1]})
    writer.operator("BATCH_MATMUL", (parts[0], parts[1]), scores, options)
    wider = writer.map(heads, tokens, tokens, scale=scale, zero_point=20)
    factor = writer.constant(np.array(90, np.int8), scales=0.002, zero_points=-30)
    writer.operator("MUL", (scores, factor), wider, ("MulOptions", {}))
    shares = writer.map(heads, tokens, tokens, scale=1 / 256, zero_point=-128)
    writer.operator("SOFTMAX", (wider,), shares, ("SoftmaxOptions", {"Beta": 1.0}))
    mixed = writer.map(heads, tokens, tokens, scale=0.07, zero_point=20)
    writer.operator("BATCH_MATMUL", (shares, wider), mixed, ("BatchMatMulOptions", {}))
    return writer


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("turned", [(False, False), (False, True), (True, False), (True, True)])
def test_products_of_two_maps(
    turned: tuple[bool, bool], heads: int, kernels: Kernels, tmp_path: Path
) -> None:
    path = attention(turned=turned, heads=heads).save(tmp_path / "net.tflite")
    found = different(path, kernels, images=8)
    kept = ("matmul", "softmax", "mul")
    assert [sum(n for name, n in found.items() if each in name) for each in kept] == [0, 0, 0]
    assert len([name for name in found if any(each in name for each in kept)]) == 4


@pytest.mark.parametrize("scale", [0.003, 0.02, 0.4, 3.0])
@pytest.mark.parametrize("channels", [2, 7, 300])
def test_shares_of_the_reference_kernel(channels: int, scale: float, tmp_path: Path) -> None:
    writer, x = image(5, 5, channels, scale=scale, zero_point=6)
    shares = writer.map(5, 5, channels, scale=1 / 256, zero_point=-128)
    writer.operator("SOFTMAX", (x,), shares, ("SoftmaxOptions", {"Beta": 1.0}))
    writer.operator("TANH", (shares,), writer.map(5, 5, channels, scale=1 / 128))
    path = writer.save(tmp_path / "net.tflite")
    assert different(path, "reference", images=6)["softmax_0"] == 0


def negated(out: float = 0.05, *, real: bool = True) -> Writer:
    writer, x = image(4, 4, 3, scale=0.05, zero_point=-34)
    mapped = writer.map(4, 4, 3, scale=0.05, zero_point=-34)
    writer.operator("RELU", (x,), mapped)
    before = writer.map(4, 4, 3, scale=None, type="float32")
    behind = writer.map(4, 4, 3, scale=None, type="float32")
    if real:
        writer.operator("DEQUANTIZE", (mapped,), before, ("DequantizeOptions", {}))
    writer.operator("NEG", (before if real else mapped,), behind, ("NegOptions", {}))
    output = writer.map(4, 4, 3, scale=out, zero_point=33)
    writer.operator("QUANTIZE", (behind,), output, ("QuantizeOptions", {}))
    return writer


@pytest.mark.parametrize("kernels", KERNELS)
def test_a_map_with_the_other_sign_is_a_table(kernels: Kernels, tmp_path: Path) -> None:
    path = negated().save(tmp_path / "net.tflite")
    assert sum(different(path, kernels, images=4).values()) == 0


def mean_of_channels(channels: int, *, keep: bool) -> Writer:
    writer, x = image(9, channels, scale=0.02, zero_point=17)
    output = writer.map(*((9, 1) if keep else (9,)), scale=0.009, zero_point=-5)
    axes = writer.constant(np.array([-1], np.int32))
    writer.operator("MEAN", (x, axes), output, ("ReducerOptions", {"KeepDims": keep}))
    if not keep:
        writer.operator("TANH", (output,), writer.map(9, scale=1 / 128))
    return writer


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("channels", [6, 8, 32])
def test_a_mean_over_channels_is_exact_or_says_where_not(
    channels: int, keep: bool, kernels: Kernels, tmp_path: Path
) -> None:
    path = mean_of_channels(channels, keep=keep).save(tmp_path / "net.tflite")
    found = different(path, kernels, images=20)
    assert found
    told = lower(read_integer_graph(path), kernels=kernels).differences
    assert bool(told) >= bool(sum(found.values())), "a difference is told"
    assert all(each.operator == "MEAN" for each in told)
    assert kernels == "xnnpack" or not told


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("name", ["ADD", "MUL"])
def test_one_channel_and_constants_by_channel(name: str, kernels: Kernels, tmp_path: Path) -> None:
    writer, x = image(5, 5, 1, scale=0.02, zero_point=17)
    values = np.arange(-60, 60, 10, dtype=np.int8).reshape(1, 1, 1, 12)
    output = writer.map(5, 5, 12, scale=0.03, zero_point=-5)
    given = writer.constant(values, scales=0.013, zero_points=4)
    options = (f"{name.title()}Options", {})
    writer.operator(name, (x, given), output, options)
    path = writer.save(tmp_path / "net.tflite")
    assert sum(different(path, kernels, images=8).values()) == 0


def of_a_constant() -> Writer:
    writer, x = image(6, 8)
    weights = writer.constant(np.ones((1, 8, 3), np.int8), scales=0.1)
    writer.operator("BATCH_MATMUL", (x, weights), writer.map(6, 3), ("BatchMatMulOptions", {}))
    return writer


REFUSED = {
    "constant": (
        of_a_constant(),
        "its inputs must be two maps (constant weights: FULLY_CONNECTED)",
    ),
    "no DEQUANTIZE": (negated(real=False), "its input must be a map behind DEQUANTIZE"),
    "another scale": (negated(0.04), "the scale of its output must be that of its map (0.05)"),
    "large squares": (
        squares(2.0, 1.0, 0.0005),
        "the factor of its squares, 4 * scale^2 / 2^14 / scale of the output, must be below 1",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_forms_are_refused(name: str, tmp_path: Path) -> None:
    writer, reason = REFUSED[name]
    path = writer.save(tmp_path / "net.tflite")
    with pytest.raises(RefusedNetworkError) as caught:
        lower(read_integer_graph(path))
    assert reason in str(caught.value)


@pytest.fixture(scope="module")
def block() -> QuantizedNetwork:
    return lower(read_integer_graph(BLOCK), kernels="reference").network


SQUARES, SHARES = "squared_difference_6", "softmax_23"
SENTENCES: list[tuple[str, dict[str, Any], str]] = [
    (SQUARES, {"rounding": "half_up"}, f"{SQUARES}.rounding must be tflite, got half_up"),
    (SQUARES, {"operand_shifts": (30, 31)}, f"{SQUARES}.operand_shifts must be from 31 to 62"),
    (
        SQUARES,
        {"requantization": (Requantization(multipliers=(1 << 30, 1, 1 << 30), shift=40),)},
        f"{SQUARES}.multipliers must be each from 536870912 to 2147483647",
    ),
    (SQUARES, {"inputs": ("conv_2d_0", "mean_2")}, f"{SQUARES} inputs must be of one shape"),
    (SHARES, {"groups": 3}, f"{SHARES}.groups must be a divisor of its channels (32), got 3"),
]


@pytest.mark.parametrize(("layer", "keys", "sentence"), SENTENCES)
def test_contradictions_are_refused(
    layer: str, keys: dict[str, Any], sentence: str, block: QuantizedNetwork
) -> None:
    assert refused(changed(block, layer, **keys)).startswith(sentence)


@pytest.mark.long
def test_an_encoder_of_tokens_is_golden_in_rtl(tmp_path: Path) -> None:
    """As LiteRT's default kernels compute it, with its rounding on the chip."""
    network = tmp_path / "encoder.npz"
    assert main(["import", str(ENCODER), "--kernels", "default", "--out", str(network)]) == 0
    assert main(["run", str(network), "dbpim/small_rows_tflite", "--images", "1"]) == 0
