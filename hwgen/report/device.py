"""The report of `hwgen fit-device`."""

from typing import Literal

from pydantic.dataclasses import dataclass
from rich.console import Group, RenderableType

from hwgen.files.load import EXACT
from hwgen.report.tables import percent, table
from hwgen.report.types import Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MeasuredLevel:
    """A level as it was read and as the table has it.

    level: share of the highest level
    reads: of all times
    means, deviations: at each time, shares of the highest level at the first read
    drift, drift_deviation: that were fitted
    """

    level: float
    reads: Count
    means: list[float]
    deviations: list[float]
    drift: float
    drift_deviation: float


@dataclass(frozen=True, kw_only=True, config=EXACT)
class DeviceReport:
    """What `hwgen fit-device` found.

    full: mean conductance of the highest level at the first read, in the unit of the file
    times: seconds from writing, the first read first
    """

    format: Literal["hwgen.report.device"]
    version: Literal[1]
    name: str
    full: float
    times: list[float]
    levels: list[MeasuredLevel]


def device_table(report: DeviceReport) -> RenderableType:
    """Return a row for each level."""
    first, last = (f"{report.times[place]:g} s" for place in (0, -1))
    rows = table(
        ["level", "reads", f"mean, {first}", "deviation", f"mean, {last}", "deviation", "drift",
         "of cells"],
        left=0,
    )  # fmt: skip
    for one in report.levels:
        rows.add_row(
            f"{one.level:.3f}",
            str(one.reads),
            percent(one.means[0]),
            percent(one.deviations[0]),
            percent(one.means[-1]),
            percent(one.deviations[-1]),
            f"{one.drift:.4f}",
            f"{one.drift_deviation:.4f}",
        )
    about = (
        f"{report.name}: the highest level conducts {report.full:g}, the others are shares of it"
    )
    return Group(about, "", rows)
