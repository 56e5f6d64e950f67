"""How far layers are from what cells could do: all columns of all sub-arrays, in each cycle.

Tests: `tests/mram/model/test_beside.py`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from hwgen.mram.facts.arch import Arch
from hwgen.mram.model.prediction import StepCycles


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A layer with weights beside its bound.

    cycles: of all its rounds
    bound: cycles in which all columns of the chip would do its products of single bits
    filled: of the columns that its ANDs sense those with a product
    busy: of the sub-arrays' cycles those with an AND
    """

    layer: str
    cycles: int
    bound: float
    filled: float
    busy: float

    @property
    def ratio(self) -> float:
        """Cycles for each one of the bound; 1 / (`filled` * `busy`)."""
        return self.cycles / self.bound


def beside_bound(steps: Iterable[StepCycles], arch: Arch) -> list[Beside]:
    """Return all layers with weights of an image beside their bounds, in order."""
    rounds = defaultdict[str, list[StepCycles]](list)
    for step in steps:
        if step.effective:
            rounds[step.layer].append(step)
    found = []
    for layer, parts in rounds.items():
        cycles = sum(step.cycles for step in parts)
        products = sum(step.effective for step in parts)
        sensed = sum(step.columns for step in parts)
        found.append(
            Beside(
                layer=layer,
                cycles=cycles,
                bound=products / (arch.sub_arrays * arch.array.columns),
                filled=products / sensed,
                busy=sensed / (cycles * arch.sub_arrays * arch.array.columns),
            )
        )
    return found
