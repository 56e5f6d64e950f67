"""What every step is given: the work folder, and the console that shows progress."""

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


@dataclass(frozen=True, kw_only=True)
class Context:
    """One run of the flow.

    work: folder of intermediate results; a result that is found there is reused, because its name
        holds a digest of all that it was made from
    console: where progress goes; None: nowhere
    """

    work: Path = Path("build")
    console: Console | None = field(default_factory=lambda: Console(stderr=True))

    @property
    def visible(self) -> bool:
        """Whether the console is a terminal, which can show a bar."""
        return self.console is not None and self.console.is_terminal

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator[Callable[[], None]]:
        """Show a bar (a spinner without `total`) while a step works; call the result per item."""
        if self.console is None or not self.visible:
            yield lambda: None
            return
        columns = [TextColumn("{task.description}"), TimeElapsedColumn()]
        if total is None:
            columns.insert(0, SpinnerColumn())
        else:
            columns[1:1] = [BarColumn(), MofNCompleteColumn()]
        with Progress(*columns, console=self.console, transient=True) as bars:
            task = bars.add_task(what, total=total)
            yield lambda: bars.advance(task)

    @contextmanager
    def status(self, what: str) -> Iterator[Callable[[str], None]]:
        """Show a spinner while a step works; the returned function shows a line of progress."""
        if self.console is None or not self.visible:
            yield lambda _: None
            return
        columns = [SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()]
        with Progress(*columns, console=self.console, transient=True) as bars:
            task = bars.add_task(what, total=None)
            yield lambda text: bars.update(task, description=f"{what}: {text}")

    def say(self, text: str) -> None:
        """Print one line of progress."""
        if self.console is not None:
            self.console.print(text, highlight=False, soft_wrap=True)


@contextmanager
def timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    """Write the wall time of the body into `seconds`, under the name `what`."""
    began = time.monotonic()
    yield
    seconds[what] = round(time.monotonic() - began, 2)
