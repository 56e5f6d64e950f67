"""The hwgen command: arguments in, tables out."""

import atexit
import gc
import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from types import FrameType
from typing import NoReturn

from hwgen.cli import commands
from hwgen.cli.app import CommandError, app, close_stdout, has_no_reader
from hwgen.cli.settings import settings_of
from hwgen.commands.packages import optional_packages
from hwgen.commands.studies import INSTALL, OURS, add_commands
from hwgen.errors import ArgumentError, HwgenError, MissingToolError, OutputError, plain_line
from hwgen.files.leash import ended_in_time

REQUESTS = commands.REQUESTS
"""Of the commands in `app`; each study adds its own when it is imported."""

UNUSABLE = tuple(add_commands())
"""A sentence for each study that has no commands."""

DEBUG = "--debug"

STOPPED = "hwgen: stopped by a signal; the same command does again what no cache holds"

EQUAL, BAD_INPUT, OUR_FAULT, INTERRUPTED, TERMINATED = 0, 2, 3, 130, 143
"""Exit codes; a command itself ends with 1 after a difference."""
SIGNALLED = 128
"""A shell adds the number of a signal to it."""


class Terminated(BaseException):
    """Raised by SIGTERM, so that what is running cleans up."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0: done, all equal. 1: something differs. 2: bad input or environment. 3: a fault of this
    program. 130, 143: after SIGINT, SIGTERM. An error is one sentence; with --debug its traceback
    stands before it. The process itself ends here after a signal if the arguments are its own.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the shell has closed it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    given = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        # The process ends with this call: nothing is worth a last search for garbage.
        atexit.register(gc.freeze)
    with ended_in_time(leave_late):
        return run_to_the_end(given, end=leave if arguments is None else stopped)


def run_to_the_end(given: Sequence[str], *, end: Callable[[int], int]) -> int:
    """Run one command and return its exit code; after a signal, that of `end`."""
    told: list[int] = []
    try:
        plain = [argument for argument in given if argument != DEBUG]
        with signals_raised(told), settings_of(plain) as arguments:
            return run_command(arguments)
    except KeyboardInterrupt:
        return end(INTERRUPTED)
    except Terminated:
        return end(TERMINATED)
    except Exception as error:
        if told:
            # It was raised where it cannot pass, such as in a callback of a compiler.
            return end(SIGNALLED + told[-1])
        if isinstance(error, BrokenPipeError) and has_no_reader():
            close_stdout()
            return EQUAL
        if DEBUG in given:
            traceback.print_exc()
        print(f"hwgen: {sentence_of(error)}", file=sys.stderr)
        return BAD_INPUT if is_mendable(error) else OUR_FAULT


def stopped(code: int) -> int:
    """Say how to go on after a signal; return the exit code."""
    print(STOPPED, file=sys.stderr)
    return code


def leave(code: int) -> NoReturn:
    """End this process after a signal, without the seconds that libraries take to leave."""
    try:
        stopped(code)
        sys.stdout.flush()
    finally:
        os._exit(code)


def leave_late(number: int) -> None:
    """End this process some seconds after a signal that it did not react to."""
    try:
        _, writable, _ = select.select([], [sys.stderr], [], 0)
        if writable:
            os.write(sys.stderr.fileno(), f"{STOPPED}\n".encode())
    finally:
        os._exit(SIGNALLED + number)


def run_command(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code, or raise what it raises."""
    check_arguments(arguments)
    check_studies(arguments)
    for sentence in UNUSABLE:
        print(f"hwgen: {sentence}", file=sys.stderr)
    try:
        with optional_packages():
            app(list(arguments), prog_name="hwgen")
    except SystemExit as end:
        sys.stdout.flush()
        if end.code == INTERRUPTED:
            raise KeyboardInterrupt from None
        return int(end.code or EQUAL)
    except CommandError as failure:
        raise failure.__cause__ or failure from None
    return EQUAL


def check_arguments(arguments: Sequence[str]) -> None:
    """Refuse an empty argument, which a script passes for a variable that is not set."""
    for before, argument in pairwise(["hwgen", *arguments]):
        option, equals, value = argument.partition("=")
        if argument and (value or not equals or not option.startswith("--")):
            continue
        where = option if equals else before
        raise OutputError(f"every argument must be given, got an empty one at {where}")


def check_studies(arguments: Sequence[str]) -> None:
    """Refuse a command of the studies where they are not installed."""
    known = {each.name for each in app.registered_commands}
    known |= {each.name for each in app.registered_groups}
    wanted = next((each for each in arguments[:1] if each in OURS and each not in known), None)
    if wanted is not None:
        raise MissingToolError(f"hwgen {wanted} needs the studies of hwgen: {INSTALL}")


@contextmanager
def signals_raised(told: list[int]) -> Iterator[None]:
    """Raise SIGINT and SIGTERM as exceptions while a command runs; only the main thread can.

    told: gets the number of the signal. An exception that cannot pass leaves no traceback.
    A caller that hears SIGINT in its own way, or not at all, goes on so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def raised(number: int, frame: FrameType | None) -> None:
        told.append(number)
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    def unraisable(lost: "sys.UnraisableHookArgs") -> None:
        if not isinstance(lost.exc_value, KeyboardInterrupt | Terminated):
            hook(lost)

    heard = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        heard.append(signal.SIGINT)
    before = {number: signal.signal(number, raised) for number in heard}
    hook, sys.unraisablehook = sys.unraisablehook, unraisable
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def is_mendable(error: Exception) -> bool:
    """Return whether the input or the environment is at fault, not hwgen."""
    return isinstance(error, HwgenError | MemoryError | OSError)


def sentence_of(error: Exception) -> str:
    """Return what went wrong, in one line of bounded length."""
    if isinstance(error, ArgumentError):
        option = error.field if error.field.isupper() else f"--{error.field.replace('_', '-')}"
        field = error.typed or option
        return plain_line(f"{field} must be {error.allowed}, got {error.given}")
    if isinstance(error, HwgenError):
        return str(error)
    text = plain_line(" ".join(str(error).split()))
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        return plain_line(
            f"the machine must let this command work, got {error.strerror or text}{place}"
        )
    if isinstance(error, MemoryError):
        return "the machine must have memory for this command, got too little"
    return (
        f"a fault of hwgen, not of what it was given: {type(error).__name__}: {text}; {DEBUG} shows"
        " the traceback; report it with the command to the authors of hwgen"
    )
