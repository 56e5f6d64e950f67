"""One run of the command line in a forked worker of a warm process, with limits."""

import contextlib
import os
import re
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from hwgen.cli import main
from tests.fuzz.calls import SESSION, call

SECONDS = 20
"""Of processor time."""
WALL_SECONDS = 90
"""On a busy machine; a command that waits for a pipe never ends."""
BYTES = 2 << 30
"""Of memory above what the warm process has."""
LONGEST_SENTENCE = 1500
"""Characters; the usage of a command stands before the sentence about its arguments."""
API = "api"
"""First argument of a call of the Python API; the second is its seed."""
OPTION = re.compile(r"(?<!\w)--[a-z]")
"""What a person types on a command line, and nobody in Python."""
MADE = {"mine"}
"""Files that a trial makes itself, of a person."""
CRASHED = 99
"""Exit code of a worker whose command raised."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A command line and where it runs.

    closed: whether standard output is; may_replace: whether it may replace a file that is there
    """

    name: str
    arguments: Sequence[str]
    folder: Path
    closed: bool = False
    may_replace: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended.

    code: negative for a signal; new: files that it left; replaced: files of a person that changed
    options: whether a call of the API was told of options
    """

    code: int
    out: str
    err: str
    seconds: float
    new: tuple[str, ...]
    replaced: tuple[str, ...] = ()
    options: bool = False

    @property
    def fault(self) -> str | None:
        """What is wrong with the outcome; None: nothing."""
        if self.code not in (0, 2):
            return f"exit code {self.code}"
        if self.replaced or self.options:
            return f"replaced {', '.join(self.replaced)}" if self.replaced else "options in Python"
        if self.new and self.code:
            return f"left {', '.join(self.new[:3])}"
        if self.code and (said := fault_of_sentence(self.err)):
            return said
        if any(not (c.isprintable() or c == "\n") for c in self.out + self.err):
            return "control characters"
        return None


def fault_of_sentence(err: str) -> str | None:
    """Return what is wrong with the message of a command that refused; None: nothing."""
    if "Traceback" in err or "fault of hwgen" in err:
        return "a fault of hwgen"
    if "must have memory" in err:
        return "too little memory"
    if not err.strip():
        return "no sentence"
    if len(err) > LONGEST_SENTENCE:
        return f"{len(err)} characters"
    return None


def run(trial: Trial) -> Outcome:
    """Run a command in a fork of this process."""
    before = names_in(trial.folder)
    contents = contents_of(trial.folder, before)
    began = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            work(trial, out, err)
        _, status, usage = os.wait4(child, 0)
        kill_group(child)
        return Outcome(
            code=os.waitstatus_to_exitcode(status),
            out=content_of(out),
            err=content_of(err),
            seconds=min(usage.ru_utime + usage.ru_stime, time.monotonic() - began),
            new=tuple(sorted(names_in(trial.folder) - before - MADE)),
            replaced=() if trial.may_replace else changed(trial.folder, contents),
            options=of_api(trial.arguments) and OPTION.search(content_of(err)) is not None,
        )


def of_api(arguments: Sequence[str]) -> bool:
    """Return whether a person's call of the Python API is tried, no part of hwgen by itself."""
    return arguments[0] == API and not arguments[1].startswith(SESSION)


def work(trial: Trial, out: IO[bytes], err: IO[bytes]) -> None:
    """Run a command in this process, which ends with it."""
    code = CRASHED
    try:
        os.setsid()
        os.chdir(trial.folder)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        # pytest may have put streams of its own in their place.
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        if trial.closed:
            os.close(1)
            sys.stdout = cast(Any, None)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1, closefd=False)
        limit()
        code = call(trial.arguments[1]) if trial.arguments[0] == API else main(trial.arguments)
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
            sys.stdout.flush()
        os._exit(code)


def limit() -> None:
    """Limit processor time, wall time and memory of this process."""
    memory = BYTES + data_bytes()
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(WALL_SECONDS)


def data_bytes() -> int:
    """Return the private memory that this process has reserved."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith("VmData:"))
    return int(line.split()[1]) << 10


def kill_group(leader: int) -> None:
    """End what a worker has left behind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def contents_of(folder: Path, names: set[str]) -> dict[str, bytes]:
    """Return the content of each file."""
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def changed(folder: Path, before: dict[str, bytes]) -> tuple[str, ...]:
    """Return the files whose content is another one now, and `mine` if a call has replaced it."""
    mine = contents_of(folder, MADE & names_in(folder))
    after = contents_of(folder, set(before))
    foreign = [name for name, content in mine.items() if content != b"of a person"]
    return (*(name for name in before if after.get(name) != before[name]), *foreign)


def names_in(folder: Path) -> set[str]:
    """Return the names of all that lies in a folder, at any depth."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def content_of(file: IO[Any]) -> str:
    """Return what was written into a file."""
    file.seek(0)
    return str(file.read().decode(errors="replace"))
