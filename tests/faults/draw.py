"""`scripts/mutants PLACE --count N --seed S`: faults drawn by a machine, and which of them live.

PLACE is a module or a folder: `hwgen/files/npz.py`, `network`, `golden`, `dbpim/rtl`. Faults of
generators are faults of the Verilog of small chips, against the bench of each part; those of other
modules are faults of Python, against the tests at the module's path and those near it that need it.
With `--reach SECONDS`: a fault that those of `scripts/test` among them leave meets all others that
reach its module, for so many seconds, then the dear ones; the table of all places is printed.
With `--kept`: faults that no machine draws, of `kept.yaml`, PLACE or not.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from hwgen.commands.origin import commit
from tests.changed.run import PACKAGES, house
from tests.faults.kept import kept
from tests.faults.python import ALL, LANDING, NEAR, WORKERS, Verdict, draw, outcomes
from verif.toolchain import ROOT

RECORD = ROOT / "build/drawn.json"
"""Who killed the faults of each place that met more than the tests near it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what becomes of each fault; return 1 if one survives."""
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    parser.add_argument("place", nargs="?", default="", metavar="PLACE", help="module or folder")
    parser.add_argument("--count", type=int, default=20, metavar="N", help="how many faults: 20")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which ones: 1")
    parser.add_argument(
        "--reach", type=float, default=0, metavar="SECONDS", help="other tests, too"
    )
    parser.add_argument("--workers", type=int, default=WORKERS, metavar="N", help="at once: 2")
    parser.add_argument("--kept", action="store_true", help="those of kept.yaml with PLACE in them")
    given = parser.parse_args(arguments)
    if not given.place and not given.kept:
        parser.error("give a PLACE, or --kept")
    count, survivors = tried(given)
    print(f"mutants: {count - survivors} of {count} killed", flush=True)
    return int(survivors > 0)


def tried(given: argparse.Namespace) -> tuple[int, int]:
    """Plant the faults that are asked for; return how many, and how many survive."""
    if given.kept:
        return kept(given.place)
    files = files_at(given.place)
    if all("/rtl/" in file for file in files):
        # A second door: it imports every generator and every bench.
        from tests.faults.verilog import pools_of, verilog

        if pools := pools_of(files):
            return verilog(pools, given.count, given.seed)
    return python(files, given)


def files_at(place: str, root: Path = ROOT) -> list[str]:
    """Return the modules of a place. Raises SystemExit if there is none."""
    for path in (root / place, root / "hwgen" / place):
        found = sorted(path.rglob("*.py")) if path.is_dir() else [path] * path.is_file()
        files = [str(file.relative_to(root)) for file in found]
        if files and files[0].split("/")[0] in PACKAGES:
            return files
    raise SystemExit(f"mutants: PLACE must be a module or a folder of {PACKAGES}, got {place}")


def python(files: Sequence[str], given: argparse.Namespace) -> tuple[int, int]:
    """Plant faults of modules; generators are left to their benches, unless there is no other."""
    plain = [file for file in files if "/rtl/" not in file]
    faults, verdicts = draw(ROOT, plain or files, given.count, given.seed), []
    met = outcomes(ROOT, faults, house(), reach=given.reach, workers=given.workers)
    for number, (fault, verdict) in enumerate(met, 1):
        verdicts.append(verdict)
        print(f"{number:3} {verdict}: {fault}", flush=True)
    if given.reach:
        print(table(keep(given, verdicts)))
    return len(faults), sum(not verdict.failed for verdict in verdicts)


def keep(given: argparse.Namespace, verdicts: Sequence[Verdict]) -> dict[str, dict[str, object]]:
    """Write down how many faults of a place which tests killed; return it of all places."""
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {}
    record[given.place] = {
        "faults": len(verdicts),
        "killed": Counter(verdict.by for verdict in verdicts),
        "seed": given.seed,
        "seconds": given.reach,
        "date": f"{date.today():%Y-%m-%d}",
        "commit": commit() or "",
    }
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(f"{json.dumps(record, indent=1)}\n", encoding="utf-8")
    return record


def table(record: Mapping[str, Mapping[str, Any]]) -> str:
    """Return who kills the faults of each place as a table, and what the figures are of."""
    lines = [
        "| package | faults | killed by the tests near it | by others of `scripts/test` |"
        " by others of `--all` | not killed |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for place, each in record.items():
        killed = (each["killed"].get(by, 0) for by in (NEAR, LANDING, ALL, ""))
        lines.append(f"| `{place}` | {' | '.join(map(str, (each['faults'], *killed)))} |")
    of = {
        tuple(each[key] for key in ("date", "commit", "seed", "seconds"))
        for each in record.values()
    }
    for day, at, seed, seconds in sorted(of):
        lines.append(f"\n{day}, commit {at}, seed {seed}, {seconds:g} s of further tests.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
