"""Names, options, files and machines that nobody means: one bounded sentence, at once."""

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.files.npz import MOST_BYTES
from hwgen.network.file import load_network
from tests.cli.given import ARCH, NETWORK, ROOT, TINY, Command, rewritten

Rewrite = Callable[[Callable[[dict[str, Any]], None]], Path]

RED = "\x1b[31m[bold]x$\\frac{[/x]\u202e"


def refused(result: tuple[int, str, str], *words: str) -> None:
    """Check the result of a command: one bounded sentence that any terminal may show."""
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith(("hwgen: ", "Usage: "))
    assert len(err) < 1500
    assert err.replace("\n", "").isprintable()
    for word in words:
        assert word in err


# Writing


@pytest.mark.promise(
    "an output replaces no device, link or input, and a place that takes no files is refused"
    " before the work"
)
@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["build", TINY], "--out"),
        (["compile", NETWORK, TINY], "--out"),
        (["info", TINY], "--json"),
        (["train", ROOT / "configs/train/digits_small_cnn.yaml"], "--out"),
        (["synthesize", "cifar_alexnet", "--power-w", 9], "--out"),
        (["compile", NETWORK, TINY], "--work"),
    ],
)
@pytest.mark.parametrize("place", ["/proc/none/new", "/dev/full/new", "x" * 300])
def test_an_unwritable_output_is_noticed_first(
    hwgen: Command, command: list[object], option: str, place: str
) -> None:
    began = time.process_time()
    result = hwgen(*command, option, place)
    refused(result, f"{option} must be ")
    # Paths that are checked as parameters are refused for the length of their names.
    long_name = len(place) > 255 and "a path of names of at most 255 bytes" in result[2]
    assert long_name or f"{option} must be writable at" in result[2]
    assert time.process_time() - began < 2


def test_the_longest_name_of_a_file(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A temporary name beside an output is no longer than the name of the output."""
    monkeypatch.chdir(tmp_path)
    assert hwgen("info", TINY, "--json", "x" * 255)[0] == 0
    assert os.listdir(tmp_path) == ["x" * 255]


def test_devices_are_no_input(hwgen: Command, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for given in (
        ["info", pipe],
        ["build", pipe, "--out", tmp_path / "out"],
        ["run", NETWORK, TINY, "--program", pipe],
        ["run", NETWORK, TINY, "--data", pipe],
        ["import", pipe, "--out", tmp_path / "out.npz"],
        ["info", "/dev/zero"],
    ):
        refused(hwgen(*given), "must be a file, got a device, a pipe or a socket")


# Text from files


def named(graph: dict[str, Any]) -> None:
    graph["name"] = RED
    graph["preprocessing"] = RED
    graph["class_names"] = [f"{RED}{i}" for i in range(10)]
    for layer in graph["layers"]:
        layer["source"] = RED


@pytest.mark.promise("text from files is data, and every message is bounded and safe to print")
def test_names_are_data(hwgen: Command, network_file: Rewrite) -> None:
    code, out, err = hwgen("info", network_file(named))
    assert (code, err) == (0, "")
    assert out.replace("\n", "").isprintable()
    assert "\\x1b[31m[bold]x$\\frac{[/x]\\u202e" in out


@pytest.mark.promise(
    "help has lines, errors of the parser are said once, names are completed and asked for, -"
    " is standard output"
)
def test_a_pipe_cuts_no_cell_of_a_table(hwgen: Command, network_file: Rewrite) -> None:
    """Nor is a line broken: `grep` finds a name of any length."""
    name = "pool_of_a_block_" * 10

    def long(graph: dict[str, Any]) -> None:
        pool, head = graph["layers"][-2:]
        pool["name"], head["inputs"] = name, [name]
        graph["preprocessing"] = "divided by 255; " * 20

    code, out, err = hwgen("info", network_file(long))
    assert (code, err) == (0, "")
    (row,) = (line for line in out.splitlines() if line.startswith(name))
    assert row.split()[1:4] == ["average_pool", "conv5", "1x1x28"]
    assert ("divided by 255; " * 20).strip() in out and "…" not in out


@pytest.mark.parametrize(
    "change",
    [
        lambda graph: graph.update(version=RED * 9_000),
        lambda graph: graph.update(format=RED * 9_000),
        lambda graph: graph.update(outputs=[RED * 9_000]),
        lambda graph: graph.update({RED * 9_000: 1}),
        lambda graph: graph["layers"][0].update(op=RED * 9_000),
        lambda graph: graph["layers"][0].update(name=RED * 9_000),
        lambda graph: graph["layers"][0].update(inputs=[RED * 9_000] * 9),
        lambda graph: graph.update(modes=[RED * 9_000] * 2),
    ],
)
def test_a_message_is_bounded_and_plain(
    hwgen: Command, network_file: Rewrite, change: Callable[[dict[str, Any]], None]
) -> None:
    refused(hwgen("info", network_file(change)), "network.npz")


def test_a_file_of_a_hostile_name(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("\x1b[31m.yaml").write_text("- 1\n")
    refused(hwgen("info", "\x1b[31m.yaml"), "(\\x1b[31m.yaml)")
    refused(hwgen("info", TINY, f"--{RED}"), "No such option")
    refused(hwgen(RED * 3_000), "No such command")


def test_a_likely_option_is_named_once(hwgen: Command) -> None:
    result = hwgen("info", TINY, "--jsonn", "a.json")
    refused(result, "No such option: --jsonn", "--json")
    assert result[2].count("Possible options") <= 1 and result[2].count("--json)") <= 1


# NPZ


def member(text: str, content: bytes) -> bytes:
    header = text.encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


def with_member(path: Path, name: str, content: bytes) -> Path:
    with zipfile.ZipFile(NETWORK) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            if each != name:
                new.writestr(each, old.read(each))
        new.writestr(name, content)
    return path


HEADER = "{{'descr': '{}', 'fortran_order': False, 'shape': {}}}"


@pytest.mark.parametrize(
    ("header", "content"),
    [
        (HEADER.format("|i1", "(99999999999,)"), b"xx"),
        (HEADER.format("|i1", "(9223372036854775808,)"), b"xx"),
        (HEADER.format("|i1", "(-1,)"), b""),
        (HEADER.format("|O", "(1,)"), b"\x80\x04N."),
        (HEADER.format("|i1", "(2,)"), b"xxx"),
        ("9" * 9000, b""),
    ],
)
def test_the_header_of_an_array_fits_its_bytes(
    hwgen: Command, tmp_path: Path, header: str, content: bytes
) -> None:
    path = with_member(tmp_path / "n.npz", "conv1.bias.npy", member(header, content))
    refused(hwgen("info", path), "got a damaged file")


@pytest.mark.promise(
    "sizes of arrays are checked before they are read, and facts of networks and programs are"
    " validated"
)
def test_sizes_are_checked_before_anything_is_read(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hwgen.files.npz.MOST_BYTES", 1_000_000)
    path = with_member(tmp_path / "n.npz", "conv1.bias.npy", bytes(2_000_000))
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    refused(hwgen("info", path), "at most 1,000,000 bytes of arrays, got 2,0")
    assert MOST_BYTES == 1 << 30


def test_an_array_stands_once(hwgen: Command, tmp_path: Path) -> None:
    path = tmp_path / "n.npz"
    path.write_bytes(NETWORK.read_bytes())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("graph.npy", archive.read("graph.npy"))
    refused(hwgen("info", path), "every array must be there once")


def array(value: Any) -> bytes:
    target = io.BytesIO()
    np.save(target, value)
    return target.getvalue()


def test_arrays_without_dimensions(hwgen: Command, tmp_path: Path) -> None:
    with zipfile.ZipFile(NETWORK) as archive:
        kinds = {name: np.load(io.BytesIO(archive.read(name))).dtype for name in archive.namelist()}
    for name, kind in list(kinds.items())[:7]:
        path = with_member(tmp_path / "n.npz", name, array(np.zeros((), kind)))
        refused(hwgen("info", path))
    np.savez(tmp_path / "images.npz", images=np.uint8(3), labels=np.int64(1))
    given = ["run", NETWORK, TINY, "--engine", "golden", "--data", tmp_path / "images.npz"]
    refused(hwgen(*given), "images must be uint8 of shape")


GRAPHS = {
    "digits": lambda text: text.replace(b'"version": 2', b'"version": ' + b"9" * 5000),
    "deep": lambda text: b"[" * 100_000 + b"]" * 100_000,
    "deep inside": lambda text: text[:-1] + b', "x": ' + b"[" * 500 + b"]" * 500 + b"}",
    "true": lambda text: text.replace(b'"version": 2', b'"version": true'),
    "real": lambda text: text.replace(b'"version": 2', b'"version": 2.0'),
    "infinite": lambda text: text.replace(b'"version": 2', b'"version": Infinity'),
    "half a character": lambda text: text.replace(b'"name": "', b'"name": "\\ud800', 1),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_json_of_a_hostile_graph(hwgen: Command, tmp_path: Path, case: str) -> None:
    with zipfile.ZipFile(NETWORK) as archive:
        plain = json.loads(np.load(io.BytesIO(archive.read("graph.npy"))).tobytes())
    text = GRAPHS[case](json.dumps(plain).encode())
    content = array(np.frombuffer(text, np.uint8))
    refused(hwgen("info", with_member(tmp_path / "n.npz", "graph.npy", content)))


def with_pools(count: int) -> Callable[[dict[str, Any]], None]:
    """Return what adds layers that change nothing."""

    def change(graph: dict[str, Any]) -> None:
        *body, head = graph["layers"]
        pool = next(layer for layer in body if layer["op"] == "max_pool")
        same = {
            "kernel": [1, 1],
            "stride": [1, 1],
            "padding": [0] * 4,
            "output": body[-1]["output"],
        }
        for i in range(count):
            body.append(pool | same | {"name": f"pool{i}", "inputs": [body[-1]["name"]]})
        graph["layers"] = [*body, head | {"inputs": [body[-1]["name"]]}]

    return change


@pytest.mark.dear
def test_many_layers_are_read_in_linear_time(tmp_path: Path) -> None:
    seconds = {}
    for count in (2_000, 20_000):
        path = rewritten(NETWORK, tmp_path / "n.npz", "graph", with_pools(count))
        began = time.process_time()
        assert len(load_network(path).layers) == count + 9
        seconds[count] = time.process_time() - began
    assert seconds[20_000] < 30 * seconds[2_000] + 1


# Programs


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compiled program."""
    from hwgen import api

    folder = tmp_path_factory.mktemp("program")
    context = api.Context(work=folder / "work", console=None)
    chip = api.load_architecture(TINY)
    api.compile(NETWORK, chip, out=folder / "program.npz", context=context)
    return folder / "program.npz"


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts.update(images=-1),
        lambda facts: facts.update(images=2),
        lambda facts: facts.update(scratch_bytes=-1),
        lambda facts: facts.update(steps=[]),
        lambda facts: facts.update(network="x"),
        lambda facts: facts["answer"].update(shape=[1, 1, -1]),
        lambda facts: facts["answer"].update(size=0),
        lambda facts: facts["answer"].update(offsets=[]),
        lambda facts: facts["image"].update(stride=1 << 62),
        lambda facts: facts["steps"][1].update(tiles=-1),
        lambda facts: facts["steps"][1]["output"].update(rows=[]),
    ],
)
def test_facts_of_a_program(
    hwgen: Command, tmp_path: Path, program: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    refused(hwgen("info", rewritten(program, tmp_path / "p.npz", "facts", change)), "p.npz")


@pytest.mark.promise("a program whose bytes are not those that were compiled is refused")
@pytest.mark.parametrize("place", [-1, -1000, 5000])
def test_a_program_with_a_flipped_bit(
    hwgen: Command, tmp_path: Path, program: Path, place: int
) -> None:
    arrays = dict(np.load(program))
    arrays["image"][place] ^= 1
    np.savez(tmp_path / "p.npz", **arrays)
    command = ["run", NETWORK, TINY, "--program", tmp_path / "p.npz", "--engine", "model"]
    refused(hwgen(*command, "--work", tmp_path / "w"), "p.npz", "must be bytes of the digest")
    del arrays["digest"]
    np.savez(tmp_path / "p.npz", **arrays)
    refused(hwgen(*command, "--work", tmp_path / "w"), "image and digest inside, got facts, image")


def test_a_program_of_other_facts_leaves_nothing(
    hwgen: Command, tmp_path: Path, program: Path
) -> None:
    """What it is compared with is compiled, and not kept where it is refused."""

    def change(facts: dict[str, Any]) -> None:
        facts["steps"][0]["name"] = "another"

    given = rewritten(program, tmp_path / "p.npz", "facts", change)
    command = ["run", NETWORK, TINY, "--program", given, "--engine", "golden", "--images", 1]
    refused(hwgen(*command, "--work", tmp_path / "w"), "as it is compiled now", "p.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["p.npz"]


def test_a_program_has_the_shapes_of_its_network(
    hwgen: Command, tmp_path: Path, program: Path
) -> None:
    def change(facts: dict[str, Any]) -> None:
        facts["answer"]["shape"] = [1, 1, 9]

    given = rewritten(program, tmp_path / "p.npz", "facts", change)
    command = ["run", NETWORK, TINY, "--program", given, "--engine", "golden", "--images", 1]
    refused(hwgen(*command, "--work", tmp_path / "w"), "answer.shape must be (1, 1, 10)")


# Options


@pytest.mark.promise("options that nobody means are one sentence")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["info", ""], ["every argument must be given, got an empty one at info"]),
        (["info", ARCH, "--json", ""], ["got an empty one at --json"]),
        (["info", ARCH, "--json="], ["got an empty one at --json"]),
        (["run", NETWORK, ARCH, "--seed", 1 << 32], ["--seed", "2147483647"]),
        (["train", "r.yaml", "--seed", 1 << 64], ["--seed", "at most 64 bits"]),
        (["fit", NETWORK, "--out", "new", "--seed", 10**400], ["--seed", "at most 64 bits"]),
        (["synthesize", "alexnet", "--power-w", 9, "--seed", 1 << 31], ["--seed", "2147483647"]),
        (["compile", NETWORK, ARCH, "--batch", 1 << 31], ["--batch", "1024"]),
        (["run", NETWORK, ARCH, "--batch", 1 << 64], ["--batch", "at most 64 bits"]),
        (["info", "x.onnx", "--image-size", "9" * 4000], ["--image-size"]),
        (["info", "x.onnx", "--image-size", "x".join(["9"] * 99)], ["--image-size"]),
        (
            ["run", NETWORK, ARCH, "--engine", "rtl", "--waves-from", 9, "--waves-to", 5],
            ["--waves-to must be not before --waves-from 9, got 5"],
        ),
        (["run", NETWORK, ARCH, "--engine", "rtl", "--waves-to", 1 << 64], ["--waves-to"]),
        (["run", NETWORK, ARCH, "--stalls", 96], ["--stalls", "95"]),
        (["run", NETWORK, ARCH, "--stalls", -1], ["--stalls must be at least 0, got -1"]),
        (
            ["run", NETWORK, ARCH, "--stalls", 5, "--engine", "model"],
            ["--engine must be rtl", "got model"],
        ),
        (["run", NETWORK, ARCH, "--bus-error", "1z"], ["1 to 16 hexadecimal digits, got 1z"]),
        (["run", NETWORK, ARCH, "--bus-error", "0x"], ["1 to 16 hexadecimal digits, got 0x"]),
        (["run", NETWORK, ARCH, "--bus-error", "f" * 17], ["1 to 16 hexadecimal digits"]),
        (["info", "x" * 300], ["at most 255 bytes"]),
    ],
)
def test_options_that_nobody_means(
    hwgen: Command, arguments: list[object], words: list[str]
) -> None:
    began = time.process_time()
    refused(hwgen(*arguments), *words)
    assert time.process_time() - began < 2


# Environment


def run_as(
    folder: Path, *arguments: object, **environment: str
) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key != "HOME"}
    return subprocess.run(
        [sys.executable, "-m", "hwgen", *map(str, arguments)],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_path_with_a_space_and_no_home(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "my chip.yaml").write_bytes(TINY.read_bytes())
    done = run_as(folder, "info", "my chip.yaml", "--json", "my report.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "my report.json").exists()


def test_characters_that_the_terminal_does_not_have(tmp_path: Path) -> None:
    done = run_as(tmp_path, "info", TINY, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
