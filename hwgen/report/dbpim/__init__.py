"""Pages of the DB-PIM family: published networks on its chips, and its paper."""

from hwgen.report.dbpim.mlperf_tiny import MlperfTinyReport
from hwgen.report.dbpim.race import RaceReport

REPORTS: dict[str, type] = {"paper_mlperf_tiny": MlperfTinyReport, "paper_dbpim": RaceReport}
"""By the name of the schema."""
