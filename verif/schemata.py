"""Many faults of a chip's Verilog in one simulator, chosen by a number when it starts.

Each faulty line of the emitted Verilog computes `chosen == N ? faulty : right`; without `+mutant=N`
the chip is the right one. A fault is caught when `hwgen run` would see it: the right chip runs as
golden and the cycle model say, as other tests show, and the faulty one otherwise.
"""

import argparse
import random
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from hwgen.chip.limits import RunLimits
from hwgen.chip.sim.host import HostedChip, Work, run_hosted
from hwgen.chip.sim.simulator import FAST
from hwgen.chip.trouble import Trouble
from hwgen.dbpim.facts.arch import Arch, load_arch
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.facts.program_file import load_program
from hwgen.dbpim.sim.chip_run import hosted
from hwgen.dbpim.sim.simulate import Bytes, SimulatedRun, job_of, simulated_runs
from hwgen.dbpim.sim.stores import Stores
from hwgen.errors import SimulationError
from verif.toolchain import BUILD_ROOT

PACKAGE = "schemata"
CHOSEN = f"{PACKAGE}::chosen"
DECLARED = f"package {PACKAGE};\n  int chosen;\nendpackage\n"
READ = f'  initial if (!$value$plusargs("mutant=%d", {CHOSEN})) {CHOSEN} = 0;\n'
SWAPPED = {"&": "|", "|": "&", "+": "-", "-": "+", "==": "!=", "!=": "==", "<": ">=", ">": "<="}
"""What stands for each operator in a faulty line."""
ASSIGNED = re.compile(r"(\s+(?!reg |wire |initial )\S.* = )(.+)(;)")
CONDITION = re.compile(r"(\s*(?:end else )?if \()(?!rst\b)(.+)(\) begin)")
CONSTANT = re.compile(r"\b(\d+)'h([0-9a-f]+)\b")
STALL = 60
"""Percent, of the second run of each fault that the first one does not catch."""
MOST_TIMES = 3
"""A faulty chip hangs after so many times the cycles of the right one, and stores of words."""


@dataclass(frozen=True)
class Fault:
    """A line of a module, counted from 1, where `right` becomes `wrong`."""

    module: str
    line: int
    right: str
    wrong: str


@dataclass(frozen=True)
class Outcome:
    """What became of a fault; caught_by: empty where it survived."""

    fault: Fault
    caught_by: str


def faults_of(modules: Mapping[str, str]) -> Iterator[list[Fault]]:
    """Yield the faults of each line that has any: they exclude each other."""
    for module, text in modules.items():
        for number, line in enumerate(text.splitlines(), 1):
            if found := CONDITION.fullmatch(line):
                wrong = ["1'h0", "1'h1"]
            elif found := ASSIGNED.fullmatch(line):
                wrong = list(wrong_values(found[2]))
            else:
                continue
            if wrong:
                yield [Fault(module, number, found[2], each) for each in wrong]


def wrong_values(right: str) -> Iterator[str]:
    """Yield an expression with another operator, with arms exchanged, or with a bit changed."""
    for operator, other in SWAPPED.items():
        if f" {operator} " in right:
            yield right.replace(f" {operator} ", f" {other} ", 1)
    if arms := re.fullmatch(r"(.+?) \? (.+) : (.+)", right):
        yield f"{arms[1]} ? {arms[3]} : {arms[2]}"
    for found in CONSTANT.finditer(right):
        changed = int(found[2], 16) ^ 1
        yield f"{right[: found.start()]}{found[1]}'h{changed:x}{right[found.end() :]}"


def choose(modules: Mapping[str, str], count: int, seed: int) -> list[Fault]:
    """Return that many faults of different lines, fewer where there are not so many."""
    rng, lines = random.Random(seed), list(faults_of(modules))
    return [rng.choice(each) for each in rng.sample(lines, min(count, len(lines)))]


def planted(modules: Mapping[str, str], faults: Sequence[Fault], top: str) -> dict[str, str]:
    """Return the modules with all faults, number 1 for the first; the package comes first."""
    lines = {name: text.splitlines(keepends=True) for name, text in modules.items()}
    for number, fault in enumerate(faults, 1):
        line = lines[fault.module][fault.line - 1]
        found = CONDITION.fullmatch(line.rstrip()) or ASSIGNED.fullmatch(line.rstrip())
        assert found is not None and found[2] == fault.right
        chosen = f"{CHOSEN} == {number} ? ({fault.wrong}) : ({fault.right})"
        lines[fault.module][fault.line - 1] = f"{found[1]}{chosen}{found[3]}\n"
    texts = {name: "".join(each) for name, each in lines.items()}
    body, end, rest = texts[top].rpartition("endmodule")
    return {PACKAGE: DECLARED, **texts, top: f"{body}{READ}{end}{rest}"}


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One simulator with all faults, and a program with images that it runs.

    chip: with the faults; builds: folder of simulators
    """

    arch: Arch
    chip: HostedChip[Stores]
    program: Program
    images: Bytes
    builds: Path = BUILD_ROOT

    def run(
        self, number: int, *, stall: int = 0, limits: RunLimits | None = None
    ) -> list[SimulatedRun]:
        """Return the runs of a fault; 0: of the right chip. Raises SimulationError."""
        limits = limits or RunLimits()
        job = job_of(
            self.arch, self.program, self.images, trouble=Trouble(stall=stall), limits=limits
        )
        work: Work = replace(job.work(), plusargs={"mutant": number})
        runs, _ = run_hosted(work, self.chip, builds=self.builds)
        return list(simulated_runs(runs, self.program, self.arch, self.images))


def bench_of(
    arch: Arch,
    program: Program,
    images: Bytes,
    faults: Sequence[Fault],
    *,
    optimize: str = FAST,
) -> Bench:
    """Return the bench of some faults of a chip; optimize: for the C++ compiler."""
    chip = hosted(arch)
    chip = replace(
        chip,
        name=f"{arch.name} with {len(faults)} faults",
        write=partial(planted, chip.modules, faults, chip.top),
        args=[*chip.args, "-Wno-lint", "-Wno-fatal"],
        optimize=optimize,
    )
    return Bench(arch=arch, chip=chip, program=program, images=images)


def outcomes(bench: Bench, faults: Sequence[Fault]) -> Iterator[Outcome]:
    """Yield what becomes of each fault: it runs without stalls, then with them if it survived."""
    right = {stall: bench.run(0, stall=stall) for stall in (0, STALL)}
    limits = RunLimits(
        cycles=MOST_TIMES * max(run.cycles for runs in right.values() for run in runs),
        stores=MOST_TIMES * max(run.events["bank_bytes"] for run in right[0]) + 1000,
    )
    for number, fault in enumerate(faults, 1):
        caught_by = ""
        for stall, sound in right.items():
            try:
                found = bench.run(number, stall=stall, limits=limits)
                caught_by = difference(sound, found, timed=not stall)
            except (SimulationError, LookupError, ValueError) as error:
                caught_by = f"error: {error}"
            if caught_by:
                caught_by = f"{caught_by} (stalls)" if stall else caught_by
                break
        yield Outcome(fault, caught_by)


def difference(right: Iterable[SimulatedRun], found: Iterable[SimulatedRun], *, timed: bool) -> str:
    """Return what differs first as `hwgen run` compares it: maps, cycles or events; else nothing.

    timed: cycles of runs and steps are compared, too
    """
    for one, other in zip(right, found, strict=True):
        for expected, given in zip(one.maps, other.maps, strict=True):
            if expected.keys() != given.keys() or not all(
                np.array_equal(expected[name], given[name]) for name in expected
            ):
                return "maps"
        times = [(run.cycles, run.load_cycles, run.steps) for run in (one, other)]
        if timed and times[0] != times[1]:
            return "cycles"
        if (one.counters, one.events) != (other.counters, other.events):
            return "events"
    return ""


def kind(caught_by: str) -> str:
    """Return the first word of what caught a fault, and whether only stalls did."""
    word = caught_by.partition(":")[0].partition(" ")[0] or "survived"
    return f"{word} (stalls)" if caught_by.endswith("(stalls)") else word


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each fault, and how many were caught by what."""
    parser = argparse.ArgumentParser(prog="scripts/mutants --schemata")
    parser.add_argument("arch", type=Path)
    parser.add_argument("program", type=Path)
    parser.add_argument("images", type=Path, help=".npz with `images`")
    parser.add_argument("--schemata", type=int, required=True, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    arch, program = load_arch(given.arch), load_program(given.program)
    images = np.load(given.images)["images"][:2]
    faults = choose(hosted(arch).modules, given.schemata, given.seed)
    bench, begin = bench_of(arch, program, images, faults), time.monotonic()
    counts: Counter[str] = Counter()
    for number, each in enumerate(outcomes(bench, faults), 1):
        if number == 1:
            print(f"first fault after {time.monotonic() - begin:.0f} s", flush=True)
        fault, name = each.fault, kind(each.caught_by)
        counts[name] += 1
        place = f"{fault.module}:{fault.line}"
        print(
            f"{number:4} {place:32} {fault.right} -> {fault.wrong}: {each.caught_by or name}",
            flush=True,
        )
    total, survived = counts.total(), counts["survived"]
    print(f"schemata: {total - survived} of {total} caught in {time.monotonic() - begin:.0f} s")
    print(", ".join(f"{name} {count}" for name, count in counts.most_common()))


if __name__ == "__main__":
    main()
