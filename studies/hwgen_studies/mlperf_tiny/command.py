"""`hwgen paper mlperf-tiny`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType

from hwgen.cli.from_requests import add_command
from hwgen_studies.mlperf_tiny.request import TinyRequest
from hwgen_studies.papers import papers


@dataclass(frozen=True)
class MlperfTiny(TinyRequest, command="paper mlperf-tiny", example="chip.yaml --published FOLDER"):
    """MLPerf Tiny: the published int8 networks against LiteRT, and on a chip with few digits."""

    def measured(self) -> Any:
        """Compare, fit and run."""
        from hwgen_studies.mlperf_tiny.run import mlperf_tiny

        return mlperf_tiny(self)

    def files(self, report: Any) -> Mapping[str, str]:
        """Return page and JSON."""
        from hwgen_studies.mlperf_tiny.page import mlperf_tiny_files

        return mlperf_tiny_files(report)

    def table(self, report: Any) -> RenderableType:
        """Return a row for each run."""
        from hwgen_studies.mlperf_tiny.page import mlperf_tiny_table

        return mlperf_tiny_table(report)


add_command(MlperfTiny, papers)
