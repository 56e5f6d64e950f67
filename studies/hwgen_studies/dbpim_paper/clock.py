"""The clock of a chip of the paper, from its netlist."""

from pathlib import Path
from typing import Any

from pydantic.dataclasses import dataclass

from hwgen.errors import FormatError
from hwgen.files.load import EXACT, validate_spec
from hwgen.report.cost import CostReport
from hwgen.report.tables import NOTHING
from hwgen.report.training_record import read_known
from hwgen.report.types import Digest, NotNegative


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Clock:
    """The clock of the netlist of a chip, from a report of `hwgen cost`.

    slowest_ns, mhz: of its slowest path, without wires, in the cells of the library
    """

    report: str
    library: str
    library_digest: Digest
    slowest_ns: NotNegative
    mhz: NotNegative


def at_clock(time_ms: float, clock_mhz: float, clock: Clock | None) -> str:
    """Return a time at `clock_mhz` as text, at the clock of the netlist; a dash without one."""
    return NOTHING if clock is None else f"{time_ms * clock_mhz / clock.mhz:.3f}"


def clock_words(clock_mhz: float, clock: Clock | None) -> str:
    """Return what the times of a page are at."""
    words = f"Times are at {clock_mhz:g} MHz, the clock of the architecture"
    if clock is None:
        return f"{words}."
    return (
        f"{words}, and at {clock.mhz:.0f} MHz, that of its netlist: {slowest_words(clock)},"
        " without wires."
    )


def slowest_words(clock: Clock) -> str:
    """Return what a clock follows from."""
    return (
        f"its slowest path takes {clock.slowest_ns:.2f} ns in the cells of {clock.library}, by the"
        " static timing of `hwgen cost`"
    )


def clock_of(cost: Path, arch: Any) -> Clock:
    """Return the clock of the netlist; FormatError for a report of another architecture."""
    content = read_known(cost, "hwgen.report.cost", (1,))
    report = validate_spec(CostReport, content, source=str(cost))
    if report.architecture.digest != arch.digest:
        raise FormatError(
            field="architecture",
            allowed=f"that of {arch.name}, {arch.digest[:16]}",
            given=report.architecture.digest[:16],
            source=str(cost),
        )
    return Clock(
        report=cost.name,
        library=report.library.name,
        library_digest=report.library.digest,
        slowest_ns=report.slowest_ns,
        mhz=report.mhz,
    )
