"""No output replaces an input, another output, a device, or what a link names."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.commands.request import (
    CACHE,
    INPUT,
    OUTPUT_FILE,
    OUTPUT_FOLDER,
    Request,
    hints_of,
    said_of,
    uses_of,
)
from hwgen.crossbar.pages import offer as synthesis
from tests.cli.given import ARCH, NETWORK, RECIPE, ROOT, Command

COMPONENTS = ROOT / "configs/crossbar/components.yaml"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with inputs of every kind, which is where the command runs."""
    for source, name in {
        NETWORK: "net.npz",
        ARCH: "arch.yaml",
        RECIPE: "recipe.yaml",
        COMPONENTS: "parts.yaml",
    }.items():
        shutil.copyfile(source, tmp_path / name)
    for name in ("data/images.npz", "mine/start.safetensors", "program.npz", "net.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "hard").hardlink_to(tmp_path / "net.npz")
    (tmp_path / "soft").symlink_to("net.npz")
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "other").symlink_to("data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def content(place: Path) -> dict[str, object]:
    """Return all that lies in a folder; links are not followed."""
    found: dict[str, object] = {}
    for folder, folders, files in os.walk(place):
        for path in (Path(folder, name) for name in (*folders, *files)):
            name = str(path.relative_to(place))
            if path.is_symlink():
                found[name] = path.readlink()
            else:
                found[name] = path.read_bytes() if path.is_file() else path.lstat().st_mode
    return found


def refused(hwgen: Command, place: Path, line: str, sentence: str) -> None:
    """The command ends with 2 and one sentence, and nothing is written."""
    before = content(place)
    code, out, err = hwgen(*line.split())
    assert (code, out, err) == (2, "", f"hwgen: {sentence}\n")
    assert content(place) == before


INPUTS = {
    "compile net.npz arch.yaml --out net.npz": "--out net.npz net.npz",
    "compile net.npz arch.yaml --out data/../net.npz": "--out data/../net.npz net.npz",
    "compile net.npz arch.yaml --out hard": "--out hard net.npz",
    "compile soft arch.yaml --out net.npz": "--out net.npz soft",
    "compile net.npz arch.yaml --out arch.yaml": "--out arch.yaml arch.yaml",
    "compile net.npz arch.yaml --json net.npz": "--json net.npz net.npz",
    "compile absent.npz arch.yaml --out absent.npz": "--out absent.npz absent.npz",
    "build arch.yaml --out new --json arch.yaml": "--json arch.yaml arch.yaml",
    "run net.npz arch.yaml --program program.npz --json program.npz": (
        "--json program.npz program.npz"
    ),
    "run net.npz arch.yaml --data data --json data/images.npz": "--json data/images.npz data",
    "run net.npz arch.yaml --data other --json data/images.npz": "--json data/images.npz other",
    "model net.npz arch.yaml --json hard": "--json hard net.npz",
    "info net.npz --json net.npz": "--json net.npz net.npz",
    "info net.npz arch.yaml --json arch.yaml": "--json arch.yaml arch.yaml",
    "export net.npz arch.yaml --out new --json net.npz": "--json net.npz net.npz",
    "train recipe.yaml --json recipe.yaml": "--json recipe.yaml recipe.yaml",
    "synthesize alexnet --power-w 9 --components parts.yaml --json parts.yaml": (
        "--json parts.yaml parts.yaml"
    ),
}


DEFAULT_TABLE = "configs/crossbar/components.yaml"


@pytest.fixture
def default_table(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table that is read where no option names one, and a second name of it."""
    (place / DEFAULT_TABLE).parent.mkdir(parents=True)
    shutil.copyfile(COMPONENTS, place / DEFAULT_TABLE)
    (place / "table").hardlink_to(place / DEFAULT_TABLE)
    monkeypatch.setattr(synthesis, "COMPONENTS", Path(DEFAULT_TABLE))


@pytest.mark.usefixtures("default_table")
@pytest.mark.parametrize(
    "line",
    [
        "synthesize alexnet --power-w 9 --json",
        "paper pimsyn --json",
    ],
)
@pytest.mark.parametrize("path", [DEFAULT_TABLE, "table"])
def test_a_default_table_stays(hwgen: Command, place: Path, line: str, path: str) -> None:
    option = line.rsplit(maxsplit=1)[-1]
    sentence = f"{option} must not replace an input, got {path} for {DEFAULT_TABLE}"
    refused(hwgen, place, f"{line} {path}", sentence)


@pytest.mark.usefixtures("default_table")
def test_an_output_folder_holds_no_default_table(hwgen: Command, place: Path) -> None:
    sentence = f"--out must hold no input, got configs for {DEFAULT_TABLE}"
    refused(hwgen, place, "synthesize alexnet --power-w 9 --out configs", sentence)


def test_a_default_table_is_no_input_beside_a_given_one(hwgen: Command, place: Path) -> None:
    """What is not read may be replaced; the network that does not ship is refused later."""
    given = f"--components parts.yaml --json {DEFAULT_TABLE}"
    code, _, err = hwgen(*f"synthesize absent --power-w 9 {given}".split())
    assert code == 2 and "replace" not in err


@pytest.mark.promise("no output replaces an input, another output, a device or what a link names")
@pytest.mark.parametrize("line", INPUTS)
def test_an_input_stays(hwgen: Command, place: Path, line: str) -> None:
    option, path, source = INPUTS[line].split()
    refused(hwgen, place, line, f"{option} must not replace an input, got {path} for {source}")


FOLDERS = {
    "build arch.yaml --out .": ". arch.yaml",
    "export net.npz arch.yaml --out data/..": "data/.. net.npz",
    "train recipe.yaml --data data --out data": "data data",
    "train recipe.yaml --start mine/start.safetensors --out mine": "mine mine/start.safetensors",
    "train recipe.yaml --teacher mine/start.safetensors --out mine": "mine mine/start.safetensors",
    "synthesize net.onnx --power-w 9 --out .": ". net.onnx",
}


@pytest.mark.parametrize("line", FOLDERS)
def test_an_output_folder_holds_no_input(hwgen: Command, place: Path, line: str) -> None:
    path, source = FOLDERS[line].split()
    refused(hwgen, place, line, f"--out must hold no input, got {path} for {source}")


FILES = ["compile net.npz arch.yaml --out", "info arch.yaml --json", "export-onnx alexnet --out"]


@pytest.mark.promise(
    "an output replaces no device, link or input, and a place that takes no files is refused"
    " before the work"
)
@pytest.mark.parametrize("line", [*FILES, "synthesize alexnet --power-w 9 --json"])
@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("soft", "a symbolic link"),
        ("dangling", "a symbolic link"),
        ("other", "a symbolic link"),
        ("data", "a folder"),
        ("/dev/null", "a device, a pipe or a socket"),
    ],
)
def test_what_is_no_file_stays(
    hwgen: Command, place: Path, line: str, path: str, given: str
) -> None:
    option = line.rsplit(maxsplit=1)[-1]
    sentence = f"{option} must be a new file or replace a file, got {given} ({path})"
    refused(hwgen, place, f"{line} {path}", sentence)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.name)


@pytest.mark.parametrize("make", [os.mkfifo, make_socket])
def test_pipes_and_sockets_stay(hwgen: Command, place: Path, make: Callable[[Path], None]) -> None:
    make(place / "pipe")
    sentence = (
        "--json must be a new file or replace a file, got a device, a pipe or a socket (pipe)"
    )
    refused(hwgen, place, "info arch.yaml --json pipe", sentence)


@pytest.mark.parametrize(
    "line",
    [
        "build arch.yaml --out",
        "export net.npz arch.yaml --out",
        "train recipe.yaml --out",
        "synthesize alexnet --power-w 9 --out",
    ],
)
@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("other", "a symbolic link"),
        ("hard", "a file"),
        ("/dev/null", "a device, a pipe or a socket"),
    ],
)
def test_what_is_no_folder_stays(
    hwgen: Command, place: Path, line: str, path: str, given: str
) -> None:
    refused(hwgen, place, f"{line} {path}", f"--out must be a folder, got {given} ({path})")


OUTPUTS = {
    "compile net.npz arch.yaml --out new --json new": "--out --json new new",
    "compile net.npz arch.yaml --out other/new --json data/new": "--out --json other/new data/new",
    "run net.npz arch.yaml --plot new --json ./new": "--plot --json new new",
    "build arch.yaml --out new --json new/report.json": "--json --out new/report.json new",
    "synthesize alexnet --power-w 9 --out new --json new/report.json": (
        "--json --out new/report.json new"
    ),
}


@pytest.mark.parametrize("line", OUTPUTS)
def test_outputs_lie_apart(hwgen: Command, place: Path, line: str) -> None:
    option, other, path, second = OUTPUTS[line].split()
    allowed = f"{option} must lie elsewhere than {other}"
    refused(hwgen, place, line, f"{allowed}, got {path} for {option} and {second} for {other}")


def test_an_earlier_file_is_replaced(hwgen: Command, place: Path) -> None:
    for name in ("report.json", "data/report.json"):
        (place / name).write_text('{"format": "hwgen.report.info"}')
        assert hwgen("info", "arch.yaml", "--json", name)[0] == 0
        assert (place / name).read_text().startswith('{\n  "format": "hwgen.report.info"')
    assert hwgen("export-onnx", "cifar_alexnet", "--out", "mine.onnx")[0] == 0
    (place / "second").hardlink_to(place / "mine.onnx")
    assert hwgen("export-onnx", "resnet18", "--out", "second")[0] == 0
    assert (place / "mine.onnx").read_bytes() != (place / "second").read_bytes()


FOREIGN = {
    "compile net.npz arch.yaml --out": "a program",
    "fit net.npz --out": "a network",
    "import net.npz --out": "a network",
    "import net.onnx --calibrate data/images.npz --out new --qdq": "an ONNX file",
    "export-onnx net.npz --out": "an ONNX file",
    "model net.npz arch.yaml --page": "a page",
    "run net.npz arch.yaml --page": "a page",
    "model net.npz arch.yaml --plot": "a picture",
    "run net.npz arch.yaml --plot": "a picture",
    "explore net.npz arch.yaml --grid cores=1 --plot": "a picture",
    "explore net.npz arch.yaml --area 9 --plot": "a picture",
    "explore net.npz arch.yaml --area 9 --out": "an architecture that was found",
    "cost arch.yaml --plot": "a picture",
    "paper dbpim --page": "a page",
    "results net.npz arch.yaml --runs runs --out": "a page of results",
    "info net.npz --json": "a report",
}
"""What each output may replace."""


def test_every_output_file_says_what_it_may_replace() -> None:
    said = {
        (each.command, name): said_of(hints_of(each)[name])
        for each in commands_of(Request)
        for name, use in uses_of(each).items()
        if use is OUTPUT_FILE
    }
    assert len(said) >= len(FOREIGN) - 1
    assert [where for where, each in said.items() if not (each and each.replaces)] == []


@pytest.mark.parametrize("line", FOREIGN)
@pytest.mark.parametrize("kind", ["drawing", "architecture", "arrays"])
def test_a_file_that_hwgen_did_not_write_stays(
    hwgen: Command, place: Path, line: str, kind: str
) -> None:
    """A drawing, an architecture and arrays of a person: all are worth more than an output."""
    mine = place / "mine.svg"
    if kind == "drawing":
        mine.write_text("<svg xmlns='http://www.w3.org/2000/svg'><!-- hwgen --></svg>")
    elif kind == "architecture":
        shutil.copyfile(ARCH, mine)
    else:
        with mine.open("wb") as file:
            np.savez(file, graph=np.zeros(3))
    option = line.rsplit(maxsplit=1)[-1]
    allowed = f"a new file or replace {FOREIGN[line]} of hwgen"
    sentence = f"{option} must be {allowed}, got another file (mine.svg)"
    refused(hwgen, place, f"{line} mine.svg", sentence)


@pytest.mark.promise("bad input is one sentence and exit code 2; nothing half-written stays")
@pytest.mark.parametrize("command", ["info net.npz", "build arch.yaml --out new"])
@pytest.mark.parametrize(
    "text",
    [
        "clock_mhz: 100",
        "{}",
        '{"format": "of somebody else"}',
        'about "format": "hwgen.report.info"',
    ],
)
def test_a_report_replaces_nothing_but_a_report(
    hwgen: Command, place: Path, command: str, text: str
) -> None:
    (place / "chip.yaml").write_text(text)
    refused(
        hwgen,
        place,
        f"{command} --json chip.yaml",
        "--json must be a new file or replace a report of hwgen, got another file (chip.yaml)",
    )


def test_a_new_file_may_lie_in_an_input_folder(hwgen: Command, place: Path) -> None:
    code, _, err = hwgen("run", "net.npz", "arch.yaml", "--data", "data", "--json", "data/new")
    assert code == 2 and "--json" not in err


@pytest.mark.dear
def test_links_in_an_output_folder_stay(hwgen: Command, place: Path, work: Path) -> None:
    (place / "out").mkdir()
    (place / "out/run.sh").symlink_to("../net.npz")
    code, _, err = hwgen("export", "net.npz", "arch.yaml", "--out", "out", "--work", work)
    assert (code, err.splitlines()[-1]) == (
        2,
        f"hwgen: run.sh must be a file, got a symbolic link ({place}/out/run.sh)",
    )
    assert (place / "net.npz").read_bytes() == NETWORK.read_bytes()
    assert not (place / "out/memory.hex").exists()


OUTPUT_NAMES = {
    "page": OUTPUT_FILE,
    "qdq": OUTPUT_FILE,
    "plot": OUTPUT_FILE,
    "record": OUTPUT_FILE,
    "layout": OUTPUT_FILE,
    "clocks": OUTPUT_FILE,
    "runs": CACHE,
    "densities": OUTPUT_FILE,
    "pieces": OUTPUT_FOLDER,
}


def commands_of(request: Any) -> Iterator[Any]:
    """Yield every request below one that has a command."""
    for each in request.__subclasses__():
        yield from commands_of(each)
        if each.command:
            yield each


def test_every_command_says_what_it_writes() -> None:
    found = {each.command: uses_of(each) for each in commands_of(Request)}
    assert len(found) > 19
    for command, uses in found.items():
        for name, use in uses.items():
            if name == "out" and command.startswith("paper") and command != "paper pimsyn-search":
                # They add files of names of their own, beside their inputs.
                assert use is CACHE, command
            elif name == "out":
                assert use in (OUTPUT_FILE, OUTPUT_FOLDER), command
            else:
                assert use is OUTPUT_NAMES.get(name, INPUT), (command, name)
    assert found["synthesize"]["network"] is found["run"]["data"] is INPUT


def test_no_output_replaces_one_of_several_inputs(hwgen: Command, tmp_path: Path) -> None:
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    for file in (first, second):
        file.write_bytes(NETWORK.read_bytes())
    given = [first, second, ARCH, "--runs", tmp_path / "runs", "--out", second]
    code, out, err = hwgen("results", *given)
    assert (code, out) == (2, "")
    assert err == f"hwgen: --out must not replace an input, got {second} for {second}\n"
    assert second.read_bytes() == NETWORK.read_bytes()
