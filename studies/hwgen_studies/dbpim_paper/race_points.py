"""What the race needs of one network on one chip: cycles by layer and cause, events, bound."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hwgen.commands.points import REFUSED, Predicted, Result, Task, predicted
from hwgen.errors import HwgenError
from hwgen.network import Conv, Linear, QuantizedNetwork

PREDICT = "hwgen_studies.dbpim_paper.race_points:predict"

CONV_FC, DEPTHWISE, MULTIPLY, OTHER, AROUND = (
    "conv_fc",
    "depthwise",
    "multiply",
    "other",
    "around",
)
"""Kinds of layers as the paper divides time: std/pw-conv and FC, with the additions that they
compute on the way; dw-conv; element-wise multiply; pooling, residual additions that no convolution
computes, and tables; and what the chip does around the layers."""
KINDS = (CONV_FC, DEPTHWISE, MULTIPLY, OTHER, AROUND)

LOAD, BUSY = "load", "busy"


def predict(task: Task) -> Result:
    """Return cycles by kind of layer and cause, utilization and events of one run."""
    from hwgen.dbpim.model import prediction as model

    try:
        found = predicted(task)
    except HwgenError as error:
        return {REFUSED: str(error)}
    runs: Any = found.predictions
    steps = [step for run in runs for step in run.found]
    kinds = kinds_of_steps(found)
    return {
        "cycles": sum(each.cycles for each in found.predictions),
        "load": sum(run.load for run in found.predictions),
        "causes": causes_by_kind(steps, kinds, model.step_causes),
        "utilization": model.utilization(steps),
        "events": events_of(found),
        "conv_fc_events": events_of_kind(steps, kinds, CONV_FC),
        "program_bytes": int(found.program.image.size),
        "steps": len(steps),
    }


def kinds_of(network: QuantizedNetwork) -> dict[str, str]:
    """Return the kind of each layer."""
    found = {}
    for layer in network.layers:
        if isinstance(layer, Conv):
            found[layer.name] = CONV_FC if layer.groups == 1 else DEPTHWISE
        elif isinstance(layer, Linear):
            found[layer.name] = CONV_FC
        else:
            found[layer.name] = MULTIPLY if layer.op == "multiply" else OTHER
    return found


def kinds_of_steps(found: Predicted) -> dict[str, str]:
    """Return the kind of each step by its name: of the layer that it computes, not only writes.

    A convolution that adds another map to its results has the name of the addition.
    """
    program: Any = found.program
    kinds = kinds_of(found.subject.network)
    return {
        plan.name: kinds.get(plan.fused[0] if plan.fused else plan.layer, AROUND)
        for plan in program.facts.steps
    }


def causes_by_kind(
    steps: Sequence[Any], kinds: dict[str, str], step_causes: Any
) -> dict[str, dict[str, float]]:
    """Return cycles by kind of layer, then by cause; they add up to all cycles.

    kinds: of each step by its name
    """
    found: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for step in steps:
        kind = AROUND if step.around is not None else kinds[step.name]
        found[kind].update(step_causes(step))
    return {kind: dict(causes) for kind, causes in found.items() if causes}


def events_of_kind(steps: Sequence[Any], kinds: dict[str, str], kind: str) -> dict[str, int]:
    """Return the events of the steps that compute layers of a kind; kinds: of steps by name."""
    total: Counter[str] = Counter()
    for step in steps:
        if step.around is None and kinds[step.name] == kind:
            total.update(step.events)
    return dict(total)


def events_of(found: Predicted) -> dict[str, int]:
    """Return the events of all runs."""
    total: Counter[str] = Counter()
    for run in found.predictions:
        total.update(run.events)
    return dict(total)
