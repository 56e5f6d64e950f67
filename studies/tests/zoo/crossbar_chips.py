"""Write a part of docs/results/crossbar.md: what a search answers, and what runs in Verilog.

    python -m studies.tests.zoo.crossbar_chips FOLDER...

Each folder holds what `hwgen synthesize` left, and beside it run.json of `hwgen run --engine rtl`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen.commands.origin import commit
from hwgen.errors import HwgenError
from hwgen.files.output import write_text
from hwgen.report.files import write_report
from hwgen.report.sheet import Sheet
from hwgen.report.tables import number

RESULTS = Path(__file__).parents[3] / "docs" / "results"
SEARCH = "network, W, GOPS/W, bound, gap in %, steps, step in ns, peak W, macros, crossbars, tried"
RUN = (
    "network, W, images, right, elements that differ, clocks of the model, of the Verilog,"
    " starts checked, different, clocks held"
)


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One network on the chip that a search answered; all layers.

    gops_per_w and all before right: of the search; the rest: measured in RTL
    right: fraction of the images; clocks: of all images together
    """

    network: str
    network_digest: str
    power_w: float
    gops_per_w: float
    bound_gops_per_w: float | None
    gap_percent: float | None
    steps: int
    step_ns: float
    peak_w: float
    macros: int
    crossbars: int
    evaluations: int
    images: int
    right: float | None
    mismatches: int
    cycles_model: int
    cycles_rtl: int
    starts_checked: int
    starts_different: int
    held_clocks: int


@dataclass(frozen=True, kw_only=True)
class ChipsReport:
    """All rows, and the commit that made them."""

    format: str
    version: int
    commit: str
    rows: list[Chip]


def chip_of(folder: Path) -> Chip:
    """Return the row of one folder; a run on another chip than the search's is an error."""
    found, ran = (json.loads((folder / name).read_text()) for name in ("report.json", "run.json"))
    chip, setting = found["architecture_digest"], ran["setting"]
    if setting["architecture"]["digest"] != chip or ran["engine"] != "rtl":
        raise HwgenError(f"{folder}: run.json must be of the Verilog of the chip {chip[:16]}")
    return Chip(
        network=found["network"]["name"],
        network_digest=setting["network"]["digest"],
        power_w=found["power_budget_w"],
        gops_per_w=found["efficiency_gops_per_w"],
        bound_gops_per_w=found["bound_gops_per_w"],
        gap_percent=found["gap_to_bound_percent"],
        steps=found["steps"],
        step_ns=found["step_ns"],
        peak_w=found["peak_power_w"],
        macros=found["chip"]["macros"],
        crossbars=found["chip"]["crossbars"],
        evaluations=found["evaluations"],
        images=len(ran["images"]),
        right=ran["accuracy"],
        mismatches=ran["mismatches"],
        cycles_model=ran["cycles_model"],
        cycles_rtl=ran["cycles_rtl"],
        starts_checked=ran["starts_checked"],
        starts_different=ran["starts_different"],
        held_clocks=ran["held_clocks"],
    )


def page(report: ChipsReport) -> str:
    """Return all rows as a page."""
    return "\n".join(
        [
            "# Crossbar chips: what a search answers, and what runs in Verilog",
            "",
            f"`scripts/results crossbar-chip`, at commit {report.commit}: strict rules, seed 1,"
            " default effort, all layers.",
            "",
            "## The answers, modelled",
            "",
            "Gap: how much better than the answer any design could be, by the bound.",
            "",
            *Sheet(SEARCH.split(", "), map(searched, report.rows)).markdown(),
            "",
            "## The same chips, simulated",
            "",
            "`hwgen run NETWORK ARCHITECTURE --engine rtl`: every element of every map beside the"
            " reference in NumPy, every clock beside the model's, every start beside the schedule"
            " of the search; test images, one after another.",
            "",
            *Sheet(RUN.split(", "), map(simulated, report.rows)).markdown(),
            "",
            "Networks at random, and those on which chips of before erred, are run by"
            " `pytest --long tests/verif/crossbar`. Figures of earlier rules:"
            " [history](history.md).",
            "",
        ]
    )


def searched(row: Chip) -> list[str]:
    """Return the cells of an answer."""
    bound = [
        f"{one:.1f}" if one is not None else "-" for one in (row.bound_gops_per_w, row.gap_percent)
    ]
    return [
        row.network,
        f"{row.power_w:g}",
        f"{row.gops_per_w:.1f}",
        *bound,
        number(row.steps),
        f"{row.step_ns:g}",
        f"{row.peak_w:.3g}",
        number(row.macros),
        number(row.crossbars),
        number(row.evaluations),
    ]


def simulated(row: Chip) -> list[str]:
    """Return the cells of a run."""
    counts = (row.mismatches, row.cycles_model, row.cycles_rtl)
    starts = (row.starts_checked, row.starts_different, row.held_clocks)
    right = "-" if row.right is None else f"{round(row.right * row.images)}"
    return [
        row.network,
        f"{row.power_w:g}",
        number(row.images),
        right,
        *map(number, counts + starts),
    ]


def main(arguments: Sequence[str]) -> int:
    """Write both files; return the exit code, 1 if a run differs."""
    parser = argparse.ArgumentParser(prog="crossbar_chips", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    try:
        rows = [chip_of(folder) for folder in parser.parse_args(arguments).folders]
        report = ChipsReport(
            format="hwgen.report.crossbar_chips", version=1, commit=commit() or "-", rows=rows
        )
        write_text(RESULTS / "crossbar-chip.md", page(report), what="page")
        write_report(report, RESULTS / "crossbar-chip.json")
    except HwgenError as error:
        print(f"crossbar_chips: {error}", file=sys.stderr)
        return 2
    same = all(
        row.mismatches == row.starts_different == row.held_clocks == 0
        and row.cycles_rtl == row.cycles_model
        for row in rows
    )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
