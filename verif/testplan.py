"""The test plan: promises that tests keep, against the results of a run of them.

A test says what it keeps: `@pytest.mark.promise("...")`; where parameters decide, its module has
`PROMISES`, by a test's parameters or by their first word. `--page` prints all sentences, as the
site shows them.
"""

import argparse
import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
RUNS = {"tests/": ROOT / "tests", "studies/": ROOT / "studies" / "tests"}
"""Folders whose tests are a run of their own, each a section of the page."""
HEAD = """# What the project promises

Each sentence stands at the tests that keep it (`@pytest.mark.promise`), and each has one that
`scripts/test --all` runs, which fails where one did not run, failed, or was skipped for another
reason than a tool that is not installed. `scripts/test` runs at least 95 of 100.
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
        "a placed macro of SG13G2 is as slow as OpenSTA says with the same wires",
        "the slowest paths of two small chips in SG13G2 are within 5 % of their bounds",
        "firmware plays a plan on a processor, with a Resize of its own between two pieces of the"
        " chip",
        "the foundry's deck has no item for a layout, in all of its 358 rules",
    }
)
"""Promises that no test by default may keep: each needs minutes, or a solver many seconds.

At most twenty.
"""
MOST_LEFT = 20
"""Of so many promises one may have dear tests alone, which `scripts/test` leaves out."""
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


def judge(promises: Iterable[str], results: Results) -> Iterator[tuple[str, str, bool]]:
    """Yield each promise that is not kept, why, and whether that breaks it.

    promises: of the tests of the run that gave the results
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


def promised(folder: Path) -> dict[str, str]:
    """Return each promise of the tests below a folder, with the folder of the first that has it."""
    found: dict[str, str] = {}
    for file in sorted(folder.rglob("test_*.py")):
        for sentence in sentences(ast.parse(file.read_text(encoding="utf-8"))):
            found.setdefault(sentence, str(file.parent.relative_to(ROOT)))
    return found


def sentences(module: ast.Module) -> Iterator[str]:
    """Yield what the tests of a module keep: arguments of marks, and values of `PROMISES`."""
    for node in ast.walk(module):
        match node:
            case ast.Call() if ast.unparse(node.func) == f"pytest.mark.{PROMISE}":
                yield from map(ast.literal_eval, node.args)
            case ast.Assign(targets=[ast.Name(id="PROMISES")]):
                yield from chain.from_iterable(ast.literal_eval(node.value).values())


def page() -> str:
    """Return the page of all promises."""
    places: dict[str, str] = {}
    for folder in RUNS.values():
        places = promised(folder) | places
    by_folder: dict[str, list[str]] = defaultdict(list)
    for sentence, place in places.items():
        by_folder[place].append(sentence)
    lines = [HEAD]
    for place, kept in sorted(by_folder.items()):
        lines += [f"## {place}", "", *(f"- {sentence}" for sentence in sorted(kept)), ""]
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


def check(junit_xml: Path, folder: str, *, landing: bool = False) -> int:
    """Print one line for each promise that is not fully kept; return 1 if one is broken.

    landing: dear tests did not run
    """
    tell_prices(junit_xml)
    promises, broken = list(promised(RUNS[folder])), 0
    results = read_results(junit_xml)
    if landing:
        left = {promise for promise in promises if promise not in results} - LONG_ALONE
        told = f"of {len(promises)} promises {len(left)} are kept by dear tests alone"
        if MOST_LEFT * len(left) > len(promises):
            print("testplan: only one in twenty may be:", *sorted(left), sep="\n")
            broken += 1
        promises = [promise for promise in promises if promise not in left]
        print(f"testplan: {told}")
    for promise, problem, breaks in judge(promises, results):
        broken += breaks
        print(f"testplan: {promise}: {problem}")
    print(f"testplan: {len(promises)} promises, {broken} broken")
    return 1 if broken else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="verif.testplan", description=__doc__.partition("\n")[0])
    parser.add_argument("results", nargs="?", type=Path, help="JUnit XML of a run")
    parser.add_argument("folder", nargs="?", default="tests/", choices=RUNS, help="that ran")
    parser.add_argument("--landing", action="store_true", help="the dear tests were left out")
    parser.add_argument("--page", action="store_true", help="print all promises as a page")
    given = parser.parse_args(arguments)
    if given.page:
        print(page())
        return 0
    if given.results is None:
        parser.error("give the results of a run, or --page")
    return check(given.results, given.folder, landing=given.landing)


if __name__ == "__main__":
    sys.exit(main())
