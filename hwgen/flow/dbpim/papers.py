"""The publications that this family compares itself with: what `hwgen paper` finds of it."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType

from hwgen.flow.context import Context
from hwgen.flow.dbpim.mlperf_tiny import mlperf_tiny
from hwgen.flow.pages import Paper, PaperRequest
from hwgen.report.dbpim.mlperf_tiny_page import mlperf_tiny_page, mlperf_tiny_table
from hwgen.report.files import report_text

NAME = "mlperf-tiny"


class MlperfTiny:
    """The int8 networks of the benchmark MLPerf Tiny, as published and with few digits."""

    def compare(self, context: Context, request: PaperRequest) -> Any:
        return mlperf_tiny(context, request)

    def table(self, report: Any) -> RenderableType:
        return mlperf_tiny_table(report)

    def files(self, report: Any) -> Mapping[str, str]:
        return {f"{NAME}.md": mlperf_tiny_page(report), f"{NAME}.json": report_text(report)}


PAPERS: dict[str, Paper] = {NAME: MlperfTiny()}
