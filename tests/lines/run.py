"""Lines of code by package beside those of `docs/lines.json`: what growth costs.

Without blanks, comments and docstrings; of the Python files that git tracks. `--write` renews the
file, at the end of a piece of work. Exit code 1: a package of the product grew by more than its
price, and no line of CHANGELOG.md since then names it and what its lines buy.
"""

import argparse
import ast
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES = ROOT / "docs/lines.json"
CHANGES = "CHANGELOG.md"
MOST_GROWTH = 300
"""Lines of a package of the product, beyond which a line of the changelog says what they buy."""
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


@cache
def counted(root: Path = ROOT) -> dict[str, int]:
    """Return the lines of each package that has some."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=root, capture_output=True, text=True, check=True
    )
    found: Counter[str] = Counter()
    for file in listed.stdout.split():
        if (root / file).exists():
            found[package_of(file)] += lines_of((root / file).read_text(encoding="utf-8"))
    return {package: lines for package, lines in sorted(found.items()) if lines}


def growth(before: dict[str, int], now: dict[str, int]) -> list[str]:
    """Return a line for each package, and one for all of the product."""
    rows = [(name, before.get(name, 0), now.get(name, 0)) for name in sorted({*before, *now})]
    product = [row for row in rows if in_product(row[0])]
    rows.append(("product", sum(row[1] for row in product), sum(row[2] for row in product)))
    return [f"{name:20} {then:7,} {lines:7,} {lines - then:+7,}" for name, then, lines in rows]


def in_product(package: str) -> bool:
    """Return whether a package is of the product."""
    return package.split("/", maxsplit=1)[0] in PRODUCT


def unpaid(before: dict[str, int], now: dict[str, int], changes: str) -> list[str]:
    """Return a sentence for each package that grew beyond its price without a word about it.

    changes: lines of the changelog that are new
    """
    grown = {name: now[name] - before.get(name, 0) for name in now if in_product(name)}
    return [
        f"{name} grew by {lines:,} lines: a line of {CHANGES} must name `{name}` and what they buy"
        for name, lines in sorted(grown.items())
        if lines > MOST_GROWTH and f"`{name}`" not in changes
    ]


def new_changes(root: Path = ROOT) -> str:
    """Return the lines of the changelog that came after the last `--write`."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
        return done.stdout

    written = git("log", "-1", "--format=%H", "--", str(LINES.relative_to(ROOT))).strip()
    lines = git("diff", "--unified=0", written, "--", CHANGES).splitlines()
    return "\n".join(line for line in lines if line.startswith("+"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the lines, or write them; exit code 1 for growth that nobody has explained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="renew docs/lines.json")
    now = counted()
    if parser.parse_args(arguments).write:
        LINES.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    print(f"{'lines of code':20} {'before':>7} {'now':>7} {'growth':>7}")
    before = json.loads(LINES.read_text(encoding="utf-8"))
    sentences = unpaid(before, now, new_changes())
    print("\n".join([*growth(before, now), *sentences]))
    return int(bool(sentences))


if __name__ == "__main__":
    sys.exit(main())
