"""Lines of code by package beside those of a commit: what growth costs.

Without blanks, comments and docstrings; of the Python files that git tracks. Files that moved from
one package to another are told apart. `scripts/lint --beside REV` prints them.
"""

import argparse
import ast
import io
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("golden", "hwgen")


def lines_of(text: str) -> int:
    """Return the lines of Python code in a text."""
    documented = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
    left_out: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            docstring = node.body[0]
            left_out |= set(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
    code = enumerate(map(str.strip, text.splitlines()), 1)
    return sum(bool(line) and not line.startswith("#") and n not in left_out for n, line in code)


def package_of(file: str) -> str:
    """Return the package of a file: of `hwgen` the one below it."""
    first, *rest = file.split("/")
    return f"{first}/{rest[0]}" if first == "hwgen" and len(rest) > 1 else first


def git(root: Path, *words: str) -> bytes:
    """Return what a command of git prints about a clone."""
    return subprocess.run(["git", *words], cwd=root, stdout=subprocess.PIPE, check=True).stdout


def files_now(root: Path = ROOT) -> dict[str, int]:
    """Return the lines of each file that git tracks and that is there."""
    files = git(root, "ls-files", "*.py").decode().split()
    return {
        file: lines_of((root / file).read_text(encoding="utf-8"))
        for file in files
        if (root / file).exists()
    }


def files_of(revision: str, root: Path = ROOT) -> dict[str, int]:
    """Return the lines of each file of a commit."""
    packed = io.BytesIO(git(root, "archive", revision, ":(glob)**/*.py"))
    with tarfile.open(fileobj=packed) as archive:
        found = {}
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                found[member.name] = lines_of(content.read().decode())
        return found


def moved(revision: str, files: Mapping[str, int], root: Path = ROOT) -> Counter[str]:
    """Return the lines that each package got of others since a commit, less those that it gave.

    files: the lines of each file of today; a file moved where git sees that it was renamed
    """
    found: Counter[str] = Counter()
    for line in git(root, "diff", "-M", "--name-status", revision, "--", "*.py").splitlines():
        kind, *names = line.decode().split("\t")
        if kind.startswith("R"):
            before, now = names
            found[package_of(before)] -= files[now]
            found[package_of(now)] += files[now]
    return found


def by_package(files: Mapping[str, int]) -> Counter[str]:
    """Return the lines of each package."""
    found: Counter[str] = Counter()
    for file, lines in files.items():
        found[package_of(file)] += lines
    return found


def rows(before: Counter[str], now: Counter[str], moves: Counter[str]) -> list[str]:
    """Return a line for each package, and one for all of the product."""
    names = sorted(name for name in {*before, *now} if before[name] or now[name])
    found = [(name, before[name], now[name], moves[name]) for name in names]
    product = [row for row in found if row[0].split("/", maxsplit=1)[0] in PRODUCT]
    found.append(("product", *(sum(row[n] for row in product) for n in (1, 2, 3))))
    return [
        f"{name:20} {then:7,} {lines:7,} {lines - then:+7,} {came:+7,}"
        for name, then, lines, came in found
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the lines of each package."""
    parser = argparse.ArgumentParser(prog="scripts/lint", description=__doc__)
    parser.add_argument("revision", metavar="REV", help="commit to set beside")
    revision = parser.parse_args(arguments).revision
    now = files_now()
    print(f"{'lines of code':20} {'before':>7} {'now':>7} {'growth':>7} {'moved':>7}")
    then = by_package(files_of(revision))
    print("\n".join(rows(then, by_package(now), moved(revision, now))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
