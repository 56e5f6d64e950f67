"""Plants one fault at a time in a copy of the tree and checks that a test fails."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from verif.toolchain import BUILD_ROOT, ROOT

MUTANTS = Path(__file__).parent / "mutants.yaml"
WORKERS = 2
LIMIT_SECONDS = 1800
TESTS_FAILED = 1
"""pytest's exit code; every other one, such as for a test that is not found, is no kill."""

Mutant = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """How the tests took one fault: `noticed_by` is the first test that failed, if any."""

    code: int | None
    noticed_by: str
    seconds: float


def main(only: str = "") -> int:
    """Try every mutant whose fault or file contains `only`; return 1 if one survives."""
    mutants = [m for m in read_mutants() if only in m["fault"] or only in m["file"]]
    if not mutants:
        raise SystemExit(f"mutants: none has {only!r} in its fault or file")
    for environment, tests in tests_by_environment(mutants):
        sound = try_copy(tests, fault=None, environment=environment, workers=WORKERS)
        if sound.code != 0:
            raise SystemExit(
                f"mutants: the tests must pass without a fault, got a failure of {sound.noticed_by}"
            )
    with ThreadPoolExecutor(WORKERS) as pool:
        killed = sum(pool.map(try_mutant, mutants))
    print(f"mutants: {killed} of {len(mutants)} killed")
    return 0 if killed == len(mutants) else 1


def read_mutants() -> list[Mutant]:
    """Return all faults."""
    mutants: list[Mutant] = yaml.safe_load(MUTANTS.read_text(encoding="utf-8"))
    return mutants


def tests_by_environment(mutants: Sequence[Mutant]) -> list[tuple[dict[str, str], list[str]]]:
    """Return the tests of all mutants, those together that want the same environment."""
    found: dict[tuple[tuple[str, str], ...], set[str]] = {}
    for mutant in mutants:
        key = tuple(sorted(mutant.get("environment", {}).items()))
        found.setdefault(key, set()).update(mutant["tests"])
    return [(dict(key), sorted(tests)) for key, tests in found.items()]


def try_mutant(mutant: Mutant) -> bool:
    """Plant one fault, print what became of it, return whether a test noticed."""
    environment = mutant.get("environment", {})
    verdict = try_copy(mutant["tests"], fault=mutant, environment=environment)
    killed = verdict.code == TESTS_FAILED
    how = f"by {verdict.noticed_by}" if killed else f"(pytest ended with {verdict.code})"
    word = "killed" if killed else "SURVIVED"
    place = f"{mutant['fault']} ({mutant['file']})"
    print(f"{word} in {verdict.seconds:.0f} s: {place} {how}", flush=True)
    return killed


def try_copy(
    tests: Sequence[str],
    *,
    fault: Mutant | None,
    environment: Mapping[str, str],
    workers: int = 0,
) -> Verdict:
    """Return how `tests` end in a copy of the tree with `fault` planted."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "tree"
        ignore = shutil.ignore_patterns(".*", "build", "__pycache__", "*.egg-info")
        shutil.copytree(ROOT, copy, ignore=ignore)
        if fault:
            plant(fault, copy)
        places = {"HWGEN_BUILD_ROOT": str(BUILD_ROOT), "PYTHONPATH": str(copy)}
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-x", "--long", "-n", str(workers), *tests],
                cwd=copy,
                env={**os.environ, **places, **environment},
                capture_output=True,
                text=True,
                timeout=LIMIT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Verdict(None, "", time.monotonic() - start)
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.M)
    return Verdict(done.returncode, failed[1] if failed else "?", time.monotonic() - start)


def plant(mutant: Mutant, tree: Path) -> None:
    """Replace the one place that the mutant names."""
    file = tree / mutant["file"]
    text = file.read_text(encoding="utf-8")
    if text.count(mutant["old"]) != 1:
        raise SystemExit(f"mutants: {mutant['file']} must hold once: {mutant['old']}")
    file.write_text(text.replace(mutant["old"], mutant["new"]), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
