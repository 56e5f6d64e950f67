"""Which files hwgen has written itself: an output replaces nothing else.

A file is known by its first and last bytes; an empty one belongs to nobody.
"""

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
            with path.open("rb") as file:
                head = file.read(HEAD_BYTES)
                file.seek(max(0, path.stat().st_size - TAIL_BYTES))
                tail = file.read(TAIL_BYTES)
        except OSError:
            return  # there is nothing to replace, or it is told elsewhere that it cannot be
        own = head.lstrip().startswith(self.start) and any(
            mark in part for mark in self.marks for part in (head, tail)
        )
        if head.strip() and not own:
            raise OutputError(
                f"{option} must be a new file or replace {self.what} of hwgen, got another file"
                f" ({path})"
            )


ZIP = b"PK"
NETWORKS = Earlier("a network", ZIP, (b'"format": "hwgen.network"',))
PROGRAM_FILES = Earlier("a program", ZIP, (b'.program"',))
ONNX_FILES = Earlier("an ONNX file", b"", (b"\x12\x05hwgen",))
REPORTS = Earlier("a report", b"{", (b'"format": "hwgen.report.',))
TRACES = Earlier("a trace", b"{", (b'"generator":"hwgen"',))
PICTURES = Earlier("a picture", b"", (PICTURE_MARK, b"Software\0hwgen"))
PAGES = Earlier("a page", b"<!DOCTYPE html>", (b'<meta name="generator" content="hwgen">',))
RESULTS = Earlier("a page of results", b"# Complete networks on the chip", (b"#",))
