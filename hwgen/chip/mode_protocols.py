"""What a family with the capability `modes` gives beyond the other protocols: a mode an image.

A mode is given as its number in the network, the widest one is 0.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hwgen.chip.limits import RunLimits
from hwgen.chip.protocols import ArchT, Bytes, ProgramT
from hwgen.chip.replacement import Replacements
from hwgen.chip.runs import Prediction, SimulatedRun
from hwgen.chip.trouble import Trouble

if TYPE_CHECKING:
    from hwgen.chip.sim.waves import Waves


class ModePredictor(Protocol):
    """The cycle model of one program."""

    def predict(self, maps: Mapping[str, Any], *, modes: Sequence[int]) -> Prediction:
        """Return the prediction for one run.

        maps: NHWC, or a list of maps where the images have several modes; modes: of each image
        """


class ModeSimulation(Protocol[ArchT, ProgramT]):
    """The emitted Verilog, simulated; the arguments are those of `Simulation.simulate`."""

    def simulate(
        self,
        arch: ArchT,
        program: ProgramT,
        images: Bytes,
        *,
        modes: Sequence[int],
        waves: "Waves | None" = None,
        trouble: Trouble = ...,
        seed: int = 1,
        limits: RunLimits = ...,
        replacements: Replacements = ...,
        builds: Path | None = None,
        say: Callable[[str], None] = ...,
    ) -> Sequence[SimulatedRun]:
        """Run all images, each in its mode."""
