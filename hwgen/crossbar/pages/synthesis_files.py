"""The files of a synthesis: what is written, and what of an earlier one may be replaced."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.chip.synthesis_request import RUN_FILES
from hwgen.crossbar.facts.arch import Arch, arch_text
from hwgen.crossbar.facts.schedule import Schedule, save_schedule
from hwgen.crossbar.pages.synthesis import SynthesisReport
from hwgen.report.files import report_text

FILES = ("architecture.yaml", "schedule.npz", "report.json")
ARCHITECTURE, SCHEDULE, REPORT = FILES
OLDER = ("report.html", "accuracy.svg")
"""What earlier versions wrote beside."""


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """What was written: the folder, and what lies in it."""

    folder: Path
    arch: Arch
    schedule: Schedule
    report: SynthesisReport

    @property
    def files(self) -> tuple[str, ...]:
        """The files in the folder."""
        return FILES

    @property
    def within_budget(self) -> bool:
        """Whether the chip needs no more than the power budget."""
        return self.report.within_budget


def write_files(made: Synthesis, folder: Path) -> None:
    """Write all files into an empty folder."""
    (folder / ARCHITECTURE).write_text(arch_text(made.arch), encoding="utf-8")
    save_schedule(made.schedule, folder / SCHEDULE)
    (folder / REPORT).write_text(report_text(made.report), encoding="utf-8")


def earlier_output(folder: Path) -> set[str]:
    """Return the files of an earlier synthesis in a folder; nothing if it is none."""
    try:
        content: Any = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        ours = content["format"] == "hwgen.report.synthesize"
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    return {*FILES, *OLDER, *RUN_FILES} if ours else set()
