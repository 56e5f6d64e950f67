"""Pages of the DB-PIM family: published networks on its chips."""

from hwgen.report.dbpim.mlperf_tiny import MlperfTinyReport

REPORTS: dict[str, type] = {"paper_mlperf_tiny": MlperfTinyReport}
"""By the name of the schema."""
