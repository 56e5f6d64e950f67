"""Synthesis as a capability: what `hwgen synthesize` finds of this family."""

from hwgen.crossbar.pages.synthesis_table import synthesis_table
from hwgen.crossbar.pages.synthesize import COMPONENTS, FILES, synthesize_network, write_page

COMPONENTS_FORMAT = "hwgen.crossbar.components"

__all__ = [
    "COMPONENTS",
    "COMPONENTS_FORMAT",
    "FILES",
    "synthesis_table",
    "synthesize_network",
    "write_page",
]
