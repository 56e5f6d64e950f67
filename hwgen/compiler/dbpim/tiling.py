"""The tiling of each layer of a program, read from its packets."""

from collections.abc import Sequence

from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.program import LayerPlan, Program
from hwgen.spec.dbpim.stream import Packet, TilePacket, decode_stream
from hwgen.spec.tiling import LayerTiling


def tiling(program: Program, arch: Arch) -> list[LayerTiling]:
    """Return one entry for each layer of the program, in its order."""
    layers: list[tuple[Packet, list[TilePacket]]] = []
    for packet in decode_stream(program.image, arch):
        if isinstance(packet, TilePacket):
            layers[-1][1].append(packet)
        elif packet.opcode in (Opcode.CONV, Opcode.POOL, Opcode.ADD):
            layers.append((packet, []))
    plans = program.facts.layers
    return [
        layer_tiling(plan, packet, tiles, arch)
        for plan, (packet, tiles) in zip(plans, layers, strict=True)
    ]


def layer_tiling(
    plan: LayerPlan, packet: Packet, tiles: Sequence[TilePacket], arch: Arch
) -> LayerTiling:
    """Return how one layer is cut; `tiles` are those of its stream."""
    fields, width = packet.fields, packet.fields["output_width"]
    return LayerTiling(
        name=plan.name,
        kind=plan.op,
        shape=(plan.positions // width, width, plan.filters),
        kernel=(fields["kernel_height"], fields["kernel_width"]),
        stride=fields["stride"],
        padding=fields["padding"],
        sets=plan.sets,
        share=plan.share,
        filters=plan.filters,
        k=plan.k,
        positions=plan.positions,
        tiles_n=plan.filter_groups,
        tiles_k=plan.tiles,
        tiles_m=plan.chunks,
        tail_n=plan.filters % arch.filters if tiles else 0,
        tail_k=min((tail_inputs(tile) for tile in tiles if tail_inputs(tile)), default=0),
        tail_m=plan.positions % arch.macros_per_core if tiles else 0,
        rows=plan.rows,
        rows_loaded=plan.rows_loaded,
        rows_reloaded=plan.rows_loaded / plan.rows if plan.rows else None,
        weights_kept=plan.kept if plan.rows else None,
    )


def tail_inputs(tile: TilePacket) -> int:
    """Return the inputs in the last row of a tile if it is not full, else 0."""
    compartments: int = tile.masks.shape[1]
    return int(tile.masks.sum()) % compartments
