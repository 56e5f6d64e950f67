"""What a simulated memory does that no cycle model knows."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What the simulated memory does that the cycle model does not know.

    latency: cycles from an accepted address to its first beat; None: as the model assumes
    stall: percent of cycles in which a channel does nothing, by `seed`
    error_address: the beat that holds this byte is answered with an error; None: none
    """

    latency: int | None = None
    stall: int = 0
    seed: int = 1
    error_address: int | None = None

    @property
    def slows(self) -> bool:
        """Whether the chip takes other cycles than the model says."""
        return self.stall > 0 or self.latency is not None


NO_TROUBLE = Trouble()
