"""Pages of the crossbar family: graphs, synthesis, the published figures beside ours."""

from hwgen.report.crossbar.graph import GraphInfo
from hwgen.report.crossbar.paper import PaperReport
from hwgen.report.crossbar.synthesis import SynthesisReport

REPORTS: dict[str, type] = {
    "info_graph": GraphInfo,
    "paper": PaperReport,
    "synthesize": SynthesisReport,
}
"""By the name of the schema."""
