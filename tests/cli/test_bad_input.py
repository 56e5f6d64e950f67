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
from tests.cli.given import ARCH, NETWORK, RECIPE, TINY, Command, rewritten
from verif.dbpim.directed_network import directed


def refused(result: tuple[int, str, str], *words: str) -> None:
    """Check the result of a command: one sentence on stderr, exit code 2."""
    code, out, err = result
    assert code == 2
    assert out == ""
    assert err.startswith("hwgen: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


@pytest.mark.promise("bad input is one sentence and exit code 2; nothing half-written stays")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"colour": "red"}, ["colour", "known key"], id="unknown_key"),
        pytest.param({"cores": None}, ["cores", "present"], id="missing_key"),
        pytest.param({"cores": 64}, ["cores", "less than or equal to 16", "64"], id="out_of_range"),
        pytest.param({"cores": 3}, ["cores", "power of two", "3"], id="no_power_of_two"),
        pytest.param({"cores": "two"}, ["cores", "integer", "two"], id="no_number"),
        pytest.param({"tile_rows": 4}, ["tile_rows", "macro.rows / 2", "4"], id="inconsistent"),
        pytest.param({"version": 2}, ["version", "1", "2"], id="other_version"),
        pytest.param(
            {"format": "hwgen.flash.architecture"}, ["format", "hwgen.dbpim"], id="family"
        ),
        pytest.param({"format": None}, ["format", "hwgen.dbpim", "nothing"], id="no_format"),
    ],
)
@pytest.mark.parametrize("command", ["build", "info", "compile"])
def test_bad_architecture(
    *,
    hwgen: Command,
    arch_file: Callable[..., Path],
    tmp_path: Path,
    command: str,
    changes: dict[str, Any],
    words: list[str],
) -> None:
    arguments = {
        "build": [arch_file(**changes), "--out", tmp_path / "out"],
        "info": [arch_file(**changes)],
        "compile": [NETWORK, arch_file(**changes)],
    }[command]
    refused(hwgen(command, *arguments), *words, "arch.yaml")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", ["truncated or foreign"], id="empty"),
        pytest.param(b"\x89PNG\r\n\x1a\n", ["truncated or foreign"], id="picture"),
        pytest.param(NETWORK.read_bytes()[:-2000], ["truncated"], id="truncated"),
        pytest.param(None, ["no file"], id="absent"),
    ],
)
@pytest.mark.parametrize("command", ["info", "run"])
def test_bad_network(
    hwgen: Command, tmp_path: Path, command: str, content: bytes | None, words: list[str]
) -> None:
    path = tmp_path / "given.npz"
    if content is not None:
        path.write_bytes(content)
    arguments = [path] if command == "info" else [path, ARCH]
    refused(hwgen(command, *arguments), *words, "given.npz")


def other_version(graph: dict[str, Any]) -> None:
    graph["version"] = 7


def unsupported_layer(graph: dict[str, Any]) -> None:
    graph["layers"][0]["op"] = "softmax"


def other_format(graph: dict[str, Any]) -> None:
    graph["format"] = "somebody.network"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_version, ["version must be 5, 4, 3 or 2", "got 7"]),
        (unsupported_layer, ["softmax", "max_pool"]),
        (other_format, ["format", "hwgen.network", "somebody.network"]),
    ],
)
def test_bad_graph(
    hwgen: Command,
    network_file: Callable[..., Path],
    change: Callable[[dict[str, Any]], None],
    words: list[str],
) -> None:
    refused(hwgen("info", network_file(change)), *words, "network.npz")


def test_bad_recipe(hwgen: Command, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("format: hwgen.recipe\nversion: 2\n", encoding="utf-8")
    refused(hwgen("train", path), "recipe.yaml", "present")


def test_yaml_is_text(hwgen: Command, tmp_path: Path) -> None:
    path = tmp_path / "arch.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    refused(hwgen("info", path), "YAML")


def test_network_too_large(hwgen: Command, arch_file: Callable[..., Path], work: Path) -> None:
    given = arch_file(buffer_bytes=256)
    code, _, err = hwgen("compile", NETWORK, given, "--work", work)
    head, *layers = err.splitlines()
    assert (code, head) == (2, "hwgen: 2 things stand in the way (digits_small_cnn):")
    assert all(line.startswith("layer ") and "must fit" in line for line in layers)


def test_program_of_another_architecture(hwgen: Command, tmp_path: Path, work: Path) -> None:
    program = tmp_path / "program.npz"
    assert hwgen("compile", NETWORK, ARCH, "--out", program, "--work", work)[0] == 0
    words = ["compiled for the architecture tiny", "small"]
    refused(hwgen("info", program, TINY), *words)
    refused(hwgen("run", NETWORK, TINY, "--program", program, "--engine", "golden"), *words)
    refused(hwgen("info", program, ARCH, "--sparsity", "none"), "compiled for")


def test_bad_program(hwgen: Command, tmp_path: Path, work: Path) -> None:
    program = tmp_path / "program.npz"
    assert hwgen("compile", NETWORK, ARCH, "--out", program, "--work", work)[0] == 0
    later = rewritten(
        program, tmp_path / "later.npz", "facts", lambda facts: facts.update(version=9)
    )
    refused(hwgen("info", later), "version", "3", "9")
    other = rewritten(
        program,
        tmp_path / "other.npz",
        "facts",
        lambda facts: facts.update(format="hwgen.x.program"),
    )
    refused(hwgen("info", other), "format", "hwgen.dbpim.program", "hwgen.x.program")
    np.savez(tmp_path / "foreign.npz", something=np.zeros(3))
    refused(hwgen("info", tmp_path / "foreign.npz"), "foreign.npz")
    refused(hwgen("run", NETWORK, ARCH, "--program", tmp_path / "foreign.npz"), "foreign.npz")


@pytest.mark.parametrize("command", ["build", "compile", "json", "train"])
def test_unwritable_output(hwgen: Command, tmp_path: Path, work: Path, command: str) -> None:
    file = tmp_path / "file"
    file.write_text("in the way", encoding="utf-8")
    arguments = {
        "build": ["build", TINY, "--out", file / "verilog"],
        "compile": ["compile", NETWORK, ARCH, "--out", file / "program.npz", "--work", work],
        "json": ["build", TINY, "--out", file],
        "train": ["train", RECIPE, "--out", file / "net"],
    }[command]
    refused(hwgen(*arguments), "must be", str(file))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_unwritable_report(hwgen: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, err = hwgen("info", ARCH, "--json", tmp_path / "file/report.json")
    assert (code, err.count("\n")) == (2, 1)
    assert "report" in err


def test_folder_of_somebody_else(hwgen: Command, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    refused(hwgen("build", TINY, "--out", tmp_path), "thesis.tex")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data", "imagenet"], ["dataset", "digits", "imagenet"]),
        (["--data", "cifar10"], ["cifar10", "folder"]),
        (["--images", 0], ["--images must be from 1 on", "0"]),
        (["--images", -1], ["--images must be from 1 on", "-1"]),
        (["--images", 360], ["--images", "1 to 359", "360"]),
        (["--sparsity", "weights"], ["--sparsity", "weight_bits", "weights"]),
    ],
)
@pytest.mark.parametrize("command", ["run", "model"])
def test_bad_options(
    hwgen: Command, work: Path, command: str, options: list[object], words: list[str]
) -> None:
    refused(hwgen(command, NETWORK, ARCH, "--work", work, *options), *words)


def not_finite(value: float) -> NDArray[np.float32]:
    """Return two real images with one wrong number."""
    images = np.zeros((2, 8, 8, 1), np.float32)
    images[1, 2, 3, 0] = value
    return images


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"images": np.zeros((2, 9, 8, 1), np.uint8)}, ["(8, 8, 1)", "(9, 8, 1)"]),
        ({"images": np.zeros((2, 8, 8, 1), np.int16)}, ["uint8", "int16"]),
        ({"pictures": np.zeros(3, np.uint8)}, ["images", "none inside"]),
        (
            {"images": np.zeros((2, 8, 8, 1), np.uint8), "labels": np.zeros(3)},
            ["labels", "one for each image"],
        ),
        (
            {"images": not_finite(np.nan)},
            ["finite numbers, got nan at image 1, y 2, x 3, channel 0"],
        ),
        ({"images": not_finite(-np.inf)}, ["finite numbers, got -inf at image 1, y 2"]),
    ],
)
def test_bad_images(
    hwgen: Command, tmp_path: Path, arrays: dict[str, Any], words: list[str]
) -> None:
    np.savez(tmp_path / "images.npz", **arrays)
    given = ["run", NETWORK, ARCH, "--data", tmp_path / "images.npz", "--engine", "golden"]
    refused(hwgen(*given), *words, "images.npz")


def test_numbers_and_names_are_checked_before_packages(
    monkeypatch: pytest.MonkeyPatch, hwgen: Command, tmp_path: Path
) -> None:
    """What is wrong is said, not that the package that would be needed later is missing."""
    monkeypatch.setitem(sys.modules, "sklearn", None)
    for command in (["run", NETWORK, ARCH], ["model", NETWORK, ARCH]):
        refused(hwgen(*command, "--images", 0), "--images must be from 1 on, got 0")
    with pytest.raises(
        ConfigError, match="rule must be 'measured', 'text' or 'lowered', got 'foo'"
    ):
        api.fit(NETWORK, tmp_path / "out.npz", rule="foo")  # type: ignore[arg-type]


def test_two_architectures(hwgen: Command) -> None:
    for alone in (ARCH, "effects/reram_study"):
        said = f"what stands beside the architecture {TINY} must be a quantized network"
        refused(hwgen("info", alone, TINY), said, f"got {alone}")


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
def test_a_file_without_images_is_one_sentence(hwgen: Command, tmp_path: Path) -> None:
    file = tmp_path / "empty.npz"
    np.savez(file, images=np.zeros((0, 8, 8, 1), np.uint8))
    refused(
        hwgen("run", NETWORK, ARCH, "--engine", "golden", "--data", file),
        f"the images must be at least one, got none ({file})",
    )


def test_a_folder_of_images_needs_a_network_that_names_its_set(
    hwgen: Command, tmp_path: Path
) -> None:
    network = directed("narrow")
    network = replace(network, graph=replace(network.graph, dataset=""))
    save_network(network, tmp_path / "network.npz")
    refused(
        hwgen("model", tmp_path / "network.npz", TINY, "--data", tmp_path, "--work", tmp_path),
        f"a folder of images must be for a network that names its set, got {network.graph.name},",
        "hwgen import --dataset NAME",
    )


def test_an_unknown_set_is_refused_before_the_import(hwgen: Command, tmp_path: Path) -> None:
    refused(
        hwgen("import", "absent.onnx", "--dataset", "cifar", "--out", tmp_path / "new.npz"),
        "--dataset must be one of digits, fashion_mnist, cifar10, cifar100, or left out, got cifar:"
        " did you mean cifar10?",
    )
