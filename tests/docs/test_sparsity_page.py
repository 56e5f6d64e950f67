"""The page about a kind of sparsity, followed to the letter."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network
from tests.docs.console import ANY, Command, commands_of, difference, shape
from tests.docs.test_replace_page import blocks

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/howto/add-a-sparsity.md"
WEIGHTS, INPUTS = PAGE.read_text().partition("\n## An operation")[0].split("## Zeros of inputs")
EXAMPLE = ROOT / "docs/examples/n_of_m"
PAIRS = ROOT / "docs/examples/zero_pairs"
WARNINGS = ("--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet")

Run = Callable[[Command], list[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command of the page where its package goes into a folder of this test."""
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    site = tmp_path / "site"
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])

    def run(command: Command) -> list[str]:
        name, *words = shlex.split(command.line)
        words = [sys.executable, *([] if name == "python" else ["-m", name]), *words]
        if name == "pip":
            words += [*WARNINGS, "--target", str(site)]
        done = subprocess.run(
            words,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [line.rstrip() for line in done.stdout.splitlines()]

    return run


def commands_in(text: str, folder: Path) -> list[Command]:
    """Return the commands of a part of the page."""
    part = folder / "part.md"
    part.write_text(text)
    return list(commands_of(part))


def most_of_four(network: QuantizedNetwork) -> int:
    """Return how many of 4 neighbouring inputs have a weight in 8 filters, at most."""
    most = 0
    for parameters in network.parameters.values():
        filters = parameters.weights.reshape(len(parameters.weights), -1)
        for first in range(0, len(filters), 8):
            used = (filters[first : first + 8] != 0).any(axis=0)
            whole = np.append(used, np.zeros(-len(used) % 4, np.bool_))
            most = max(most, int(whole.reshape(-1, 4).sum(axis=1).max()))
    return most


@pytest.mark.dear
@pytest.mark.promise(
    "a package of yours chooses the blocks of weights that fit and train prune, chips that ship"
    " skip them, and the page about it is true to the letter"
)
def test_n_of_m_comes_as_the_page_says(run: Run, tmp_path: Path) -> None:
    """Its commands run in order; the numbers of a training are its own, all others the page's."""
    commands = commands_in(WEIGHTS, tmp_path)
    assert [each.line.split()[1] for each in commands] == [
        "install",
        "fit",
        "run",
        "train",
        "model",
    ]
    for number, each in enumerate(commands):
        found, shown = run(each), each.printed
        if number >= 3:
            found, shown = [shape(line) for line in found], [shape(line) for line in shown]
            shown = [ANY if line == shape(ANY) else line for line in shown]
        wrong = difference(shown, found)
        assert wrong is None, f"`{each.line}` must print {wrong}"
    ships = load_network(ROOT / "configs/networks/digits_small_cnn.npz")
    assert most_of_four(ships) == 4
    assert most_of_four(load_network(tmp_path / "three_of_four.npz")) == 3
    assert most_of_four(load_network(tmp_path / "trained/network.npz")) == 2
    about = json.loads((tmp_path / "trained/training.json").read_text())
    assert about["accuracy"]["integer"] > 0.9
    assert about["recipe"]["pruning"]["rule"] == "n_of_4"


@pytest.mark.dear
@pytest.mark.promise(
    "a kind of sparsity of inputs runs as a whole chip from outside of the package, equal to golden"
    " and to the cycle model, by the steps of its page"
)
def test_pairs_of_planes_come_as_the_page_says(run: Run, tmp_path: Path) -> None:
    """The bench of the part, then a network on a chip of such parts."""
    bench, chip = commands_in(INPUTS, tmp_path)
    for each in (bench, chip):
        wrong = difference(each.printed, run(each))
        assert wrong is None, f"`{each.line}` must print {wrong}"


def test_the_bench_of_pairs_sees_a_fault(tmp_path: Path) -> None:
    """Pairs that begin at odd planes are other pairs."""
    folder = Path(shutil.copytree(PAIRS, tmp_path / "pairs"))
    part = (folder / "ipu.py").read_text()
    (folder / "ipu.py").write_text(part.replace("pairs[bit // 2]", "pairs[(bit + 1) // 2 % 4]"))
    assert part != (folder / "ipu.py").read_text()
    done = subprocess.run(
        [sys.executable, folder / "bench.py", ROOT / "configs/dbpim/tiny.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode and "AssertionError" in done.stderr


def test_the_page_shows_the_examples() -> None:
    """Code, entry point and recipe are those of the files."""
    code, part, steps = blocks("python", PAGE.read_text())
    assert code == (EXAMPLE / "__init__.py").read_text()
    assert part == (PAIRS / "ipu.py").read_text()
    assert steps == (PAIRS / "expected.py").read_text()
    (entry,), (recipe,) = (blocks(kind, PAGE.read_text()) for kind in ("toml", "yaml"))
    assert entry in (EXAMPLE / "pyproject.toml").read_text()
    assert recipe in (EXAMPLE / "digits_2_of_4.yaml").read_text()


@pytest.mark.parametrize(
    "place",
    sorted(set(re.findall(r"`((?:hwgen|golden|verif|tests|scripts)/[\w/.]+)`", PAGE.read_text()))),
)
def test_every_place_exists(place: str) -> None:
    assert (ROOT / place).exists()
