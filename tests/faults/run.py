"""`scripts/mutants --schemata N FAMILY`: draw faults, run networks, classify, write the page."""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hwgen.commands.origin import commit
from tests.faults.bench import Outcome, bench_of, kind, outcomes
from tests.faults.cases import FAMILIES, Tried, tried
from tests.faults.classes import classes_of
from tests.faults.record import Classified, FamilyRecord, read_record, write_record
from verif.schemata import Fault, choose, faults_of


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each fault, and write the record."""
    parser = argparse.ArgumentParser(prog="scripts/mutants --schemata")
    parser.add_argument("count", type=int, metavar="N", help="faults; 0: write the page again")
    parser.add_argument("family", nargs="?", choices=sorted(FAMILIES), default="dbpim")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chip", help="one of the family alone, in a section of its own")
    parser.add_argument(
        "--about", default="", help="a pattern of the lines that get faults, in a section, too"
    )
    parser.add_argument("--again", action="store_true", help="classify the open ones again")
    given = parser.parse_args(arguments)
    record, section = read_record(), given.family
    if given.chip:
        section = f"{given.family} {given.chip}"
    if given.about:
        section = f"{section}, lines with {given.about}"
    if given.count:
        record[section] = record_of(
            given.family, given.count, given.seed, chip=given.chip, about=given.about
        )
    if given.again:
        record[section] = classified_again(record[section], given.family)
    write_record(record)


def record_of(
    family: str, count: int, seed: int, *, chip: str | None = None, about: str = ""
) -> FamilyRecord:
    """Return what becomes of so many faults, equally many of each chip, or of one of them alone.

    about: a pattern that their lines hold
    """
    begin, chips = time.monotonic(), tried(family)
    if chip:
        names = [each.chip.name for each in chips]
        if chip not in names:
            raise SystemExit(f"--chip must be one of {', '.join(names)}, got {chip}")
        chips = [chips[names.index(chip)]]
    each_has = count // len(chips)
    faults = [
        fault for each in chips for fault in of_chip(each, each_has, seed, family, about=about)
    ]
    return FamilyRecord(
        chips=[f"`{each.chip.name}`" for each in chips],
        seed=seed,
        networks={case.name: case.what for each in chips for case in each.cases},
        faults=faults,
        seconds=round(time.monotonic() - begin),
        commit=commit() or "",
    )


def of_chip(
    chip: Tried, count: int, seed: int, family: str, *, about: str = ""
) -> list[Classified]:
    """Return the faults of one chip."""
    faults, found = choose(chip.chip.modules, count, seed, about=about), []
    for outcome in outcomes(bench_of(chip.chip, faults), chip, faults):
        found.append(outcome)
        print(f"{len(found):4} {outcome}", flush=True)
    survivors = [outcome.fault for outcome in found if not outcome.caught_by]
    classes = classes_of(survivors, chip.chip.modules, family, chip.facts)
    return [with_class(outcome, chip, classes) for outcome in found]


def classified_again(record: FamilyRecord, family: str) -> FamilyRecord:
    """Return a record whose open faults were classified by the rules and benches of today.

    A fault whose line is another one by now stays open.
    """
    left = {fault_of(each): each for each in record.faults if each.kind == "open"}
    found: dict[Fault, tuple[str, str]] = {}
    for chip in tried(family):
        here = [fault for fault in left if stands_in(fault, chip.chip.modules)]
        for fault, (name, by) in classes_of(here, chip.chip.modules, family, chip.facts).items():
            print(f"{fault.module}:{fault.line} {name} {by}", flush=True)
            if name != "open":
                found[fault] = name, by
    faults = [
        replace(each, kind=found[fault_of(each)][0], by=found[fault_of(each)][1])
        if each.kind == "open" and fault_of(each) in found
        else each
        for each in record.faults
    ]
    return replace(record, faults=faults, again=commit() or "")


def fault_of(each: Classified) -> Fault:
    """Return the fault of a line of a record."""
    return Fault(module=each.module, line=each.line, right=each.right, wrong=each.wrong)


def stands_in(fault: Fault, modules: Mapping[str, str]) -> bool:
    """Return whether a chip has the line of a fault as it was drawn."""
    text = modules.get(fault.module, "")
    return any(fault in each for each in faults_of({fault.module: text}))


def with_class(
    outcome: Outcome, chip: Tried, classes: Mapping[Fault, tuple[str, str]]
) -> Classified:
    """Return a fault with its class."""
    fault, by = outcome.fault, outcome.network
    name = "caught" if by == chip.cases[0].name else "out of reach"
    if not outcome.caught_by:
        name, by = classes[fault]
    return Classified(
        module=fault.module,
        line=fault.line,
        right=fault.right,
        wrong=fault.wrong,
        kind=name,
        by=by,
        how=kind(outcome.caught_by) if outcome.caught_by else "",
    )


if __name__ == "__main__":
    main()
