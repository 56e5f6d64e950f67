"""Slowest paths of chips by two timers: ours, which `hwgen cost` prints, and OpenSTA.

    python -m tests.physical.clocks --liberty LIB --out FILE --json FILE

synthesizes each chip, or a part of one, with the cells of a library. The page has a row for each,
and beside it, as `clock-NAME.json`, the report of `hwgen cost` of each whole chip.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from hwgen.commands.architectures import chip_of
from hwgen.commands.context import Context
from hwgen.commands.cost import Cost
from hwgen.commands.netlists import Synthesized, synthesized
from hwgen.commands.origin import commit
from hwgen.commands.verilog import uses
from hwgen.errors import HwgenError
from hwgen.files.output import write_text
from hwgen.physical.timing import all_paths
from hwgen.report.files import write_report
from hwgen.report.sheet import Sheet
from verif.opensta import slowest_path

CHIPS = (
    ("dbpim/tiny", "", 2.9),
    ("dbpim/paper", "dbpim_core", 2.9),
    ("dbpim/paper", "", None),
    ("mram/paper", "", 3.3),
    ("crossbar/digits_small_cnn", "", 3.3),
)
"""Chip, module of it (empty: all of it), and the most ns that are wanted."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The slowest path of a chip, or of a part of it.

    part: module, empty: the whole chip; most_ns: that are wanted, None: no bound was set
    ns: by our timing, sta_ns: by OpenSTA; start, end: registers of our path; through: modules
    """

    chip: str
    part: str
    most_ns: float | None
    ns: float
    sta_ns: float
    start: str
    end: str
    through: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class ClocksReport:
    """All rows, and what made them."""

    format: Literal["hwgen.report.clocks"]
    version: Literal[1]
    commit: str
    command: str
    library: str
    digest: str
    rows: Sequence[Clock]


def clock_of(chip: str, part: str, most_ns: float | None, *, made: Synthesized) -> Clock:
    """Return the slowest path by both timers."""
    module = part or made.top
    below = uses(made.manifest, module)
    names = [name for name in made.modules.sources if name in below]
    path = all_paths([made.costs[name].timing for name in names])[0]
    with TemporaryDirectory() as folder:
        theirs = slowest_path(
            {name: made.modules.netlist(name) for name in names},
            module,
            library=made.library,
            liberty=made.modules.liberty,
            folder=Path(folder),
        )
    return Clock(
        chip=chip,
        part=part,
        most_ns=most_ns,
        ns=path.ns,
        sta_ns=theirs.ns,
        start=path.start,
        end=path.end,
        through=path.through,
    )


def page(report: ClocksReport) -> str:
    """Return the page."""
    heads = ["chip", "part", "ns", "MHz", "OpenSTA, ns", "deviation", "wanted, ns", "path"]
    lines = [
        "# Clocks: the slowest paths by two timers",
        "",
        f"Cells of {report.library}. `ns` is what `hwgen cost` prints (docs/cost.md says what it"
        " leaves out: no wires, an ideal clock), OpenSTA reads the same netlists with memories as"
        " cells of the same read time. Reports of whole chips are beside this page.",
        "",
        *Sheet(heads, (cells(row) for row in report.rows)).markdown(),
        "",
        f"- commit: {report.commit}",
        f"- command: {report.command}",
    ]
    return "\n".join(lines) + "\n"


def cells(row: Clock) -> Iterator[str]:
    """Yield the cells of a row."""
    yield f"`{row.chip}`"
    yield row.part or "whole"
    yield f"{row.ns:.2f}"
    yield f"{1000 / row.ns:.0f}"
    yield f"{row.sta_ns:.2f}"
    yield f"{row.sta_ns / row.ns - 1:+.1%}"
    yield "-" if row.most_ns is None else f"{row.most_ns:.1f}"
    yield f"{row.start} -> {row.end}"


def main(arguments: Sequence[str]) -> int:
    """Measure and write; return the exit code."""
    parser = argparse.ArgumentParser(prog="clocks", description=__doc__)
    for name in ("liberty", "out", "json"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="FILE")
    parser.add_argument("--work", type=Path, default=Path("build"), metavar="FOLDER")
    given = parser.parse_args(arguments)
    context = Context(work=given.work)
    try:
        rows: list[Clock] = []
        for chip, part, most_ns in CHIPS:
            loaded = chip_of(context, chip)
            made = synthesized(context, loaded.family, loaded.parameters, given.liberty)
            rows.append(clock_of(chip, part, most_ns, made=made))
            if not part:
                cost = Cost(loaded, liberty=given.liberty).run()
                write_report(cost, given.out.with_name(f"clock-{chip.replace('/', '-')}.json"))
        report = ClocksReport(
            format="hwgen.report.clocks",
            version=1,
            commit=commit() or "-",
            command="python -m tests.physical.clocks",
            library=made.library.name,
            digest=made.library.digest,
            rows=rows,
        )
        write_text(given.out, page(report), what="page")
        write_report(report, given.json)
    except HwgenError as error:
        print(f"clocks: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
