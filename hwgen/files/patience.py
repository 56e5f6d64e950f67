"""Say in a log what takes long, and roughly how long: nobody watches a bar there."""

import threading
import time
from collections.abc import Callable
from typing import Self

FIRST_SECONDS = 5.0
"""A step that is faster says nothing."""
EVERY_SECONDS = 10.0
"""Between two lines."""

Say = Callable[[str], None]
"""Prints one line of progress."""


class Ticker:
    """A step that may take long; a thread says so, with what is left where the total is known.

    what: names the step; total: items of it, None: unknown; first: seconds before the first line
    """

    def __init__(
        self, what: str, say: Say, *, total: int | None = None, first: float | None = None
    ) -> None:
        self.what, self.say, self.total = what, say, total
        self.first = FIRST_SECONDS if first is None else first
        self.done, self.before, self.newest = 0.0, 0.0, ""
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def advance(self, items: float = 1) -> None:
        """Count items that are done."""
        self.done += items

    def skip(self, items: float) -> None:
        """Count items that were done before this step began; they say nothing of its speed."""
        self.done += items
        self.before += items

    def tell(self, text: str) -> None:
        """Take a line of progress; the newest one is printed."""
        self.newest = text

    def line(self) -> str:
        """Return what there is to say now."""
        elapsed = time.monotonic() - self.began
        parts = [f"{self.what}: {seconds_text(elapsed)} so far"]
        if self.total is not None:
            parts.append(f"{int(self.done)} of {self.total}")
            if self.done > self.before:
                rate = (self.done - self.before) / elapsed
                parts.append(f"about {seconds_text((self.total - self.done) / rate)} left")
        return ", ".join([*parts, self.newest] if self.newest else parts)

    def _run(self) -> None:
        """Say a line after the first seconds, and then again and again."""
        wait = self.first
        while not self._end.wait(wait):
            self.say(self.line())
            wait = EVERY_SECONDS


def seconds_text(seconds: float) -> str:
    """Return a time as a person says it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
