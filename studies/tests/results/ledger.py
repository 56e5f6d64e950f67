"""The ledger of results: what each page of results was made from, and whether that still holds.

A page is stale where something that decides its figures (the Verilog of a chip, a prediction, the
answer of a search: lines of `tests/same`; a file that its commands read) is another
than when the page was made. A moved file or a comment changes no such line. The first line of a
stale page says so: its mark.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from hwgen.files.digests import digest_of_file
from studies.tests.results.parts import part_of, with_part
from studies.tests.results.records import records_text

ROOT = Path(__file__).parents[3]
PAGES = Path(__file__).with_name("pages.yaml")
PARTS = ROOT / "docs/results"
"""Where commands leave a part."""
LEDGER = ROOT / "studies/results/ledger.json"
MARK = "> Of "
FILE = "file "
"""Begins the line of a file that the commands of a page read."""
SHOWN = 3
"""Lines that a mark names; of more it says how many."""

Lines = Mapping[str, str]
"""Digests by the names of lines."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """An entry of `pages.yaml`, which explains the fields."""

    page: str
    part: str = ""
    commands: str = ""
    needs: dict[str, list[str]] = field(default_factory=dict)
    extra: str = ""
    lines: Sequence[str] = ()
    reads: Sequence[str] = ()
    history: bool = False

    @property
    def name(self) -> str:
        """The name of the page, or of the part, on the command line."""
        return self.part or Path(self.page).stem

    @property
    def written(self) -> Path:
        """What the commands write: the page, or a page of the part alone, which goes into it."""
        return PARTS / f"{self.part}.md" if self.part else ROOT / self.page

    def text(self) -> str:
        """Return the page, or the part, as it stands."""
        text = (ROOT / self.page).read_text(encoding="utf-8")
        return part_of(text, self.part) if self.part else text

    def put(self, text: str) -> None:
        """Write the page, or the part into its page."""
        file = ROOT / self.page
        if self.part:
            text = with_part(file.read_text(encoding="utf-8"), self.part, text)
        file.write_text(text, encoding="utf-8")

    def chosen(self, lines: Lines) -> dict[str, str]:
        """Return those lines that decide the figures of the page, and one a file that it reads."""
        found = {
            name: text
            for name, text in lines.items()
            if any(fnmatchcase(name, pattern) for pattern in self.lines)
        }
        read = sorted(file for pattern in self.reads for file in ROOT.glob(pattern))
        return found | {f"{FILE}{each.relative_to(ROOT)}": digest_of_file(each) for each in read}


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a page was made from.

    commit: of the code, marked + where files differed from it; day: as 2026-11-25
    seconds: that its commands took; null: not known
    text: digest of the code and the configurations as text; empty: not known
    lines: digests of what the code made; empty: nobody wrote them down
    inputs: digests of the networks and images that the user gave, by name
    versions: of Python and packages
    """

    commit: str
    day: str
    seconds: float | None
    text: str
    lines: dict[str, str]
    inputs: dict[str, str]
    versions: dict[str, str]


def read_pages() -> dict[str, Page]:
    """Return all pages by name."""
    pages = [Page(**each) for each in yaml.safe_load(PAGES.read_text(encoding="utf-8"))]
    return {page.name: page for page in pages}


def read_ledger(file: Path = LEDGER) -> dict[str, Record]:
    """Return the records of pages by name."""
    if not file.is_file():
        return {}
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {name: Record(**each) for name, each in content.items()}


def write_ledger(records: Mapping[str, Record], file: Path = LEDGER) -> None:
    """Write all records."""
    content = {name: asdict(record) for name, record in sorted(records.items())}
    file.write_text(records_text(content), encoding="utf-8")


def changes(page: Page, record: Record, now: Lines) -> list[str]:
    """Return the lines that are not what they were when the page was made, new and gone ones too.

    now: all lines of today
    """
    then, here = record.lines, page.chosen(now)
    return sorted(name for name in {*then, *here} if then.get(name) != here.get(name))


def mark_of(page: Page, record: Record | None, now: Lines) -> str:
    """Return the first line of a page as it must be: empty where the page is fresh, or history."""
    if page.history:
        return ""
    if record is None:
        return f"{MARK}a commit that nobody wrote down.{again(page)}"
    if not record.lines:
        return f"{MARK}commit {record.commit}; what it was made from is not recorded.{again(page)}"
    changed = changes(page, record, now)
    if not changed:
        return ""
    return f"{MARK}commit {record.commit}, since when changed: {named(changed)}.{again(page)}"


def named(changed: Sequence[str]) -> str:
    """Return the first of the changed lines, and how many more there are."""
    more = len(changed) - SHOWN
    return ", ".join(changed[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def again(page: Page) -> str:
    """Return how a page is made again, as the end of a mark."""
    if not page.commands:
        return " No command makes it again."
    return f" `scripts/results {page.name}` makes it again."


def marked(text: str, mark: str) -> str:
    """Return the text of a page with that mark, whatever mark it had."""
    if text.startswith(MARK):
        text = text.partition("\n\n")[2]
    return f"{mark}\n\n{text}" if mark else text
