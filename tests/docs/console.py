"""Runs the commands of a page: blocks of the language `console`, with what each prints behind it.

    $ hwgen info mine.yaml
    architecture mine of the family dbpim, f09cbd70dfb70b17
    ...

A line of three dots stands for any lines. Commands of a page run in one folder, in order.
"""

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY = "..."
NOT_RUN = ("pip", "scripts/demo", "scripts/setup")
"""Commands that change the environment; other tests hold what they do."""
PROGRESS = re.compile(r"^(building|waiting for) the simulator|^the cycle model is compiled")
"""Lines of a first run, which a later one does not print."""

Hwgen = Callable[..., tuple[int, str, str]]


@dataclass(frozen=True)
class Command:
    """A command, and the lines that the page says it prints."""

    line: str
    printed: list[str]

    @property
    def is_run(self) -> bool:
        """Whether the test runs it."""
        return not self.line.startswith(NOT_RUN)


def commands_of(page: Path) -> Iterator[Command]:
    """Yield the commands of a page."""
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
        assert not parts[0], f"{page}: a block begins with a command"
        for part in parts[1:]:
            line, _, printed = part.partition("\n")
            yield Command(line, [each.rstrip() for each in printed.splitlines()])


def run(line: str, hwgen: Hwgen, folder: Path) -> list[str]:
    """Run one command in a folder, which is the current one; return all lines that it prints."""
    words = shlex.split(line)
    if words[0] == "hwgen":
        _, out, err = hwgen(*words[1:])
        text = err + out
    else:
        done = subprocess.run(
            line, shell=True, cwd=folder, capture_output=True, text=True, check=False
        )
        text = done.stderr + done.stdout
    lines = [each.rstrip() for each in text.splitlines()]
    return [each for each in lines if not PROGRESS.match(each)]


def difference(expected: list[str], found: list[str]) -> str | None:
    """Return the first line of a page that was not printed; None if all were, in order."""
    place, loose = 0, False
    for line in [*expected, None]:
        if line == ANY:
            loose = True
        elif line is None:
            if not loose and any(found[place:]):
                return f"nothing more, got {found[place]!r}"
        else:
            here = range(place, len(found) if loose else min(place + 1, len(found)))
            match = next((at for at in here if found[at] == line), None)
            if match is None:
                return f"{line!r}, got {found[place : place + 3]!r}"
            place, loose = match + 1, False
    return None
