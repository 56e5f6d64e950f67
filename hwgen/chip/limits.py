"""When a simulation gives a chip up, although it is still busy."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """What a faultless chip stays below.

    cycles: of a run; stores: words that a run stores
    """

    cycles: int = 1_000_000_000
    stores: int = 1_000_000_000
