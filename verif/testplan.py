"""The test plan: promises that tests keep, against the results of a run of them.

A test says what it keeps: `@pytest.mark.promise("...")`; where parameters decide, its module has
`PROMISES`, by a test's parameters or by their first word. `docs/promises.md` lists all sentences.
`--write` makes the page again, from what pytest collects.
"""

import argparse
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "promises.md"
RUNS = {"tests/": ROOT / "tests", "studies/": ROOT / "studies" / "tests"}
"""Folders whose tests are a run of their own, each a section of the page."""
HEAD = """# What the project promises

Each sentence stands at the tests that keep it (`@pytest.mark.promise`), and each has one that runs
by default. `scripts/test` fails where one did not run, failed, or was skipped for another reason
than a tool that is not installed. `.venv/bin/python -m verif.testplan --write` makes this page.
"""
FORGIVEN = ("Icarus", "VNNI")
"""A test may be skipped for want of this tool or these instructions, and for no other reason."""
EXCUSED = "skipped for want of "

LONG_ALONE = frozenset(
    {
        "the register block holds the formal properties of AXI4-Lite, and one that withdraws an"
        " answer does not",
        "the requantizer is the formula of float32, by proof",
        "Verilog of chips with drawn sizes above 16 equals golden and the cycle model",
        "faults of a generator are drawn in its Verilog and meet the bench of the part",
        "a search finds a chip that runs ResNet20 at least as fast as one of 32 compartments and 8"
        " macros a core, within its area",
    }
)
"""Promises that no test by default may keep: each needs minutes, or a solver many seconds.

At most twenty.
"""
PROMISE = "promise"
"""Mark of a test, and property of its result."""
CPU_SECONDS = "cpu_s"
"""Property of a test: its processor seconds, with fixtures and children."""
DEAREST = 20
"""Tests that are named with their price."""

Results = Mapping[str, Sequence[tuple[str, str]]]
"""By promise the tests that keep it, each with how it ended."""


def read_results(junit_xml: Path) -> Results:
    """Return the tests of each promise with their outcomes."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for case in ElementTree.parse(junit_xml).iter("testcase"):
        test = f"{case.get('classname')}::{case.get('name')}"
        for each in case.iterfind(f"properties/property[@name='{PROMISE}']"):
            found[each.attrib["value"]].append((test, outcome(case)))
    return found


def outcome(case: ElementTree.Element) -> str:
    """Return how one test case ended: passed, failed, skipped, or excused with what it lacks."""
    marks = {child.tag: child for child in case}
    if "failure" in marks or "error" in marks:
        return "failed"
    if "skipped" in marks:
        reason = marks["skipped"].attrib.get("message", "")
        return next((f"{EXCUSED}{lacks}" for lacks in FORGIVEN if lacks in reason), "skipped")
    return "passed"


def judge(
    promises: Iterable[str], results: Results, listed: Iterable[str]
) -> Iterator[tuple[str, str, bool]]:
    """Yield each promise that is not kept, why, and whether that breaks it.

    promises: of the run that gave the results
    listed: of the whole page; one that it lacks breaks, too. The tests of two runs may keep the
        same promise, which the page has once.
    """
    for promise in promises:
        tests = results.get(promise, ())
        if not tests and promise not in LONG_ALONE:
            yield promise, "no test that runs by default keeps it", True
        for test, ended in tests:
            if ended in ("failed", "skipped"):
                yield promise, f"{test} {ended}", True
        if tests and all(ended.startswith(EXCUSED) for _, ended in tests):
            yield promise, f"{tests[0][0]} {tests[0][1]}", False
    for promise in sorted(set(results) - set(listed)):
        yield promise, "docs/promises.md lacks it: python -m verif.testplan --write", True


def read_page(folder: str, page: Path = PAGE) -> list[str]:
    """Return the promises of the tests below a folder, as the page has them."""
    found, here = [], ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            here = line.removeprefix("## ")
        elif line.startswith("- ") and f"{here}/".startswith(folder):
            found.append(line.removeprefix("- "))
    return found


def collected() -> dict[str, str]:
    """Return the folder of the first test of each promise of each run, as pytest collects them."""
    found: dict[str, str] = {}
    for folder in RUNS.values():
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--long", "--promises"]
        done = subprocess.run(
            [*command, "-n", "0", str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for line in done.stdout.splitlines():
            if line.startswith(f"{PROMISE}\t"):
                _, place, promise = line.split("\t")
                found.setdefault(promise, place)
    return found


def page_of(promises: Mapping[str, str]) -> str:
    """Return the page; promises: each with the folder of its first test."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for promise, folder in promises.items():
        by_folder[folder].append(promise)
    lines = [HEAD]
    for folder, sentences in sorted(by_folder.items()):
        lines += [f"## {folder}", "", *(f"- {sentence}" for sentence in sorted(sentences)), ""]
    return "\n".join(lines)


def dearest(junit_xml: Path) -> list[tuple[float, str]]:
    """Return the tests that took the most processor seconds, the dearest first."""
    prices = []
    for case in ElementTree.parse(junit_xml).iter("testcase"):
        for each in case.iterfind(f"properties/property[@name='{CPU_SECONDS}']"):
            prices.append(
                (float(each.attrib["value"]), f"{case.get('classname')}::{case.get('name')}")
            )
    return sorted(prices, reverse=True)


def tell_prices(junit_xml: Path) -> None:
    """Print what the dearest tests took, and all of them."""
    prices = dearest(junit_xml)
    for seconds, test in prices[:DEAREST]:
        print(f"testplan: {seconds:6.1f} CPU s {test}")
    whole = sum(seconds for seconds, _ in prices)
    print(f"testplan: {whole:.0f} CPU s in {len(prices)} tests")


def check(junit_xml: Path, folder: str) -> int:
    """Print one line for each promise that is not fully kept; return 1 if one is broken."""
    tell_prices(junit_xml)
    promises, broken = read_page(folder), 0
    for promise, problem, breaks in judge(promises, read_results(junit_xml), read_page("")):
        broken += breaks
        print(f"testplan: {promise}: {problem}")
    print(f"testplan: {len(promises)} promises, {broken} broken")
    return 1 if broken else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="verif.testplan", description=__doc__.partition("\n")[0])
    parser.add_argument("results", nargs="?", type=Path, help="JUnit XML of a run")
    parser.add_argument("folder", nargs="?", default="tests/", choices=RUNS, help="that ran")
    parser.add_argument("--write", action="store_true", help="write docs/promises.md")
    given = parser.parse_args(arguments)
    if given.write:
        PAGE.write_text(page_of(collected()), encoding="utf-8")
        return 0
    if given.results is None:
        parser.error("give the results of a run, or --write")
    return check(given.results, given.folder)


if __name__ == "__main__":
    sys.exit(main())
