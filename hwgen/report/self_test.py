"""The report of `hwgen self-test`: the parts of the test, and which stuck cells it found."""

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass
from rich.console import Group, RenderableType

from hwgen.files.load import EXACT
from hwgen.report.tables import NOTHING, number, table
from hwgen.report.types import Count, Digest, Source

MOST_MISSED = 20
"""Missed cells that a table names."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class TestedPart:
    """One network of the test.

    reaches: which cells; images: that run one after the other; program_bytes: of its program
    checksum: CRC-32 of the file of expected answers, eight hexadecimal digits
    passed: whether the answers of the Verilog are the expected ones; null: not simulated
    cycles: of all its runs, loads included
    """

    name: str
    reaches: str
    network: Digest
    images: Count
    program_bytes: Count
    checksum: Annotated[str, Field(pattern="^[0-9a-f]{8}$")]
    passed: bool | None
    cycles: Count | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class TestedMemory:
    """All memories of one module.

    cells: of all instances; counted: those among which stuck cells are drawn
    drawn, found: faults, two for each drawn cell
    """

    module: str
    instances: Count
    cells: Count
    counted: Count
    drawn: Count
    found: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MissedCell:
    """A fault that the test does not find: instance below the chip, word, bit, stuck at value."""

    instance: str
    word: Count
    bit: Count
    value: Literal[0, 1]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class StuckCells:
    """What the test finds of drawn cells; cells: drawn ones, each stuck at 0 and at 1."""

    seed: Count
    cells: Count
    found: Count
    memories: list[TestedMemory]
    missed: list[MissedCell]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SelfTestReport:
    """The parts of the test in the order in which they run, and the figures of its coverage.

    stuck: null where no cells were drawn
    """

    format: Literal["hwgen.report.self_test"]
    version: Literal[1]
    architecture: Source
    configuration: dict[str, Any]
    folder: str
    parts: list[TestedPart]
    stuck: StuckCells | None
    versions: dict[str, str]


def self_test_table(report: SelfTestReport) -> RenderableType:
    """Return a row for each part, and one for each memory whose cells were drawn."""
    verdicts = {None: NOTHING, True: "passed", False: "differs"}
    parts = table(["part", "reaches", "images", "bytes", "checksum", "cycles", "Verilog"], left=2)
    for part in report.parts:
        parts.add_row(
            part.name,
            part.reaches,
            number(part.images),
            number(part.program_bytes),
            part.checksum,
            number(part.cycles),
            verdicts[part.passed],
        )
    if report.stuck is None:
        return parts
    stuck = report.stuck
    memories = table(["memory", "instances", "cells", "counted", "faults", "found"])
    for each in stuck.memories:
        memories.add_row(
            each.module,
            *map(number, (each.instances, each.cells, each.counted, each.drawn, each.found)),
        )
    said = f"found {stuck.found} of {2 * stuck.cells} faults, {stuck.cells} cells stuck at 0 and 1"
    missed = [
        f"missed: {each.instance}, word {each.word}, bit {each.bit}, stuck at {each.value}"
        for each in stuck.missed[:MOST_MISSED]
    ]
    return Group(parts, "", memories, said, *missed)
