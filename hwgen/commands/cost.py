"""`hwgen cost`: area, clock and flip-flops of a chip, from netlists of its modules."""

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field
from rich.console import RenderableType

from hwgen.commands.fields import File, Real, Sparsity, path_of
from hwgen.commands.load import load
from hwgen.commands.on_chip import Arch, chip_of
from hwgen.commands.request import OUTPUT_FILE, Says, Working
from hwgen.files.output import whole_file
from hwgen.report.cost import CostReport
from hwgen.report.cost_table import cost_table

PICTURES = (".svg", ".png")
"""Of pictures, by the ending of the file."""


@dataclass(frozen=True)
class Cost(Working, command="cost", example="chip.yaml --period 5 --plot cost.svg"):
    """Synthesize a chip: area, flip-flops and slowest paths of its own netlists.

    Each module is mapped once, by Yosys, and cached: a second call takes seconds, a changed module
    is mapped alone. Memories are macros. There is no layout: wires cost nothing, the clock is
    ideal. The area table stands beside the netlist where both are of the same library.

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
    plot: Annotated[
        File | None, Says("picture to write (.svg or .png)", metavar="FILE", use=OUTPUT_FILE)
    ] = None
    sparsity: Sparsity = None

    def check(self) -> None:
        """Refuse a picture of another kind."""
        if self.plot is not None and Path(self.plot).suffix not in PICTURES:
            allowed = f"a file that ends with {' or '.join(PICTURES)}"
            raise self.refusal("plot", allowed, Path(self.plot).name)

    def run(self) -> CostReport:
        """Synthesize what is not cached, and draw the parts."""
        chip = chip_of(self.architecture, self.sparsity)
        report: CostReport = load("hwgen.commands.netlists").cost_of(
            self.quiet,
            chip.family,
            chip.parameters,
            chip.file,
            liberty=path_of(self.liberty),
            period_ns=self.period_ns,
        )
        if self.plot is not None:
            plot = Path(self.plot)
            picture: bytes = load("hwgen.report.cost_plot").cost_picture(report, plot.suffix[1:])
            with whole_file(plot, what="picture") as fresh:
                fresh.write_bytes(picture)
        return report

    def table(self, report: CostReport) -> RenderableType:
        """Return parts, total and slowest paths."""
        return cost_table(report)

    def agrees(self, report: CostReport) -> bool:
        """Return whether the period is met, if one was given."""
        return report.met is not False
