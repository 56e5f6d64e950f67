"""`hwgen import`, `info` and `compare` on files of other formats."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.network.file import load_network, save_network
from tests.cli.given import ARCH, ROOT, Command
from tests.quantized_onnx import Model, saved
from tests.tflite_files import (
    RELU,
    SAME,
    Writer,
    activation_options,
    conv_options,
    convolution,
    depthwise_options,
    pool_options,
    random_weights,
)

IMAGES = 6
ADAPTIVE_NETWORK = ROOT / "configs/networks/cadnn_digits.npz"


def small() -> Writer:
    """Return a network of a convolution, a mean, a fully connected layer and a Softmax."""
    writer = Writer()
    x, y = writer.map(6, 6, 3, scale=1 / 128), writer.map(6, 6, 8, scale=0.02, zero_point=-128)
    options = conv_options(padding=SAME, activation=RELU)
    scales = np.full(8, 0.004)
    convolution(writer, x, y, random_weights(8, 3, 3, 3), options, scales=scales)
    pooled = writer.map(1, 1, 8, scale=0.02, zero_point=-128)
    writer.operator("AVERAGE_POOL_2D", (y,), pooled, pool_options(kernel=(6, 6), stride=(6, 6)))
    logits, classes = writer.map(5, scale=0.05), writer.map(5, scale=1 / 256, zero_point=-128)
    weights = writer.constant(random_weights(5, 8), scales=0.01)
    options = activation_options("FullyConnectedOptions")
    writer.operator("FULLY_CONNECTED", (pooled, weights), logits, options)
    writer.operator("SOFTMAX", (logits,), classes, ("SoftmaxOptions", {"Beta": 1.0}))
    return writer


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A TFLite file; its name says nothing of its kind."""
    return small().save(tmp_path / "net.bin")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Images with labels."""
    chance = np.random.default_rng(1)
    path = tmp_path / "images.npz"
    given = chance.integers(0, 256, (IMAGES, 6, 6, 3), dtype=np.uint8)
    np.savez(path, images=given, labels=chance.integers(0, 5, IMAGES))
    return path


@pytest.mark.promise(
    "a file is imported by its content, described by family, and runs as every network does"
)
def test_a_file_is_imported(hwgen: Command, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "net.npz"
    report = tmp_path / "report.json"
    code, text, err = hwgen("import", file, "--out", out, "--json", report)
    assert (code, err) == (0, "")
    assert "3 layers of 4 nodes (TFLite)" in text
    assert "every number of the file is held exactly" in text
    assert "such as paper_float32, which ships" in " ".join(text.split())
    network = load_network(out)
    assert [layer.op for layer in network.layers] == ["conv", "average_pool", "linear"]
    content = json.loads(report.read_text())
    assert content["network"]["digest"] == network.digest
    assert [layer["source"] for layer in content["content"]["layers"]] == [
        layer.source for layer in network.layers
    ]


@pytest.mark.promise("an import whose layers no chip runs says so at once, a line a family")
def test_what_runs_on_no_chip_is_said(hwgen: Command, file: Path, tmp_path: Path) -> None:
    writer = Writer()
    x, y = writer.map(8, 8, 3), writer.map(8, 8, 3, scale=0.2)
    options = depthwise_options(multiplier=1, padding=SAME)
    name = "DEPTHWISE_CONV_2D"
    convolution(writer, x, y, random_weights(1, 35, 1, 3), options, name=name, axis=3)
    wide, out = writer.save(tmp_path / "wide.tflite"), tmp_path / "net.npz"
    code, text, _ = hwgen("import", wide, "--out", out, "--kernels", "half_up")
    said = " ".join(text.split())
    assert code == 0
    layer = "conv depthwise_conv_2d_0"
    assert f"runs on no dbpim chip: {layer}: padding_top must be at most 15, got 17" in said
    assert f"runs on no mram chip: {layer}: groups must be 1, or those of a depthwise layer" in said
    _, text, _ = hwgen("import", file, "--out", out, "--kernels", "half_up")
    assert "runs on no" not in text


def test_data_and_classes_are_written(hwgen: Command, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "net.npz"
    hwgen("import", file, "--out", out, "--dataset", "cifar10", "--classes", "a, b,c,d,e")
    graph = load_network(out).graph
    assert (graph.dataset, graph.class_names) == ("cifar10", ["a", "b", "c", "d", "e"])


def test_info_says_which_family_runs_each_layer(hwgen: Command, file: Path) -> None:
    code, text, _ = hwgen("info", file)
    assert code == 0
    rows = {line.split()[0]: line for line in text.splitlines() if line}
    assert rows["conv_2d_0"].split()[-1] == "runs"
    assert rows["average_pool_2d_1"].split()[-1] == "runs"


@pytest.mark.promise(
    "all nodes that cannot be imported are listed at once, one sentence each, before anything"
    " is computed"
)
def test_info_lists_all_nodes_that_stand_in_the_way(hwgen: Command, tmp_path: Path) -> None:
    writer = Writer()
    x, y, z = (writer.map(4, 4, 3) for _ in range(3))
    writer.operator("SIN", (x,), y)
    writer.operator("MEAN", (x, writer.constant(np.array([1, 3], np.int32))), z)
    writer.outputs = (y, z)
    file = writer.save(tmp_path / "net.tflite")
    code, text, _ = hwgen("info", file)
    assert code == 0
    assert "2 nodes cannot be imported" in text
    assert "node sin_0 (SIN): the operator must be one that docs/operators.md lists" in text
    assert "node mean_1 (MEAN): its axes must be rows and columns" in text
    code, _, err = hwgen("import", file, "--out", tmp_path / "net.npz")
    assert code == 2
    assert err.count("\n") == 3 and "node sin_0" in err and "node mean_1" in err
    assert not (tmp_path / "net.npz").exists()


def test_an_architecture_beside_a_foreign_file_is_refused(hwgen: Command, file: Path) -> None:
    code, _, err = hwgen("info", file, ARCH)
    assert code == 2 and "hwgen import writes one" in err


def test_an_imported_network_runs_on_the_chip(
    hwgen: Command, file: Path, images: Path, tmp_path: Path, work: Path
) -> None:
    out = tmp_path / "net.npz"
    hwgen("import", file, "--out", out)
    code, _, err = hwgen("compile", out, ARCH, "--sparsity", "input_bits", "--work", work)
    assert code == 2 and "rounding must be half_up, as the architecture says" in err
    assert "set `rounding: [half_up, float32]` in the architecture" in err
    assert "import the network with `--kernels half_up`" in err
    hwgen("import", file, "--out", out, "--kernels", "half_up")
    line = ("model", out, ARCH, "--sparsity", "input_bits", "--data", images, "--work", work)
    code, text, err = hwgen(*line)
    assert (code, err) == (0, "")
    assert "cycles" in text
    assert hwgen("compile", out, ARCH, "--work", work)[0] == 0


def uneven_tflite(folder: Path) -> Path:
    """Return a convolution with weights from -128 to 127 and zero point 17."""
    writer = Writer()
    x, y = writer.map(6, 6, 3), writer.map(6, 6, 4, scale=0.4)
    weights = np.arange(-128, 128).astype(np.int8).repeat(3)[: 4 * 27].reshape(4, 3, 3, 3)
    given = writer.constant(weights, scales=0.01, zero_points=17)
    writer.operator("CONV_2D", (x, given), y, conv_options(padding=SAME))
    return writer.save(folder / "uneven.tflite")


def uneven_onnx(folder: Path) -> Path:
    """Return a convolution with weights from -128 to 127 and zero point 5."""
    model = Model()
    made = model.node("Conv", model.image(), model.weights(4, 3, 3, 3, zero=5))
    return saved(model.build(model.quantized(made)), folder)


@pytest.mark.promise(
    "asymmetric weights become nine bits, which a DB-PIM chip refuses in one sentence"
)
@pytest.mark.parametrize("write", [uneven_tflite, uneven_onnx])
def test_asymmetric_weights_need_nine_bits_which_the_chip_refuses(
    write: Callable[[Path], Path], hwgen: Command, tmp_path: Path, work: Path
) -> None:
    file, out = write(tmp_path), tmp_path / "net.npz"
    assert hwgen("import", file, "--out", out)[0] == 0
    (layer,) = load_network(out).layers
    what = f"{layer.name}: weight_bits must be at most 8"
    for options in (("compile",), ("compile", "--sparsity", "none")):
        code, text, err = hwgen(*options, out, ARCH, "--work", work)
        assert (code, text) == (2, ""), options
        # The chip rounds by half_up alone, which is the other line.
        first, *reasons = err.splitlines()
        assert first.startswith("hwgen: 2 things stand in the way"), options
        assert reasons[0] == f"layer {what} on a dbpim chip, got 9", options
        assert "rounding must be half_up" in reasons[1] and len(reasons) == 2, options
    (row,) = (line for line in hwgen("info", file)[1].splitlines() if line.startswith(layer.name))
    assert "no: weight_bits must be at most 8, got 9" in row


@pytest.mark.parametrize("kernels", ["default", "reference"])
def test_golden_is_equal_to_the_runtime(
    kernels: str, hwgen: Command, file: Path, images: Path, tmp_path: Path
) -> None:
    out, report = tmp_path / "net.npz", tmp_path / "report.json"
    hwgen("import", file, "--out", out, "--kernels", kernels)
    line = ("compare", out, "--against", file, "--data", images, "--json", report)
    code, text, _ = hwgen(*line)
    assert code == 0
    assert f"{kernels} kernels" in text and "every element is equal" in text
    content: dict[str, Any] = json.loads(report.read_text())
    assert content["data"]["images"] == IMAGES and content["exact"] and content["first"] is None
    kinds = ["conv", "average_pool", "linear"] if kernels == "reference" else []
    assert [layer["kind"] for layer in content["layers"]] == kinds
    assert (content["output"]["elements"], content["output"]["equal"]) == (5 * IMAGES, 1)
    assert 0 <= content["accuracy_golden"] <= 1


def test_one_other_element_ends_with_one(
    hwgen: Command, file: Path, images: Path, tmp_path: Path
) -> None:
    """The other kernels differ; the first element that does is named."""
    out, report = tmp_path / "net.npz", tmp_path / "report.json"
    hwgen("import", file, "--out", out, "--kernels", "reference")
    network = load_network(out)
    network.parameters["conv_2d_0"].bias[0, 2] += 400
    save_network(network, out)
    line = ("compare", out, "--against", file, "--data", images, "--json", report)
    code, text, _ = hwgen(*line)
    assert code == 1
    first = json.loads(report.read_text())["first"]
    assert (first["layer"], first["channel"]) == ("conv_2d_0", 2)
    told = f"image {first['image']}, y {first['y']}, x {first['x']}, channel 2"
    assert f"first difference: layer conv_2d_0, {told}" in " ".join(text.split())


@pytest.mark.promise(
    "golden is compared with the runtime of the file, each layer on the same inputs and end to end"
)
def test_golden_is_compared_with_the_runtime(
    hwgen: Command, file: Path, images: Path, tmp_path: Path
) -> None:
    out, report = tmp_path / "net.npz", tmp_path / "report.json"
    hwgen("import", file, "--out", out, "--kernels", "half_up")
    line = ("compare", out, "--against", file, "--data", images, "--json", report)
    code, text, err = hwgen(*line)
    assert (code, err) == (0, "")
    assert "reference kernels" in text and "top classes equal: " in text
    content: dict[str, Any] = json.loads(report.read_text())
    assert content["data"]["images"] == IMAGES
    assert [layer["kind"] for layer in content["layers"]] == ["conv", "average_pool", "linear"]
    assert content["largest_step"] <= 1 and not content["exact"]
    assert content["output"] == content["layers"][-1]["end_to_end"]
    assert content["output"]["elements"] == 5 * IMAGES
    assert 0 <= content["accuracy_golden"] <= 1


def test_a_layer_that_differs_by_more_than_a_step_ends_with_one(
    hwgen: Command, file: Path, images: Path, tmp_path: Path
) -> None:
    out, report = tmp_path / "net.npz", tmp_path / "report.json"
    hwgen("import", file, "--out", out, "--kernels", "half_up")
    network = load_network(out)
    network.parameters["conv_2d_0"].bias[0, 2] += 40_000
    save_network(network, out)
    line = ("compare", out, "--against", file, "--data", images, "--json", report)
    code, _, _ = hwgen(*line, "--images", 2)
    assert code == 1
    first, second, *_ = json.loads(report.read_text())["layers"]
    assert first["same_inputs"]["larger"] > 0 and first["same_inputs"]["largest"] > 1
    assert second["same_inputs"]["largest"] <= 1, "its inputs are the runtime's"
    assert second["end_to_end"]["largest"] > 1


def test_a_network_with_another_image_is_refused(
    hwgen: Command, file: Path, images: Path, tmp_path: Path
) -> None:
    other = small()
    other.tensors[0].scales = (0.5,)
    out = tmp_path / "net.npz"
    hwgen("import", other.save(tmp_path / "other.tflite"), "--out", out)
    code, _, err = hwgen("compare", out, "--against", file, "--data", images)
    assert code == 2 and "the input of the network must be that of" in err


@pytest.mark.promise(
    "a damaged TFLite file is a network or one sentence, in seconds; nothing in it runs"
)
def test_other_files_are_refused_in_one_sentence(hwgen: Command, tmp_path: Path) -> None:
    content = small().content()
    files = {
        "text.tflite": b"not a network",
        "empty.tflite": b"",
        "cut.tflite": content[: len(content) // 2],
        "pickle.tflite": pickle.dumps({"weights": [1, 2, 3]}),
        "archive.onnx": b"PK\x03\x04 and more",
    }
    for name, given in files.items():
        (tmp_path / name).write_bytes(given)
        code, out, err = hwgen("import", tmp_path / name, "--out", tmp_path / "net.npz")
        assert (code, out) == (2, ""), name
        assert err.count("\n") == 1 and name in err and " must be a whole " in err, err
    code, _, err = hwgen("import", tmp_path / "absent", "--out", tmp_path / "net.npz")
    assert code == 2 and "must be a readable file, got no file" in err


@pytest.mark.promise(
    "every network that rounds half up is written as an ONNX QDQ model that onnxruntime runs"
    " and that reads back equal"
)
def test_a_network_of_several_modes_is_exported_in_one(hwgen: Command, tmp_path: Path) -> None:
    """The widest where none is asked for; the command says which."""
    out = tmp_path / "net.onnx"
    modes = load_network(ADAPTIVE_NETWORK).graph.modes
    for asked, wanted in (((), modes[0]), (("--mode", modes[1]), modes[1])):
        code, printed, _ = hwgen("export-onnx", str(ADAPTIVE_NETWORK), "--out", str(out), *asked)
        assert code == 0
        assert printed.replace("\n", "").endswith(f", mode {wanted} of {', '.join(modes)}")
        assert hwgen("import", str(out), "--out", str(tmp_path / "net.npz"))[0] == 0
        assert len(load_network(tmp_path / "net.npz").graph.modes) == 1


@pytest.mark.promise(
    "a network without a data set runs drawn images and says so, a foreign file is imported on"
    " the way"
)
def test_a_network_without_a_data_set_runs_drawn_images(
    file: Path, hwgen: Command, tmp_path: Path, work: Path
) -> None:
    out, told = tmp_path / "net.npz", "drawn from a seed over the whole range"
    hwgen("import", file, "--out", out, "--kernels", "half_up")
    chip = (out, ARCH, "--sparsity", "input_bits", "--work", work, "--images", 2)
    for line in (("model", *chip), ("run", *chip, "--engine", "golden")):
        code, text, err = hwgen(*line)
        assert (code, err) == (0, "") and told in " ".join(text.split())
    code, text, _ = hwgen("fit", out, "--out", tmp_path / "fit.npz", "--work", work)
    assert code == 0 and "images drawn from a seed" in text


def test_a_foreign_file_is_imported_on_the_way(hwgen: Command, tmp_path: Path, work: Path) -> None:
    """One command from a file of another format to its cycles, with all switches on."""
    file = small().save(tmp_path / "net.tflite")
    line = ("model", file, ARCH, "--work", work, "--images", 1)
    code, text, err = hwgen(*line)
    assert code == 0 and "cycles of 1 image" in text
    assert "net.tflite is imported with --kernels half_up, as the chip rounds: " in err
    assert f"{work}/imported/net-" in err
    assert "after hwgen fit a run would take about" in err
    code, again, err = hwgen(*line)
    assert (code, again) == (0, text) and "is imported" not in err
    assert text.count("=") > 30  # a bar for each layer
    fewer = ("--sparsity", "weight_values,input_bits")
    assert hwgen(*line, *fewer)[1] != text
    program = tmp_path / "program.npz"
    assert hwgen("compile", file, ARCH, "--out", program, "--work", work)[0] == 0


def test_a_chip_that_rounds_as_the_runtime_gets_its_arithmetic(
    hwgen: Command, tmp_path: Path, work: Path
) -> None:
    """On the way, and behind an import with the default kernels; the chip differs in one key."""
    file, arch = small().save(tmp_path / "float.tflite"), tmp_path / "float.yaml"
    given = ARCH.read_text(encoding="utf-8")
    arch.write_text(given.replace("[half_up]", "[half_up, float32]"), encoding="utf-8")
    code, _, err = hwgen("compile", file, arch, "--work", work)
    assert code == 0 and "imported with --kernels default, as the chip rounds: " in err
    hwgen("import", file, "--out", tmp_path / "net.npz")
    line = ("compile", tmp_path / "net.npz", arch, "--sparsity", "input_bits", "--work", work)
    assert hwgen(*line)[0] == 0
    reference = tmp_path / "reference.npz"
    hwgen("import", file, "--out", reference, "--kernels", "reference")
    code, _, err = hwgen("compile", reference, arch, "--sparsity", "none", "--work", work)
    assert code == 2 and "rounding must be half_up or float32, as the architecture says" in err
    assert "got tflite: import the network with `--kernels default` or" in err


@pytest.mark.parametrize("family", ["dbpim", "mram"])
def test_a_chip_that_rounds_as_the_runtimes_ships(family: str) -> None:
    paper, float32 = (
        (ROOT / f"configs/{family}/{name}.yaml").read_text(encoding="utf-8").splitlines()[1:]
        for name in ("paper", "paper_float32")
    )
    # The clock is that of each netlist.
    pairs = [pair for pair in zip(paper, float32, strict=True) if "clock_mhz" not in pair[0]]
    changed = [pair for pair in pairs if pair[0] != pair[1]]
    assert changed == [
        ("name: paper", "name: paper_float32"),
        ("rounding: [half_up]", "rounding: [half_up, float32]"),
    ]


def test_it_is_said_what_a_fit_would_bring(hwgen: Command, tmp_path: Path, work: Path) -> None:
    """The forecast is the cycles of the network that the published rule gives."""
    file, picture = small().save(tmp_path / "net.tflite"), tmp_path / "cycles.svg"
    code, _, err = hwgen("model", file, ARCH, "--work", work, "--plot", picture)
    assert code == 0 and "conv_2d_0" in picture.read_text(encoding="utf-8")
    forecast = err.split("would take about ")[1].split(" cycles")[0]
    (network,) = (work / "imported").glob("net-*.npz")
    given = ("--rule", "text", "--images", 4, "--calibration", 2, "--out", tmp_path / "fit.npz")
    assert hwgen("fit", network, *given)[0] == 0
    code, text, err = hwgen("model", tmp_path / "fit.npz", ARCH, "--work", work)
    assert code == 0 and f"{forecast} cycles," in text
    assert "after hwgen fit" not in err
    assert "after hwgen fit" not in hwgen("model", network, ARCH, "--sparsity", "none")[2]
