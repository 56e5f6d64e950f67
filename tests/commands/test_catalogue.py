"""`hwgen list` names every file that ships, once, with a line of its own, and each name works."""

import json
from pathlib import Path
from typing import Any

import pytest

from hwgen.cli import main
from hwgen.commands.catalogue import KINDS, RECORD, first_sentence, recorded_accuracy
from hwgen.commands.families import architectures
from hwgen.files.shipped import named, networks, recipes, shipped_folder


def listed(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    report = folder / "report.json"
    assert main(["list", *arguments, "--json", str(report)]) == 0
    files: list[dict[str, Any]] = json.loads(report.read_text())["files"]
    return files


@pytest.mark.promise("hwgen list names all that ships, by kind, a line each")
def test_all_that_ships_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = listed(tmp_path)
    names = {kind: [each["name"] for each in files if each["kind"] == kind] for kind in KINDS}
    assert names["networks"] == list(networks())
    assert names["recipes"] == list(recipes())
    assert set(names["chips"]) == set(architectures())
    assert len({(each["kind"], each["name"]) for each in files}) == len(files)
    tables = [name for kind in KINDS for name in names[kind] if "/" in name and kind != "networks"]
    staircases = {name for name in named(shipped_folder()) if "/staircases/" in name}
    folders = {"networks", "train", "images"}
    wanted = {each for each in named(shipped_folder()) if each.split("/")[0] not in folders}
    assert set(tables) == wanted - staircases
    shown = capsys.readouterr().out
    assert all(each["name"] in shown and each["about"] in shown for each in files)


def test_each_file_has_a_line_of_its_own(tmp_path: Path) -> None:
    files = listed(tmp_path)
    assert all(each["about"] for each in files)
    about = [
        each["name"].split("/")[0] + each["about"] for each in files if each["kind"] == "chips"
    ]
    assert len(set(about)) == len(about)


@pytest.mark.promise("hwgen list tells size, classes and recorded accuracy of each network")
def test_what_is_told_of_a_network(tmp_path: Path) -> None:
    files = {each["name"]: each for each in listed(tmp_path, "networks")}
    resnet = files["cifar10_resnet20_50"]
    assert (resnet["weights"], resnet["classes"], resnet["accuracy"]) == (268_336, 10, 0.9142)
    assert resnet["about"].endswith(
        "10 classes, 32 layers, 268,336 weights, 91.42% of the test images right"
    )
    assert files["digits_small_cnn"]["accuracy"] is None
    assert files["austen_chars"]["accuracy"] is None  # its record counts bits of characters
    assert files["cadnn_cifar10_single"]["accuracy"] is None  # its record counts images by width
    record = networks()["cifar10_resnet20_50"].with_suffix(RECORD)
    (tmp_path / record.name).write_text(record.read_text())
    copy = tmp_path / "cifar10_resnet20_50.npz"
    assert recorded_accuracy(copy, "0" * 64) is None  # the record of another network


def test_a_sentence_goes_on_behind_a_name_with_a_dot(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("# As `paper.yaml`, with lanes:\n# 16 of them. More of it.\nformat: none\n")
    assert first_sentence(file) == "As paper.yaml, with lanes: 16 of them"
    file.write_text("format: none\n# late\n")
    assert first_sentence(file) == ""


def test_one_kind_is_listed_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {each["kind"] for each in listed(tmp_path, "effects")} == {"effects"}
    capsys.readouterr()
    assert main(["list", "chps"]) == 2
    told = capsys.readouterr().err
    assert "KIND must be one of networks, chips" in told and "did you mean chips?" in told
