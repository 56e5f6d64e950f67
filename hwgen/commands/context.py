"""What every step is given: the work folder, and the console that shows progress."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from hwgen.errors import ArgumentError, plain_line
from hwgen.files.patience import Ticker


def terminal() -> Console:
    """Return stderr as a console; names that files give are text, not markup."""
    return Console(stderr=True, markup=False, emoji=False)


def wrong(field: str, allowed: str, given: object) -> ArgumentError:
    """Return the error of an argument of `Context`."""
    told = f"{given!r:.60}" if given == "" else f"a value of the type {type(given).__name__}"
    return ArgumentError(field=field, allowed=allowed, given=told, source="hwgen.api.Context")


@dataclass(frozen=True, kw_only=True)
class Context:
    """One run of the flow.

    work: folder of intermediate results; a result that is found there is reused, because its name
        holds a digest of all that it was made from
    console: where progress goes; None: nowhere
    """

    work: Path = Path("build")
    console: Console | None = field(default_factory=terminal)

    def __post_init__(self) -> None:
        """Check; the folder may be given as text. Raises ArgumentError."""
        if not isinstance(self.work, str | os.PathLike) or not os.fspath(self.work):
            raise wrong("work", "a path", self.work)
        if not isinstance(self.console, Console | None):
            raise wrong("console", "a console of rich, or None", self.console)
        object.__setattr__(self, "work", Path(self.work))

    @property
    def visible(self) -> bool:
        """Whether the console is a terminal, which can show a bar."""
        return self.console is not None and self.console.is_terminal

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator[Callable[[], None]]:
        """Show a bar (a spinner without `total`) while a step works; call the result per item.

        In a log, a step that takes longer than 5 s says so in a line, and every 10 s again.
        """
        if self.console is None:
            yield lambda: None
            return
        if not self.visible:
            with Ticker(what, self.say, total=total) as ticker:
                yield ticker.advance
            return
        columns = [TextColumn("{task.description}", markup=False), TimeElapsedColumn()]
        if total is None:
            columns.insert(0, SpinnerColumn())
        else:
            columns[1:1] = [BarColumn(), MofNCompleteColumn()]
        with Progress(*columns, console=self.console, transient=True) as bars:
            task = bars.add_task(plain_line(what), total=total)
            yield lambda: bars.advance(task)

    @contextmanager
    def status(self, what: str) -> Iterator[Callable[[str], None]]:
        """Show a spinner while a step works; the returned function shows a line of progress.

        In a log, the newest line is printed every 10 s, as by `progress`.
        """
        if self.console is None:
            yield lambda _: None
            return
        if not self.visible:
            with Ticker(what, self.say) as ticker:
                yield ticker.tell
            return
        columns = [SpinnerColumn(), TextColumn("{task.description}", markup=False)]
        with Progress(*columns, TimeElapsedColumn(), console=self.console, transient=True) as bars:
            task = bars.add_task(plain_line(what), total=None)
            yield lambda text: bars.update(task, description=plain_line(f"{what}: {text}"))

    @contextmanager
    def told(self, what: str) -> Iterator[Callable[[str], None]]:
        """Show a spinner while a step says itself what it does, by the returned function.

        In a log, each of its lines is printed at once.
        """
        if not self.visible:
            yield self.say
            return
        with self.status(what) as show:

            def tell(text: str) -> None:
                self.say(text)
                show(text)

            yield tell

    def say(self, text: str) -> None:
        """Print one line of progress."""
        if self.console is not None:
            self.console.print(plain_line(text), highlight=False, soft_wrap=True)


@contextmanager
def timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    """Write the wall time of the body into `seconds`, under the name `what`."""
    began = time.monotonic()
    yield
    seconds[what] = round(time.monotonic() - began, 2)
