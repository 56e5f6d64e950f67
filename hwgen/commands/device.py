"""`hwgen fit-device`: a file of effects from conductances that somebody measured."""

import re
from dataclasses import KW_ONLY, asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import yaml
from rich.console import RenderableType

from hwgen.chip.device_levels import LevelTable
from hwgen.chip.effects import NO_NOISE, DeviceEffects, load_effects
from hwgen.chip.measured_device import Measured, fitted, read_measured
from hwgen.commands.effects import shipped_effects
from hwgen.commands.fields import File
from hwgen.commands.pictures import Plot, check_plot, write_plot
from hwgen.commands.request import OUTPUT_FILE, Request, Says
from hwgen.files.earlier import FITTED, FITTED_START
from hwgen.files.output import write_text
from hwgen.files.shipped import file_of
from hwgen.report.device import DeviceReport, MeasuredLevel, device_table


@dataclass(frozen=True)
class FitDevice(
    Request, command="fit-device", example="reads.csv --out build/my_device.yaml --plot fit.svg"
):
    """Fit a table of levels to measured cells, and write it as a file of effects.

    A line of the file is one read of one cell, its first line names the columns: level, a whole
    number from 0, conductance in any unit, time in seconds since the cell was written. Mean and
    deviation of each level are those of the first read, drift follows from the later ones. All else
    of the file of effects is that of --start. Use it with `hwgen effects --effects FILE --time 1d`.

    Raises DataError for reads from which no table follows.
    """

    reads: Annotated[
        File,
        Says("reads of cells (.csv): level, conductance, time", metavar="READS", argument=True),
    ]
    _: KW_ONLY
    out: Annotated[
        File,
        Says("file of effects to write (.yaml)", metavar="FILE", use=OUTPUT_FILE, replaces=FITTED),
    ]
    start: Annotated[
        File, Says("effects that all else is taken from: a name that ships, or a file (.yaml)")
    ] = "effects/exact"
    plot: Plot = None

    def check(self) -> None:
        """Refuse a picture of another kind."""
        super().check()
        check_plot(self, self.plot)

    def run(self) -> DeviceReport:
        """Write the file of effects."""
        start = load_effects(file_of(Path(self.start), shipped_effects(), what="the effects"))
        measured = read_measured(Path(self.reads))
        table = fitted(measured)
        effects = with_levels(start, table, name=Path(self.out).stem, file=Path(self.reads).name)
        text = yaml.safe_dump(plain(effects), sort_keys=False, width=100, allow_unicode=True)
        report = device_report(effects.name, measured, table)
        write_text(Path(self.out), f"{FITTED_START}\n{text}", what="effects")
        if self.plot is not None:
            from hwgen.report.device_plot import device_picture

            write_plot(self.plot, lambda kind: device_picture(report, kind))
        return report

    def table(self, report: DeviceReport) -> RenderableType:
        """Return a row for each level."""
        return device_table(report)


def with_levels(start: DeviceEffects, table: LevelTable, *, name: str, file: str) -> DeviceEffects:
    """Return effects with a table of levels in place of the one formula of cells."""
    return replace(
        start,
        name=re.sub(r"[^A-Za-z0-9_.-]", "_", name) or "device",
        device=f"measured, {file}",
        cells=replace(start.cells, variation=0.0, drift=0.0),
        sources={**start.sources, "levels": f"fitted to {file} by hwgen fit-device"},
        levels=table,
    )


def plain(effects: DeviceEffects) -> dict[str, Any]:
    """Return what a file of effects says."""
    found = asdict(effects)
    found["sources"] = dict(effects.sources)
    found["levels"]["points"] = [dict(point) for point in found["levels"]["points"]]
    if not effects.converters.nonlinearity:
        del found["converters"]["nonlinearity"]
    if effects.read == NO_NOISE:
        del found["read"]
    return found


def device_report(name: str, measured: Measured, table: LevelTable) -> DeviceReport:
    """Return what was read of each level beside what was fitted."""
    levels = []
    for level, point in enumerate(table.points):
        means, deviations = measured.statistics(level)
        levels.append(
            MeasuredLevel(
                level=point.level,
                reads=int((measured.level == level).sum()),
                means=[float(each) for each in means],
                deviations=[float(each) for each in deviations],
                drift=point.drift,
                drift_deviation=point.drift_deviation,
            )
        )
    return DeviceReport(
        format="hwgen.report.device",
        version=1,
        name=name,
        full=measured.full,
        times=measured.times,
        levels=levels,
    )
