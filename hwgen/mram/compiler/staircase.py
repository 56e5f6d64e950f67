"""The cycles of each layer as a function of its channels: a staircase.

The chip takes kernels and channels in blocks, and narrow layers run on copies that stand in the
rows beside the kernels of the widest mode. So a layer has a few steps: up to so many outputs and
inputs it takes so long.

Tests: `tests/mram/pages/test_staircase.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from hwgen.mram.compiler.compile import lower
from hwgen.mram.compiler.search import Placement, search_placement
from hwgen.mram.compiler.tasks import LayerCost, Task, rounds_of
from hwgen.mram.compiler.views import View
from hwgen.mram.compiler.ways import Ways
from hwgen.mram.facts.arch import Arch
from hwgen.network import QuantizedNetwork


@dataclass(frozen=True, kw_only=True)
class LayerStep:
    """A layer of at most `outputs` kernels and `inputs` channels takes at most `cycles`."""

    outputs: int
    inputs: int
    cycles: int

    def holds(self, other: "LayerStep") -> bool:
        """Return whether it has room for all layers of another step and takes no longer."""
        room = other.outputs <= self.outputs and other.inputs <= self.inputs
        return room and self.cycles <= other.cycles


def staircases(
    network: QuantizedNetwork, arch: Arch, *, layer_cost: LayerCost, loaded: bool = False
) -> dict[str, list[LayerStep]]:
    """Return the steps of each layer with weights; only the shapes of a network count.

    The cycles of a layer are those between the retirement of the record before it and its own.
    layer_cost: cycles of a record, such as `hwgen.mram.model.SplitCost`
    loaded: on the placement that `compile_network` gives the modes of the network: cycles of any
        width table that `recompile` brings later. Else every size has copies of its own, and the
        layer the rows of the chip for itself: what a program made for that size reaches, unless
        other layers take the rows.
    """
    views, ways = lower(network, arch).views, Ways(arch, "positions", layer_cost)
    shared = search_placement(views, arch, ways) if loaded else None
    known: dict[object, list[LayerStep]] = {}
    found = {}
    for name, view in views.items():
        key = name if loaded else view.shape
        if key not in known:
            known[key] = needed(
                [step_of(view, size, shared, ways, arch) for size in sizes(view, arch)]
            )
        found[name] = known[key]
    return found


def sizes(view: View, arch: Arch) -> list[tuple[int, int]]:
    """Return the (outputs, inputs) at which the cycles of a layer can change, the widest last.

    A layer that reads rows of its bank has one size: its cells are those of a mode.
    """
    outputs, inputs = max(view.kernels), view.source.channels
    if view.rows:
        return [(outputs, inputs)]
    if view.depthwise:
        return [(channels, channels) for channels in blocks(outputs, arch.block)]
    return list(product(blocks(outputs, arch.block), blocks(inputs, arch.block)))


def blocks(most: int, block: int) -> list[int]:
    """Return the multiples of a block below `most`, and `most`."""
    return [*range(block, most, block), most]


def step_of(
    view: View, size: tuple[int, int], shared: Placement | None, ways: Ways, arch: Arch
) -> LayerStep:
    """Return the step for (outputs, inputs): all rounds of kernels, each the fastest way.

    shared: where all layers stand; None: a placement for this layer and this size
    """
    outputs, inputs = size
    if view.rows:
        modes = replace(view, kernels=view.kernels[:1], channels=view.channels[:1])
    else:
        whole = max(view.kernels), max(view.channels)
        modes = replace(view, kernels=[whole[0], outputs], channels=[whole[1], inputs])
    placement = shared or search_placement({view.layer.name: modes}, arch, ways)
    mode, cycles = len(modes.kernels) - 1, 0.0
    for first in rounds_of(modes, outputs, arch):
        task = Task(name=view.layer.name, first=first, mode=0 if view.rows else None)
        best = ways.best(modes, task.kernels(modes, mode, arch), mode, placement[task])
        if best is None:
            raise ValueError(f"layer {view.layer.name} has no way for {size}")
        cycles += best[0]
    return LayerStep(outputs=outputs, inputs=inputs, cycles=int(cycles))


def needed(steps: Sequence[LayerStep]) -> list[LayerStep]:
    """Return the steps that no other one holds, narrow to wide."""
    found: list[LayerStep] = []
    for step in sorted(steps, key=lambda each: (-each.outputs, -each.inputs)):
        if not any(other.holds(step) for other in found):
            found.append(step)
    return found[::-1]
