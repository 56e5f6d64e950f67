"""`hwgen.toml` sets defaults of all commands, and --quiet hushes each of them."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.text import Text

from hwgen.cli.app import Terminal
from hwgen.cli.settings import NAME, NOW, Settings, defaults_of
from hwgen.commands.doctor import Doctor
from hwgen.errors import OutputError
from tests.cli.given import ARCH, NETWORK, Command


def model(*options: str) -> tuple[str, ...]:
    return ("model", str(NETWORK), str(ARCH), "--images", "1", *options)


@pytest.mark.promise("hwgen.toml in the folder of the call or above it sets the work folder")
def test_the_nearest_file_counts(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = tmp_path / "one/two"
    below.mkdir(parents=True)
    (tmp_path / NAME).write_text('work = "outer"\ncores = 3\n')
    monkeypatch.chdir(below)
    assert json.loads(hwgen("doctor", "--json", "-")[1])["work"] == f"{tmp_path}/outer"
    (tmp_path / "one" / NAME).write_text('work = "inner"\n')
    assert json.loads(hwgen("doctor", "--json", "-")[1])["work"] == f"{tmp_path}/one/inner"
    given = json.loads(hwgen("doctor", "--work", "mine", "--json", "-")[1])
    assert given["work"] == "mine"
    assert NOW.get() == Settings()


def test_a_command_works_in_the_folder_of_the_file(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / NAME).write_text('work = "kept"\nquiet = true\n')
    monkeypatch.chdir(tmp_path / "below")
    code, out, err = hwgen(*model())
    assert (code, err) == (0, "") and "cycles" in out
    assert [each.name for each in (tmp_path / "kept").iterdir()] == ["programs"]
    assert not list((tmp_path / "below").iterdir())


def test_cores_are_the_processes_of_commands_that_have_some() -> None:
    named = lambda *names: SimpleNamespace(params=[SimpleNamespace(name=each) for each in names])  # noqa: E731
    program = SimpleNamespace(
        params=[],
        commands={
            "sweep": named("work", "workers", "plot"),
            "list": named("kind"),
            "paper": SimpleNamespace(params=[], commands={"dbpim": named("workers")}),
        },
    )
    token = NOW.set(Settings(cores=5, work="w"))
    try:
        found = defaults_of(program)
    finally:
        NOW.reset(token)
    assert found == {"sweep": {"work": "w", "workers": 5}, "paper": {"dbpim": {"workers": 5}}}
    assert defaults_of(program) == {}


def test_a_command_shows_and_takes_the_cores(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).write_text("cores = 7\n")
    monkeypatch.chdir(tmp_path)
    assert "[default: 7]" in hwgen("explore", "--help")[1]
    (tmp_path / NAME).unlink()
    assert "[default: 2]" in hwgen("explore", "--help")[1]


@pytest.mark.promise("a setting that hwgen.toml cannot have is one sentence, with the near key")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("coers = 2", "coers must be a known key, got the unknown key coers: did you mean cores?"),
        ("color = 'never'", "the unknown key color: did you mean colour?"),
        ("cores = 0", "cores must be greater than or equal to 1, got 0"),
        ("cores = true", "cores must be a valid integer, got True"),
        ("cores = 2.0", "cores must be a valid integer, got 2.0"),
        ("colour = 'blue'", "colour must be 'auto', 'always' or 'never', got 'blue'"),
        ("work = ''", "work must be at least 1 characters long, got ''"),
        ("work = 2026-01-01", "work must be text, a number, true or false, got 2026-01-01"),
        ("work = nan", "work must be a valid string"),
        ("work =", "hwgen.toml must be TOML, got"),
        ("work = '\\0'", "hwgen.toml must be TOML, got"),
        ("\xff", "hwgen.toml must be TOML, got"),
    ],
)
def test_what_is_wrong_with_a_file(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    (tmp_path / NAME).write_bytes(text.replace("\\0", "\0").encode("latin-1"))
    monkeypatch.chdir(tmp_path)
    code, out, err = hwgen(*model("--work", "w"))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err and f"({tmp_path / NAME})" in err
    assert [each.name for each in tmp_path.iterdir()] == [NAME]


@pytest.mark.promise("--quiet hushes the progress of every command, and no error")
@pytest.mark.parametrize("quiet", [True, False])
def test_quiet_hushes_progress_alone(
    hwgen: Command, monkeypatch: pytest.MonkeyPatch, quiet: bool
) -> None:
    def run(self: Doctor) -> Any:
        self.quiet.say("a line of the context")
        print("a line of a library", file=sys.stderr)
        raise OutputError("it fails")

    monkeypatch.setattr(Doctor, "run", run)
    code, out, err = hwgen("doctor", *(["--quiet"] if quiet else []))
    assert (code, out) == (2, "")
    progress = "" if quiet else "a line of the context\na line of a library\n"
    assert err == f"{progress}hwgen: it fails\n"


@pytest.mark.parametrize(
    ("colour", "coloured"), [("always", True), ("never", False), ("auto", False)]
)
def test_colour(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], colour: Any, coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    token = NOW.set(Settings(colour=colour))
    try:
        Terminal().print(Text("red", style="red"))
    finally:
        NOW.reset(token)
    assert ("\x1b[31m" in capsys.readouterr().out) == coloured
