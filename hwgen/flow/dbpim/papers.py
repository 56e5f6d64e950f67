"""The publications that this family compares itself with: what `hwgen paper` finds of it."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType

from hwgen.flow.context import Context
from hwgen.flow.dbpim.mlperf_tiny import mlperf_tiny
from hwgen.flow.dbpim.race import race
from hwgen.flow.load import load
from hwgen.flow.pages import Paper, PaperRequest
from hwgen.report.dbpim.mlperf_tiny_page import mlperf_tiny_page, mlperf_tiny_table
from hwgen.report.dbpim.race_table import NAME as RACE_FILE
from hwgen.report.dbpim.race_table import race_files, race_table
from hwgen.report.files import report_text

NAME = "mlperf-tiny"
RACE = "dbpim"


class MlperfTiny:
    """The int8 networks of the benchmark MLPerf Tiny, as published and with few digits."""

    OPTIONS = ("networks", "seed", "workers", "published", "arch", "data", "images", "engine")

    def compare(self, context: Context, request: PaperRequest) -> Any:
        return mlperf_tiny(context, request)

    def table(self, report: Any) -> RenderableType:
        return mlperf_tiny_table(report)

    def files(self, report: Any) -> Mapping[str, str]:
        return {f"{NAME}.md": mlperf_tiny_page(report), f"{NAME}.json": report_text(report)}


class Race:
    """Speed, energy and utilization of six networks, each with each choice of switches."""

    OPTIONS = ("networks", "workers", "arch", "data", "images", "html")

    def compare(self, context: Context, request: PaperRequest) -> Any:
        return race(context, request)

    def table(self, report: Any) -> RenderableType:
        return race_table(report)

    def files(self, report: Any) -> Mapping[str, str]:
        return race_files(report) | {f"{RACE_FILE}.html": self.page(report)}

    def page(self, report: Any) -> str:
        text: str = load("hwgen.report.dbpim.race_page").race_html(report)
        return text


PAPERS: dict[str, Paper] = {NAME: MlperfTiny(), RACE: Race()}
