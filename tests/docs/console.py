"""Runs the commands of a page: blocks of the language `console`, with what each prints behind it.

    $ hwgen info mine.yaml
    architecture mine of the family dbpim, f09cbd70dfb70b17
    ...

A line of three dots stands for any lines. Commands of a page run in one folder, in order.

    python -m tests.docs.console

writes what the commands print today into the pages: lines that differ in their numbers alone.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY = "..."
ROOT = Path(__file__).parents[2]
PAGES = {
    "README": ROOT / "README.md",
    "first-run": ROOT / "docs/tutorials/first-run.md",
    "yaml-to-verilog": ROOT / "docs/tutorials/yaml-to-verilog.md",
    "errors": ROOT / "docs/reference/errors.md",
    "energy": ROOT / "docs/howto/energy.md",
    "explore": ROOT / "docs/howto/explore.md",
}
"""Pages whose commands take seconds."""
NOT_RUN = ("pip", "python3 -m venv", "sudo", "scripts/demo", "scripts/setup")
"""Commands that change the environment; other tests hold what they do."""
PROGRESS = re.compile(
    r"^(building|waiting for) the simulator|^the cycle model is compiled|\d+ \w+ so far"
)
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


def refreshed(expected: list[str], found: list[str]) -> list[str]:
    """Return the lines of a page with the numbers that were printed; other lines as they are."""
    lines, place = [], 0
    for line in expected:
        here = range(place, len(found))
        match = next((at for at in here if shape(found[at]) == shape(line)), None)
        lines.append(line if match is None or line == ANY else found[match])
        place = place if match is None or line == ANY else match + 1
    return lines


def shape(line: str) -> str:
    """Return a line without its numbers, digests and spaces."""
    return re.sub(r"[0-9a-f]{16}|[\d.,]*\d|\s+", "", line)


def refresh(page: Path, hwgen: Hwgen, folder: Path) -> None:
    """Write the numbers of today into a page."""
    text = page.read_text(encoding="utf-8")
    for command in commands_of(page):
        if command.is_run and command.printed:
            found = refreshed(command.printed, run(command.line, hwgen, folder))
            old, new = "\n".join(command.printed), "\n".join(found)
            text = text.replace(f"$ {command.line}\n{old}", f"$ {command.line}\n{new}")
        elif command.is_run:
            run(command.line, hwgen, folder)
    page.write_text(text, encoding="utf-8")


def run(line: str, hwgen: Hwgen, folder: Path) -> list[str]:
    """Run one command in a folder, which is the current one; return all lines that it prints."""
    words = shlex.split(line)
    if words[0] == "hwgen":
        _, out, err = hwgen(*words[1:])
        text = err + out
    else:
        # `python3` of a page is the one that hwgen is installed in.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            line,
            shell=True,
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        text = done.stderr + done.stdout
    lines = [each.rstrip() for each in text.splitlines()]
    return [each for each in lines if not PROGRESS.search(each)]


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


def of_a_process(*arguments: str) -> tuple[int, str, str]:
    """Run `hwgen` in a process of its own; return exit code, stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "hwgen", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


if __name__ == "__main__":
    for each in PAGES.values():
        with tempfile.TemporaryDirectory() as scratch:
            os.chdir(scratch)
            refresh(each, of_a_process, Path(scratch))
            os.chdir(ROOT)
    subprocess.run([sys.executable, str(ROOT / "docs/draw_front.py")], check=True)
