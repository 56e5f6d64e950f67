"""The files of a synthesis: what is written, and what of an earlier one may be replaced."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.chip.synthesis_request import RUN_FILES
from hwgen.crossbar.facts.arch import Arch, arch_text
from hwgen.crossbar.facts.schedule import Schedule, save_schedule
from hwgen.crossbar.pages.synthesis import SynthesisReport
from hwgen.files.output import write_text
from hwgen.report.files import report_text

FILES = ("architecture.yaml", "schedule.npz", "report.json", "report.html")
ARCHITECTURE, SCHEDULE, REPORT, PAGE = FILES
CURVE = "accuracy.svg"
"""What --effects writes beside."""


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """What was written: the folder, and what lies in it; curve: the picture of --effects."""

    folder: Path
    arch: Arch
    schedule: Schedule
    report: SynthesisReport
    page: str
    curve: bytes | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The files in the folder."""
        return FILES if self.curve is None else (*FILES, CURVE)

    @property
    def within_budget(self) -> bool:
        """Whether the chip needs no more than the power budget."""
        return self.report.within_budget


def write_files(made: Synthesis, folder: Path) -> None:
    """Write all files into an empty folder."""
    (folder / ARCHITECTURE).write_text(arch_text(made.arch), encoding="utf-8")
    save_schedule(made.schedule, folder / SCHEDULE)
    (folder / REPORT).write_text(report_text(made.report), encoding="utf-8")
    (folder / PAGE).write_text(made.page, encoding="utf-8")
    if made.curve is not None:
        (folder / CURVE).write_bytes(made.curve)


def write_page(made: Synthesis, path: Path) -> None:
    """Write the page to where a person wants it, too."""
    write_text(path, made.page, what="page")


def earlier_output(folder: Path) -> set[str]:
    """Return the files of an earlier synthesis in a folder; nothing if it is none."""
    try:
        content: Any = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        ours = content["format"] == "hwgen.report.synthesize"
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    return {*FILES, CURVE, *RUN_FILES} if ours else set()
