"""Faults of the Verilog of generators, those of a bench in one simulator."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.faults.cases import FAMILIES, tried
from tests.faults.classes import by_itself
from tests.faults.parts import benches, killers
from verif.schemata import Fault, faults_of
from verif.toolchain import ROOT

Pools = Sequence[tuple[Any, Mapping[str, str]]]
"""Chips, each with the modules whose faults are drawn."""


def pools_of(files: Sequence[str]) -> Pools:
    """Return the Verilog modules of some generators that a bench has: each text once."""
    family = Path(files[0]).parts[1]
    family = family if family in FAMILIES else "dbpim"
    seen: set[str] = set()
    pools = []
    for chip in tried(family):
        parts = [bench.modules() for bench in benches(family, chip.facts)]
        own = {
            name: text
            for name, text in chip.chip.modules.items()
            if any(part.get(name) == text for part in parts)
            and made_by(name.removeprefix(f"{family}_"), files)
            and text not in seen
        }
        seen.update(own.values())
        pools += [(chip, own)] if own else []
    return pools


def made_by(name: str, files: Sequence[str]) -> bool:
    """Return whether one of some generators makes a module: its file is the longest in the name."""
    folders = {Path(files[0]).parent, Path("hwgen/chip/rtl")}
    stems = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    fits = [file for file in stems if name == file.stem or name.startswith(f"{file.stem}_")]
    best = max(fits, key=lambda file: len(file.stem), default=None)
    return best is not None and str(best.relative_to(ROOT)) in files


def verilog(pools: Pools, count: int, seed: int) -> tuple[int, int]:
    """Print what becomes of faults; return how many there are, and how many survive."""
    rng = random.Random(seed)
    lines = [(at, each) for at, (_, own) in enumerate(pools) for each in faults_of(own)]
    chosen = [(at, rng.choice(each)) for at, each in rng.sample(lines, min(count, len(lines)))]
    survivors = 0
    for at, (chip, _) in enumerate(pools):
        modules, facts = chip.chip.modules, chip.facts
        faults = [fault for where, fault in chosen if where == at]
        family = next(iter(modules)).partition("_")[0]
        killed: dict[Fault, str] = {}
        for fault, bench in killers(faults, modules, family, facts):
            killed[fault] = bench
            print(f"killed by the bench of {bench}: {line_of(chip, fault)}", flush=True)
        for fault in (each for each in faults if each not in killed):
            kind, by = by_itself(fault, modules)
            survivors += kind == "open"
            word = "SURVIVED" if kind == "open" else f"cannot be seen, {kind} ({by})"
            print(f"{word}: {line_of(chip, fault)}", flush=True)
    return len(chosen), survivors


def line_of(chip: Any, fault: Fault) -> str:
    """Return the place of a fault in the Verilog of a chip, and its change."""
    return f"{chip.chip.name} {fault.module}:{fault.line} {fault.right} -> {fault.wrong}"
