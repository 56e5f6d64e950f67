"""The rules of a PDK, as its own deck has them: run by KLayout's program, which is no package.

Tests: `tests/layout/test_checks.py`.
"""

import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from hwgen.errors import SimulationError
from hwgen.layout.technology import Technology

PROGRAM = "klayout"


@dataclass(frozen=True)
class DeckResult:
    """Rules that ran, and how often each one that is broken is."""

    rules: int
    items: dict[str, int]


def deck_file(technology: Technology) -> Path | None:
    """Return the deck of a technology; None where its package is not installed."""
    spec = find_spec(technology.deck.package)
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent / technology.deck.file
    return file if file.is_file() else None


def missing(technology: Technology) -> str | None:
    """Return what must be installed for the deck, as a sentence; None: nothing."""
    if shutil.which(PROGRAM) is None:
        return "the deck needs KLayout's program: apt-get install klayout"
    if deck_file(technology) is None:
        package = technology.deck.package.replace("_", "-")
        return f"the deck is in the package {package}: pip install {package} --no-deps"
    return None


def run_deck(gds: Path, name: str, technology: Technology, folder: Path) -> DeckResult:
    """Run the deck in its parts; folder: for its reports.

    Errors: SimulationError where the program does not come to its end
    """
    rules, items = 0, Counter[str]()
    for part in technology.deck.parts:
        report = folder / f"{part}.xml"
        given = {"input": gds, "top_cell": name, "report": report, part: "true"}
        given |= dict.fromkeys(technology.deck.switches, "true")
        command = [PROGRAM, "-b", "-zz", "-r", str(deck_file(technology))]
        for key, value in given.items():
            command += ["-rd", f"{key}={value}"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode or not report.is_file():
            last = next(reversed(run.stderr.splitlines()), "no word")
            raise SimulationError(f"the deck must come to its end, got {last}")
        root = ElementTree.parse(report).getroot()
        rules += sum(1 for _ in root.iterfind("categories//category"))
        items.update(each.findtext("category") or "" for each in root.iterfind("items/item"))
    return DeckResult(rules, dict(items))
