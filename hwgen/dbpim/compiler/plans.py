"""Steps as a reader of the program sees them.

Tests: `tests/dbpim/compiler/test_unstored.py`.
"""

from hwgen.dbpim.compiler.builder import Builder
from hwgen.dbpim.compiler.memory import layer_of
from hwgen.dbpim.compiler.ops import Op
from hwgen.dbpim.compiler.split import Split
from hwgen.dbpim.compiler.steps import Step
from hwgen.dbpim.compiler.weights import LayerWeights
from hwgen.dbpim.facts.program import StepPlan
from hwgen.network import INPUT


def step_plan(build: Builder, step: Step) -> StepPlan:
    """Return the entry of a step in the step list."""
    op, split = (step.work.op, step.work.split) if step.work else (None, None)
    weights = build.weights[op.name] if op and step.kind == "conv" else None
    sets, share = shape_of(split, weights)
    chunks = split.chunks if split and weights else 0
    groups = [group for each in split.sets for group in each] if split and weights else []
    return StepPlan(
        name=step.name,
        layer=step.layer,
        fused=[op.fused] if op and op.fused else [],
        inputs=read_layers(build, op),
        kind=step.kind,
        op=step.op,
        images=step.images,
        rows=step.rows,
        whole_words=whole_words(build, step),
        output=step.output.placement(step.images[0]) if step.output else None,
        memory=step.memory,
        sets=sets,
        share=share,
        filter_groups=sum(group.results for group in groups),
        chunks=chunks,
        tiles=max((len(group.tiles) for group in groups), default=0),
        rows_loaded=rows_loaded(split) if split and weights else 0,
        weight_rows=sum(group.rows for group in groups),
        k=weights.k if weights else inputs_of(op),
        kept=weights.kept if weights else 1.0,
        positions=step.work.grid.positions if step.work else 0,
        filters=channels_of(build, step),
    )


def shape_of(split: Split | None, weights: LayerWeights | None) -> tuple[int, int]:
    """Return sets and cores per set."""
    if split is None:
        return 0, 0
    if weights is None:
        return 1, split.active_cores.bit_count()
    return len(split.sets), split.cores_per_set


def rows_loaded(split: Split) -> int:
    """Return the rows of weights in the stream: of each set for the chunks that it has."""
    total = 0
    for number, groups in enumerate(split.sets):
        chunks = sum(1 for chunk in range(split.chunks) if split.cores(number, chunk))
        total += chunks * sum(group.rows for group in groups)
    return total


def inputs_of(op: Op | None) -> int:
    """Return the inputs of one output of a pass without weights."""
    if op is None:
        return 0
    if op.whole_second:
        return op.fields["kernel_height"] * (op.fields["kernel_width"] - 1)
    return op.window.kernel[0] * op.window.kernel[1] * len(op.inputs)


def channels_of(build: Builder, step: Step) -> int:
    """Return the channels of the map that a step writes."""
    if step.work:
        return build.lowered.maps[step.work.op.output].channels
    if step.layer == INPUT:
        return build.lowered.image.shape[2]
    return step.output.shape.channels if step.output else 0


def read_layers(build: Builder, op: Op | None) -> list[str]:
    """Return the layers whose maps a pass reads; sums in between belong to the pass's layer."""
    lowered = build.lowered
    names = {each.output: each.layer for each in lowered.ops} | {INPUT: INPUT}
    names |= {name: layer_of(name) for name in {*lowered.constants, *lowered.remembered}}
    return [names[name] for name in op.inputs] if op else []


def whole_words(build: Builder, step: Step) -> bool:
    """Return whether the results of a step are bytes of the layer's map.

    Not of the LOAD of one image of several along x: its number in the placement is not 0.
    Not where the buffers hold some columns: the placement does not tell which.
    """
    if step.output and step.output.shape.width < build.width(step.output):
        return False
    if step.kind == "load":
        if step.output is None or not step.output.countable:
            return False
        whole = step.rows == (0, step.output.shape.height)
        if step.layer == INPUT:
            return whole and build.lowered.image.whole
        return step.output.shape.name == step.layer
    return step.output is not None and step.work is not None and step.work.op.whole
