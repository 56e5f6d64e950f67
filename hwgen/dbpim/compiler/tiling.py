"""The tiling of each layer of a program, read from its step list and its packets."""

from collections.abc import Iterator, Sequence

from hwgen.chip.tiling import LayerTiling
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import INSTRUCTIONS, Opcode
from hwgen.dbpim.facts.program import Program, StepPlan
from hwgen.dbpim.facts.stream import Packet, TilePacket, decode_stream

Part = tuple[StepPlan, Packet, list[TilePacket]]
"""A step that computes, its instruction and its tiles."""


def tiling(program: Program, arch: Arch) -> list[LayerTiling]:
    """Return one entry for each layer of the program, in the order of their first steps."""
    layers: dict[str, list[Part]] = {}
    for part in computing_steps(program, arch):
        layers.setdefault(part[0].layer, []).append(part)
    return [layer_tiling(parts, arch) for parts in layers.values()]


def computing_steps(program: Program, arch: Arch) -> Iterator[Part]:
    """Yield the steps that compute a part of a layer's map."""
    plans = iter(program.facts.steps)
    parts: list[Part] = []
    for packet in decode_stream(program.image, arch):
        if packet.opcode in INSTRUCTIONS:
            parts.append((next(plans), packet, []))
        elif isinstance(packet, TilePacket):
            parts[-1][2].append(packet)
    for part in parts:
        plan, packet, _ = part
        if packet.opcode in (Opcode.CONV, Opcode.SIMD) and plan.op != "copy":
            yield part


def layer_tiling(parts: Sequence[Part], arch: Arch) -> LayerTiling:
    """Return how one layer is cut; its first step stands for the split of all."""
    plan, packet, _ = next((part for part in parts if part[0].whole_words), parts[0])
    fields = packet.fields
    height, width = map_size(parts)
    positions = height * width
    tiles = [tile for _, _, some in parts for tile in some]
    tails = [tail for tile in tiles if (tail := tail_inputs(tile, arch))]
    loaded = sum(each.rows_loaded for each, _, _ in parts)
    return LayerTiling(
        name=plan.layer,
        kind=plan.op,
        shape=(height, width, plan.filters),
        kernel=(fields["kernel_height"], fields["kernel_width"]),
        stride=fields["stride_y"],
        padding=fields["padding_top"],
        sets=plan.sets,
        share=plan.share,
        filters=plan.filters,
        k=plan.k,
        positions=positions,
        tiles_n=plan.filter_groups,
        tiles_k=plan.tiles,
        tiles_m=plan.chunks,
        tail_n=plan.filters % arch.filters if tiles else 0,
        tail_k=min(tails, default=0),
        tail_m=positions % arch.macros_per_core if tiles else 0,
        rows=plan.weight_rows,
        rows_loaded=loaded,
        rows_reloaded=loaded / plan.weight_rows if plan.weight_rows else None,
        weights_kept=plan.kept if plan.weight_rows else None,
    )


def map_size(parts: Sequence[Part]) -> tuple[int, int]:
    """Return height and width of a layer's map: images of one pixel may be columns of one row."""
    height = max(plan.rows[1] for plan, _, _ in parts)
    first = min(image for plan, _, _ in parts for image in plan.images[:1])
    begun = [(plan, packet) for plan, packet, _ in parts if plan.images[0] == first]
    plan, packet = begun[-1]
    rows = sum(each.rows[1] - each.rows[0] for each, _ in begun if each.op == plan.op)
    flat = plan.positions == plan.images[1] and rows == height == 1
    return height, 1 if flat else packet.fields["output_width"]


def tail_inputs(tile: TilePacket, arch: Arch) -> int:
    """Return the inputs in the last row of a tile if it is not full, else 0."""
    return int(tile.masks.sum()) % arch.macro.compartments
