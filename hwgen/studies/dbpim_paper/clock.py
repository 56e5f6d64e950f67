"""The clock of a chip of the paper, from its netlist."""

from pathlib import Path
from typing import Any

from pydantic.dataclasses import dataclass

from hwgen.errors import FormatError
from hwgen.files.load import validate_spec
from hwgen.report.cost import CostReport
from hwgen.report.training_record import read_known
from hwgen.report.types import STRICT, Digest, NotNegative


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Clock:
    """The clock of the netlist of a chip, from a report of `hwgen cost`.

    slowest_ns, mhz: of its slowest path, without wires, in the cells of the library
    """

    report: str
    library: str
    library_digest: Digest
    slowest_ns: NotNegative
    mhz: NotNegative


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
