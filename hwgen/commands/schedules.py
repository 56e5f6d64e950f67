"""What becomes of a schedule that chips of a family keep, for the report of a run.

Tests: `tests/commands/test_modes.py`.
"""

from collections.abc import Sequence
from typing import Any

from hwgen.chip.family import Family
from hwgen.chip.protocols import Program
from hwgen.chip.runs import Prediction
from hwgen.chip.runs import SimulatedRun as Run
from hwgen.commands.families import architecture_file
from hwgen.commands.subject import Subject
from hwgen.report.run import Starts


def check_schedule(subject: Subject) -> None:
    """Refuse a schedule beside an architecture that a run could not be compared with."""
    if subject.family.offers(Family.schedules):
        file = architecture_file(subject.arch_file)
        subject.family.need(Family.schedules).check_schedule(subject.arch, file)


def starts_of(
    subject: Subject,
    program: Program | None,
    predictions: Sequence[Prediction],
    runs: Sequence[Run],
) -> Starts | None:
    """Return what became of a schedule; None for a family without one, or without predictions."""
    if not (predictions and subject.family.offers(Family.schedules)):
        return None
    found: Starts = subject.family.need(Family.schedules).compare_starts(
        subject.arch, architecture_file(subject.arch_file), program, predictions, runs
    )
    return found


def schedule_keys(starts: Starts | None, *, compared: bool) -> dict[str, Any]:
    """Return what a report says of a schedule; compared: there was a simulation."""
    seen = starts is not None and compared
    operations = starts.operations if starts else []
    return {
        "starts_checked": sum(each.starts for each in operations) if seen else None,
        "starts_different": sum(each.different for each in operations) if seen else None,
        "starts_promised_by": starts.promised_by if starts else None,
        "held_clocks": starts.held_clocks if starts else None,
        "constants": starts.constants if starts else [],
        "operations": operations,
        "energy": starts.energy if starts else [],
    }
