"""Children that end with this process, however it ends: by Ctrl-C, SIGTERM or kill -9."""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

SET_DEATH_SIGNAL = 1
"""Of Linux's prctl."""

WATCHED = '(read -r end <&"$0"; kill -9 0) > /dev/null 2>&1 & exec "$@"'
"""A shell that becomes a command; beside it a process waits for the end of a pipe.

Only our process can write to that pipe, so its end is ours. Then the whole group is killed.
"""


def die_with_parent() -> None:
    """Let the system kill this process when its parent ends; for a child that was just forked."""
    with contextlib.suppress(OSError, AttributeError):  # not Linux
        ctypes.CDLL(None, use_errno=True).prctl(SET_DEATH_SIGNAL, signal.SIGKILL)


@contextmanager
def leashed(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    out: IO[Any] | int,
    err: IO[Any] | int,
) -> Iterator["subprocess.Popen[str]"]:
    """Start a command in a process group of its own; the whole group ends with the body.

    It ends, too, where this process is killed.
    """
    theirs, ours = os.pipe()
    try:
        running = subprocess.Popen(
            ["/bin/sh", "-c", WATCHED, str(theirs), *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            text=True,
            errors="replace",
            process_group=0,
            pass_fds=[theirs],
        )
        with running:
            try:
                yield running
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGKILL)
                running.wait()  # its own end of a block does not wait after Ctrl-C
    finally:
        os.close(theirs)
        os.close(ours)
