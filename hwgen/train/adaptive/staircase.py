"""What a mode costs: multiplications, or cycles of a chip from a table of its steps.

The cycles of a layer are a staircase over its channels: a chip that takes 8 channels at a time
is as slow with 9 as with 16. The table comes from a cycle model, as YAML or JSON.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.errors import ConfigError
from hwgen.files.load import EXACT, load_spec
from hwgen.train.adaptive.widths import WidthTable, macs
from hwgen.train.plans.plan import Plan
from hwgen.train.recipe import Count

Cost = Callable[[WidthTable, int], int]
"""Cost of a mode of a table."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Step:
    """A layer of at most `outputs` and `inputs` channels takes at most `cycles`."""

    outputs: Count
    inputs: Count
    cycles: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Staircase:
    """Steps of each layer by its name; a layer that is not named costs nothing."""

    format: Literal["hwgen.staircase"]
    version: Literal[1]
    layers: dict[str, Annotated[list[Step], Field(min_length=1)]]

    def cycles(self, name: str, outputs: int, inputs: int) -> int:
        """Return the cycles of a layer: those of the lowest step that holds its channels."""
        steps = self.layers.get(name)
        if steps is None:
            return 0
        fitting = [s.cycles for s in steps if outputs <= s.outputs and inputs <= s.inputs]
        if not fitting:
            raise ConfigError(
                field=f"layers.{name}",
                allowed=f"a step for {outputs} outputs and {inputs} inputs",
                given="lower ones",
                source="staircase",
            )
        return min(fitting)


def load_staircase(path: Path) -> Staircase:
    """Return the staircase in a YAML or JSON file; every mistake is one sentence."""
    return load_spec(Staircase, path)


def macs_cost(plan: Plan) -> Cost:
    """Return the cost in multiplications."""
    return lambda table, mode: macs(plan, table, mode)


def cycles_cost(plan: Plan, staircase: Staircase) -> Cost:
    """Return the cost in cycles."""

    def cost(table: WidthTable, mode: int) -> int:
        return sum(
            staircase.cycles(node.name, table.of(node.name, mode), table.of(node.inputs[0], mode))
            for node in plan.weighted
        )

    return cost
