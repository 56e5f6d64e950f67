"""Run mutated files and options through the command line; scripts/fuzz calls it.

`--kind walk`, alone, walks random crossbar designs instead, and goes on where `--keep` has some.
"""

import argparse
import importlib
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.cases import KINDS, prepare, trials
from tests.fuzz.trial import Outcome, Trial, run

COUNT = 2_400
WALK = "walk"
"""A kind that stands alone: its cases are designs, no files."""
WARM = (
    "golden.network",
    "hwgen.dbpim.compiler",
    "hwgen.mram.compiler",
    "hwgen.data",
    "hwgen.importers.onnx.calibrate",
    "hwgen.importers.onnx.quantized",
    "hwgen.importers.onnx.runtime",
    "hwgen.importers.tflite",
    "hwgen.train.adaptive.recipe",
    "hwgen.train.recipe",
)
"""Modules that the commands import late: a fork has them already."""


def fuzz(
    *, count: int, seed: int, kinds: tuple[str, ...], keep: Path | None = None
) -> tuple[Counter[str], list[tuple[Trial, Outcome]]]:
    """Run cases; return how many ended how, and those with a fault.

    keep: folder for the files of faults
    """
    for module in WARM:
        importlib.import_module(module)
    counts: Counter[str] = Counter()
    faults = []
    with tempfile.TemporaryDirectory() as scratch:
        inputs = prepare(Path(scratch))
        for trial in trials(inputs, count=count, seed=seed, kinds=kinds):
            outcome = run(trial)
            counts[
                f"{trial.name.split('/')[1]}: {outcome.fault or f'exit code {outcome.code}'}"
            ] += 1
            if outcome.fault is not None:
                faults.append((trial, outcome))
                if keep is not None:
                    shutil.copytree(trial.folder, keep / trial.name.replace("/", "-"))
            shutil.rmtree(trial.folder)
    return counts, faults


def main(given: Sequence[str]) -> int:
    """Run cases, print how many ended how; 1 after a fault."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="cases in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--kind", action="append", choices=(*KINDS, WALK), help="default: each but walk in turn"
    )
    parser.add_argument("--keep", type=Path, help="folder for the files of faults, or of walks")
    chosen = parser.parse_args(given)
    if chosen.kind == [WALK]:
        from tests.fuzz.walks import walk_designs  # a fork of a trial needs none of it

        return walk_designs(chosen.count, chosen.seed, chosen.keep)
    if WALK in (chosen.kind or ()):
        parser.error("--kind walk must stand alone: its cases are designs, no files")
    kinds = tuple(chosen.kind or KINDS)
    counts, faults = fuzz(count=chosen.count, seed=chosen.seed, kinds=kinds, keep=chosen.keep)
    for trial, outcome in faults:
        said = outcome.err.strip().splitlines()[-1:] or [""]
        print(
            f"{trial.name}: {outcome.fault}: {' '.join(trial.arguments)[:200]!r}: {said[0][:300]}"
        )
    for what, number in sorted(counts.items()):
        print(f"{number:6} {what}")
    print(f"{counts.total()} cases of seed {chosen.seed}: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
