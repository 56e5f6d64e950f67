"""What a family with the capability `modes` gives beyond the other protocols: a mode an image.

A mode is given as its number in the network, the widest one is 0.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from hwgen.chip.limits import RunLimits
from hwgen.chip.trouble import Trouble
from hwgen.commands.protocols import Bytes, Prediction, Run


class ModePrediction(Prediction, Protocol):
    """A prediction of a run whose images may have several modes.

    image_cycles: of each image, from the end of the one before it to its own; they add up to
        `cycles`
    """

    @property
    def image_cycles(self) -> Sequence[int]: ...


class ModePredictor(Protocol):
    """The cycle model of one program."""

    def predict(self, maps: Mapping[str, Any], *, modes: Sequence[int]) -> ModePrediction:
        """Return the prediction for one run.

        maps: NHWC, or a list of maps where the images have several modes; modes: of each image
        """


class ModeRun(Run, Protocol):
    """What a simulation observed in one run whose images may have several modes.

    image_cycles: as in a prediction
    weight_row_writes: rows of weights that the run wrote, by a counter of the chip; the load of
        the program is no part of a run
    """

    @property
    def image_cycles(self) -> Sequence[int]: ...
    @property
    def weight_row_writes(self) -> int: ...


class ModeSimulation(Protocol):
    """The emitted Verilog, simulated; the arguments are those of `Simulation.simulate`."""

    def simulate(
        self,
        arch: Any,
        program: Any,
        images: Bytes,
        *,
        modes: Sequence[int],
        waves: Any = None,
        trouble: Trouble = ...,
        seed: int = 1,
        limits: RunLimits = ...,
        builds: Path | None = None,
        say: Callable[[str], None] = ...,
    ) -> Sequence[ModeRun]:
        """Run all images, each in its mode."""
