"""Bad input gives one sentence, exit code 2 and no traceback."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hwgen import api
from hwgen.errors import ConfigError
from hwgen.network.file import save_network
from tests.cli.given import ARCH, NETWORK, RECIPE, TINY, Command, Refused, rewritten
from verif.dbpim.directed_network import directed


@pytest.mark.promise("bad input is one sentence and exit code 2; nothing half-written stays")
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"colour": "red"}, id="unknown_key"),
        pytest.param({"cores": None}, id="missing_key"),
        pytest.param({"cores": 64}, id="out_of_range"),
        pytest.param({"cores": 3}, id="no_power_of_two"),
        pytest.param({"cores": "two"}, id="no_number"),
        pytest.param({"tile_rows": 4}, id="inconsistent"),
        pytest.param({"version": 2}, id="other_version"),
        pytest.param({"format": "hwgen.flash.architecture"}, id="family"),
        pytest.param({"format": None}, id="no_format"),
    ],
)
@pytest.mark.parametrize("command", ["build", "info", "compile"])
def test_bad_architecture(
    *,
    refused: Refused,
    hwgen: Command,
    arch_file: Callable[..., Path],
    tmp_path: Path,
    command: str,
    changes: dict[str, Any],
) -> None:
    arguments = {
        "build": [arch_file(**changes), "--out", tmp_path / "out"],
        "info": [arch_file(**changes)],
        "compile": [NETWORK, arch_file(**changes)],
    }[command]
    refused(hwgen(command, *arguments))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x89PNG\r\n\x1a\n", id="picture"),
        pytest.param(NETWORK.read_bytes()[:-2000], id="truncated"),
        pytest.param(None, id="absent"),
    ],
)
@pytest.mark.parametrize("command", ["info", "run"])
def test_bad_network(
    refused: Refused, hwgen: Command, tmp_path: Path, command: str, content: bytes | None
) -> None:
    path = tmp_path / "given.npz"
    if content is not None:
        path.write_bytes(content)
    arguments = [path] if command == "info" else [path, ARCH]
    refused(hwgen(command, *arguments))


def other_version(graph: dict[str, Any]) -> None:
    graph["version"] = 7


def unsupported_layer(graph: dict[str, Any]) -> None:
    graph["layers"][0]["op"] = "softmax"


def other_format(graph: dict[str, Any]) -> None:
    graph["format"] = "somebody.network"


@pytest.mark.parametrize("change", [other_version, unsupported_layer, other_format])
def test_bad_graph(
    refused: Refused,
    hwgen: Command,
    network_file: Callable[..., Path],
    change: Callable[[dict[str, Any]], None],
) -> None:
    refused(hwgen("info", network_file(change)))


def test_bad_recipe(refused: Refused, hwgen: Command, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("format: hwgen.recipe\nversion: 2\n", encoding="utf-8")
    refused(hwgen("train", path))


def test_yaml_is_text(refused: Refused, hwgen: Command, tmp_path: Path) -> None:
    path = tmp_path / "arch.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    refused(hwgen("info", path))


def test_network_too_large(hwgen: Command, arch_file: Callable[..., Path], work: Path) -> None:
    given = arch_file(buffer_bytes=256)
    code, _, err = hwgen("compile", NETWORK, given, "--work", work)
    head, *layers = err.splitlines()
    assert (code, head) == (2, "hwgen: 2 things stand in the way (digits_small_cnn):")
    assert all(line.startswith("layer ") and "must fit" in line for line in layers)


def test_program_of_another_architecture(
    refused: Refused, hwgen: Command, tmp_path: Path, work: Path
) -> None:
    program = tmp_path / "program.npz"
    assert hwgen("compile", NETWORK, ARCH, "--out", program, "--work", work)[0] == 0
    refused(hwgen("info", program, TINY))
    refused(hwgen("run", NETWORK, TINY, "--program", program, "--engine", "golden"))
    refused(hwgen("info", program, ARCH, "--sparsity", "none"))


def test_bad_program(refused: Refused, hwgen: Command, tmp_path: Path, work: Path) -> None:
    program = tmp_path / "program.npz"
    assert hwgen("compile", NETWORK, ARCH, "--out", program, "--work", work)[0] == 0
    later = rewritten(
        program, tmp_path / "later.npz", "facts", lambda facts: facts.update(version=9)
    )
    refused(hwgen("info", later))
    other = rewritten(
        program,
        tmp_path / "other.npz",
        "facts",
        lambda facts: facts.update(format="hwgen.x.program"),
    )
    refused(hwgen("info", other))
    np.savez(tmp_path / "foreign.npz", something=np.zeros(3))
    refused(hwgen("info", tmp_path / "foreign.npz"))
    refused(hwgen("run", NETWORK, ARCH, "--program", tmp_path / "foreign.npz"))


@pytest.mark.parametrize("command", ["build", "compile", "json", "train"])
def test_unwritable_output(
    refused: Refused, hwgen: Command, tmp_path: Path, work: Path, command: str
) -> None:
    file = tmp_path / "file"
    file.write_text("in the way", encoding="utf-8")
    arguments = {
        "build": ["build", TINY, "--out", file / "verilog"],
        "compile": ["compile", NETWORK, ARCH, "--out", file / "program.npz", "--work", work],
        "json": ["build", TINY, "--out", file],
        "train": ["train", RECIPE, "--out", file / "net"],
    }[command]
    refused(hwgen(*arguments))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_unwritable_report(hwgen: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, err = hwgen("info", ARCH, "--json", tmp_path / "file/report.json")
    assert (code, err.count("\n")) == (2, 1)
    assert "report" in err


def test_folder_of_somebody_else(refused: Refused, hwgen: Command, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    refused(hwgen("build", TINY, "--out", tmp_path))


@pytest.mark.parametrize(
    "options",
    [
        ["--data", "imagenet"],
        ["--data", "cifar10"],
        ["--images", 0],
        ["--images", -1],
        ["--images", 360],
        ["--sparsity", "weights"],
    ],
    ids=lambda options: "=".join(map(str, options)),
)
@pytest.mark.parametrize("command", ["run", "model"])
def test_bad_options(
    refused: Refused, hwgen: Command, work: Path, command: str, options: list[object]
) -> None:
    refused(hwgen(command, NETWORK, ARCH, "--work", work, *options))


def not_finite(value: float) -> NDArray[np.float32]:
    """Return two real images with one wrong number."""
    images = np.zeros((2, 8, 8, 1), np.float32)
    images[1, 2, 3, 0] = value
    return images


@pytest.mark.parametrize(
    "arrays",
    [
        pytest.param({"images": np.zeros((2, 9, 8, 1), np.uint8)}, id="shape"),
        pytest.param({"images": np.zeros((2, 8, 8, 1), np.int16)}, id="type"),
        pytest.param({"pictures": np.zeros(3, np.uint8)}, id="name"),
        pytest.param(
            {"images": np.zeros((2, 8, 8, 1), np.uint8), "labels": np.zeros(3)}, id="labels"
        ),
        pytest.param({"images": not_finite(np.nan)}, id="nan"),
        pytest.param({"images": not_finite(-np.inf)}, id="infinite"),
    ],
)
def test_bad_images(
    refused: Refused, hwgen: Command, tmp_path: Path, arrays: dict[str, Any]
) -> None:
    np.savez(tmp_path / "images.npz", **arrays)
    given = ["run", NETWORK, ARCH, "--data", tmp_path / "images.npz", "--engine", "golden"]
    refused(hwgen(*given))


def test_numbers_and_names_are_checked_before_packages(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, hwgen: Command, tmp_path: Path
) -> None:
    """What is wrong is said, not that the package that would be needed later is missing."""
    monkeypatch.setitem(sys.modules, "sklearn", None)
    for command in (["run", NETWORK, ARCH], ["model", NETWORK, ARCH]):
        refused(hwgen(*command, "--images", 0))
    with pytest.raises(
        ConfigError, match="rule must be 'measured', 'text' or 'lowered', got 'foo'"
    ):
        api.fit(NETWORK, tmp_path / "out.npz", rule="foo")  # type: ignore[arg-type]


def test_two_architectures(refused: Refused, hwgen: Command) -> None:
    for alone in (ARCH, "effects/reram_study"):
        refused(hwgen("info", alone, TINY))


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["run", NETWORK],
        ["run", NETWORK, ARCH, "--engine", "guess"],
        ["run", NETWORK, ARCH, "--engine", "model", "--waves"],
        ["build", ARCH],
    ],
)
def test_usage(hwgen: Command, arguments: list[object]) -> None:
    code, out, err = hwgen(*arguments)
    assert (code, out) == (2, "")
    assert "hwgen" in err


def test_debug_shows_the_traceback(hwgen: Command, tmp_path: Path) -> None:
    code, _, err = hwgen("info", tmp_path / "none.yaml", "--debug")
    assert code == 2
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("hwgen: the config must be a file")


@pytest.mark.promise(
    "closed streams, missing memory of Yosys, a clock of 1e-320 MHz and images that are none"
    " are no faults"
)
def test_a_file_without_images_is_one_sentence(
    refused: Refused, hwgen: Command, tmp_path: Path
) -> None:
    file = tmp_path / "empty.npz"
    np.savez(file, images=np.zeros((0, 8, 8, 1), np.uint8))
    refused(hwgen("run", NETWORK, ARCH, "--engine", "golden", "--data", file))


def test_a_folder_of_images_needs_a_network_that_names_its_set(
    refused: Refused, hwgen: Command, tmp_path: Path
) -> None:
    network = directed("narrow")
    network = replace(network, graph=replace(network.graph, dataset=""))
    save_network(network, tmp_path / "network.npz")
    refused(hwgen("model", tmp_path / "network.npz", TINY, "--data", tmp_path, "--work", tmp_path))


def test_an_unknown_set_is_refused_before_the_import(
    refused: Refused, hwgen: Command, tmp_path: Path
) -> None:
    refused(hwgen("import", "absent.onnx", "--dataset", "cifar", "--out", tmp_path / "new.npz"))
