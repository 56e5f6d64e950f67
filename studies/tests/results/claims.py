"""Claims of README: the page that names their commands, and whether these print the digits."""

import argparse
import difflib
import re
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from studies.tests.results.ledger import ROOT, Page, Record, read_ledger, read_pages
from studies.tests.results.run import environment

CLAIMS = Path(__file__).with_name("claims.yaml")
PAGE = ROOT / "docs/claims.md"
NUMBER = r"\d[\d,]*(?:\.\d+)?"


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """A claim that a clone alone checks; `claims.yaml` explains the fields."""

    claim: str
    command: str
    prints: Sequence[str]
    cpu_minutes: float
    quick: bool = False


@dataclass(frozen=True, kw_only=True)
class OfData(Shipped):
    """A claim whose command reads images of the person, in `$DATA`."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A claim that needs data or networks from outside; `claims.yaml` explains the fields."""

    claim: str
    page: str
    says: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Claims:
    """All claims."""

    shipped: Sequence[Shipped]
    of_data: Sequence[OfData]
    fetched: Sequence[Fetched]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    given = options().parse_args(arguments)
    claims = read_claims()
    if given.write:
        PAGE.write_text(page_of(claims, read_pages(), read_ledger()), encoding="utf-8")
        return 0
    chosen = [each for each in claims.shipped if each.quick or not given.quick]
    if given.data is None:
        return check_all(chosen)
    return check_all([*chosen, *claims.of_data], DATA=str(given.data.resolve()))


def options() -> argparse.ArgumentParser:
    """Return what the command takes."""
    parser = argparse.ArgumentParser(prog="scripts/claims", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only claims of less than a minute")
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="with cifar10: accuracies, too, for hours"
    )
    parser.add_argument("--write", action="store_true", help="write docs/claims.md, run nothing")
    return parser


def read_claims(file: Path = CLAIMS) -> Claims:
    """Return the claims of a file."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return Claims(
        shipped=[Shipped(**each) for each in content["shipped"]],
        of_data=[OfData(**each) for each in content["of_data"]],
        fetched=[Fetched(**each) for each in content["fetched"]],
    )


def check_all(claims: Sequence[Shipped], **variables: str) -> int:
    """Run the command of each claim, print what differs; return 1 if something does.

    variables: of the commands
    """
    wrong, seconds = 0, 0.0
    for claim in claims:
        began = processor_seconds()
        differences = check(claim, **variables)
        took = processor_seconds() - began
        wrong, seconds = wrong + bool(differences), seconds + took
        print(f"{'differs' if differences else 'equal':7} {took:5.1f} s  {claim.command}")
        for line in differences or claim.prints:
            print(f"                 {line}", flush=True)
    print(f"{len(claims)} claims, {wrong} differ, {seconds:.0f} s of processor time")
    return int(wrong > 0)


def processor_seconds() -> float:
    """Return the processor time of all commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def check(claim: Shipped, **variables: str) -> list[str]:
    """Run the command of a claim; return a line for each piece that it does not print."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", claim.command],
        cwd=ROOT,
        env=environment(COLUMNS="160", **variables),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        return [f"the command ended with {done.returncode}: {last}"]
    return missing(claim.prints, done.stdout)


def missing(pieces: Sequence[str], text: str) -> list[str]:
    """Return a line for each piece that is not in a text; it tells which digits stand there.

    Spaces and line ends count as one space; a number is never found as a part of a longer one.
    """
    text = " ".join(text.split())
    found = []
    for piece in pieces:
        whole = re.escape(" ".join(piece.split()))
        if re.search(bounded(whole), text):
            continue
        alike = re.findall(bounded(re.sub(NUMBER, lambda _: NUMBER, whole)), text)
        (near,) = difflib.get_close_matches(piece, alike, n=1, cutoff=0) or ("nothing like it",)
        found.append(f'claimed: "{piece}", got: "{near}"')
    return found


def bounded(pattern: str) -> str:
    """Return the pattern of whole words and whole numbers."""
    return rf"(?<![\w.,]){pattern}(?!\w|[.,]\d)"


def page_of(claims: Claims, pages: Mapping[str, Page], ledger: Mapping[str, Record]) -> str:
    """Return the text of `docs/claims.md`."""
    shipped = [
        [*row_of(each), f"{each.cpu_minutes:g}{'' if each.quick else ', not `--quick`'}"]
        for each in claims.shipped
    ]
    of_data = [[*row_of(each), f"{each.cpu_minutes:g}"] for each in claims.of_data]
    fetched = [
        [
            each.claim,
            f"[{each.page}]({Path(pages[each.page].page).relative_to('docs')})",
            again(pages[each.page]),
            needs_of(pages[each.page]),
            made(ledger[each.page]),
        ]
        for each in claims.fetched
    ]
    quick = sum(each.cpu_minutes for each in claims.shipped if each.quick)
    everything = sum(each.cpu_minutes for each in claims.shipped)
    return f"""# Claims, each with its command

With this page you check the headline claims of hwgen yourself: each has the command that shows it.
`scripts/claims` runs the commands of the first table and compares what they print with the digits
here; `--quick` runs the short ones. Where a digit differs, it prints both and ends with
exit code 1. All take {everything:.0f} minutes of processor time, the short ones {quick:.0f}.

## From a clone alone

Networks, chips and images ship. `scripts/claims` installs what it needs in `.venv`; by hand, run
`pip install '.[sim,dse]'` first. Minutes are those of a first run in this order on one core: the
first command compiles the cycle model, and each simulator is built once. Pieces of the output are
shown, several spaces as one.

{table(("claim", "command", "prints", "CPU minutes"), shipped)}

## Accuracies, with CIFAR-10

`scripts/claims --data FOLDER` runs these as well; the folder has `cifar10`, as
[training](training.md#images) says. Golden computes all 10,000 test images; its integers are those
of the chip.

{table(("claim", "command", "prints", "CPU minutes"), of_data)}

## With data from outside

These pages of results need data or networks that do not ship. [Sources](howto/energy.md#sources)
links data sets and checkpoints, with official name, size and sha256. A page says in its first line
if the code has changed since it was made. Minutes are those of the clock, on 2 cores, at that time.

{table(("claim", "page", "command", "needs", "made"), fetched)}

`scripts/claims --write` makes this page from `claims.yaml` and `pages.yaml` in
`studies/tests/results` and from the ledger of results, `studies/results/ledger.json`.
"""


def row_of(claim: Shipped) -> list[str]:
    """Return claim, command and what it prints."""
    prints = "<br>".join(f"`{piece}`" for piece in claim.prints)
    return [claim.claim, f"`{claim.command}`", prints]


def again(page: Page) -> str:
    """Return the command that makes a page again."""
    given = [f"--{option} {option.upper()}" for option in page.needs]
    return f"`{' '.join(['scripts/results', page.name, *given])}`"


def needs_of(page: Page) -> str:
    """Return what the user gives for a page: data, networks, packages."""
    named = [f"{option}: {', '.join(names)}" for option, names in page.needs.items()]
    return "; ".join([*named, *([f"extra `{page.extra}`"] if page.extra else [])]) or "nothing"


def made(record: Record) -> str:
    """Return when a page was made, from which commit, in how many minutes."""
    took = "" if record.seconds is None else f", {record.seconds / 60:.1f} minutes"
    return f"{record.day}, {record.commit}{took}"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    sys.exit(main())
