"""Which files hwgen has written itself: an output replaces nothing else.

A file is known by its first and last bytes; an empty one belongs to nobody.

Tests: `tests/files/test_output.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hwgen.errors import OutputError

HEAD_BYTES, TAIL_BYTES = 4096, 64
"""Of a file that are looked at."""
PICTURE_MARK = b"<!-- written by hwgen -->\n"
"""Last line of a picture in SVG."""


@dataclass(frozen=True)
class Earlier:
    """A kind of file that hwgen writes.

    what: names it, with its article; start: of its first bytes that are no blanks
    marks: of which one is in its first or last bytes
    """

    what: str
    start: bytes
    marks: tuple[bytes, ...]

    def check(self, path: Path, option: str) -> None:
        """Refuse to replace a file of another kind, or of somebody else.

        Errors: OutputError, one sentence that names the option
        """
        try:
            head, tail = ends(path)
        except OSError:
            return  # there is nothing to replace, or it is told elsewhere that it cannot be
        if head.strip() and not self.wrote(head, tail):
            raise OutputError(
                f"{option} must be a new file or replace {self.what} of hwgen, got another file"
                f" ({path})"
            )

    def wrote(self, head: bytes, tail: bytes) -> bool:
        """Return whether a file with these first and last bytes is one of this kind."""
        return head.lstrip().startswith(self.start) and any(
            mark in part for mark in self.marks for part in (head, tail)
        )


def ends(path: Path) -> tuple[bytes, bytes]:
    """Return the first and the last bytes of a file; OSError if there is none."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return head, file.read(TAIL_BYTES)


ZIP = b"PK"
NETWORKS = Earlier("a network", ZIP, (b'"format": "hwgen.network"', b'"format": "hwgen.plan"'))
PROGRAM_FILES = Earlier("a program", ZIP, (b'.program"',))
ONNX_FILES = Earlier("an ONNX file", b"", (b"\x12\x05hwgen",))
REPORTS = Earlier("a report", b"{", (b'"format": "hwgen.report.',))
PICTURES = Earlier("a picture", b"", (PICTURE_MARK, b"Software\0hwgen"))
PAGES = Earlier("a page", b"<!DOCTYPE html>", (b'<meta name="generator" content="hwgen">',))
TABLES = Earlier("a table of energies", b"# Energy", (b"hwgen.",))
DENSITIES = Earlier("densities", b"format: hwgen.densities", (b"hwgen.densities",))
FOUND_START = "# Found by hwgen explore"
FOUND = Earlier("an architecture that was found", FOUND_START.encode(), (b"hwgen.",))
FITTED_START = "# Fitted by hwgen fit-device"
FITTED = Earlier("a fitted file of effects", FITTED_START.encode(), (b"hwgen.effects",))
RESULTS = Earlier("a page of results", b"# Complete networks on the chip", (b"#",))
WAIVERS = Earlier("waivers", b"`verilator_config", (b"written by hwgen",))
SCRIPTS = Earlier("a script", b"#!/bin/sh", (b"# Build the chip with its memory and host",))


def refuse_others(folder: Path, names: Iterable[str]) -> None:
    """Refuse to replace files of a folder that has none with a mark of hwgen among them.

    Files of an earlier output lie together, and not each of them has a mark.

    names: of the files that are about to be written there
    Errors: OutputError, one sentence that names a file
    """
    places = [folder / name for name in names]
    there = [path for path in places if path.is_file() and not path.is_symlink()]
    try:
        both = [ends(path) for path in there]
    except OSError:
        return  # the writer says what is in the way
    written = [path for path, (head, _) in zip(there, both, strict=True) if head.strip()]
    kinds = (SCRIPTS, REPORTS, PICTURES, PAGES, WAIVERS)
    if written and not any(kind.wrote(*each) for kind in kinds for each in both):
        raise OutputError(
            f"{written[0].name} must be a new file or one of an earlier output of hwgen,"
            f" got another file ({written[0]})"
        )
