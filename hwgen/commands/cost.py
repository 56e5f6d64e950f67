"""`hwgen cost`: area, clock and flip-flops of a chip, from netlists of its modules.

Tests: `tests/cli/test_cost.py`.
"""

import sys
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from rich.console import RenderableType

from hwgen.chip.family import Family
from hwgen.commands.architectures import Arch, chip_of
from hwgen.commands.fields import (
    LARGEST_SEED,
    File,
    Real,
    Replace,
    Sparsity,
    Whole,
    path_of,
)
from hwgen.commands.on_chip import subject_of
from hwgen.commands.packages import check_package
from hwgen.commands.pictures import Plot, check_plot, write_plot
from hwgen.commands.prices import EnergyFile, Prices
from hwgen.commands.replacing import replacements_of
from hwgen.commands.request import OUTPUT_FILE, Says, Working
from hwgen.errors import MissingToolError
from hwgen.files.earlier import PICTURES, REPORTS
from hwgen.files.shipped import networks
from hwgen.report.clocks import note_clock
from hwgen.report.cost import CostReport
from hwgen.report.cost_table import cost_table

NO_PLACER = (3, 13)
"""From this Python on coloquinte has no package."""


@dataclass(frozen=True)
class Cost(Working, command="cost", example="chip.yaml --period 5 --plot cost.svg"):
    """Synthesize a chip: area, flip-flops and slowest paths of its own netlists.

    Each module is mapped once, by Yosys, and cached: a second call takes seconds, a changed module
    is mapped alone. Memories are macros. There is no layout: wires cost nothing, the clock is
    ideal. The area table, or that of --energy, stands beside the netlist where both are of the same
    library.

    A part that --replace gives away has the figures of its file, or of its Liberty.

    With --network the netlist of one unit (a core, the data path, a router) follows a simulation of
    the first 20,000 cycles, and its energy stands beside the table's. Gates have no delay: without
    glitches it takes at least this. With --effects, too, what it costs to write the cells with that
    network: pulses, energy, time, and loads until cells wear out.

    Raises FormatError for a file that is no library, FamilyError for a family without Verilog.
    """

    architecture: Arch
    _: KW_ONLY
    liberty: Annotated[
        File | None,
        Says("a library of cells (.lib, .lib.gz) [default: IHP SG13G2]", metavar="FILE"),
    ] = None
    period_ns: Annotated[
        Annotated[Real, Field(ge=0.001, le=1e6)] | None,
        Says("clock period; exit code 1 if it is missed", metavar="NS", names=("--period",)),
    ] = None
    plot: Plot = None
    sparsity: Sparsity = None
    replace: Replace = None
    network: Annotated[
        File | None,
        Says(
            "a quantized network file, or the name of one that ships: the energy of one unit for"
            " it, from a simulation",
            metavar="NETWORK",
            complete=networks,
        ),
    ] = None

    energy: EnergyFile = None
    module: Annotated[
        str | None,
        Says("a module of the chip, with all that it places, in its place", metavar="NAME"),
    ] = None
    flat: Annotated[bool, Says("map it flat, not each module alone: slow")] = False
    placed: Annotated[
        bool, Says("place the flat netlist of its gates, and tell its clock with wires")
    ] = False
    fill: Annotated[
        Annotated[Whole, Field(ge=10, le=90)],
        Says("of the area that cells take, with --placed", metavar="PERCENT"),
    ] = 50
    aspect: Annotated[
        Annotated[Real, Field(ge=0.1, le=10)],
        Says("height over width, with --placed", metavar="RATIO"),
    ] = 1.0
    seed: Annotated[
        Annotated[Whole, Field(ge=1, le=LARGEST_SEED)], Says("of the placement, with --placed")
    ] = 1
    layout: Annotated[
        File | None,
        Says(
            "picture of the placement to write (.svg)",
            metavar="FILE",
            use=OUTPUT_FILE,
            replaces=PICTURES,
        ),
    ] = None
    clocks: Annotated[
        File | None,
        Says(
            "file of clocks (.json) in which to note the slowest path; model, run, text and explore"
            " read clocks.json beside an architecture",
            metavar="FILE",
            use=OUTPUT_FILE,
            replaces=REPORTS,
        ),
    ] = None
    effects: Annotated[
        File | None,
        Says(
            "a file of effects (.yaml), or the name of one that ships: what it costs to write the"
            " cells, with --network",
            metavar="FILE",
        ),
    ] = None

    def check(self) -> None:
        """Refuse a picture of another kind, energy without a netlist, cells without a network."""
        check_plot(self, self.plot)
        if self.replace and self.network is not None:
            raise self.refusal(
                "network", "left out with --replace: the parts have no netlist", "it"
            )

        if self.effects is not None and self.network is None:
            raise self.refusal(
                "network", "given with --effects, since cells hold a network", "nothing"
            )

        if self.replace and self.placed:
            raise self.refusal("placed", "left out with --replace: the parts have no netlist", "it")
        if self.module is not None and self.clocks is not None:
            raise self.refusal("clocks", "left out with --module: it is no chip", self.clocks)
        if self.module is not None and self.network is not None:
            raise self.refusal("network", "left out with --module", self.network)
        if self.layout is not None and not self.placed:
            raise self.refusal("layout", "left out without --placed", self.layout)
        if self.placed:
            try:
                check_package("coloquinte")
            except MissingToolError:
                if sys.version_info < NO_PLACER:
                    raise
                allowed = "given under Python 3.11 or 3.12, for which there is a placer"
                version = f"Python {sys.version_info.major}.{sys.version_info.minor}"
                raise self.refusal("placed", allowed, version) from None

    def run(self) -> CostReport:
        """Synthesize what is not cached, and draw the parts."""
        from hwgen.commands.effects import devices_of
        from hwgen.commands.netlist_energy import energy_of
        from hwgen.commands.netlists import cost_of
        from hwgen.commands.placing import placed
        from hwgen.commands.writing import writing_of_network
        from hwgen.physical.placement import Floor

        chip = chip_of(self.quiet, self.architecture, self.sparsity)
        subject = None
        if self.network is not None:
            chip.family.need(Family.netlist_energy)
            subject = subject_of(self.quiet, self.network, chip)
        written: dict[str, Any] = {}
        if self.effects is not None and subject is not None:
            devices = devices_of(Path(self.effects), 1)
            writing = writing_of_network(self.quiet, subject, devices)
            written = {"effects": devices.source, "writing": writing}
        replacements = replacements_of(self.replace)
        floor = Floor(fill=self.fill / 100, aspect=self.aspect, seed=self.seed)
        report: CostReport = cost_of(
            self.quiet,
            chip.family,
            chip.parameters if subject is None else subject.arch,
            chip.file,
            liberty=path_of(self.liberty),
            period_ns=self.period_ns,
            replacements=replacements,
            prices=Prices(chip.family, path_of(self.energy)),
            energy=None if subject is None else lambda found: energy_of(self.quiet, found, subject),
            module=self.module,
            mapped="flat" if self.flat else "modules",
            place=(lambda found: placed(self.quiet, found, floor, path_of(self.layout)))
            if self.placed
            else None,
        )
        if self.clocks is not None:
            note_clock(Path(self.clocks), report)
        report = replace(report, **written)
        if self.plot is not None:
            from hwgen.report.cost_plot import cost_picture

            write_plot(self.plot, lambda kind: cost_picture(report, kind))
        return report

    def table(self, report: CostReport) -> RenderableType:
        """Return parts, total and slowest paths."""
        return cost_table(report)

    def agrees(self, report: CostReport) -> bool:
        """Return whether the period is met, if one was given."""
        return report.met is not False
