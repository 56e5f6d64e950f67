"""One exception type for each kind of mistake; every message is one sentence for a person."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Self

LONGEST_LINE = 800
"""Characters of a line of a message; names and values come from files and have any length."""
NEAR = 0.65
"""Likeness from which a name is the near one; 0.6 finds `shape` for `speed`."""
ALSO_NEAR = 0.75
"""Likeness from which a name is suggested beside the nearest one."""
MOST_LINES = 20
"""Lines of a message about several nodes."""
FEW = 2
"""Lines of one cause that are shown each; more are one with a count."""
SUBJECTS = re.compile(r"\b(?:layer|node) [^ :]+|\bin [0-9,]+ of")
"""What differs between sentences of one cause."""
KNOWN_OPERATOR = "one that docs/operators.md lists"
"""What is allowed where a file of another format has an operator that is not supported."""


def plain_line(text: str, *, longest: int = LONGEST_LINE) -> str:
    """Return a text of any origin as one line that is safe to print.

    Control characters are escaped, so that no terminal obeys them. What is too long loses its
    middle: messages begin with the field and end with the file.
    """
    if len(text) > longest:
        tail = longest // 3
        text = f"{text[: longest - tail]} ... {text[-tail:]}"
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def plain_lines(lines: Sequence[str]) -> str:
    """Return lines of any origin, safe to print, each bounded, and as many as a person reads."""
    shown = [plain_line(line) for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"... and {len(lines) - MOST_LINES} more")
    return "\n".join(shown)


def counted(lines: Sequence[str], names: Sequence[str] = ()) -> list[str]:
    """Return lines, of more than `FEW` with one cause the first alone with a count.

    names: what each line is about besides `layer NAME` and `node NAME`
    """
    subjects = names or [""] * len(lines)
    causes = [
        SUBJECTS.sub("", line.replace(name, "", 1) if name else line)
        for line, name in zip(lines, subjects, strict=True)
    ]
    times, said, shown = Counter(causes), set[str](), list[str]()
    for line, cause in zip(lines, causes, strict=True):
        if times[cause] <= FEW:
            shown.append(line)
        elif cause not in said:
            said.add(cause)
            shown.append(f"{line} (and {times[cause] - 1} more of this cause)")
    return shown


def near_names(given: object, known: Iterable[str], *, most: int = 1) -> list[str]:
    """Return the known names that a misspelt one may mean, the nearest first.

    most: of these names; one that differs in case alone stands by itself
    """
    names = {name.casefold(): name for name in known}
    meant = str(given).casefold()
    nearest = get_close_matches(meant, names, n=1, cutoff=NEAR)
    if most > 1 and meant not in names:
        nearest += get_close_matches(meant, names, n=most, cutoff=ALSO_NEAR)
    return [names[each] for each in dict.fromkeys(nearest)]


def with_near(given: object, known: Iterable[str], *, most: int = 1) -> str:
    """Return what was given; where known names are near, the question whether one is meant.

    most: of the near names, as `near_names` gives them
    """
    near = near_names(given, known, most=most)
    if not near or near == [str(given)]:
        return str(given)
    return f"{given}: did you mean {' or '.join(filter(None, (', '.join(near[:-1]), near[-1])))}?"


class HwgenError(Exception):
    """Base of all errors that the command line prints as one sentence, with exit code 2."""

    def __str__(self) -> str:
        """Return the sentence: one line, bounded, without control characters."""
        return plain_line(super().__str__())

    @classmethod
    def from_args(cls, args: tuple[Any, ...]) -> Self:
        """Return an error with these arguments, whatever its constructor takes."""
        error = cls.__new__(cls, *args)
        error.args = args
        return error

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        """Let an error of a worker process reach the main process as itself."""
        return type(self).from_args, (self.args,), self.__dict__


class ConfigError(HwgenError):
    """A value in a config is missing, unknown or outside what is allowed."""

    def __init__(self, *, field: str, allowed: str, given: object, source: str) -> None:
        super().__init__(f"{field} must be {allowed}, got {given} ({source})")


class FieldError(ValueError):
    """What a check of a config finds, in a validator too: pydantic hands it on as it is.

    field, allowed, given: the words of the sentence that is made of it, with any characters
    """

    def __init__(self, field: str, allowed: object, given: object) -> None:
        super().__init__(f"{field} must be {allowed}, got {given}")
        self.field, self.allowed, self.given = field, str(allowed), str(given)


class ArgumentError(ConfigError):
    """An argument of the Python API is not what it can be.

    field, allowed, given: the parameter and the words of the sentence
    typed: what stands for a parameter of the command line that is no option
    """

    def __init__(
        self, *, field: str, allowed: str, given: object, source: str, typed: str | None = None
    ) -> None:
        super().__init__(field=field, allowed=allowed, given=given, source=source)
        self.field, self.allowed, self.given, self.typed = field, allowed, given, typed


class FormatError(HwgenError):
    """A file is not what it should be: foreign, truncated, of another version, inconsistent."""

    def __init__(self, *, field: str, allowed: object, given: object, source: str) -> None:
        super().__init__(f"{field} must be {allowed}, got {given} ({source})")


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One node that cannot be imported.

    node, operator: as the file and its format call them
    what: a property of the node; allowed: what it must be; given: what it is
    """

    node: str
    operator: str
    what: str
    allowed: str
    given: str

    @property
    def sentence(self) -> str:
        """The refusal as one sentence without its full stop."""
        return (
            f"node {self.node} ({self.operator}): {self.what} must be {self.allowed},"
            f" got {self.given}"
        )


class RefusedNetworkError(HwgenError):
    """A network with nodes that cannot be imported; the message has a line for each cause."""

    def __init__(self, *, source: str, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        lines = [refusal.sentence for refusal in refusals]
        if len(lines) == 1:
            lines = [f"{lines[0]} ({source})"]
        else:
            shown = counted(lines, [refusal.node for refusal in refusals])
            lines = [f"{len(lines)} nodes cannot be imported ({source}):", *shown]
        super().__init__(plain_lines(lines))

    def __str__(self) -> str:
        """Return all lines."""
        return Exception.__str__(self)


class RefusedNodesError(HwgenError):
    """Several things in a network stand in the way; the message has a line for each cause."""

    def __init__(self, *, sentences: Sequence[str], source: str) -> None:
        self.sentences = tuple(sentences)
        first = f"{len(sentences)} things stand in the way ({source}):"
        super().__init__(plain_lines([first, *counted(sentences)]))

    def __str__(self) -> str:
        """Return all lines."""
        return Exception.__str__(self)


class CompileError(HwgenError):
    """A network cannot run on an architecture: an unsupported layer, or it does not fit."""


class Reasons:
    """Collects why a network cannot run on an architecture, so that all is said at once.

    source: names the network
    """

    def __init__(self, source: str) -> None:
        self.source, self.sentences = source, list[str]()

    def __bool__(self) -> bool:
        return bool(self.sentences)

    @contextmanager
    def among(self) -> Iterator[None]:
        """Keep what the body raises; it goes on behind it."""
        try:
            yield
        except CompileError as error:
            self.sentences.append(str(error))
        except RefusedNodesError as error:
            self.sentences += error.sentences

    def check(self) -> None:
        """Raise CompileError for the only reason, RefusedNodesError for several."""
        if len(self.sentences) == 1:
            raise CompileError(self.sentences[0])
        if self.sentences:
            raise RefusedNodesError(sentences=self.sentences, source=self.source)


class OutputError(HwgenError):
    """What a command should write to is not writable, or not its own."""


class DesignError(HwgenError):
    """Two parts of a design cannot live together."""


class FamilyError(HwgenError):
    """A family of accelerators cannot do yet what a command asks for."""


class DataError(HwgenError):
    """Images or labels are missing, damaged or of another shape."""


class SimulationError(HwgenError):
    """A simulation stopped with an error code of the chip, or did not finish."""


class MissingToolError(HwgenError):
    """A program or an optional package is not on this machine; the message says how to get it."""


class WorkerError(HwgenError):
    """Processes or hosts that compute for us die again and again, or cannot be reached."""


class LineError(HwgenError):
    """A chip at the end of a line does not answer, or not what was asked."""
