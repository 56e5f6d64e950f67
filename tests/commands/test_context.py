"""What takes long says what it does: a line now and then in a log, a bar on a terminal."""

import io
import threading
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hwgen.commands.context import Context
from hwgen.errors import ArgumentError

HOSTILE = "[red]x[/y]\x1b[31m"
PLAIN = "[red]x[/y]\\x1b[31m"


class Log(io.StringIO):
    """A text stream that tells when a line was written."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if "\n" in text:
            self.heard.set()
        return written


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setattr("hwgen.files.patience.FIRST_SECONDS", 0.05)
    return Log()


def context(log: io.StringIO, *, terminal: bool = False) -> Context:
    console = Console(
        file=log, markup=False, emoji=False, width=100, force_terminal=terminal, no_color=True
    )
    return Context(console=console)


@pytest.mark.promise("a step that takes longer than 5 s says so in a log, and roughly how long")
def test_a_long_step_says_so_in_a_log(log: Log) -> None:
    with context(log).progress(f"simulating {HOSTILE}", total=4) as done:
        done()
        assert log.heard.wait(30)
    assert log.getvalue().startswith(f"simulating {PLAIN}: 0 s so far, 1 of 4, about 0 s left\n")


def test_the_newest_line_of_a_search_is_said_in_a_log(log: Log) -> None:
    with context(log).status("synthesizing") as tell:
        tell(f"7 evaluations {HOSTILE}")
        assert log.heard.wait(30)
    assert log.getvalue().startswith(f"synthesizing: 0 s so far, 7 evaluations {PLAIN}\n")


@pytest.mark.promise("text from files is data, and every message is bounded and safe to print")
def test_a_terminal_shows_names_as_text() -> None:
    seen = io.StringIO()
    with context(seen, terminal=True).progress(f"simulating {HOSTILE}", total=4) as done:
        done()
    with context(seen, terminal=True).status("synthesizing") as tell:
        tell(HOSTILE)
    assert f"simulating {PLAIN}" in seen.getvalue()
    assert f"synthesizing: {PLAIN}" in seen.getvalue()


def test_without_a_console_nothing_is_said() -> None:
    silent = Context(console=None)
    with silent.progress("x") as done, silent.status("y") as tell:
        done()
        tell("z")
    silent.say("w")
    assert not silent.visible


@pytest.mark.promise(
    "a line every 10 s says what is done and for how long, and a build is not called a simulation"
)
def test_a_step_that_tells_itself_prints_each_line_once(log: Log) -> None:
    with context(log).told("the RTL") as tell:
        tell("building")
    assert log.getvalue() == "building\n"
    seen = Log()
    with context(seen, terminal=True).told("the RTL") as tell:
        tell("building")
    assert "building" in seen.getvalue() and "the RTL" in seen.getvalue()


@pytest.mark.promise(
    "closed streams, missing memory of Yosys, a clock of 1e-320 MHz and images that are none"
    " are no faults"
)
@pytest.mark.parametrize("work", ["x", Path("x")])
def test_a_folder_may_be_text(work: Any) -> None:
    assert Context(work=work).work == Path("x")


@pytest.mark.parametrize(
    ("field", "value"), [("work", 3), ("work", ""), ("work", None), ("console", "x")]
)
def test_another_argument_is_one_sentence(field: str, value: object) -> None:
    with pytest.raises(ArgumentError, match=rf"^{field} must be a .*\(hwgen.api.Context\)$"):
        Context(**{field: value})  # type: ignore[arg-type]
