"""The papers that this family compares itself with: what `hwgen paper` finds of it."""

from hwgen.flow.mram.paper import Adaptive
from hwgen.flow.pages import Paper

PAPERS: dict[str, Paper] = {"mram": Adaptive()}
