"""What tests are worth: who killed the drawn faults of each place, as a file and as a table.

A run with the same commit, seed and place goes on from what the file holds.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hwgen.commands.origin import commit
from hwgen.report.sheet import Sheet
from tests.faults.python import ALL, LANDING, NEAR, Verdict
from verif.toolchain import ROOT

RECORD = ROOT / "build/drawn.json"
HEAD = (
    "package",
    "faults",
    "killed by the tests near it",
    "by others of `scripts/test`",
    "by others of `--all`",
    "not killed",
)


@dataclass(frozen=True)
class Worth:
    """The faults of a place that a seed draws, and their verdicts by the text of each fault."""

    place: str
    seed: int
    date: str
    commit: str
    faults: Mapping[str, Verdict]

    def row(self) -> tuple[object, ...]:
        """Return the cells of the place, as `HEAD` names them."""
        by = Counter(each.by for each in self.faults.values())
        return (f"`{self.place}`", len(self.faults), *(by[who] for who in (NEAR, LANDING, ALL, "")))


def read(path: Path = RECORD) -> dict[str, Worth]:
    """Return what is known, by place; empty before the first run."""
    if not path.is_file():
        return {}
    return {
        place: Worth(
            **{**each, "faults": {text: Verdict(**one) for text, one in each["faults"].items()}}
        )
        for place, each in json.loads(path.read_text(encoding="utf-8")).items()
    }


def known(place: str, seed: int, path: Path = RECORD) -> dict[str, Verdict]:
    """Return the verdicts of a place at this commit; empty where its tracked files differ."""
    found, now = read(path).get(place), commit() or "+"
    same = found and (found.seed, found.commit) == (seed, now) and not now.endswith("+")
    return dict(found.faults) if found and same else {}


def keep(place: str, seed: int, faults: Mapping[str, Verdict], path: Path = RECORD) -> None:
    """Write down what is known of the faults of a place."""
    now = Worth(place, seed, f"{date.today():%Y-%m-%d}", commit() or "", faults)
    content: dict[str, Any] = {each: asdict(one) for each, one in read(path).items()}
    content[place] = asdict(now)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{json.dumps(content, indent=1)}\n", encoding="utf-8")


def table(found: Mapping[str, Worth]) -> str:
    """Return the rows of all places, and of what they are."""
    rows = (each.row() for each in found.values())
    of = sorted({(each.date, each.commit, each.seed) for each in found.values()})
    return "\n".join(
        [
            *Sheet(HEAD, rows).markdown(),
            *(f"{day}, commit {at}, seed {seed}" for day, at, seed in of),
        ]
    )
