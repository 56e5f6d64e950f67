"""Figures of chips on FPGA boards, and the page that shows them: `scripts/fpga CHIP BOARD`.

A chip is routed as `hwgen build --for BOARD --route` routes it. One that is too large is a figure,
too: its sentence is kept.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from hwgen import api
from hwgen.chip.boards import BOARDS, ROUTED_TOOLS
from hwgen.commands.origin import commit
from hwgen.errors import DataError, HwgenError
from hwgen.files.load import EXACT
from hwgen.files.output import write_text
from hwgen.report.routed import RoutedChip, routed_rows

DOCS = Path(__file__).parents[2] / "docs"
RECORD, PAGE = DOCS / "fpga.json", DOCS / "fpga.md"
BEGIN, END = "<!-- figures: scripts/fpga -->", "<!-- end of figures -->"


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Run:
    """A chip on a board: routed, or refused with a sentence."""

    chip: str
    board: str
    commit: str | None
    routed: RoutedChip | None
    refused: str | None


def run(chip: str, board: Any, memory: int | None) -> Run:
    """Route a chip."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "chip")
        try:
            report = api.build(
                chip, folder, flow=board, route=True, memory=memory, context=api.Context()
            )
        except DataError as error:
            return Run(chip=chip, board=board, commit=commit(), routed=None, refused=str(error))
    return Run(chip=chip, board=board, commit=commit(), routed=report.routed, refused=None)


def read_record() -> list[Run]:
    """Return the runs of the record, in the order of the page."""
    runs = json.loads(RECORD.read_text(encoding="utf-8"))["runs"]
    return TypeAdapter(list[Run]).validate_json(json.dumps(runs))  # exact types from Python


def lines_of(runs: Sequence[Run]) -> list[str]:
    """Return a table of the chips that were routed, a column each; then those that do not fit."""
    routed = [(each, dict(routed_rows(each.routed))) for each in runs if each.routed]
    lines = []
    if routed:
        heads = [f"`{each.chip}` on {BOARDS[each.board].title}" for each, _ in routed]
        lines += [f"| figure | {' | '.join(heads)} |", "| --- |" + " --- |" * len(routed)]
        for name in routed[0][1]:
            lines.append(f"| {name} | {' | '.join(rows[name] for _, rows in routed)} |")
        commits = " | ".join(each.commit or "-" for each, _ in routed)
        lines += [f"| commit | {commits} |", ""]
        tools = {
            f"{tool} {version}"
            for each in runs
            if each.routed
            for tool, version in each.routed.tools.items()
        }
        lines += [f"Tools: {', '.join(sorted(tools))}.", ""]
    lines += [f"- `{each.chip}`: {each.refused}." for each in runs if each.refused]
    return lines


def page_with(page: str, runs: Sequence[Run]) -> str:
    """Return the page with the figures of runs between its marks."""
    before, _, rest = page.partition(BEGIN)
    return "\n".join([before + BEGIN, *lines_of(runs), END + rest.partition(END)[2]])


def keep(runs: Sequence[Run]) -> None:
    """Write the record and the page."""
    plain = {"format": "hwgen.fpga", "version": 2, "runs": [asdict(each) for each in runs]}
    write_text(RECORD, json.dumps(plain, indent=1) + "\n", what="record")
    write_text(PAGE, page_with(PAGE.read_text(encoding="utf-8"), runs), what="page")


def main() -> int:
    """Route one chip, if one is given, and write the page; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/fpga", description=__doc__.partition("\n")[0])
    known = [each.name for each in BOARDS.values() if each.tools in ROUTED_TOOLS]
    parser.add_argument("chip", nargs="?", help="such as dbpim/single")
    parser.add_argument("board", nargs="?", choices=known)
    parser.add_argument("--memory", type=int, help="bytes of the memory behind the line")
    given = parser.parse_args()
    if given.chip and not given.board:
        parser.error("a chip must be given with a board")
    runs = {(each.chip, each.board): each for each in read_record()}
    if given.chip:
        try:
            runs[given.chip, given.board] = run(given.chip, given.board, given.memory)
        except HwgenError as error:
            print(f"fpga: {error}", file=sys.stderr)
            return 2
    keep(list(runs.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
