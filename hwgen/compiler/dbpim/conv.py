"""Convolutions and linear layers: an instruction and its tiles."""

import numpy as np
from numpy.typing import NDArray

from hwgen.compiler.dbpim.blocks import real_inputs, unpruned_blocks, weight_words
from hwgen.compiler.dbpim.cost import cheapest
from hwgen.compiler.dbpim.fields import (
    Fields,
    Task,
    input_fields,
    output_fields,
    walk_fields,
    window_fields,
)
from hwgen.compiler.dbpim.groups import filter_groups
from hwgen.compiler.dbpim.schedule import Load, stream_order
from hwgen.compiler.dbpim.split import Split, candidates
from hwgen.errors import CompileError
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import Opcode, field_limit
from hwgen.spec.dbpim.program import LayerPlan
from hwgen.spec.dbpim.stream import decode_packets, encode_instruction, encode_tile, pad
from hwgen.spec.network import Conv, Linear

KERNEL_LIMIT = field_limit(Opcode.CONV, "kernel_height")
"""Rows and columns of a window at most."""

Compiled = tuple[bytes, LayerPlan]
"""Packets of a layer, and its plan."""


def compile_conv(task: Task, layer: Conv | Linear) -> Compiled:
    """Return a layer with weights, split over the cores in the cheapest way."""
    arch, parameters = task.arch, task.network.parameters[layer.name]
    weights = window_weights(task, layer)
    words, real = weight_words(weights, arch), real_inputs(weights.shape[1:], arch)
    blocks = unpruned_blocks(words, real, weight_values=arch.sparsity.weight_values)
    groups = filter_groups(layer.name, words, blocks, parameters, arch)

    def encoded(split: Split) -> bytes:
        fields = layer_fields(task, layer, weights.shape[1:3])
        fields |= split_fields(split, layer.output.width, arch)
        return encode_layer(fields, stream_order(split, arch), arch)

    split = cheapest(
        list(candidates(groups, layer.output.height * layer.output.width, arch)),
        arch,
        packets=lambda split: decode_packets(np.frombuffer(encoded(split), np.uint8), arch),
        layer=layer.name,
        layer_cost=task.layer_cost,
    )
    rows = sum(group.rows for group in groups)
    plan = LayerPlan(
        name=layer.name,
        op=layer.op,
        output=task.regions.get(layer.name),
        sets=len(split.sets),
        share=split.cores_per_set,
        filter_groups=len(groups),
        chunks=split.chunks,
        tiles=max(len(group.tiles) for group in groups),
        rows_loaded=rows * split.chunks,
        rows=rows,
        k=int(real.sum()),
        kept=float(blocks.sum() / (len(blocks) * real.sum())),
        positions=split.positions,
        filters=len(weights),
    )
    return encoded(split), plan


def window_weights(task: Task, layer: Conv | Linear) -> NDArray[np.int8]:
    """Return (filters, kh, kw, channels); the window of a linear layer is the whole map."""
    weights = task.network.parameters[layer.name].weights
    return weights.reshape(len(weights), *window_shape(task, layer))


def window_shape(task: Task, layer: Conv | Linear) -> tuple[int, int, int]:
    """Return the height, width and channels that a filter sees."""
    source = task.network.map_of(layer.inputs[0])
    if isinstance(layer, Linear):
        size = max(source.height, source.width)
        if size > KERNEL_LIMIT:
            raise CompileError(
                f"layer {layer.name}: a linear layer must see at most {KERNEL_LIMIT} rows and"
                f" columns, got {size}"
            )
        return source.shape
    return *layer.kernel, source.channels


def layer_fields(task: Task, layer: Conv | Linear, kernel: tuple[int, int]) -> Fields:
    """Return the fields that do not depend on the split."""
    stride, padding = (layer.stride[0], layer.padding[0]) if isinstance(layer, Conv) else (1, 0)
    return {
        **input_fields(task, layer),
        **window_fields(kernel, stride=stride, padding=padding),
        **output_fields(task, layer),
        "raw": int(layer.output.raw),
    }


def split_fields(split: Split, width: int, arch: Arch) -> Fields:
    """Return the fields that divide a layer among the cores; width: columns of the output map."""
    size, cores = arch.macros_per_core, split.cores_per_set
    return {
        **walk_fields(unit=size, cores=cores, count=split.vectors, width=width),
        "active_cores": split.active_cores,
        "cores_per_set_log2": cores.bit_length() - 1,
        "last_positions": split.positions - (split.vectors - 1) * size,
        "last_core_in_set": (split.vectors - 1) % cores,
        "chunk_vectors": split.chunk_vectors,
    }


def encode_layer(fields: Fields, loads: list[Load], arch: Arch) -> bytes:
    """Return the instruction and its tiles."""
    parts = [pad(encode_instruction(Opcode.CONV, fields), arch)]
    for load in loads:
        group = load.group
        tile = group.tiles[load.number]
        pixel, channel_word = divmod(tile.piece.start, fields["input_channel_words"])
        kernel_y, kernel_x = divmod(pixel, fields["kernel_width"])
        header = {
            "cores": load.cores,
            "group": group.index,
            "kernel_y": kernel_y,
            "kernel_x": kernel_x,
            "channel_word": channel_word,
            "turn": load.turn,
            "first": int(load.number == 0),
            "last": int(load.number == len(group.tiles) - 1),
            "last_group": int(load.last_group),
            "filter_enable": group.filter_enable,
        }
        parts.append(
            encode_tile(
                header,
                masks=tile.piece.masks,
                parameters=group.parameters if load.chunk == load.number == 0 else (),
                codes=tile.codes,
                arch=arch,
            )
        )
    return b"".join(parts)
