"""The tiling of each layer of a program in its widest mode, read from records and steps."""

from collections.abc import Mapping, Sequence

from hwgen.chip.tiling import LayerTiling
from hwgen.mram.facts.arch import WINDOW, Arch
from hwgen.mram.facts.program import PlacedSegment, Program, StepPlan
from hwgen.mram.facts.records import Kind
from hwgen.mram.facts.stream import decode_program

Fields = Mapping[str, int]
COMPUTING = ("conv", "pool")


def tiling(program: Program, arch: Arch) -> list[LayerTiling]:
    """Return one entry for each pass of the widest mode; rounds of a layer are one.

    Of a layer with weights: `sets` are the octets of a group, `share` the positions that all groups
    compute at a time, `tiles_n` rounds, `tiles_k` blocks of channels, `tiles_m` loads.
    """
    content = decode_program(program.image, arch, source=program.facts.network_name)
    layers: dict[str, list[StepPlan]] = {}
    for plan in program.facts.modes[0].steps:
        if plan.kind in COMPUTING:
            layers.setdefault(computed(plan), []).append(plan)
    return [
        layer_tiling(name, plans, content.records[plans[0].record], program.facts.segments, arch)
        for name, plans in layers.items()
    ]


def computed(plan: StepPlan) -> str:
    """Return the layer with weights or a window that a step computes."""
    return plan.fused[0] if plan.fused and plan.op != "add" else plan.layer


def layer_tiling(
    name: str,
    plans: Sequence[StepPlan],
    fields: Fields,
    segments: Sequence[PlacedSegment],
    arch: Arch,
) -> LayerTiling:
    """Return how one layer is cut."""
    weighted = fields["kind"] == Kind.CONV
    kernels = sum(plan.kernels for plan in plans)
    kernel = (fields["kernel_height"], fields["kernel_width"])
    windowed = weighted and not fields.get("walk", 0)
    taps = WINDOW * WINDOW if windowed else kernel[0] * kernel[1]
    held = {each.weight_row: each.planes for each in segments if each.layer == name}
    rows = fields["weight_planes"] * (1 + fields["two_rows"]) if weighted else 0
    depthwise = bool(fields.get("depthwise", 0))
    inputs = 1 if depthwise else fields["channels"]
    at_once = fields["positions"] * fields["groups"] if weighted else 1
    return LayerTiling(
        name=name,
        kind=plans[0].op,
        shape=(fields["out_height"], fields["out_width"], kernels),
        kernel=(WINDOW, WINDOW) if windowed else kernel,
        stride=fields["stride_y"],
        padding=fields["pad_top"],
        sets=1 << fields["octets_log"] if weighted else 1,
        share=at_once,
        filters=kernels,
        k=inputs * taps if weighted else taps,
        positions=plans[0].positions,
        tiles_n=len(plans) if weighted else 0,
        tiles_k=-(-inputs // arch.block) if weighted else 0,
        tiles_m=fields["loads"] if weighted else 0,
        tail_n=kernels % arch.block if weighted else 0,
        tail_k=inputs % arch.block * taps if weighted else 0,
        tail_m=plans[0].positions % at_once,
        rows=rows,
        rows_loaded=sum(held.values()),
        rows_reloaded=1.0 if weighted else None,
        weights_kept=1.0 if weighted else None,
    )
