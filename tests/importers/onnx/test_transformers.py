"""Transformers: golden gives what onnxruntime gives, in every element of every map it shows."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from golden.network import infer
from hwgen.cli import main
from hwgen.commands.layer_counts import Counters
from hwgen.data import load_dataset
from hwgen.errors import RefusedNetworkError
from hwgen.importers.integer import Lowered, lower
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.importers.onnx.runtime import pairs_saturate, runtime_of
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network
from tests.quantized_onnx import Model, saved
from tests.vnni import has_vnni

NETWORKS = Path(__file__).parents[3] / "configs/networks"
SHIPPED = {"digits_vit": (64, 33, "31543072d650"), "cifar10_cct": (16, 48, "b861a16cb110")}
"""Shipped transformers: images, maps that the runtime shows, and the first digits of the sha256 of
what golden gives for the images."""
CPU_FACTS = Path("/proc/cpuinfo")
has_avx2 = pytest.mark.skipif(
    CPU_FACTS.exists() and " avx2 " not in CPU_FACTS.read_text(),
    reason="onnxruntime sums norms in another order on a processor without AVX2: golden is"
    " compared with its own record alone",
)
DEFAULT = (
    "vit-dynamo",
    "vit_multi_head-script",
    "bert-script",
    "compact-dynamo",
    "llama-script",
    "cross_attention-dynamo",
)
"""Exports that run by default."""


def exports() -> Iterator[object]:
    from tests.corpus.transformers import TRANSFORMERS

    for name in TRANSFORMERS:
        for exporter in ("script", "dynamo"):
            case = f"{name}-{exporter}"
            marks = [] if case in DEFAULT else [pytest.mark.long]
            yield pytest.param(name, exporter, id=case, marks=marks)


def exported(name: str, exporter: str, folder: Path) -> Path:
    """Return the file of a transformer with drawn weights, quantized with drawn images."""
    from tests.corpus.drawn import calibrated
    from tests.corpus.transformers import TRANSFORMERS

    return calibrated(*TRANSFORMERS[name], exporter, folder)


def beside_runtime(path: Path, images: np.ndarray, network: QuantizedNetwork) -> Counters:
    """Return how every map that onnxruntime shows compares with golden's."""
    graph = read_integer_graph(path)
    runtime = runtime_of(path, graph, default=True)
    counters = Counters()
    counters.add(network, runtime.run(images, [layer.source for layer in network.layers]))
    return counters


def all_equal(counters: Counters) -> int:
    """Hold that nothing differs; return how many elements were compared."""
    different = {
        name: counter.one_step + counter.larger
        for name, counter in counters.end_to_end.items()
        if counter.one_step + counter.larger
    }
    assert not different
    return sum(counter.elements for counter in counters.end_to_end.values())


def drawn_images(network: QuantizedNetwork, count: int) -> np.ndarray:
    shape = (count, *network.graph.input.shape)
    return np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)


REFUSED = {
    "deit": "Div",  # the mean of two heads is not quantized
}


@pytest.mark.skipif(
    " avx2 " not in (CPU_FACTS.read_text() if CPU_FACTS.exists() else ""),
    reason="other processors sum in their own way, and VNNI is a name of x86",
)
def test_two_products_show_whether_the_processor_has_vnni() -> None:
    assert pairs_saturate() == (not has_vnni())


@pytest.mark.dear("bert-script")
@pytest.mark.promise(
    "transformers as torch exports them become tokens and heads without a transposition left,"
    " and golden gives every map that onnxruntime shows"
)
@has_avx2
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "exporter"), list(exports()))
def test_usual_transformers(name: str, exporter: str, tmp_path: Path) -> None:
    path = exported(name, exporter, tmp_path)
    graph = read_integer_graph(path)
    if name in REFUSED or (name, exporter) == ("decoder", "script"):
        with pytest.raises(RefusedNetworkError) as caught:
            lower(graph, kernels="onnxruntime")
        assert REFUSED.get(name, "Add") in str(caught.value)
        return
    lowered = lower(graph, kernels="onnxruntime")
    network = lowered.network
    kinds = {layer.op for layer in network.layers}
    wanted = {"layer_norm"} if name == "mlp_mixer" else {"layer_norm", "matmul", "softmax"}
    assert wanted <= kinds
    # Transpositions and reshapes of heads are places: none is left inside.
    # MobileViT concatenates, and joins its sequences so.
    assert "concatenate" not in kinds or name == "mobile_vit"
    assert "multiply" not in kinds or name == "llama"
    assert name not in ("llama", "cross_attention") or "reshape" not in kinds
    assert name not in ("llama", "cross_attention") or not {"reshape", "transpose"} & kinds
    if pairs_saturate():
        pytest.skip("onnxruntime saturates here without VNNI, and cannot be asked not to")
    compared = beside_runtime(path, drawn_images(network, 24), network)
    assert all_equal(compared) > 24 * 1000
    # The file has no tensors of single sequences.
    share = 0.35 if name == "mobile_vit" else 0.6
    assert len(compared.end_to_end) >= share * len(network.layers)


@pytest.mark.long
@has_avx2
@pytest.mark.filterwarnings("ignore")
def test_deit_tiny(tmp_path: Path) -> None:
    from tests.corpus.deit import IMAGE, DeitTiny
    from tests.corpus.drawn import calibrated

    path = calibrated(DeitTiny, IMAGE, "dynamo", tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    head = network.parameters[network.layers[-1].name].weights
    assert head.shape == (1000, 192)
    if pairs_saturate():
        pytest.skip("onnxruntime saturates here without VNNI, and cannot be asked not to")
    assert all_equal(beside_runtime(path, drawn_images(network, 2), network)) > 2 * 8_000_000


def test_a_gelu_across_its_quantizations_is_one_table(tmp_path: Path) -> None:
    model = Model(("n", 3, 6, 6))
    now = model.quantized(model.conv(model.image(), 4, 3, 1, 1))
    divided = model.quantized(model.node("Div", now, model.constant(1.4142135)), 0.05, 120)
    bent = model.quantized(model.node("Erf", divided), 0.008, 128)
    above = model.quantized(model.node("Add", bent, model.constant(1.0)), 0.008, 0)
    now = model.quantized(model.node("Mul", now, above), 0.06, 20)
    built = model.build(model.quantized(model.conv(now, 2, 4, 1, 1)))
    path = saved(built, tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    assert [layer.op for layer in network.layers] == ["conv", "table", "conv"]
    all_equal(beside_runtime(path, drawn_images(network, 8), network))


def normalized(width: int, *, signed: bool = False) -> onnx.ModelProto:
    """Return a convolution and a norm over its channels."""
    model = Model(("n", 3, 6, 6))
    now = model.quantized(model.conv(model.image(), width, 3, 1, 1))
    rows = model.node("Transpose", now, perm=[0, 2, 3, 1])
    gamma = model.constant(model.rng.normal(1, 0.2, width))
    made = model.node("LayerNormalization", rows, gamma, gamma, axis=-1)
    grid = {"zero": -3, "kind": np.int8} if signed else {"zero": 120}
    return model.build(model.quantized(made, 0.03, **grid))


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (
            normalized(20),
            "its width must be a multiple of 8 up to 4096: pad the width, got 20",
        ),
        (
            normalized(16, signed=True),
            "the type of its maps must be uint8 (quantize_static with activation_type=QUInt8,"
            " or --calibrate), got int8",
        ),
    ],
    ids=["width", "signed"],
)
def test_what_no_runtime_computes_as_stated(
    model: onnx.ModelProto, sentence: str, tmp_path: Path
) -> None:
    graph = read_integer_graph(saved(model, tmp_path))
    with pytest.raises(RefusedNetworkError) as caught:
        lower(graph, kernels="onnxruntime")
    assert sentence in str(caught.value)


def images_of(name: str, count: int) -> np.ndarray:
    """Return images that ship, again with noise where there are fewer."""
    from tests.corpus.drawn import with_noise

    if name == "digits_vit":
        given = load_dataset("digits", None).test_images
    else:
        given = np.load(NETWORKS.parent / "images/cifar10.npz")["images"]
    return with_noise(given, count)


def imported(name: str) -> Lowered:
    graph = read_integer_graph(NETWORKS / f"{name}.onnx")
    return lower(graph, kernels="onnxruntime")


@pytest.mark.promise(
    "the shipped transformers are their ONNX files, and golden gives every element of every map"
    " that onnxruntime gives"
)
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_transformer_is_its_onnx_file(name: str) -> None:
    given, made = load_network(NETWORKS / f"{name}.npz"), imported(name)
    assert made.network.arrays().keys() == given.arrays().keys()
    for key, array in given.arrays().items():
        assert np.array_equal(made.network.arrays()[key], array)
    assert made.network.graph.layers == given.graph.layers
    assert not made.differences and not made.notes


@pytest.mark.parametrize("name", SHIPPED)
def test_golden_gives_what_it_gave(name: str) -> None:
    count, _, digest = SHIPPED[name]
    maps = infer(load_network(NETWORKS / f"{name}.npz"), images_of(name, count))
    sha = hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in maps.values()))
    assert sha.hexdigest().startswith(digest)


@pytest.mark.dear("digits_vit-100")
@has_avx2
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("digits_vit", 100),
        ("cifar10_cct", 16),
        *(pytest.param(name, 1000, marks=pytest.mark.long) for name in SHIPPED),
    ],
)
def test_every_map_of_a_shipped_transformer(name: str, count: int) -> None:
    network = load_network(NETWORKS / f"{name}.npz")
    images = images_of(name, count)
    compared = beside_runtime(NETWORKS / f"{name}.onnx", images, network)
    assert all_equal(compared) >= 17_000 * count
    # The runtime shows all maps but the constant one.
    assert len(compared.end_to_end) == len(network.layers) - 1 == SHIPPED[name][1]


@has_avx2
def test_the_command_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    file = NETWORKS / "digits_vit.onnx"
    given = ["compare", "digits_vit", "--against", str(file), "--images", "32", "--maps"]
    assert main([*given, "--json", str(report)]) == 0
    about = json.loads(report.read_text())
    assert "every element is equal" in capsys.readouterr().out
    assert len(about["layers"]) == 33 and about["exact"] is True
    assert onnxruntime.__version__ in about["runtime"]


def test_a_perturbed_norm_is_seen(tmp_path: Path) -> None:
    """One bit of one gain: golden no longer gives what the runtime gives."""
    network = load_network(NETWORKS / "digits_vit.npz")
    name = next(layer.name for layer in network.layers if layer.op == "layer_norm")
    network.held[name]["gamma"][3] ^= 1 << 18
    compared = beside_runtime(NETWORKS / "digits_vit.onnx", images_of("digits_vit", 16), network)
    counter = compared.same_inputs[name]
    assert counter.one_step + counter.larger > 0


def softmax_of(scale: float, channels: int, folder: Path) -> Path:
    """Return a file of a softmax whose output has steps of `scale`, and a product behind it."""
    model = Model((1, 4, 8))
    scores = model.node("MatMul", model.image(), model.weights(8, channels, axis=None))
    scores = model.quantized(scores, 0.003, 128)
    shares = model.quantized(model.node("Softmax", scores, axis=-1), scale, 0)
    product = model.node("MatMul", shares, model.weights(channels, 8, axis=None))
    return saved(model.build(model.quantized(product, 0.002)), folder)


@pytest.mark.parametrize(
    ("scale", "channels", "sentence"),
    [
        (0.0008, 8, "from 0.000851 to 1, so that E[0] x factor is a finite float32, got 0.0008"),
        (0.0066, 1, "from 0.00682 to 1, so that E[0] x factor is a finite float32, got 0.0066"),
        (1e-15, 8, "from 0.000851 to 1, so that E[0] x factor is a finite float32, got 1e-15"),
        (1.5, 8, "from 0.000851 to 1, so that E[0] x factor is a finite float32, got 1.5"),
    ],
)
def test_shares_that_overflow_float32_are_refused(
    scale: float, channels: int, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(RefusedNetworkError) as caught:
        lower(read_integer_graph(softmax_of(scale, channels, tmp_path)))
    assert f"(Softmax): the scale of its output must be {sentence}" in str(caught.value)


@pytest.mark.parametrize(("scale", "channels"), [(0.000851, 8), (0.00682, 1), (1.0, 8)])
def test_the_scales_that_a_refusal_names_are_exact(
    scale: float, channels: int, tmp_path: Path
) -> None:
    path = softmax_of(scale, channels, tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    assert all_equal(beside_runtime(path, drawn_images(network, 20), network))
