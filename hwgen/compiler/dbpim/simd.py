"""Pools and residual adds: one instruction each."""

from hwgen.compiler.dbpim.fields import (
    Fields,
    Task,
    input_fields,
    output_fields,
    walk_fields,
    window_fields,
)
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.program import LayerPlan
from hwgen.spec.dbpim.stream import encode_instruction, pad
from hwgen.spec.network import Add, AveragePool, MaxPool

SimdLayer = Add | AveragePool | MaxPool


def compile_simd(task: Task, layer: SimdLayer) -> tuple[bytes, LayerPlan]:
    """Return the packet of a layer without weights, and its plan."""
    opcode = Opcode.ADD if isinstance(layer, Add) else Opcode.POOL
    fields = {
        **input_fields(task, layer),
        **output_fields(task, layer),
        **core_fields(task, layer),
        **operation_fields(task, layer),
    }
    packet = pad(encode_instruction(opcode, fields), task.arch)
    plan = LayerPlan(
        name=layer.name,
        op=layer.op,
        output=task.regions[layer.name],
        sets=1,
        share=fields["active_cores"].bit_count(),
        filter_groups=0,
        chunks=0,
        tiles=0,
        rows_loaded=0,
        rows=0,
        k=fields["kernel_height"] * fields["kernel_width"] * len(layer.inputs),
        kept=1.0,
        positions=layer.output.height * layer.output.width,
        filters=layer.output.channels,
    )
    return packet, plan


def core_fields(task: Task, layer: SimdLayer) -> Fields:
    """Return how the cores divide the output positions: they take single positions in turns."""
    positions, cores = layer.output.height * layer.output.width, task.arch.cores
    return {
        **walk_fields(unit=1, cores=cores, count=positions, width=layer.output.width),
        "active_cores": (1 << min(cores, positions)) - 1,
    }


def operation_fields(task: Task, layer: SimdLayer) -> Fields:
    """Return the window and the arithmetic of one kind of layer."""
    match layer:
        case MaxPool():
            window = window_fields(layer.kernel, stride=layer.stride[0], padding=layer.padding[0])
            return {**window, "average": 0, "multiplier": 0, "shift": 0}
        case AveragePool():
            (factors,) = layer.requantization
            scale = {"multiplier": factors.multipliers[0], "shift": factors.shift}
            window = window_fields(layer.kernel, stride=layer.stride[0])
            return {**window, "average": 1, **scale}
        case Add():
            second = layer.inputs[1]
            (factors,) = layer.requantization
            return {
                **window_fields((1, 1)),
                "second_base": task.regions[second].base,
                "second_zero_point": task.network.map_of(second).quantization[0].zero_point,
                "multiplier": factors.multipliers[0],
                "second_multiplier": factors.multipliers[1],
                "shift": factors.shift,
            }
