"""JSON of results: one line a record, beside the studies.

A command leaves its JSON as any report, perhaps beside its page; `keep` brings it here, and `lend`
puts it there again before the command replaces it. Whoever reads a difference sees which records
changed.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PAGES, RECORDS = ROOT / "docs/results", ROOT / "studies/results"


def keep(pages: Path = PAGES, records: Path = RECORDS) -> None:
    """Move what commands left beside pages, and write each record on a line of its own.

    A command may also write its record here itself; then what was lent is the older one, and goes.

    pages, records: the folders of both
    """
    for left in sorted(pages.glob("*.json")):
        record = records / left.name
        if record.exists() and record.stat().st_mtime_ns > left.stat().st_mtime_ns:
            left.unlink()
        else:
            left.replace(record)
    for file in sorted(records.glob("*.json")):
        text = file.read_text(encoding="utf-8")
        lines = records_text(json.loads(text))
        if lines != text:
            file.write_text(lines, encoding="utf-8")


def lend(name: str, pages: Path = PAGES, records: Path = RECORDS) -> None:
    """Put the record of a page beside it: by it a command knows an earlier output of its own."""
    if (record := records / f"{name}.json").exists():
        shutil.copyfile(record, pages / record.name)


def records_text(content: Any) -> str:
    """Return a content as JSON: its keys on lines, and on lines the entries of each of them."""
    if not isinstance(content, dict):
        return f"{json.dumps(content)}\n"
    keys = [f"{json.dumps(key)}: {entries_text(value)}" for key, value in content.items()]
    return "{\n" + ",\n".join(keys) + "\n}\n"


def entries_text(value: Any) -> str:
    """Return the value of a key: its entries on lines where they have parts themselves."""
    entries = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(entries, list) or not any(isinstance(each, dict | list) for each in entries):
        return json.dumps(value)
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}\n" + ",\n".join(entry_lines(value)) + f"\n{last}"


def entry_lines(value: Any) -> Iterator[str]:
    """Yield the entries of a dictionary or a list, each as a line."""
    if isinstance(value, dict):
        yield from (f" {json.dumps(key)}: {json.dumps(entry)}" for key, entry in value.items())
    else:
        yield from (f" {json.dumps(entry)}" for entry in value)
