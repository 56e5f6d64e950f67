"""`hwgen explore`: a search, or every combination of some keys of one chip.

Tests: `tests/cli/test_grid.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, MISSING, dataclass, field, fields
from typing import Annotated, Any

from pydantic import Field
from rich.console import RenderableType

from hwgen.commands.explore import DataOfEach, Explore
from hwgen.commands.fields import Real
from hwgen.commands.on_chip import Runs
from hwgen.commands.request import Says
from hwgen.commands.sweep import Sweep, values_of
from hwgen.report.sweep import SweepReport, Value
from hwgen.report.sweep_table import sweep_table

OF_BOTH = ("context", "networks", "family", "workers", "energy", "plot", "data")
"""Fields that a search and a grid take."""


@dataclass(frozen=True)
class GridExplore(
    Runs, Explore, command="explore", example="network.npz FAMILY --area 5 --plot front.svg"
):
    """Search chips of a family that are at most so large, and run networks fastest.

    What varies are sizes of the family's architectures; --keys holds some of them, or adds others.
    Each chip is predicted exactly, an image a network. The table has the chips that no other one
    beats in both area and objective.

    With --grid there is no search: a network is predicted on every combination of values of keys of
    one chip, such as --grid cores=1,2 --grid port_bits=64,128. A combination that the architecture
    or the network refuses is a row with the reason.

    Every prediction is cached, so after an interrupt the same command resumes.
    """

    _: KW_ONLY
    grid: Annotated[
        Mapping[str, Annotated[Sequence[Value], Field(min_length=1)]],
        Says(
            "a key and its values, each of which is predicted with each of the others; sparsity"
            " stands for all switches: none,all,weight_bits+input_bits; repeatable",
            metavar="KEY=VALUES",
            typed=list[str],
            read=values_of,
        ),
    ] = field(default_factory=dict)
    area: Annotated[
        Annotated[Real, Field(gt=0)] | None, Says("mm2 of a chip at most", metavar="MM2")
    ] = None  # type: ignore[assignment]
    data: DataOfEach = None  # type: ignore[assignment]

    def check(self) -> None:
        """Refuse what belongs to the other way, and what each of them refuses."""
        other = Explore if self.grid else Runs
        for each in fields(other):
            value = getattr(self, each.name)
            default = each.default if each.default_factory is MISSING else each.default_factory()
            if each.name not in OF_BOTH and value not in (None, default):
                way = "with --grid" if self.grid else "without --grid"
                raise self.refusal(each.name, f"left out {way}", value)
        if self.grid:
            if len(self.networks) > 1 or (self.data and len(self.data) > 1):
                raise self.refusal("networks", "one with --grid, its data too", len(self.networks))
            self.sweep()
        elif self.area is None:
            raise self.refusal("area", "given without --grid", None)
        else:
            Explore.check(self)

    def sweep(self) -> Sweep:
        """Return the request of a grid."""
        given = {each.name: getattr(self, each.name) for each in fields(Runs)}
        return Sweep(
            self.networks[0],
            self.family,
            keys=self.grid,
            workers=self.workers,
            plot=self.plot,
            energy=self.energy,
            **given | {"data": self.data[0] if self.data else None},
        )

    def run(self) -> Any:
        """Predict all combinations, or search."""
        return self.sweep().run() if self.grid else super().run()

    def table(self, report: Any) -> RenderableType:
        """Return the combinations, or the chips of the front."""
        return sweep_table(report) if isinstance(report, SweepReport) else super().table(report)
