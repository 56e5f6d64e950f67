"""`scripts/mutants PLACE --count N --seed S`: faults drawn by a machine, and which of them live.

PLACE is a module or a folder: `hwgen/files/npz.py`, `network`, `golden`, `dbpim/rtl`. Faults of
generators are faults of the Verilog of small chips, against the bench of each part; those of other
modules are faults of Python, against the tests at the module's path and those near it that need it.
With `--reach SECONDS`: a fault that those of `scripts/test` among them leave meets all others that
reach its module, for so many seconds, then the dear ones; the table of all places is printed.
With `--kept`: faults that no machine draws, of `kept.yaml`, PLACE or not.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.changed.run import PACKAGES, house
from tests.faults import worth
from tests.faults.kept import kept
from tests.faults.python import WORKERS, draw, outcomes
from verif.toolchain import ROOT


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what becomes of each fault; return 1 if one survives."""
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    parser.add_argument("place", nargs="?", default="", metavar="PLACE", help="module or folder")
    parser.add_argument("--count", type=int, default=20, metavar="N", help="how many faults: 20")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which ones: 1")
    parser.add_argument(
        "--reach", type=float, metavar="SECONDS", help="of other tests; who kills each as a table"
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
    faults, reach = draw(ROOT, plain or files, given.count, given.seed), given.reach
    before = worth.known(given.place, given.seed) if reach is not None else {}
    found = {}
    met = outcomes(ROOT, faults, house(), reach=reach, workers=given.workers, before=before)
    for number, (fault, verdict) in enumerate(met, 1):
        found[str(fault)] = verdict
        print(f"{number:3} {verdict}: {fault}", flush=True)
        if reach is not None:
            worth.keep(given.place, given.seed, {**before, **found})
    if reach is not None:
        print(worth.table(worth.read()))
    return len(faults), sum(not verdict.failed for verdict in found.values())


if __name__ == "__main__":
    sys.exit(main())
