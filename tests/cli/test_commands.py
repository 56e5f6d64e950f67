"""Each command on real files: what it prints, what its report says, by its published schema."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.cli.given import ADAPTIVE, ARCH, NETWORK, RECIPE, TINY, Command

IMAGES = 2


@pytest.mark.promise("the demo's network has every kind of tile, tail and layer")
def test_info_shows_that_the_demo_is_not_tiny(report: Any) -> None:
    content, out = report("info", NETWORK, ARCH)
    layers = {layer["name"]: layer for layer in content["layers"]}
    for what in ("tiles_n", "tiles_k", "tiles_m"):
        assert max(layer[what] for layer in layers.values()) > 1
    for what in ("tail_n", "tail_k"):
        assert max(layer[what] for layer in layers.values()) > 0
    assert max(layer["rows_reloaded"] or 0 for layer in layers.values()) >= 3
    assert {layer["kind"] for layer in layers.values()} == {
        "conv", "linear", "max_pool", "average_pool",
    }  # fmt: skip
    assert "add" in [layer["kind"] for layer in content["network"]["layers"]]
    assert 2 in [layer["stride"] for layer in layers.values() if layer["kind"] == "conv"]
    assert all(name in out for name in layers)


def test_info_of_each_kind(report: Any, hwgen: Command, tmp_path: Path, work: Path) -> None:
    program = tmp_path / "program.npz"
    assert hwgen("compile", NETWORK, ARCH, "--out", program, "--work", work)[0] == 0
    for file, kind in ((NETWORK, "network"), (ARCH, "architecture"), (program, "program")):
        content, _ = report("info", file)
        assert content["kind"] == kind
        assert [key for key in ("network", "architecture", "program") if content[key]] == [kind]
        assert content["layers"] is None
    with_arch, _ = report("info", program, ARCH)
    assert with_arch["layers"] == report("info", NETWORK, ARCH)[0]["layers"]


def test_compile(report: Any, tmp_path: Path) -> None:
    content, out = report("compile", NETWORK, ARCH, "--out", tmp_path / "p.npz")
    assert (tmp_path / "p.npz").exists()
    assert content["program"]["file"] == str(tmp_path / "p.npz")
    assert all(layer["name"] in out for layer in content["layers"])
    dense, _ = report("compile", NETWORK, ARCH, "--sparsity", "none")
    assert dense["architecture"]["digest"] != content["architecture"]["digest"]
    assert not any(dense["configuration"]["sparsity"].values())


@pytest.mark.dear
def test_build(report: Any, tmp_path: Path) -> None:
    first, out = report("build", TINY, "--out", tmp_path / "verilog")
    assert f"{first['top']}.v" in first["files"]
    assert {path.name for path in (tmp_path / "verilog").iterdir()} == set(first["files"])
    assert first["modules"][first["top"]] == 1
    assert max(first["modules"].values()) > 1
    assert first["top"] in out
    again, _ = report("build", TINY, "--out", tmp_path / "verilog")
    assert again["digest"] == first["digest"]


def test_golden_alone(report: Any) -> None:
    content, _ = report("run", NETWORK, ARCH, "--images", IMAGES, "--engine", "golden")
    assert [image["class"] for image in content["images"]] == content["predictions"]
    assert [image["index"] for image in content["images"]] == list(range(IMAGES))
    assert content["runs"] == content["steps"] == []
    assert 0 <= content["accuracy"] <= 1
    for figures in (content, *content["layers"]):
        assert all(figures[key] is None for key in ("mismatches", "cycles_model", "cycles_rtl"))


@pytest.mark.promise("reports follow their published schemas, and data sheets follow the code")
def test_model_engine(report: Any) -> None:
    content, out = report("run", NETWORK, ARCH, "--images", IMAGES, "--engine", "model")
    layers = content["layers"]
    assert content["cycles_model"] == sum(layer["cycles_model"] for layer in layers)
    assert content["cycles_compute_model"] == content["cycles_model"] - content["load_cycles_model"]
    assert content["cycles_rtl"] is content["mismatches"] is content["equal"] is None
    assert all(layer["zero_bit_columns"] > 0 for layer in layers if layer["kind"] == "conv")
    assert f"{content['cycles_model']:,}" in out


def test_compiled_program_gives_the_same(
    report: Any, hwgen: Command, tmp_path: Path, work: Path
) -> None:
    program = tmp_path / "program.npz"
    assert hwgen("compile", NETWORK, ARCH, "--out", program, "--work", work)[0] == 0
    model = [NETWORK, ARCH, "--engine", "model"]
    assert report("run", *model, "--program", program) == report("run", *model)


def test_own_images(report: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (IMAGES, 8, 8, 1), dtype=np.uint8)
    np.savez(tmp_path / "mine.npz", images=images)
    given = ["--data", tmp_path / "mine.npz", "--images", IMAGES, "--engine", "golden"]
    content, _ = report("run", NETWORK, ARCH, *given)
    assert content["accuracy"] is None
    assert content["setting"]["data"]["name"] == str(tmp_path / "mine.npz")


def test_model_and_its_speedup(report: Any) -> None:
    content, _ = report("model", NETWORK, ARCH, "--speedup")
    assert sum(content["where"].values()) == pytest.approx(1)
    assert content["cycles_model"] == sum(layer["cycles_model"] for layer in content["layers"])
    of_layers = {layer["name"]: layer["utilization"] for layer in content["layers"]}
    assert of_layers["max_pool"] is of_layers["input"] is None
    weighted = [value for value in of_layers.values() if value is not None]
    assert min(weighted) < content["utilization"] < max(weighted) <= 1
    speedup = content["speedup"]
    for figures in (speedup["compute"], speedup["end_to_end"]):
        assert list(figures) == ["weight_bits", "weight_values", "input_bits", "all"]
        assert figures["all"] > max(value for name, value in figures.items() if name != "all") > 1
    sparse = next(each for each in speedup["variants"] if each["sparsity"] == "all")
    assert sparse["cycles"] == content["cycles_model"]
    assert set(speedup["source"].values()) == {"model"}


@pytest.mark.dear
def test_train(report: Any, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    content = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    for phase in ("float_phase", "pruned_phase", "quantized_phase"):
        content[phase] |= {"epochs": 1, "warmup_epochs": 0}
    recipe.write_text(yaml.safe_dump(content), encoding="utf-8")
    trained, out = report("train", recipe, "--seed", 4, "--out", tmp_path / "trained")
    assert trained["network"]["file"] == str(tmp_path / "trained/network.npz")
    assert trained["training"]["seed"] == 4
    assert f"integer {trained['accuracy']['integer']:.2%}" in out


@pytest.mark.dear
def test_train_channel_adaptive(report: Any, hwgen: Command, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    content = yaml.safe_load(ADAPTIVE.read_text(encoding="utf-8"))
    content["base_phase"] |= {"epochs": 1, "warmup_epochs": 0}
    for phase in content["phases"]:
        phase |= {"epochs": 1, "warmup_epochs": 0}
    recipe.write_text(yaml.safe_dump(content), encoding="utf-8")
    trained, out = report("train", recipe, "--seed", 4, "--out", tmp_path / "trained")
    assert [network["file"] for network in trained["networks"]] == [
        str(tmp_path / "trained/network.npz")
    ]
    assert trained["training"]["seed"] == 4
    assert f"{trained['modes'][3]['integer']:.2%}" in out and "0.25x" in out
    code, _, err = hwgen("train", RECIPE, "--teacher", recipe)
    assert code == 2 and "must have no teacher's checkpoint, got" in err


def test_help_teaches(hwgen: Command) -> None:
    _, out, _ = hwgen("--help")
    assert "..." not in out.partition("Usage")[2].partition("\n")[2], "a sentence is cut"
    assert out.index("Your network:") < out.index("\n  train ") < out.index("What it costs:")
    for command in ("train", "compile", "build", "run", "export", "model", "info"):
        assert command in out
        assert "Example: hwgen" in hwgen(command, "--help")[1]
