"""The command of the demo.

Tests: `tests/commands/demo/test_run.py`.
"""

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from rich.console import RenderableType

from hwgen.commands.demo.report import DemoReport
from hwgen.commands.demo.run import run_demo
from hwgen.commands.demo.table import demo_table
from hwgen.commands.fields import ArchFile, Count, File
from hwgen.commands.request import Says, Working


@dataclass(frozen=True)
class Demo(Working, command="demo", example="recipe.yaml chip.yaml"):
    """Train a network and compare its dense and its sparse chip in RTL; scripts/demo calls it.

    --adaptive: then run another network in each of its modes, and switch between them.
    """

    recipe: Annotated[File, Says("how to train (.yaml)", metavar="RECIPE", argument=True)]
    architecture: ArchFile
    _: KW_ONLY
    images: Annotated[Count, Says("run the first N test images", metavar="N")] = 16
    adaptive: Annotated[
        tuple[File, File] | None,
        Says(
            "a network with several modes, and its architecture",
            metavar="NETWORK ARCH",
            typed=tuple[Path, Path],
        ),
    ] = None

    def run(self) -> DemoReport:
        """Train and compare."""
        adaptive = self.adaptive and (Path(self.adaptive[0]), Path(self.adaptive[1]))
        return run_demo(
            self.quiet,
            Path(self.recipe),
            Path(self.architecture),
            images=self.images,
            adaptive=adaptive,
        )

    def table(self, report: DemoReport) -> RenderableType:
        """Return what was compared."""
        return demo_table(report)

    def agrees(self, report: DemoReport) -> bool:
        """Return whether all runs are equal."""
        return report.equal
