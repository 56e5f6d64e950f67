"""What became of a system on an FPGA: figures from the reports of Yosys and nextpnr, and the page.

Units: MHz, nanoseconds, CPU seconds.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from hwgen.errors import FormatError
from hwgen.files.output import write_text

DOCS = Path(__file__).parents[2]
RECORD, PAGE = DOCS / "fpga.json", DOCS / "fpga.md"
BEGIN, END = "<!-- figures: scripts/fpga --record -->", "<!-- end of figures -->"
NUMBERING = re.compile(r"(_(TRELLIS|LUT4|CCU2C|PFUMX|L6MUX21|DP16KD|MULT18X18D)_?|\$|\[).*")
"""What Yosys and nextpnr put behind the name of a signal."""
CELLS = {"luts": "LUT4", "carries": "CCU2C", "lut_memories": "TRELLIS_DPR16X4"}
"""Figures from Yosys, by its names of cells."""
USED = {
    "slices": "TRELLIS_COMB",
    "flip_flops": "TRELLIS_FF",
    "block_rams": "DP16KD",
    "multipliers": "MULT18X18D",
}
"""Figures from nextpnr, by its names of places; each is a pair: used, and what the part has."""


@dataclass(frozen=True, kw_only=True)
class SlowestPath:
    """The path that bounds the clock, from register or memory to register or memory.

    cells: that it goes through, the first and the last included
    """

    begin: str
    end: str
    ns: float
    routing_ns: float
    cells: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of a routed system.

    luts, carries, lut_memories: LUT4, CCU2C and DPR16X4 after synthesis
    slices, flip_flops, block_rams, multipliers: places used, and how many the part has
    mhz: after routing; wanted_mhz: that of the system's clock
    """

    luts: int
    carries: int
    lut_memories: int
    slices: tuple[int, int]
    flip_flops: tuple[int, int]
    block_rams: tuple[int, int]
    multipliers: tuple[int, int]
    mhz: float
    wanted_mhz: float
    path: SlowestPath


def figures_of(statistics: Mapping[str, Any], report: Mapping[str, Any], source: str) -> Figures:
    """Return the figures of `stat -json` of Yosys and of `--report` of nextpnr.

    source: for FormatError, where a part is missing
    """
    try:
        cells = statistics["design"]["num_cells_by_type"]
        used = report["utilization"]
        ((clock, speed),) = report["fmax"].items()
        return Figures(
            **{name: cells.get(cell, 0) for name, cell in CELLS.items()},
            **{name: (used[bel]["used"], used[bel]["available"]) for name, bel in USED.items()},
            mhz=round(speed["achieved"], 2),
            wanted_mhz=round(speed["constraint"], 2),
            path=slowest_path(report["critical_paths"], clock),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(
            field="the report of nextpnr",
            allowed="one with utilization, fmax of one clock and its critical path",
            given=f"{type(error).__name__} {error}",
            source=source,
        ) from None


def slowest_path(paths: Sequence[Mapping[str, Any]], clock: str) -> SlowestPath:
    """Return the path from an edge of the clock to an edge of it; KeyError if there is none."""
    edge = f"posedge {clock}"
    parts = next((each["path"] for each in paths if each["from"] == each["to"] == edge), None)
    if not parts:
        raise KeyError(edge)
    routing = [part["delay"] for part in parts if part["type"] == "routing"]
    return SlowestPath(
        begin=signal_of(parts[0]["from"]["cell"]),
        end=signal_of(parts[-1]["to"]["cell"]),
        ns=round(sum(part["delay"] for part in parts), 2),
        routing_ns=round(sum(routing), 2),
        cells=len(routing) + 1,
    )


def signal_of(cell: str) -> str:
    """Return the signal that gave a cell its name."""
    return NUMBERING.sub("", cell)


@dataclass(frozen=True, kw_only=True)
class Routed:
    """A system that was routed: what, by which tools, with which figures.

    cells: of the architecture, None in a family that has no such field
    cpu_seconds: by step
    """

    arch: str
    cells: str | None
    network: str
    board: str
    seed: int
    commit: str | None
    tools: dict[str, str]
    cpu_seconds: dict[str, float]
    figures: Figures


def lines_of(done: Routed) -> list[str]:
    """Return the figures for a terminal."""
    return [f"{name:<17}{text}" for name, text in column_of(done).items()]


def column_of(done: Routed) -> dict[str, str]:
    """Return the figures by name, as texts: a column of the table."""
    found, path = done.figures, done.figures.path
    seconds = ", ".join(f"{step} {taken:.0f}" for step, taken in done.cpu_seconds.items())
    return {
        "architecture": done.arch,
        "cells": done.cells or "-",
        "MHz": f"{found.mhz:.1f} of {found.wanted_mhz:.1f}",
        "LUT4": f"{found.luts:,}",
        "CCU2C": f"{found.carries:,}",
        "DPR16X4": f"{found.lut_memories:,}",
        "TRELLIS_COMB": share(found.slices),
        "flip-flops": share(found.flip_flops),
        "block RAMs": share(found.block_rams),
        "multipliers": share(found.multipliers),
        "slowest path": f"`{path.begin}` -> `{path.end}`: {path.ns:.1f} ns in {path.cells} cells,"
        f" {path.routing_ns:.1f} ns of it routing",
        "CPU seconds": seconds,
        "seed": str(done.seed),
        "commit": done.commit or "-",
    }


def share(pair: Sequence[int]) -> str:
    """Return how much of the part is used."""
    used, available = pair
    return f"{used:,} of {available:,}"


def page_with(page: str, runs: Sequence[Routed]) -> str:
    """Return the page with the table of runs between its marks."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return "\n".join([before + BEGIN, *table_of(runs), END + after])


def table_of(runs: Sequence[Routed]) -> list[str]:
    """Return the lines of the table of runs, a column each, and of the tools."""
    if not runs:
        return ["No run is recorded yet."]
    columns = [column_of(each) for each in runs]
    table = ["| figure |" + " |" * len(runs), "| --- |" + " --- |" * len(runs)]
    for name in columns[0]:
        table.append(f"| {name} | {' | '.join(column[name] for column in columns)} |")
    tools = sorted({f"{tool} {version}" for each in runs for tool, version in each.tools.items()})
    return [*table, "", f"Tools: {', '.join(tools)}."]


def read_record() -> list[Routed]:
    """Return the systems of the record, in the order of the page."""
    runs = json.loads(RECORD.read_text(encoding="utf-8"))["runs"]
    return TypeAdapter(list[Routed]).validate_python(runs)


def record(done: Routed) -> None:
    """Put a system into the record, in the place of an earlier run of it, and into the page."""
    runs = {(each.arch, each.cells, each.board): each for each in read_record()}
    runs[done.arch, done.cells, done.board] = done
    plain = {"format": "hwgen.fpga", "version": 1, "runs": [asdict(run) for run in runs.values()]}
    write_text(RECORD, json.dumps(plain, indent=1) + "\n", what="record")
    page = page_with(PAGE.read_text(encoding="utf-8"), list(runs.values()))
    write_text(PAGE, page, what="page")
