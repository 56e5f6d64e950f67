"""`hwgen paper mlperf-tiny`."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Any

from rich.console import RenderableType

from hwgen.cli.from_requests import add_command
from hwgen.cli.paper import papers
from hwgen.commands.fields import File, Seed, Workers
from hwgen.commands.paper import InputCount, Names, Paper, PaperArch, PaperImages, Simulated
from hwgen.commands.request import Says


@dataclass(frozen=True)
class MlperfTiny(Paper, command="paper mlperf-tiny", example="chip.yaml --published FOLDER"):
    """MLPerf Tiny: the published int8 networks against LiteRT, and on a chip with few digits."""

    architecture: PaperArch = None
    _: KW_ONLY
    published: Annotated[
        File | None, Says("published network files, which ARCH runs", metavar="FOLDER")
    ] = None
    networks: Names = None
    seed: Seed = 1
    workers: Workers = 2
    data: PaperImages = None
    images: InputCount = None
    engine: Simulated = "rtl"

    def measured(self) -> Any:
        """Compare, fit and run."""
        from hwgen.studies.mlperf_tiny.run import mlperf_tiny

        return mlperf_tiny(self)

    def files(self, report: Any) -> Mapping[str, str]:
        """Return page and JSON."""
        from hwgen.studies.mlperf_tiny.page import mlperf_tiny_files

        return mlperf_tiny_files(report)

    def table(self, report: Any) -> RenderableType:
        """Return a row for each run."""
        from hwgen.studies.mlperf_tiny.page import mlperf_tiny_table

        return mlperf_tiny_table(report)


add_command(MlperfTiny, papers)
