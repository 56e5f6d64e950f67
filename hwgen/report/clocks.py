"""Measured clocks of chips: the slowest path of each netlist, as `hwgen cost --clocks` notes it.

Tests: `tests/report/test_clocks.py`.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.errors import FormatError
from hwgen.files.load import EXACT, validate_spec
from hwgen.report.cost import CostPlaced, CostReport, Mapped
from hwgen.report.files import write_report
from hwgen.report.training_record import read_known
from hwgen.report.types import ChipClock, Digest

FORMAT = "hwgen.report.measured_clocks"


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MeasuredClock:
    """The slowest path of a chip, from register to register, without wires.

    digest: of the architecture; through: modules on the way
    mapped: modules, each mapped alone, or flat; placed: the flat chip with wires, if it was placed
    """

    architecture: str
    digest: Digest
    ns: Annotated[float, Field(gt=0)]
    mapped: Mapped
    start: str
    end: str
    through: list[str]
    placed: CostPlaced | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MeasuredClocks:
    """Clocks of chips in the cells of one library.

    corner: the operating conditions that its file names; null: it names none
    """

    format: Literal["hwgen.report.measured_clocks"]
    version: Literal[1]
    library: str
    corner: str | None
    digest: Digest
    chips: list[MeasuredClock]

    def of(self, digest: str) -> ChipClock | None:
        """Return the clock of the chip with an architecture of this digest; None: not measured."""
        found = next((chip for chip in self.chips if chip.digest == digest), None)
        if found is None:
            return None
        return ChipClock(
            ns=found.ns,
            mhz=1000 / found.ns,
            library=self.library,
            corner=self.corner,
            mapped=found.mapped,
            of_file=False,
        )


def read_clocks(path: Path) -> MeasuredClocks:
    """Return the clocks of a file. Raises FormatError."""
    content = read_known(path, FORMAT, (1,))
    return validate_spec(MeasuredClocks, content, source=str(path))


def note_clock(path: Path, report: CostReport) -> None:
    """Note the slowest path of a chip in a file of clocks, in the place of an earlier one.

    Errors: FormatError where the file is of another library
    """
    worst, library = report.paths[0], report.library
    of_library = MeasuredClocks(
        format="hwgen.report.measured_clocks",
        version=1,
        library=library.name,
        corner=library.corner,
        digest=library.digest,
        chips=[],
    )
    known = read_clocks(path) if path.exists() else of_library
    if known.digest != library.digest:
        raise FormatError(
            field="library",
            allowed=f"that of all clocks of the file, {known.library}",
            given=library.name,
            source=str(path),
        )
    chip = MeasuredClock(
        architecture=report.architecture.name,
        digest=report.architecture.digest,
        ns=worst.ns,
        mapped=report.mapped,
        start=worst.start,
        end=worst.end,
        through=worst.through,
        placed=report.placed,
    )
    write_report(replace(known, chips=[*others(known.chips, chip), chip]), path)


def others(chips: Iterable[MeasuredClock], chip: MeasuredClock) -> list[MeasuredClock]:
    """Return the clocks of all chips but one."""
    return [each for each in chips if each.digest != chip.digest]
