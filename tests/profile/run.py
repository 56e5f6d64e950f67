"""The profile of a run of the tests: seconds by kind and by package, and the dearest tests.

`scripts/test --profile` runs all tests with the plugin beside this file and prints it.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from tests.profile.plugin import PREFIX

DEAREST = 40

Profile = Mapping[str, Counter[str]]
"""Name of a test without its parameters -> seconds by kind."""


def read_profile(results: Path) -> Profile:
    """Return the processor seconds of each test, all its parameters together."""
    found: dict[str, Counter[str]] = {}
    for case in ElementTree.parse(results).iter("testcase"):
        file = case.attrib["classname"].replace(".", "/") + ".py"
        spent = found.setdefault(f"{file}::{case.attrib['name'].partition('[')[0]}", Counter())
        for each in case.iterfind("properties/property"):
            if each.attrib["name"].startswith(PREFIX):
                spent[each.attrib["name"].removeprefix(PREFIX)] += float(each.attrib["value"])
    return found


def package_of(test: str) -> str:
    """Return the folder of a test below `tests`, two names at most."""
    return "/".join(test.split("::", maxsplit=1)[0].split("/")[1:-1][:2]) or "tests"


def tables(profile: Profile) -> Iterator[str]:
    """Yield the lines of the tables: sums by kind, packages by kind, the dearest tests."""
    total: Counter[str] = Counter()
    packages: dict[str, Counter[str]] = {}
    for test, spent in profile.items():
        total.update(spent)
        packages.setdefault(package_of(test), Counter()).update(spent)
    kinds = [kind for kind, _ in total.most_common()]
    yield from table(["", "all", *kinds], [row("all", total, kinds)])
    yield ""
    by_sum = sorted(packages.items(), key=lambda each: -each[1].total())
    yield from table(["folder", "all", *kinds], [row(name, spent, kinds) for name, spent in by_sum])
    yield ""
    dearest = sorted(profile.items(), key=lambda each: -each[1].total())[:DEAREST]
    rows = [[test.removeprefix("tests/"), *dear(spent)] for test, spent in dearest]
    yield from table(["test", "all", "most of it"], rows)


def row(name: str, spent: Counter[str], kinds: Sequence[str]) -> list[str]:
    """Return the cells of a row."""
    return [name, f"{spent.total():,.0f}", *(f"{spent[kind]:,.0f}" for kind in kinds)]


def dear(spent: Counter[str]) -> tuple[str, str]:
    """Return the sum of a test, and the kind that takes most of it."""
    kind, most = spent.most_common(1)[0] if spent else ("", 0.0)
    return f"{spent.total():,.1f}", f"{kind} {most:,.1f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table of Markdown."""
    yield "| " + " | ".join(head) + " |"
    yield "| " + " | ".join("---" for _ in head) + " |"
    for cells in rows:
        yield "| " + " | ".join(cells) + " |"


def main(arguments: Sequence[str]) -> int:
    """Print the profile of a report of pytest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="as pytest's --junitxml wrote it")
    print("\n".join(tables(read_profile(parser.parse_args(arguments).results))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
