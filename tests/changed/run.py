"""The tests that a change asks for: `scripts/test --changed`, or `--changed --all`.

Of each changed file: the test at its path or that its docstring names, tests of tables that have it
by name, and all tests that import it; with `--importers` those of the modules that import it, too,
with `--all` those that import it by way of others. `--hours N` compares with the newest commit that
is so much older than HEAD; `--dear` leaves out what `scripts/test` runs. What it runs, and why, is
printed.
"""

import argparse
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from hwgen.chip.sources import imported, module_at

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "build/results.xml"
"""Of the last whole run: seconds of each test."""
PACKAGES = ("golden", "hwgen", "tests", "verif")
STUDIES = "studies/"
"""Files whose tests are a run of their own."""
TABLE = 3
"""Parts of a folder of generators that a test of a table imports, at least."""
LATE = re.compile(r"^[ \t]+(?=(?:from|import) )", re.MULTILINE)
"""The blanks before an import inside a function."""
NAMED = re.compile(rf'"((?:{"|".join(PACKAGES)})\.[\w.]+)"')
"""A module that is named in a string, such as a bench."""
FILE = re.compile(r'"([\w./-]+\.(?!py")[a-z]\w*)"')
"""A file that is named in a string, by its path or the end of it."""
OWN = re.compile(r"^Tests: `(tests/\S+\.py)`\.$", re.MULTILINE)
"""The line of a docstring that names the tests of a module."""
NOT_ALONE = re.compile(r"conftest|plugin|__init__")

Reasons = dict[str, dict[str, str]]
"""Test file -> name of the tests in it, empty for all -> why."""


@dataclass(frozen=True)
class House:
    """Python files below a folder, by their path, and what each imports, late imports too.

    own: tests by the module whose docstring names them
    named: files other than Python's that each has in a string
    """

    root: Path
    imports: Mapping[str, frozenset[str]]
    own: Mapping[str, str]
    named: Mapping[str, frozenset[str]]

    @property
    def tests(self) -> list[str]:
        """Files of tests."""
        return [file for file in self.imports if re.search(r"(^|/)test_\w+\.py$", file)]

    def importers(self, file: str) -> set[str]:
        """Return the files that import a file."""
        return {other for other, found in self.imports.items() if file in found}

    def naming(self, file: str) -> set[str]:
        """Return the files that have the path of a file, or the end of it, in a string."""
        ends = {file[at:] for at in range(len(file)) if not at or file[at - 1] == "/"}
        return {other for other, found in self.named.items() if found & ends}

    def rings(self, file: str) -> list[set[str]]:
        """Return the files that import a file, then those that import these, and so on."""
        found, rings = {file}, [{file}]
        while rings[-1]:
            rings.append(set().union(*map(self.importers, rings[-1])) - found)
            found |= rings[-1]
        return rings[1:-1]

    def nearest(self, file: str) -> set[str]:
        """Return the tests of a file's own room that need the fewest files between."""
        room = room_of(file)
        tests = {test for test in self.tests if test.startswith(f"{room}/")}
        return next((ring & tests for ring in self.rings(file) if ring & tests), set())

    def holds(self, test: str, stem: str) -> bool:
        """Return whether a test has parts by name, and `stem` among them."""
        parts = [file for file in self.imports[test] if "/rtl/" in file]
        if len(parts) < TABLE:
            return False
        return f'"{stem}"' in (self.root / test).read_text(encoding="utf-8")


def house(root: Path = ROOT) -> House:
    """Read all files of the packages."""
    homes = {name: root / name for name in PACKAGES}
    found, own, named = {}, {}, {}
    for file in (file for home in homes.values() for file in sorted(home.rglob("*.py"))):
        source = file.read_text(encoding="utf-8")
        others = list(imported(file, LATE.sub("", source), homes))
        for name in NAMED.findall(source):
            others += module_at(root.joinpath(*name.split(".")))
        names = (str(other.relative_to(root)) for other in others)
        found[str(file.relative_to(root))] = frozenset(names)
        named[str(file.relative_to(root))] = frozenset(FILE.findall(source))
        if tests := OWN.search(source):
            own[str(file.relative_to(root))] = tests[1]
    return House(root, found, own, named)


def room_of(file: str) -> str:
    """Return the folder of a module's tests: `tests/golden` of golden, `tests/x` of hwgen/x."""
    return "/".join(["tests", *Path(file).parent.parts[file.startswith("hwgen/") :]])


def changed_files(root: Path, base: str) -> list[str]:
    """Return the files that differ from a commit, and those that git does not know yet."""

    def lines(*command: str) -> list[str]:
        done = subprocess.run(
            ["git", *command], cwd=root, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"changed: git must know {base}, got: {done.stderr.strip()}")
        return done.stdout.splitlines()

    named = lines("diff", "--name-only", base) + lines("ls-files", "-o", "--exclude-standard")
    return sorted(set(named))


def places(file: str) -> list[str]:
    """Return where the test of a file may stand; component x has one for RTL, golden and bench."""
    package, *folders = Path(file).parent.parts
    stem = Path(file).stem.removeprefix("bench_")
    below = "/".join(folders)
    family = next((each for each in folders if each != "reference"), "")
    found = [f"tests/{below}/test_{stem}.py", f"tests/{package}/{below}/test_{stem}.py"]
    return [*found, f"tests/verif/{family}/test_{stem}.py"] if family else found


def component_of(file: str) -> str:
    """Return the family whose parts a file makes, judges or tests; empty for other files."""
    found = re.match(
        r"(?:hwgen/(\w+)/rtl|golden/(\w+)|(?:tests/)?verif/(?:reference/)?(\w+))/", file
    )
    return next(filter(None, found.groups())) if found else ""


def commit_before(root: Path, hours: float) -> str:
    """Return the newest commit that is so many hours older than HEAD; empty: the clone has none."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    until = int(git("log", "-1", "--format=%ct")) - round(hours * 3600)
    return git("rev-list", "-1", f"--before={until}", "HEAD")


def asked_for(
    files: Iterable[str], known: House, *, whole: bool = False, importers: bool = False
) -> Reasons:
    """Return the tests that changed files ask for.

    whole: by way of other files, too; importers: those of the modules that import a file, too. A
    file that is no module asks for the tests, and for those of the modules, that name it.
    """
    reasons: Reasons = defaultdict(dict)
    for file in files:
        if file in known.tests:
            reasons[file][""] = "it has changed"
        if file not in known.imports:
            for test in known.naming(file).intersection(known.tests):
                reasons[test][""] = f"names {file}"
        modules = {file} & known.imports.keys() or known.naming(file) - set(known.tests)
        if importers:
            modules |= set().union(*map(known.importers, modules)) - set(known.tests)
        for module in sorted(modules, key=lambda module: (module != file, module)):
            if not NOT_ALONE.search(module):
                way = module if module == file else f"{module}, which needs {file}"
                for test, name, why in of_module(module, known, whole=whole):
                    reasons[test].setdefault(name, f"{why} {way}")
    return {test: found if "" not in found else {"": found[""]} for test, found in reasons.items()}


def of_module(file: str, known: House, *, whole: bool) -> Iterator[tuple[str, str, str]]:
    """Yield test, name of the tests in it (empty for all) and why, the nearest first."""
    stem, tests = Path(file).stem.removeprefix("bench_"), set(known.tests)
    family, near = component_of(file), known.importers(file)
    beside = [(test, "", "stands at the path of") for test in tests.intersection(places(file))]
    if test := known.own.get(file):
        beside.append((test, "", "is named in"))
    beside += [
        (test, stem, "has the part of")
        for test in known.tests
        if family and family == component_of(test) and known.holds(test, stem)
    ]
    yield from beside
    wanted = tests & (set().union(*known.rings(file)) if whole else near)
    if not wanted and not beside:
        wanted = known.nearest(file)
    for test in sorted(wanted):
        way = "imports" if test in near else "needs"
        yield test, stem if known.holds(test, stem) else "", way


def seconds_of(results: Path) -> dict[str, float]:
    """Return the seconds of each test file in a report of pytest; none where there is none."""
    found: dict[str, float] = defaultdict(float)
    if results.exists():
        for case in ElementTree.parse(results).iter("testcase"):
            path = case.get("classname", "").replace(".", "/") + ".py"
            found[path] += float(case.get("time", 0))
    return found


def commands(reasons: Reasons) -> list[list[str]]:
    """Return the arguments of pytest: all whole files at once, then each table by its names."""
    whole = [test for test, names in reasons.items() if "" in names]
    some = [[test, "-k", " or ".join(names)] for test, names in reasons.items() if "" not in names]
    return ([whole] if whole else []) + some


def report(reasons: Reasons, files: Sequence[str], seconds: Mapping[str, float]) -> str:
    """Return what is run and why, and about how long it takes."""
    rows = [
        f"{test}{f' ({name})' if name else ''}: {why}"
        for test, names in sorted(reasons.items())
        for name, why in names.items()
    ]
    known = sum(seconds.get(test, 0) for test, names in reasons.items() if "" in names)
    about = f", whole files about {known:.0f} s by the last run" if known else ""
    return "\n".join([*rows, f"{len(files)} changed files, {len(reasons)} files of tests{about}"])


def main(arguments: Sequence[str]) -> int:
    """Print and run the tests; exit code 1 if one fails."""
    parser = argparse.ArgumentParser(prog="scripts/test --changed", description=__doc__)
    parser.add_argument("--all", action="store_true", help="also what imports it by way of others")
    parser.add_argument("--importers", action="store_true", help="also of modules that import it")
    parser.add_argument("--base", default="HEAD", help="the commit to compare with")
    parser.add_argument("--hours", type=float, help="the newest commit that is so much older")
    parser.add_argument("--list", action="store_true", help="print alone")
    given, others = parser.parse_known_args(arguments)
    base = given.base if given.hours is None else commit_before(ROOT, given.hours)
    if not base:
        print(f"everything: no commit of this clone is {given.hours:g} hours older than HEAD")
        everything = [["scripts/test", *(others or ["--all"])], ["scripts/test", "--studies"]]
        return 0 if given.list else int(any(run(*words) for words in everything))
    files = changed_files(ROOT, base)
    reasons = asked_for(files, house(), whole=given.all, importers=given.importers)
    print(report(reasons, files, seconds_of(RESULTS)), flush=True)
    runs = [[sys.executable, "-m", "pytest", "-q", *tests, *others] for tests in commands(reasons)]
    if given.hours is not None and any(file.startswith(STUDIES) for file in files):
        print("and the studies: some of them changed", flush=True)
        runs.append(["scripts/test", "--studies"])
    # 5: no test of a table has the name.
    return 0 if given.list else int(any(run(*words) not in (0, 5) for words in runs))


def run(*words: str) -> int:
    """Run a command in the clone; return its exit code."""
    return subprocess.run(words, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
