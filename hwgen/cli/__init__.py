"""The hwgen command: arguments in, tables out."""

import atexit
import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from hwgen.cli import commands, exchange, imports, paper, results, sweep, synthesis
from hwgen.cli.app import CommandError, app
from hwgen.errors import HwgenError

COMMANDS = (commands, imports, exchange, results, sweep, paper, synthesis)
"""Each of these modules adds its commands to `app` when it is imported."""

DEBUG = "--debug"

EQUAL, BAD_INPUT, OUR_FAULT, INTERRUPTED, TERMINATED = 0, 2, 3, 130, 143
"""Exit codes; a command itself ends with 1 after a difference."""


class Terminated(BaseException):
    """Raised by SIGTERM, so that what is running cleans up."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0: done, all equal. 1: something differs. 2: bad input or environment. 3: a fault of this
    program. 130, 143: after SIGINT, SIGTERM. An error is one sentence; with --debug its traceback
    stands before it.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        # The process ends with this call: nothing is worth a last search for garbage.
        atexit.register(gc.freeze)
    try:
        with sigterm_raised():
            return run_command([argument for argument in given if argument != DEBUG])
    except KeyboardInterrupt:
        return INTERRUPTED
    except Terminated:
        return TERMINATED
    except Exception as error:
        if isinstance(error, BrokenPipeError):
            close_stdout()
        if DEBUG in given:
            traceback.print_exc()
        print(f"hwgen: {sentence_of(error)}", file=sys.stderr)
        return BAD_INPUT if is_mendable(error) else OUR_FAULT


def run_command(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code, or raise what it raises."""
    try:
        app(list(arguments), prog_name="hwgen")
    except SystemExit as end:
        sys.stdout.flush()
        return int(end.code or EQUAL)
    except CommandError as failure:
        raise failure.__cause__ or failure from None
    return EQUAL


@contextmanager
def sigterm_raised() -> Iterator[None]:
    """Raise SIGTERM as an exception while a command runs; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def terminate(number: int, frame: FrameType | None) -> None:
    """Handle SIGTERM."""
    raise Terminated


def close_stdout() -> None:
    """Redirect stdout to nowhere: its reader is gone, and Python flushes it again at the end."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def is_mendable(error: Exception) -> bool:
    """Return whether the input or the environment is at fault, not hwgen."""
    return isinstance(error, HwgenError | MemoryError | OSError)


def sentence_of(error: Exception) -> str:
    """Return what went wrong, in one line."""
    text = " ".join(str(error).split())
    if isinstance(error, HwgenError):
        return str(error)
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        return f"the machine must let this command work, got {error.strerror or text}{place}"
    if isinstance(error, MemoryError):
        return "the machine must have memory for this command, got too little"
    return (
        f"a fault of hwgen, not of what it was given: {type(error).__name__}: {text}; {DEBUG} shows"
        " the traceback; report it with the command to the authors of hwgen"
    )
