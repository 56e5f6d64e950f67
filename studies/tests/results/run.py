"""Make pages of results again, or say which of them today's code would make otherwise."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence, Set
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from hwgen.commands.origin import commit
from hwgen.files.digests import digest_of, digest_of_code, digest_of_files, versions
from hwgen.report.sheet import Sheet
from studies.tests.results.ledger import (
    FILE,
    ROOT,
    Page,
    Record,
    changes,
    mark_of,
    marked,
    named,
    read_ledger,
    read_pages,
    write_ledger,
)
from studies.tests.results.records import keep, lend
from tests.same.run import everything, line_names, made_now


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    given = options().parse_args(arguments)
    pages = read_pages()
    if given.keep:
        keep()
        return 0
    unknown = [name for name in given.pages if name not in pages]
    chosen = [pages[name] for name in given.pages if name in pages]
    doing = {"list": show, "stale": stale, "mark": mark}
    asked = [do for name, do in doing.items() if getattr(given, name)]
    if unknown:
        return refuse(f"PAGE must be one of {', '.join(pages)}, got {unknown[0]}")
    if asked:
        return asked[0](chosen or list(pages.values()))
    if given.renew:
        return renew(
            chosen or list(pages.values()), {"data": given.data, "networks": given.networks}
        )
    if not chosen:
        return refuse("give --list, --stale, --renew, --mark, or pages to make again, got none")
    return make_all(chosen, {"data": given.data, "networks": given.networks})


def options() -> argparse.ArgumentParser:
    """Return what the command takes."""
    parser = argparse.ArgumentParser(prog="scripts/results", description=__doc__)
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="pages, by name, to make again")
    parser.add_argument("--list", action="store_true", help="all pages, and what made them")
    parser.add_argument(
        "--stale", action="store_true", help="compare all pages, or PAGEs; exit code 1 if one is"
    )
    parser.add_argument(
        "--renew", action="store_true", help="make stale pages, or PAGEs, again, the quickest first"
    )
    parser.add_argument("--mark", action="store_true", help="write the first line of stale pages")
    parser.add_argument("--keep", action="store_true", help="bring the JSON of results in its form")
    parser.add_argument("--data", type=Path, help="folder of cifar10, cifar100, checkpoints, ...")
    parser.add_argument("--networks", type=Path, help="folder of networks that do not ship")
    return parser


def refuse(sentence: str) -> int:
    """Say what is wrong; return the exit code."""
    print(f"scripts/results: {sentence}", file=sys.stderr)
    return 2


def show(pages: Sequence[Page]) -> int:
    """Print all pages with what made them."""
    ledger = read_ledger()
    rows = []
    for page in pages:
        record = ledger.get(page.name)
        made = ("-", "-", "-")
        if record is not None:
            took = "-" if record.seconds is None else f"{record.seconds:,.0f}"
            made = (record.commit, record.day, took)
        needs = " ".join(f"--{option}" for option in page.needs)
        needs = " ".join(filter(None, [needs, page.extra and f"extra {page.extra}"])) or "nothing"
        kind = "history" if page.history else "by hand" if not page.commands else needs
        rows.append([page.name, *made, kind])
    print_rows(("page", "commit", "day", "seconds", "needs"), rows)
    return 0


def stale(pages: Sequence[Page]) -> int:
    """Print each page with its commit and what has changed since; return 1 if one is stale."""
    ledger, now = read_ledger(), lines_today(pages)
    rows, wrong = [], 0
    for page in pages:
        record = ledger.get(page.name)
        found = mark_of(page, record, now)
        wrong += bool(found)
        state = "fresh" if not found else "not recorded"
        if found and record is not None and record.lines:
            state = f"stale: {named(changes(page, record, now))}"
        if page.history:
            state = "history"
        rows.append([page.name, record.commit if record else "-", state])
    print_rows(("page", "commit", "state"), rows)
    return int(wrong > 0)


def mark(pages: Sequence[Page]) -> int:
    """Write the first line of each page as what its sources make today says it must be."""
    ledger, now = read_ledger(), lines_today(pages)
    for page in pages:
        text = page.text()
        wanted = marked(text, mark_of(page, ledger.get(page.name), now))
        if wanted != text:
            page.put(wanted)
            print(f"{page.page}: {wanted.partition(chr(10))[0]}")
    return 0


def lines_today(pages: Sequence[Page]) -> dict[str, str]:
    """Return the lines that decide the pages, as the sources make them today.

    Text is compared first: lines of a page whose code and configurations stand as they were are
    those of its record.
    """
    ledger, text = read_ledger(), text_now()
    known: dict[str, str] = {}
    asked: set[str] = set()
    for page in pages:
        record = ledger.get(page.name)
        if record is not None and record.text == text:
            known |= record.lines
        elif record is not None and record.lines:
            asked |= page.chosen(dict.fromkeys(line_names(), "")).keys()
    return known | made_today(asked - known.keys())


def made_today(wanted: Set[str]) -> dict[str, str]:
    """Return lines as the sources make them; those of files that pages read have no maker."""
    return made_now(everything(long=False), wanted.__contains__) if wanted else {}


def make_all(pages: Sequence[Page], folders: dict[str, Path | None]) -> int:
    """Make pages again, unless something lacks for one of them."""
    reasons = [reason for page in pages for reason in lacks(page, folders)]
    if reasons:
        return refuse(reasons[0])
    for page in pages:
        make(page, folders)
    return 0


def renew(pages: Sequence[Page], folders: dict[str, Path | None]) -> int:
    """Make stale pages again, each written when it is done; return 1 if one stays stale.

    One that lacks something, and one whose commands fail, is named, and the next is made.
    """
    ledger, now = read_ledger(), lines_today(pages)
    rotten = [page for page in pages if mark_of(page, ledger.get(page.name), now)]
    took = {name: record.seconds or 0.0 for name, record in ledger.items()}
    left = 0
    for page in sorted(rotten, key=lambda each: took.get(each.name, 0.0)):
        try:
            reasons = lacks(page, folders)
            if not reasons:
                make(page, folders)
        except SystemExit as ended:
            reasons = [str(ended)]
        left += bool(reasons)
        for reason in reasons[:1]:
            print(reason.removeprefix("scripts/results: "), file=sys.stderr, flush=True)
    return int(left > 0)


def lacks(page: Page, folders: dict[str, Path | None]) -> list[str]:
    """Return a sentence for each thing that the commands of a page need and that is not there."""
    if page.history or not page.commands:
        return [f"{page.name} is not made by a command"]
    found = []
    for option, names in page.needs.items():
        folder = folders[option]
        missing = [name for name in names if folder is None or not (folder / name).exists()]
        if missing:
            how = f", as configs/train/cifar100_{missing[0]}.yaml makes it"
            found.append(
                f"{page.name} needs --{option} with {', '.join(names)}, got {folder} without"
                f" {missing[0]}{how if option == 'networks' else ''}"
            )
    return found


def make(page: Page, folders: dict[str, Path | None]) -> None:
    """Run the commands of a page and write its record; an error of a command ends the process."""
    print(f"{page.name}: made again", file=sys.stderr, flush=True)
    began, code = time.monotonic(), commit()
    given = {name.upper(): str(folder.resolve()) for name, folder in folders.items() if folder}
    command = ["bash", "-euo", "pipefail", "-c", page.commands]
    # A command replaces what it knows as its own, which begins with a title, not with a mark.
    file = page.written
    before = page.text() if page.part or file.exists() else None
    if before is not None:
        file.write_text(marked(before, ""), encoding="utf-8")
    lend(page.name)
    done = subprocess.run(command, cwd=ROOT, env=environment(**given), check=False)
    if page.part:
        page.put(file.read_text(encoding="utf-8"))
        file.unlink()
    if done.returncode != 0:
        if before is not None:
            page.put(before)
        keep()
        sys.exit(f"scripts/results: the commands of {page.name} ended with {done.returncode}")
    took = time.monotonic() - began
    keep()
    chosen = page.chosen(dict.fromkeys(line_names(), ""))
    files = {name: text for name, text in chosen.items() if name.startswith(FILE)}
    record = Record(
        commit=code or "unknown",
        day=datetime.now(UTC).date().isoformat(),
        seconds=round(took, 1),
        text=text_now(),
        lines=made_today(chosen.keys() - files.keys()) | files,
        inputs=inputs_of(page, folders),
        versions=versions(),
    )
    write_ledger(read_ledger() | {page.name: record})


def environment(**more: str) -> dict[str, str]:
    """Return the variables of a command, which finds hwgen and Python of this environment first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **more, "PATH": path}


def inputs_of(page: Page, folders: dict[str, Path | None]) -> dict[str, str]:
    """Return the digests of what the user gave, by the names of `needs`."""
    found = {}
    for option, names in page.needs.items():
        for name in names:
            folder = (folders[option] or Path()) / name
            kind = "network.npz" if option == "networks" else "*"
            found[name] = digest_of_files([f for f in folder.rglob(kind) if f.is_file()], folder)
    return found


def text_now() -> str:
    """Return the digest of code and configurations as they are written."""
    configs = [file for file in (ROOT / "configs").rglob("*") if file.is_file()]
    return digest_of([digest_of_code("hwgen", "golden"), digest_of_files(configs, ROOT)])


def print_rows(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    Console(width=160).print(Sheet(titles, rows, left=2).rich(), crop=False)


if __name__ == "__main__":
    sys.exit(main())
