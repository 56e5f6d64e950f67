"""Pages of the crossbar family: graphs, synthesis, where its parts lie."""

from typing import Any

from hwgen.crossbar.pages.graph import GraphInfo
from hwgen.crossbar.pages.synthesis import ErringReport, SynthesisReport

REPORTS: dict[str, Any] = {
    "info_graph": GraphInfo,
    "synthesize": SynthesisReport | ErringReport,
}
"""By the name of the schema."""
