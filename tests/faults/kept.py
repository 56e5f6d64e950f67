"""Faults that no machine draws: `scripts/mutants NAME --kept` plants those with NAME in them."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.faults.python import WORKERS, Copies, Verdict
from verif.toolchain import ROOT

KEPT = Path(__file__).with_name("kept.yaml")


@dataclass(frozen=True)
class Kept:
    """A fault that no machine draws: `old`, once in `file`, becomes `new`; one of `tests` fails.

    reason: why it is kept; plain: without compiled functions, which each would compile again
    """

    fault: str
    file: str
    old: str
    new: str
    tests: Sequence[str]
    reason: str
    plain: bool = False


def read_kept() -> list[Kept]:
    """Return the kept faults."""
    groups = yaml.safe_load(KEPT.read_text(encoding="utf-8"))
    return [Kept(reason=group["reason"], **each) for group in groups for each in group["faults"]]


def planted(fault: Kept, root: Path = ROOT) -> str:
    """Return the text of a file with a fault. Raises SystemExit if its place is not there once."""
    text = (root / fault.file).read_text(encoding="utf-8")
    if text.count(fault.old) != 1:
        raise SystemExit(f"mutants: {fault.file} must hold once: {fault.old}")
    return text.replace(fault.old, fault.new)


def kept(word: str) -> tuple[int, int]:
    """Plant the kept faults with a word in name or file; return how many, and how many survive."""
    faults = [each for each in read_kept() if word in each.fault or word in each.file]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(WORKERS) as pool:
        copies = Copies(ROOT, Path(scratch))

        def tried(fault: Kept) -> Verdict:
            return copies.verdict({fault.file: planted(fault)}, fault.tests, plain=fault.plain)

        survivors = 0
        for fault, verdict in zip(faults, pool.map(tried, faults), strict=True):
            survivors += not verdict.failed
            print(f"{verdict}: {fault.fault} ({fault.file})", flush=True)
    return len(faults), survivors
