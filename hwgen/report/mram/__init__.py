"""Pages of the MRAM family: published figures beside ours, trainings, cycles by channels."""

from hwgen.report.mram.paper import AdaptivePaperReport

REPORTS: dict[str, type] = {"paper_adaptive": AdaptivePaperReport}
"""By the name of the schema."""
