"""When a simulation gives a chip up, although it is still busy."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """What a faultless chip stays below.

    cycles: of a run; stores: words that a run stores
    foreseen: cycles that all runs take together, which say what simulator is worth its
        compilation; 0: few
    """

    cycles: int = 1_000_000_000
    stores: int = 1_000_000_000
    foreseen: int = 0
