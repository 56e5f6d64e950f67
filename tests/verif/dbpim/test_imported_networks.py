"""Exports of torch, imported and run whole in RTL: elements as golden, cycles as the model."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from hwgen.cli import main
from tests.importers.onnx.test_recurrent import INPUTS, drawn_cell, recurrent
from tests.plan.test_lists import sigmoid_of_a_part
from tests.quantized_onnx import Model, saved

SMALL = Path(__file__).parents[3] / "configs/dbpim/small.yaml"
FILES = Path(__file__).parents[2] / "importers" / "files"
CASES = Path(__file__).parents[2] / "importers" / "onnx" / "cases"
LISTS = Path(__file__).parents[2] / "importers" / "tflite" / "cases"

NETWORKS = {
    "unet_transposed-script-calibrated.onnx": 1,
    "unet_nearest-QOperator.onnx": 1,
    "yolo_neck-QOperator.onnx": 1,
    "densenet-QOperator.onnx": 1,
    "signal-QOperator.onnx": 2,
    "eca_resnet-QDQ.onnx": 1,
}
"""Each file with the images of one run."""


@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
def test_equal_to_golden_and_model(name: str, tmp_path: Path) -> None:
    network, images = tmp_path / "network.npz", str(NETWORKS[name])
    path = str(FILES / name)
    assert main(["import", path, "--kernels", "half_up", "--out", str(network)]) == 0
    chip = [str(network), "dbpim/small", "--sparsity", "input_bits"]
    assert main(["run", *chip, "--images", images, "--batch", images]) == 0


@pytest.mark.dear("lstm_written_out")
@pytest.mark.promise(
    "Brevitas files of 4 and 8 bits, a detector of one list and an LSTM of four steps run whole in"
    " RTL, equal"
)
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(FILES / "eca_resnet-QDQ.onnx", marks=pytest.mark.long),
        CASES / "brevitas_mlp_qcdq.onnx",
        pytest.param(CASES / "brevitas_mlp_qonnx.onnx", marks=pytest.mark.long),
        CASES / "brevitas_residual_4bit_qcdq.onnx",
        CASES / "lstm_written_out.onnx",
        LISTS / "detector_one_list.tflite",
    ],
    ids=lambda path: path.stem,
)
def test_float32_is_equal_to_golden_and_model(path: Path, tmp_path: Path) -> None:
    run_on_small(path, tmp_path, cut=path.parent == LISTS)


@pytest.mark.promise("the maps of an ONNX list with a sigmoid of a part run in RTL, equal")
def test_an_onnx_list_is_equal_to_golden_and_model(tmp_path: Path) -> None:
    model = Model()
    run_on_small(saved(model.build(*sigmoid_of_a_part(model)), tmp_path), tmp_path, cut=True)


def run_on_small(path: Path, tmp_path: Path, *, cut: bool = False) -> None:
    """Import a file as its default session computes it, and run it on a small chip.

    cut: the chip takes the file in pieces, and the host the list at its end
    """
    network, chip = tmp_path / "network.npz", tmp_path / "small.yaml"
    architecture = yaml.safe_load(SMALL.read_text()) | {"rounding": ["half_up", "float32"]}
    chip.write_text(yaml.safe_dump(architecture))
    how = ["--chip", str(chip)] if cut else ["--kernels", "default"]
    assert main(["import", str(path), *how, "--out", str(network)]) == 0
    switches = ["--sparsity", "weight_values,input_bits"]
    assert main(["run", str(network), str(chip), "--images", "1", *switches]) == 0


@pytest.mark.dear
@pytest.mark.promise(
    "a Llama of two blocks (norms without a mean, rotary embeddings, heads that share keys, gated"
    " layers) runs whole in RTL, equal"
)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("exporter", ["script", pytest.param("dynamo", marks=pytest.mark.long)])
def test_a_llama_is_equal_to_golden_and_model(exporter: str, tmp_path: Path) -> None:
    from tests.corpus.drawn import calibrated
    from tests.corpus.transformers import TRANSFORMERS

    path, network = calibrated(*TRANSFORMERS["llama"], exporter, tmp_path), tmp_path / "llama.npz"
    assert main(["import", str(path), "--kernels", "default", "--out", str(network)]) == 0
    assert main(["run", str(network), "dbpim/small_rows", "--images", "1"]) == 0


@pytest.mark.dear
@pytest.mark.promise(
    "drawn transformers with masks, written in every way that torch's exporters write, run whole"
    " in RTL, equal"
)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(each, marks=pytest.mark.long) for each in (2, 4, 6, 19, 20))]
)
def test_drawn_transformers_with_masks_are_equal(seed: int, tmp_path: Path) -> None:
    """Their masks are written in all ways of `MASKS`."""
    from tests.corpus.drawn import calibrated
    from tests.corpus.sequences import TEXT, Drawn

    exporter, network = ("script", "dynamo")[seed % 4 // 2], tmp_path / "network.npz"
    path = calibrated(lambda: Drawn(seed), TEXT, exporter, tmp_path)
    assert main(["import", str(path), "--kernels", "default", "--out", str(network)]) == 0
    assert main(["run", str(network), "dbpim/small_rows", "--images", "1"]) == 0


@pytest.mark.promise(
    "a U-Net, a YOLO neck, a DenseNet, a sequence and channel attention run whole in RTL,"
    " equal; mram refuses growth"
)
def test_mram_refuses_a_map_that_grows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network, path = tmp_path / "network.npz", str(FILES / "unet_nearest-QOperator.onnx")
    assert main(["import", path, "--kernels", "half_up", "--out", str(network)]) == 0
    capsys.readouterr()
    assert main(["model", str(network), "mram/small"]) == 2
    sentences = [line for line in capsys.readouterr().err.splitlines() if "upsample" in line]
    assert sentences and all("op must be" in each for each in sentences)


@pytest.mark.promise("an LSTM and a GRU node of three steps, calibrated, run whole in RTL, equal")
@pytest.mark.parametrize("operator", ["LSTM", pytest.param("GRU", marks=pytest.mark.long)])
def test_steps_of_a_recurrent_node_are_equal(operator: str, tmp_path: Path) -> None:
    images, network, chip = (tmp_path / each for each in ("images.npz", "net.npz", "small.yaml"))
    drawn = np.random.default_rng(1).normal(size=(32, INPUTS, 1, 3)).astype(np.float32)
    np.savez(images, images=drawn)
    given = {"linear_before_reset": 1} if operator == "GRU" else {}
    path = saved(recurrent(operator, steps="n", **given), tmp_path)
    architecture = yaml.safe_load(SMALL.read_text()) | {"rounding": ["half_up", "float32"]}
    chip.write_text(yaml.safe_dump(architecture))
    assert main(["import", str(path), "--calibrate", str(images), "--out", str(network)]) == 0
    switches = ["--sparsity", "weight_values,input_bits"]
    assert main(["run", str(network), str(chip), "--images", "1", *switches]) == 0


@pytest.mark.dear
@pytest.mark.promise(
    "cells of any sizes, of one or two layers and directions, run whole in RTL, equal to golden and"
    " model"
)
@pytest.mark.parametrize(
    "seed", [3, pytest.param(6, marks=pytest.mark.long), pytest.param(8, marks=pytest.mark.long)]
)
def test_drawn_cells_are_equal(seed: int, tmp_path: Path) -> None:
    """An RNN of one input, a GRU behind a GRU, an LSTM in both directions."""
    model, drawn = drawn_cell(seed)
    images, network = tmp_path / "images.npz", tmp_path / "net.npz"
    np.savez(images, images=drawn)
    path = saved(model, tmp_path)
    assert main(["import", str(path), "--calibrate", str(images), "--out", str(network)]) == 0
    assert main(["run", str(network), "dbpim/small_rows", "--images", "1"]) == 0
