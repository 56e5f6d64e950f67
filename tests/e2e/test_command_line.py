"""The command line down to the simulated Verilog and back."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hwgen.cli import main
from tests.schemas import follows

ROOT = Path(__file__).parents[2]
NETWORK, ARCH = ROOT / "configs/networks/digits_small_cnn.npz", ROOT / "configs/dbpim/small.yaml"
RECIPE = ROOT / "configs/train/digits_small_cnn.yaml"
IMAGES = 2


def report(folder: Path, command: str, *arguments: object) -> dict[str, Any]:
    """Run a command that must succeed; return its report, held against its schema."""
    path = folder / "report.json"
    given = [command, *arguments, "--work", folder / "work", "--json", path]
    assert main([str(argument) for argument in given]) == 0
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    follows(content, command)
    return content


@pytest.mark.promise(
    "a run of the chip may have several images, with the results of single ones; counts that do"
    " not fill a run are refused"
)
@pytest.mark.promise("the simulated Verilog equals golden and model, as hwgen run reports it")
def test_rtl_equals_golden_and_model(tmp_path: Path) -> None:
    """Image by image, and with all images in one run of the chip."""
    common = ["--data", "digits", "--images", IMAGES, "--engine", "rtl"]
    for batch in (1, IMAGES):
        content = report(tmp_path, "run", NETWORK, ARCH, *common, "--batch", batch)
        assert len(content["runs"]) == IMAGES // batch
        assert content["equal"] is True
        assert content["mismatches"] == 0
        # A convolution with a fused addition counts under the addition's name.
        layers = [layer for layer in content["layers"] if not layer["fused"]]
        assert content["cycles_rtl"] == sum(layer["cycles_rtl"] for layer in layers)
        for figures in (content, *layers):
            assert figures["cycles_rtl"] == figures["cycles_model"] > 0
        compute = content["cycles_rtl"] - content["load_cycles_rtl"]
        assert content["cycles_compute_rtl"] == content["cycles_compute_model"] == compute


@pytest.mark.long
def test_exported_folder_runs_alone(tmp_path: Path) -> None:
    content = report(tmp_path, "export", NETWORK, ARCH, "--images", IMAGES, "--out", tmp_path / "o")
    done = subprocess.run([content["script"]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "every logit is as expected" in done.stdout
    expected = tmp_path / "o/expected.txt"
    expected.write_text(expected.read_text("ascii").replace("logit 0 0 ", "logit 0 0 1"), "ascii")
    assert subprocess.run([content["script"]], capture_output=True, check=False).returncode == 1


@pytest.mark.long
def test_a_window_of_waves(tmp_path: Path) -> None:
    window = ["--engine", "rtl", "--waves-from", 100, "--waves-to", 200]
    content = report(tmp_path, "run", NETWORK, ARCH, *window)
    assert content["equal"] is True
    assert Path(content["waves"]).stat().st_size > 1000


@pytest.mark.long
def test_every_width_in_verilog(tmp_path: Path) -> None:
    modes = ["--modes", "1.0x,0.75x,0.5x,0.25x", "--page", tmp_path / "page.html"]
    content = report(tmp_path, "run", "cadnn_digits", "mram/small", "--engine", "rtl", *modes)
    assert content["equal"] is True and [each["equal"] for each in content["images"]] == [True] * 4
    assert content["weight_row_writes_after_load"] == 0
    assert content["switch_cycles_max"] <= 2
    assert "all equal" in (tmp_path / "page.html").read_text(encoding="utf-8")
