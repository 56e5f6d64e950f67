"""The command line as a person uses it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from hwgen.cli import main
from tests.cli.given import ARCH, NETWORK, ROOT, Command, Refused, rewritten
from tests.schemas import follows

DIGEST = re.compile(r"\([0-9a-f]{8}\)")
"""Of an architecture, as a sentence names it."""


@pytest.fixture(autouse=True)
def compiled_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """No message about a compiled cycle model: only the first test would see it."""
    monkeypatch.setattr("hwgen.dbpim.model.must_compile", lambda: False)
    monkeypatch.setattr("hwgen.crossbar.synthesis.compiling.must_compile", lambda: False)


@pytest.fixture
def hwgen(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run the command; returns exit code, stdout and stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        return code, *capfd.readouterr()

    return run


@pytest.fixture
def refused(snapshot: SnapshotAssertion, tmp_path: Path, work: Path) -> Refused:
    """Check the result of a command: one sentence on stderr, exit code 2, and which sentence."""
    places = {str(tmp_path): "TMP", str(work): "WORK", str(ROOT): "CLONE"}

    def check(result: tuple[int, str, str]) -> None:
        code, out, err = result
        assert (code, out) == (2, "")
        assert err.startswith("hwgen: ") and err.count("\n") == 1
        for place, name in places.items():
            err = err.replace(place, name)
        assert DIGEST.sub("(DIGEST)", err) == snapshot

    return check


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder that all tests of one process share."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture
def report(hwgen: Command, tmp_path: Path, work: Path) -> Any:
    """Run a command with --json; returns its report, checked, and what it printed."""

    def run(command: str, *arguments: object) -> tuple[dict[str, Any], str]:
        path = tmp_path / "new/report.json"
        if command != "build":
            arguments = (*arguments, "--work", work)
        code, out, err = hwgen(command, *arguments, "--json", path)
        assert (code, err) == (0, "")
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        follows(content, command)
        return content, out

    return run


@pytest.fixture
def arch_file(tmp_path: Path) -> Callable[..., Path]:
    """Write the small architecture with some keys changed (None: left out)."""

    def write(**changes: object) -> Path:
        content: dict[str, Any] = yaml.safe_load(ARCH.read_text(encoding="utf-8"))
        for key, value in changes.items():
            content[key] = value
        content = {key: value for key, value in content.items() if value is not None}
        path = tmp_path / "arch.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    return write


@pytest.fixture
def network_file(tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], None]], Path]:
    """Write the digits network with its graph changed."""

    def write(change: Callable[[dict[str, Any]], None]) -> Path:
        return rewritten(NETWORK, tmp_path / "network.npz", "graph", change)

    return write
