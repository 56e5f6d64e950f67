"""The report of `hwgen paper`: what was published, what we get, and why they differ."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.crossbar.facts.rules import RulesName
from hwgen.files.load import EXACT
from hwgen.report.types import Count, Source
from hwgen_studies.comparison import PaperRow


@dataclass(frozen=True, kw_only=True, config=EXACT)
class PaperReport:
    """All figures of a paper.

    evaluations: that the searches were limited to; null: as many as suits each
    compared_evaluations: of each search in a comparison of searches
    """

    format: Literal["hwgen.report.paper"]
    version: Literal[1]
    paper: str
    components: Source
    networks: list[str]
    rules: RulesName
    power_budget_w: float
    seed: int
    evaluations: Count | None
    compared_evaluations: Count
    rows: list[PaperRow]
    versions: dict[str, str]


REPORTS: dict[str, type] = {"paper": PaperReport}
"""By the name of the schema."""
