"""What a chip costs in the cells of a library."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from hwgen.api.arguments import File, Real, Work, checked, path_of, quiet
from hwgen.api.chips import Arch, loaded
from hwgen.api.sweeps import kind_of
from hwgen.commands.cost import cost_of
from hwgen.commands.load import load
from hwgen.files.output import whole_file
from hwgen.report.cost import CostReport

Period = Annotated[Real, Field(gt=0)]


@checked
def cost(
    architecture: Arch,
    *,
    liberty: File | None = None,
    period_ns: Period | None = None,
    plot: File | None = None,
    context: Work = None,
) -> CostReport:
    """Return area, flip-flops and slowest paths of a chip, from netlists of its modules.

    liberty: a library of cells (.lib, .lib.gz); None: IHP SG13G2, which ships
    period_ns: a clock that the report says is met or not
    plot: picture to write (.svg or .png)
    Needs pyosys. Each module is synthesized once and cached.
    Raises FormatError for a file that is no library, FamilyError for a family without Verilog.
    """
    if plot is not None:
        kind_of(plot)
    chip = loaded(architecture)
    report = cost_of(
        quiet(context),
        chip.family,
        chip.parameters,
        chip.file,
        liberty=path_of(liberty),
        period_ns=period_ns,
    )
    if plot is not None:
        picture: bytes = load("hwgen.report.cost_plot").cost_picture(report, kind_of(plot))
        with whole_file(Path(plot), what="picture") as fresh:
            fresh.write_bytes(picture)
    return report
