"""Synthesis as a capability: what `hwgen synthesize` finds of this family."""

from hwgen.crossbar.pages.accuracy import erring_chip
from hwgen.crossbar.pages.problem import COMPONENTS
from hwgen.crossbar.pages.synthesis_table import synthesis_table
from hwgen.crossbar.pages.synthesize import synthesize_network

COMPONENTS_FORMAT = "hwgen.crossbar.components"

__all__ = [
    "COMPONENTS",
    "COMPONENTS_FORMAT",
    "erring_chip",
    "synthesis_table",
    "synthesize_network",
]
