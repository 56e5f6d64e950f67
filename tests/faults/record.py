"""What became of random faults, as a file, and the page made from it."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from verif.toolchain import ROOT

RECORD, PAGE = ROOT / "build/faults.json", ROOT / "build/faults.md"

CLASSES = {
    "caught": "by the first network",
    "out of reach": "of the first network; another one of the list catches it",
    "equivalent": "proved: the module with the fault does the same in every state where it is"
    " placed, but for a register that it does not read then (by SAT), or in every run from a reset"
    " on, but for what does not count by its valid (by ABC)",
    "power or enable only": "a register that would hold its value loads one, by rule; or its value"
    " differs, but only while its valid is 0, by SAT",
    "reset only": "by rule: a reset gives a register another value, and every `go` of the unit,"
    " which works behind one alone, sets it",
    "test ports": "by rule: the signal leads to the trace alone",
    "part": "no network shows it; the bench of the part does, at the size of the chip",
    "by hand": "with its reason",
    "open": "survives the networks; no bench that was run kills it",
}


@dataclass(frozen=True, kw_only=True)
class Classified:
    """A fault and its class; by: the network, the bench or the reason; how: it was caught."""

    module: str
    line: int
    right: str
    wrong: str
    kind: str
    by: str
    how: str = ""


@dataclass(frozen=True, kw_only=True)
class FamilyRecord:
    """The faults of a family.

    chips: what the Verilog is of; networks: what each is there for, in the order in which faults
        meet them; seconds: of all of it; commit: of the sources; again: of those by which open
        faults were classified once more, empty: none were
    """

    chips: Sequence[str]
    seed: int
    networks: Mapping[str, str]
    faults: Sequence[Classified]
    seconds: int
    commit: str
    again: str = ""


def read_record() -> dict[str, FamilyRecord]:
    """Return the record by family; empty before the first run."""
    if not RECORD.is_file():
        return {}
    found = json.loads(RECORD.read_text(encoding="utf-8"))["families"]
    return {
        family: FamilyRecord(**{**each, "faults": [Classified(**one) for one in each["faults"]]})
        for family, each in found.items()
    }


def write_record(families: Mapping[str, FamilyRecord]) -> None:
    """Write the record and the page."""
    content = {
        "format": "hwgen.faults",
        "version": 1,
        "families": {name: asdict(each) for name, each in sorted(families.items())},
    }
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(f"{json.dumps(content, indent=1)}\n", encoding="utf-8")
    PAGE.write_text(page(families), encoding="utf-8")


def page(families: Mapping[str, FamilyRecord]) -> str:
    """Return the page."""
    lines = [
        "# Random faults of the Verilog",
        "",
        "Each fault is a line of a chip's emitted Verilog with another operator, exchanged arms,",
        "another constant, or a condition that is always or never so, drawn by a seed. It is",
        "caught when `hwgen run` would report a difference or an error. The networks run one after",
        "the other, without stalls of the memory and with them, until one catches it; what none",
        "does is classified. `scripts/mutants --schemata 150 FAMILY` makes the figures of a",
        "family, and this page, again; with `--chip CHIP` those of one chip, in its own section.",
        "",
        "| class | what it means |",
        "| --- | --- |",
        *(f"| {name} | {what} |" for name, what in CLASSES.items()),
    ]
    for family, record in sorted(families.items()):
        lines += ["", *family_lines(family, record)]
    return "\n".join(lines) + "\n"


def family_lines(family: str, record: FamilyRecord) -> Iterator[str]:
    """Yield the section of a family."""
    counts = Counter(fault.kind for fault in record.faults)
    seen = Counter(fault.by for fault in record.faults if fault.kind in ("caught", "out of reach"))
    yield f"## {family}"
    yield ""
    again = f"; those left open classified again at {record.again}" if record.again else ""
    yield (
        f"{len(record.faults)} faults (seed {record.seed}) of {', '.join(record.chips)},"
        f" {record.seconds // 60} minutes on two cores, at commit {record.commit}{again}."
    )
    yield ""
    yield "| class | faults |"
    yield "| --- | --- |"
    yield from (f"| {name} | {counts[name]} |" for name in CLASSES if counts[name])
    yield ""
    yield "| network | it is there for | faults that it catches first |"
    yield "| --- | --- | --- |"
    yield from (f"| {name} | {what} | {seen[name]} |" for name, what in record.networks.items())
    yield ""
    yield "| fault that no network catches | becomes | class | by |"
    yield "| --- | --- | --- | --- |"
    for fault in record.faults:
        if fault.kind not in ("caught", "out of reach"):
            place = f"`{fault.module}:{fault.line}` {code(fault.right)}"
            yield f"| {place} | {code(fault.wrong)} | {fault.kind} | {fault.by} |"


def code(text: str) -> str:
    """Return an expression of Verilog for a cell of a table."""
    return f"`{text.strip()}`".replace("|", "\\|")
