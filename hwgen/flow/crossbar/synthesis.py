"""Synthesis as a capability: what `hwgen synthesize` finds of this family."""

from hwgen.flow.crossbar.synthesize import COMPONENTS, FILES, synthesize_network, write_page
from hwgen.report.crossbar.synthesis_table import synthesis_table

COMPONENTS_FORMAT = "hwgen.crossbar.components"

__all__ = [
    "COMPONENTS",
    "COMPONENTS_FORMAT",
    "FILES",
    "synthesis_table",
    "synthesize_network",
    "write_page",
]
