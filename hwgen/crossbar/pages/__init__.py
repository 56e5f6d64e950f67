"""Pages of the crossbar family: graphs, synthesis, where its parts lie."""

from hwgen.crossbar.pages.graph import GraphInfo
from hwgen.crossbar.pages.synthesis import SynthesisReport

REPORTS: dict[str, type] = {"info_graph": GraphInfo, "synthesize": SynthesisReport}
"""By the name of the schema."""
