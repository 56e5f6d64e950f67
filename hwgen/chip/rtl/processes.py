"""Two processes share the work on many items: each takes the next one when it is free."""

import os
import pickle
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence

from hwgen.files.leash import die_with_parent

MANY = 16
"""Fewer items are done faster by one process."""
INDEX_BYTES = 2

Work = Callable[[Iterator[str]], dict[str, str]]
"""Returns a result for each item that it takes."""


def shared(items: Sequence[str], work: Work) -> dict[str, str]:
    """Return a result for each item, from here and from a fork of this process.

    Which of the two works on an item is not determined; what `work` returns for it must not depend
    on that. What the fork does not finish is done here, so that errors are raised here.
    """
    if len(items) < MANY or not can_fork():
        return work(iter(items))
    taken, put = os.pipe()
    # A pipe holds 64 KiB, and gives each index to one reader.
    os.write(put, b"".join(index.to_bytes(INDEX_BYTES, "little") for index in range(len(items))))
    os.close(put)
    answer, answers = os.pipe()
    child = fork()
    if child == 0:
        die_with_parent()
        os.close(answer)
        answer_and_exit(lambda: work(claimed(items, taken)), answers)
    os.close(answers)
    try:
        found = work(claimed(items, taken))
        with open(answer, "rb", closefd=False) as pipe:
            content = pipe.read()
    finally:
        os.close(answer)
        os.close(taken)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if content:
        found |= pickle.loads(content)
    missing = [item for item in items if item not in found]
    return found | work(iter(missing)) if missing else found


def can_fork() -> bool:
    """Return whether a fork is possible, and has a processor of its own."""
    return hasattr(os, "fork") and len(os.sched_getaffinity(0)) > 1


def fork() -> int:
    """Fork; threads, such as one that shows progress, stay in this process alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def claimed(items: Sequence[str], pipe: int) -> Iterator[str]:
    """Yield items until the pipe holds no index."""
    while index := os.read(pipe, INDEX_BYTES):
        yield items[int.from_bytes(index, "little")]


def answer_and_exit(work: Callable[[], dict[str, str]], pipe: int) -> None:
    """Write the results into a pipe, nothing after an error, and end this process."""
    try:
        content = pickle.dumps(work())
        with open(pipe, "wb") as file:
            file.write(content)
    finally:
        os._exit(0)
