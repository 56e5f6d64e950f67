"""Read the Liberty format: groups with attributes, as every library of cells is published.

library (name) {                       Group("library", ("name",))
  time_unit : "1ns";                     .simple["time_unit"] = "1ns"
  capacitive_load_unit (1, ff);          .complex["capacitive_load_unit"] = [("1", "ff")]
  cell (inverter) { area : 0.5; }        .groups[0]
}
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hwgen.errors import FormatError
from hwgen.files.given import read_given

ALLOWED = "a Liberty file (.lib or .lib.gz)"
MOST_BYTES = 256 << 20
"""Of a file, and of what it unpacks to: the largest published corners have some 100 MB."""
TOKEN = re.compile(
    r'"((?:[^"\\]|\\.)*)"|([^\s{}();:,"\\/]+(?:/(?!\*)[^\s{}();:,"\\/]*)*)|([{}();:,])'
    r"|/\*.*?\*/|//[^\n]*|\\|/",
    re.S,
)
"""A string, a word, or punctuation; comments and continued lines have no group."""


@dataclass
class Group:
    """A group: its kind, its arguments, its attributes, and the groups in it."""

    kind: str
    arguments: tuple[str, ...]
    simple: dict[str, str] = field(default_factory=dict)
    complex: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The first argument; empty where there is none."""
        return self.arguments[0] if self.arguments else ""

    def of_kind(self, *kinds: str) -> Iterator["Group"]:
        """Yield the groups of some kinds."""
        return (group for group in self.groups if group.kind in kinds)

    def number(self, attribute: str, default: float = 0.0) -> float:
        """Return an attribute as a number; the default where it is absent or none."""
        try:
            return float(self.simple[attribute])
        except (KeyError, ValueError):
            return default


def liberty_text(path: Path) -> str:
    """Return the text of a Liberty file, unpacked if it is compressed.

    Errors: FormatError for a file that is absent, too large, or broken where it is compressed
    """
    content = read_given(path, what="the library", allowed=ALLOWED, most_bytes=MOST_BYTES)
    if content[:2] == b"\x1f\x8b":
        try:
            with gzip.open(path) as file:
                content = file.read(MOST_BYTES + 1)
        except (OSError, EOFError, zlib.error):
            raise broken(path, "a damaged gzip file") from None
        if len(content) > MOST_BYTES:
            raise broken(path, f"more than {MOST_BYTES:,} bytes")
    return content.decode("utf-8", errors="replace")


def broken(path: Path, given: str) -> FormatError:
    """Return the error for a file that is no library."""
    return FormatError(field="the library", allowed=ALLOWED, given=given, source=str(path))


def parse_liberty(text: str, path: Path) -> Group:
    """Return the group `library` of a text.

    path: stands in errors
    Errors: FormatError for text that is not one whole group `library`
    """
    reader = Reader(path)
    for string, word, sign in TOKEN.findall(text):
        if sign:
            reader.take_sign(sign)
        else:
            reader.take_word(word or string)
    if len(reader.stack) > 1:
        raise broken(path, "a file that ends within a group")
    library = next(reader.stack[0].of_kind("library"), None)
    if library is None:
        raise broken(path, "text without a group `library`")
    return library


class Reader:
    """Takes words and punctuation; the first group of `stack` holds what is read.

    state: `name` before an attribute, `arguments` in its parentheses, `called` behind them,
    `value` behind a colon
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stack = [Group("", ())]
        self.state = "name"
        self.words: list[str] = []
        self.names: list[str] = []
        self.arguments: list[str] = []

    def take_word(self, word: str) -> None:
        """Take a word or the text of a string; a comment is an empty word."""
        if self.state == "arguments":
            self.arguments.append(word)
        elif word:
            if self.state == "called":  # an attribute that no semicolon ends
                self.close()
            self.words.append(word)

    def take_sign(self, sign: str) -> None:
        """Take punctuation."""
        if sign == "(" and self.state == "value" and len(self.words) > 1:
            name = self.words.pop()  # behind a value that no semicolon ends
            self.close()
            self.words = [name]
        if sign == "(" and self.state == "name":
            self.names, self.words, self.arguments, self.state = self.words, [], [], "arguments"
        elif sign == ")" and self.state == "arguments":
            self.state = "called"
        elif sign == ":" and self.state in ("name", "value"):
            last = self.words[-1:]
            self.words = self.words[:-1]
            self.close()
            self.names, self.state = last, "value"
        elif sign == "{":
            self.open()
        elif sign == ";":
            self.close()
        elif sign == "}":
            self.close()
            self.stack.pop()
            if not self.stack:
                raise broken(self.path, "a brace too much")

    def open(self) -> None:
        """Begin a group."""
        if len(self.names) != 1 or self.state != "called":
            raise broken(self.path, "text of another format")
        group = Group(self.names[0], tuple(self.arguments))
        self.stack[-1].groups.append(group)
        self.stack.append(group)
        self.words, self.state = [], "name"

    def close(self) -> None:
        """End an attribute: `name (words)` or `name : words`."""
        if self.names and self.state == "called":
            found = self.stack[-1].complex.setdefault(self.names[0], [])
            found.append(tuple(self.arguments))
        elif self.names and self.state == "value":
            self.stack[-1].simple[self.names[0]] = " ".join(self.words)
        self.words, self.state = [], "name"
