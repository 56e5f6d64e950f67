"""An export of torch whose layers round as float32, whole in RTL of an MRAM chip."""

from pathlib import Path

import pytest
import yaml

from hwgen.cli import main

EXPORT = Path(__file__).parents[2] / "importers/files/resnet-script-calibrated.onnx"
SMALL = Path(__file__).parents[3] / "configs/mram/small.yaml"


@pytest.mark.long
def test_float32_is_equal_to_golden_and_model(tmp_path: Path) -> None:
    network, chip = tmp_path / "network.npz", tmp_path / "small.yaml"
    architecture = yaml.safe_load(SMALL.read_text()) | {"rounding": ["half_up", "float32"]}
    chip.write_text(yaml.safe_dump(architecture))
    assert main(["import", str(EXPORT), "--kernels", "default", "--out", str(network)]) == 0
    assert main(["run", str(network), str(chip), "--images", "1"]) == 0


@pytest.mark.promise(
    "an imported network that rounds as float32 runs whole in RTL of either family, equal; a"
    " chip without that rounding names the key"
)
def test_a_chip_that_rounds_half_up_names_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = tmp_path / "network.npz"
    assert main(["import", str(EXPORT), "--kernels", "default", "--out", str(network)]) == 0
    capsys.readouterr()
    assert main(["model", str(network), str(SMALL)]) == 2
    assert "rounding" in capsys.readouterr().err


def test_a_chip_ships_that_runs_an_import_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, work = tmp_path / "network.npz", ["--work", str(tmp_path)]
    assert main(["import", str(EXPORT), "--kernels", "default", "--out", str(network)]) == 0
    assert main(["model", str(network), "mram/paper_float32", *work]) == 0
    assert "cycles" in capsys.readouterr().out
