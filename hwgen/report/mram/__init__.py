"""Pages of the MRAM family: the published figures beside ours."""

from hwgen.report.mram.paper import AdaptivePaperReport

REPORTS: dict[str, type] = {"paper_adaptive": AdaptivePaperReport}
"""By the name of the schema."""
