"""What a search may spend, and what suits a network: counts, never a time."""

from dataclasses import dataclass

from hwgen.spec.crossbar.network import CrossbarNetwork

PRICED, PER_BOX = 140_000_000, 60_000
"""Choices that relaxed problems price in a search, each as often as it is; the time grows so. A box
counts as some besides."""

LEAST_SHARE = 0.2
"""Of `PRICED`, in a search with fewer evaluations than suit its network."""

EVALUATIONS_PER_PIXEL, EVALUATIONS_PER_LAYER = 22e9, 5e6
"""The default number of evaluations is the less of these over the work of one evaluation."""

FEWEST = 12_000
PIECE = 20
"""Pieces of work that the evaluations of a search are spent in."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a search may spend; None: as much as suits the network.

    method: bounded, or text or code for the published search
    evaluations: of the closed form
    boxes: of the design space that are bounded
    sharing: whether two layers may share macros
    time_limit_s: the answer then depends on the machine, and says so
    """

    method: str = "bounded"
    evaluations: int | None = None
    boxes: int | None = None
    sharing: bool = True
    time_limit_s: float | None = None


def default_evaluations(network: CrossbarNetwork) -> int:
    """Return how many designs a network of this size is worth in about the same time."""
    effort = sum(layer.pixels * max(1, len(layer.providers)) for layer in network.layers)
    weighted = sum(layer.has_weights for layer in network.layers)
    by_size = EVALUATIONS_PER_PIXEL / (effort + 50_000)
    return int(max(FEWEST, min(by_size, EVALUATIONS_PER_LAYER / weighted)))
