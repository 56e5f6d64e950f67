"""The report of the demo agrees with those of its parts; the simulations are made up."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import hwgen.flow.demo
from hwgen.cli import main
from hwgen.flow.engines import golden
from hwgen.model.dbpim import CycleModel
from hwgen.spec.network.file import load_network
from tests.flow.made_up import Simulated, made_up_run, simulation

ROOT = Path(__file__).parents[2]
ARCH, RECIPE = ROOT / "configs/dbpim/small.yaml", ROOT / "configs/train/digits_small_cnn.yaml"
IMAGES = 1


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """One epoch of each phase."""
    content = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    for phase in ("float_phase", "pruned_phase", "quantized_phase"):
        content[phase] |= {"epochs": 1, "warmup_epochs": 0}
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_demo(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong_cycles = 0

    def simulate(arch: Any, program: Any, images: Any, **_: object) -> Sequence[Simulated]:
        (path,) = tmp_path.glob("work/train/*/network.npz")
        network = load_network(path)
        maps = golden().infer(network, images)
        model = CycleModel(program, arch)
        runs = [made_up_run(maps, model, image) for image in range(len(images))]
        runs[0].cycles += wrong_cycles * arch.sparsity.input_bits
        return runs

    def demo() -> tuple[int, dict[str, Any]]:
        given = ["demo", recipe, ARCH, "--images", IMAGES]
        given += ["--work", tmp_path / "work", "--json", tmp_path / "report.json"]
        code = main([str(argument) for argument in given])
        return code, json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))

    monkeypatch.setattr(simulation(), "simulate", simulate)
    monkeypatch.setattr(hwgen.flow.demo, "verilog_of", lambda *_, name: f"verilog-{name}")
    code, content = demo()
    schema = (ROOT / "docs/schema/demo.schema.json").read_text(encoding="utf-8")
    jsonschema.validate(content, json.loads(schema))
    assert (code, content["equal"]) == (0, True)
    assert [len(content[chip]["images"]) for chip in ("dense", "sparse")] == [IMAGES, IMAGES]
    figures = content["speedup"]
    dense, sparse = (content[chip]["cycles_rtl"] for chip in ("dense", "sparse"))
    assert figures["end_to_end"]["all"] == pytest.approx(dense / sparse)
    assert figures["source"] == {
        "weight_bits": "model", "weight_values": "model", "input_bits": "model", "all": "rtl",
    }  # fmt: skip
    assert content["verilog"] == {"dense": "verilog-dense", "sparse": "verilog-sparse"}
    assert f"{sparse:,}" in capfd.readouterr().out

    wrong_cycles = 1
    code, content = demo()
    assert (code, content["equal"]) == (1, False)
    assert (content["dense"]["equal"], content["sparse"]["equal"]) == (True, False)
    assert content["sparse"]["mismatches"] == 0
    assert "first difference of the sparse chip: run 0, counter cycles" in capfd.readouterr().out
