"""Processes end in time: children with this one, and this one soon after Ctrl-C or SIGTERM."""

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

SET_DEATH_SIGNAL = 1
"""Of Linux's prctl."""

WATCHED = '(read -r end <&"$0"; kill -9 0) > /dev/null 2>&1 & exec "$@"'
"""A shell that becomes a command; beside it a process waits for the end of a pipe.

Only our process can write to that pipe, so its end is ours. Then the whole group is killed.
"""

GRACE_SECONDS = 4.0
"""A command that was told to end cleans up for so long at most."""
TOLD_TO_END = (signal.SIGINT, signal.SIGTERM)

_ended = threading.Event()
"""Set where no deadline runs: the command has ended, or goes on with what it has."""


@contextmanager
def ended_in_time(
    leave: Callable[[int], object], *, seconds: float = GRACE_SECONDS
) -> Iterator[None]:
    """Call `leave` with the number of a signal that has not ended the body after some seconds.

    Python raises an exception only between two of its own instructions: not while a library
    computes, and one that is raised in a finalizer is lost. A thread sees the signal all the same.

    leave: called in that thread; ends the process
    Only the main thread receives signals; in another one this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _ended.clear()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    thread = threading.Thread(target=_watch, args=(reading, leave, seconds), daemon=True)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    thread.start()
    try:
        yield
    finally:
        _ended.set()
        signal.set_wakeup_fd(before)
        os.close(writing)
        thread.join()
        os.close(reading)


def _watch(reading: int, leave: Callable[[int], object], seconds: float) -> None:
    """Read the numbers of signals until the pipe is closed."""
    while number := os.read(reading, 1):
        if number[0] in TOLD_TO_END and not _ended.wait(seconds):
            leave(number[0])


def no_deadline() -> None:
    """Let this process go on after a signal: it ends by itself, with what it has."""
    _ended.set()


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
