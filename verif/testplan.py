"""Compares `testplan.yaml` with the results of a test run, promise by promise."""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

TESTPLAN = Path(__file__).parent / "testplan.yaml"
FORGIVEN = ("Icarus", "VNNI")
"""A test may be skipped for want of this tool or these instructions, and for no other reason."""
EXCUSED = "skipped for want of "

LONG_ALONE = frozenset(
    {
        "the register block holds the formal properties of AXI4-Lite, and one that withdraws an"
        " answer does not",
        "the requantizer is the formula of float32, by proof",
    }
)
"""Promises that no test by default may keep: each needs minutes, or a solver many seconds.

At most twenty.
"""
CPU_SECONDS = "cpu_s"
"""Property of a test: its processor seconds, with fixtures and children."""
DEAREST = 20
"""Tests that are named with their price."""

Results = Mapping[str, set[str]]


def read_results(junit_xml: Path) -> Results:
    """Return the outcomes of each test: of each set of parameters, and of all taken together."""
    outcomes: dict[str, set[str]] = defaultdict(set)
    for case in ElementTree.parse(junit_xml).iter("testcase"):
        file = case.attrib["classname"].replace(".", "/") + ".py"
        name = case.attrib["name"]
        for test in {name, name.partition("[")[0]}:
            outcomes[f"{file}::{test}"].add(outcome(case))
    return outcomes


def outcome(case: ElementTree.Element) -> str:
    """Return how one test case ended: passed, failed, skipped, or excused with what it lacks."""
    marks = {child.tag: child for child in case}
    if "failure" in marks or "error" in marks:
        return "failed"
    if "skipped" in marks:
        reason = marks["skipped"].attrib.get("message", "")
        return next((f"{EXCUSED}{lacks}" for lacks in FORGIVEN if lacks in reason), "skipped")
    return "passed"


def judge(entry: Mapping[str, Any], results: Results) -> Iterator[tuple[str, bool]]:
    """Yield what is wrong with each test of a promise, and whether that breaks the promise.

    Tests under `long` need not run, but must not fail when they do.
    """
    if not entry["tests"] and not entry.get("long"):
        yield "it names no test", True
    elif not entry["tests"] and entry.get("promise") not in LONG_ALONE:
        yield "no test that runs by default keeps it", True
    for test in [*entry["tests"], *entry.get("long", [])]:
        outcomes = results.get(test, set())
        if not outcomes:
            if test in entry["tests"]:
                yield f"{test} did not run", True
        elif "failed" in outcomes:
            yield f"{test} failed", True
        elif "skipped" in outcomes:
            yield f"{test} skipped", True
        elif all(each.startswith(EXCUSED) for each in outcomes):
            yield f"{test} {', '.join(sorted(outcomes))}", False


def read_plan() -> list[tuple[str, Mapping[str, Any]]]:
    """Return each promise with the part that makes it."""
    plan = yaml.safe_load(TESTPLAN.read_text(encoding="utf-8"))
    return [(part, entry) for part, entries in plan.items() for entry in entries]


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


def below(entry: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Return a promise with the tests below a folder alone."""
    kinds = {kind: entry.get(kind, []) for kind in ("tests", "long")}
    return {**entry} | {
        kind: [test for test in tests if test.startswith(folder)] for kind, tests in kinds.items()
    }


def main(junit_xml: Path, folder: str = "tests/") -> int:
    """Print one line for each promise that is not fully tested; return 1 if one is broken.

    folder: of the tests that ran; promises that have none below it are another run's
    """
    tell_prices(junit_xml)
    results = read_results(junit_xml)
    promises = [
        (part, below(entry, folder))
        for part, entry in read_plan()
        if any(test.startswith(folder) for test in entry["tests"] or entry.get("long", ()))
    ]
    broken = 0
    for part, entry in promises:
        for problem, breaks in judge(entry, results):
            broken += breaks
            print(f"testplan: {part}: {entry['promise']}: {problem}")
    print(f"testplan: {len(promises)} promises, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
