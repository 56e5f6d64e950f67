"""How every command ends: the exit code, one sentence, and nothing else."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hwgen.commands.info import Info
from hwgen.errors import ConfigError
from tests.cli.given import ARCH, ROOT, Command

LIMITS = (ROOT / "docs/limits.md").read_text(encoding="utf-8")


def raises(error: BaseException) -> object:
    def command(*_: object, **__: object) -> None:
        raise error

    return command


@pytest.mark.promise(
    "every command ends with a documented exit code, after a fault or a signal too"
)
@pytest.mark.promise(
    "a fault is one sentence, a closed pipe is no error, a signal ends all processes and says"
    " that the command goes on"
)
@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (IndexError("list index out of range"), 3, "IndexError: list index out of range"),
        (AssertionError("two\nlines"), 3, "AssertionError: two lines"),
        (EOFError(), 3, "EOFError"),
        (RuntimeError("7"), 3, "a fault of hwgen, not of what it was given: RuntimeError: 7"),
        (ModuleNotFoundError("No module named 'golden.x'"), 3, "golden.x"),
        (ConfigError(field="x", allowed="1", given=2, source="y"), 2, "hwgen: x must be 1, got 2"),
        (OSError(28, "No space left on device", "build/x"), 2, "No space left on device (build/x)"),
        (PermissionError(13, "Permission denied"), 2, "Permission denied"),
        (MemoryError(), 2, "memory"),
    ],
)
def test_an_error_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, hwgen: Command, error: Exception, code: int, words: str
) -> None:
    monkeypatch.setattr(Info, "run", raises(error))
    got, out, err = hwgen("info", ARCH)
    assert (got, out) == (code, "")
    assert err.startswith("hwgen: ")
    assert err.count("\n") == 1
    assert words in err
    assert ("--debug" in err) == ("report" in err) == (code == 3)


@pytest.mark.parametrize(("error", "code"), [(IndexError("far"), 3), (MemoryError(), 2)])
def test_debug_shows_where(
    monkeypatch: pytest.MonkeyPatch, hwgen: Command, error: Exception, code: int
) -> None:
    monkeypatch.setattr(Info, "run", raises(error))
    got, _, err = hwgen("--debug", "info", ARCH)
    assert got == code
    assert "Traceback" in err
    assert "made.run()" in err


def test_an_interrupt(monkeypatch: pytest.MonkeyPatch, hwgen: Command) -> None:
    monkeypatch.setattr(Info, "run", raises(KeyboardInterrupt()))
    assert hwgen("info", ARCH) == (130, "", STOPPED)


STOPPED = "hwgen: stopped by a signal; the same command does again what no cache holds\n"

SLEEPS = """
import signal, sys, time
from hwgen.cli import main
from hwgen.commands.info import Info

def info(*_, **__):
    try:
        print("begun", flush=True)
        time.sleep(60)
    finally:
        print("cleaned up", flush=True)

Info.run = info
# A shell starts what is in the background without it.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main({arguments}))
"""


def signalled(script: str, number: signal.Signals) -> tuple[int, str, str]:
    """Send a signal to a command that says it has begun; return its exit code and what follows."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, "info", "x.yaml"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@pytest.mark.dear("2-130-")
@pytest.mark.promise(
    "the script of an exported folder finds a Verilator that is new enough, or says what it needs"
)
@pytest.mark.parametrize("arguments", ["['info', 'x.yaml']", ""])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_lets_what_is_under_way_clean_up(
    number: signal.Signals, code: int, arguments: str
) -> None:
    assert signalled(SLEEPS.format(arguments=arguments), number) == (code, "cleaned up\n", STOPPED)


DEAF = """
import functools, signal, sys, time
from hwgen import cli
from hwgen.commands.info import Info

def info(*_, **__):
    print("begun", flush=True)
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

Info.run = info
cli.ended_in_time = functools.partial(cli.ended_in_time, seconds=0.2)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv[1:] = ["info", "x.yaml"]
cli.main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_command_that_does_not_hear_a_signal_ends(number: signal.Signals, code: int) -> None:
    assert signalled(DEAF, number) == (code, "", STOPPED)


COMPILES = """
import ctypes, signal, sys
from hwgen.cli import main
from hwgen.commands.info import Info

def called():
    print("begun", flush=True)
    while True:
        pass

def info(*_, **__):
    ctypes.CFUNCTYPE(None)(called)()
    raise RuntimeError("no compiled object yet")

Info.run = info
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(["info", "x.yaml"]))
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_that_is_swallowed_still_ends_the_command(
    number: signal.Signals, code: int
) -> None:
    """A callback of a compiler cannot raise; what fails behind it is no fault of ours."""
    assert signalled(COMPILES, number) == (code, "", STOPPED)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_handler_of_before_is_back(number: signal.Signals, hwgen: Command) -> None:
    def handler(*_: object) -> None:
        pass

    before = signal.signal(number, handler)
    try:
        assert hwgen("info", ARCH)[0] == 0
        assert signal.getsignal(number) is handler
    finally:
        signal.signal(number, before)


def test_nobody_reads(tmp_path: Path) -> None:
    """A reader who has seen enough is no error: not 1, no sentence; the report is written."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "hwgen", "info", str(ARCH), "--json", "report.json"]
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "report.json").stat().st_size


@pytest.mark.dear("--help-0-1")
@pytest.mark.promise(
    "closed streams, missing memory of Yosys, a clock of 1e-320 MHz and images that are none"
    " are no faults"
)
@pytest.mark.parametrize("stream", [1, 2])
@pytest.mark.parametrize(("command", "code"), [("info", 0), ("--help", 0), ("nothing", 2)])
def test_a_stream_that_is_closed_is_no_fault(stream: int, command: str, code: int) -> None:
    """As by `hwgen info chip.yaml >&-`: nobody wants to read it, and nothing goes elsewhere."""
    given = [command, str(ARCH)] if command == "info" else [command]
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m hwgen "$@" {stream}>&-', sys.executable, *given],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert (done.stdout, done.stderr)[stream - 1] == ""
    assert "hwgen:" not in done.stdout + done.stderr


def test_another_broken_pipe_is_an_error(monkeypatch: pytest.MonkeyPatch, hwgen: Command) -> None:
    monkeypatch.setattr(Info, "run", raises(BrokenPipeError(32, "Broken pipe")))
    code, _, err = hwgen("info", ARCH)
    assert (code, err) == (2, "hwgen: the machine must let this command work, got Broken pipe\n")


def test_every_exit_code_is_documented(hwgen: Command) -> None:
    shown = " ".join(hwgen("--help")[1].split())
    written = " ".join(LIMITS.partition("Exit codes:")[2].split("\n\n")[0].split())
    for code in ("0 ", "1 ", "2 ", "3 ", "130 ", "143 "):
        assert re.search(rf"\b{code}", shown.partition("Exit codes:")[2])
        assert re.search(rf"\b{code}", written)


def test_an_interrupt_while_modules_are_imported_is_one_line(tmp_path: Path) -> None:
    """The first import of the command line is cut short, as by Ctrl-C within its first second."""
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "hwgen", "--version"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "hwgen: stopped by a signal before it began\n"


@pytest.mark.promise("bad input is one sentence and exit code 2; nothing half-written stays")
def test_pages_are_generated_by_a_script_of_the_repository(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command replaces the `docs` of a user."""
    monkeypatch.chdir(tmp_path)
    code, _, err = hwgen("documents")
    assert (code, list(tmp_path.iterdir())) == (2, [])
    assert "No such command" in err
