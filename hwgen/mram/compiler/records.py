"""Fields of the records of units: maps, windows, segments and the DPU.

Tests: `tests/mram/compiler/test_execute.py`.
"""

from collections.abc import Mapping
from typing import Any

from hwgen import network as net
from hwgen.mram.compiler.maps import StoredMap
from hwgen.mram.compiler.parameters import Words
from hwgen.mram.compiler.supported import answer_blocks, used_stride
from hwgen.mram.compiler.tasks import Task, segments_of
from hwgen.mram.compiler.units import Skip, Unit
from hwgen.mram.compiler.views import View
from hwgen.mram.compiler.ways import Way
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.records import Kind, entry_name
from hwgen.network.quantization import HALF_UP, ROUNDING_CODES

Fields = dict[str, int]


def conv_fields(view: View, way: Way, mode: int, arch: Arch) -> Fields:
    """Return the fields of window, array and segments."""
    segments = segments_of(view, way.fields["kernels"], mode, arch)
    before = way.fields.get("first_row", 0) * arch.row_blocks * arch.block
    if view.depthwise:
        first = (way.runs[0].task.first - before) // arch.block
        placed = depthwise_fields(way, first, segments)
    else:
        placed = segment_fields(way, segments)
    return {
        **way.fields,
        "channels": view.channels[mode] - before,
        "outside": view.source.quantization[mode].zero_point,
        **placed,
    }


def depthwise_fields(way: Way, first: int, blocks: int) -> Fields:
    """Return row of weights, entries of segments and sums: each segment sums up for itself.

    first: block of the row that is read, of the first segment
    """
    fields: Fields = {"weight_row_0": way.runs[0].row, "join": 0, "accumulate": 0}
    for position, run in enumerate(way.runs):
        for block in range(blocks):
            number = run.segment + block
            fields[entry_name("active", 0, number)] = 1
            fields[entry_name("position", 0, number)] = position
            fields[entry_name("block", 0, number)] = first + block
            fields[f"sum_segment_{position * blocks + block}"] = number
            fields["accumulate"] |= 1 << number
    return fields


def segment_fields(way: Way, blocks: int) -> Fields:
    """Return rows of weights, entries of segments, joins and sums."""
    if way.two_rows:
        head, *tails = way.runs
        parts = [(0, 0, head.segment, 0, head.blocks)]
        parts += [(1, 0, tail.segment, head.blocks, blocks) for tail in tails]
        used = [
            segment + block - first
            for _, _, segment, first, end in parts
            for block in range(first, end)
        ]
        chains = [(min(used), max(used))]
    else:
        parts = [
            (0, each // way.chains, run.segment, 0, blocks) for each, run in enumerate(way.runs)
        ]
        chains = [(run.segment, run.segment + blocks - 1) for run in way.runs]
    fields: Fields = {"weight_row_0": way.runs[0].row}
    if way.two_rows:
        fields["weight_row_1"] = way.runs[1].row
    for row, position, segment, first, end in parts:
        for block in range(first, end):
            number = segment + block - first
            fields[entry_name("active", row, number)] = 1
            fields[entry_name("position", row, number)] = position
            fields[entry_name("block", row, number)] = block
    fields["join"] = sum(1 << each for first, last in chains for each in range(first, last))
    fields["accumulate"] = sum(1 << last for _, last in chains)
    fields |= {f"sum_segment_{each}": last for each, (_, last) in enumerate(chains)}
    return fields


def pool_fields(unit: Unit, source: net.FeatureMap, mode: int) -> Fields:
    """Return the fields of window and sum of a unit without weights."""
    layer, output = unit.layer, unit.output.output
    kernel, stride, padding = (1, 1), (1, 1), (0, 0, 0, 0)
    if isinstance(layer, net.MaxPool | net.AveragePool):
        kernel, stride, padding = layer.kernel, used_stride(layer), layer.padding
    mean = isinstance(layer, net.AveragePool)
    maximum = layer.op in ("max_pool", "add")
    channels = source.channels_in(mode)
    return {
        "kind": Kind.POOL,
        "in_height": source.height,
        "in_width": source.width,
        "channels": channels,
        "outside": source.quantization[mode].zero_point if mean else 0,
        "out_height": output.height,
        "out_width": output.width,
        "kernels": channels,
        "stride_y": stride[0],
        "stride_x": stride[1],
        "pad_top": padding[0],
        "pad_left": padding[1],
        "kernel_height": kernel[0],
        "kernel_width": kernel[1],
        "maximum": int(maximum),
    }


def value_fields(unit: Unit, source: net.FeatureMap, mode: int) -> Fields:
    """Return zero point and range of a unit's own value; its skip map's zero point is apart."""
    layer = unit.layer
    if layer.op in ("max_pool", "add"):
        return {"zero_point": 0, "low": 0, "high": (1 << source.bits) - 1}
    values, zero = layer.output.quantization[mode], layer.output.quantization[mode].zero_point
    if isinstance(layer, net.AveragePool) and layer.center is not None:
        zero = layer.center
    return {"zero_point": zero, "low": values.low, "high": values.high}


def own_quantization(unit: Unit, network: net.QuantizedNetwork, mode: int) -> net.MapQuantization:
    """Return the quantization of a unit's own value before its addition."""
    if unit.skip is None:
        return unit.output.output.quantization[mode]
    name = unit.skip.add.inputs[unit.skip.own]
    return network.map_of(name).quantization[mode]


def skip_fields(
    unit: Unit,
    skip: Skip,
    network: net.QuantizedNetwork,
    maps: Mapping[str, StoredMap],
    mode: int,
) -> Fields:
    """Return the fields of an addition on the way out."""
    stored, factors = maps[skip.source], skip.add.requantization[mode]
    values = skip.add.output.quantization[mode]
    stride = used_stride(skip.shortcut) if skip.shortcut else (1, 1)
    return {
        "skip": 1,
        "skip_bank": stored.bank,
        "skip_blocks_log": stored.blocks_log,
        "skip_width": stored.feature.width,
        "skip_channels": stored.feature.channels_in(mode),
        "skip_stride_y": stride[0],
        "skip_stride_x": stride[1],
        "own_zero_point": own_quantization(unit, network, mode).zero_point,
        "own_multiplier": factors.multipliers[skip.own],
        "skip_zero_point": stored.feature.quantization[mode].zero_point,
        "skip_multiplier": factors.multipliers[1 - skip.own],
        "sum_shift": factors.shift,
        "sum_zero_point": values.zero_point,
        "sum_low": values.low,
        "sum_high": values.high,
    }


def output_fields(
    unit: Unit, maps: Mapping[str, StoredMap], arch: Arch, *, kernels: int, first: int
) -> Fields:
    """Return where the results of kernels `first` on go."""
    stored, output = maps.get(unit.name), unit.output.output
    place: Fields = {
        "kernels": kernels,
        "blocks": -(-kernels // arch.block),
        "out_block": first // arch.block,
    }
    if stored is None:
        blocks = answer_blocks(output.channels, arch)
        log = blocks.bit_length() - 1
        return place | {"answer": 1, "raw": int(output.raw), "out_blocks_log": log}
    return place | {"out_bank": stored.bank, "out_blocks_log": stored.blocks_log}


def unit_fields(
    unit: Unit,
    network: net.QuantizedNetwork,
    maps: Mapping[str, StoredMap],
    arch: Arch,
    mode: int,
    *,
    own: Fields,
    kernels: int,
    first: int,
    words: Words,
) -> Fields:
    """Return all fields of a record; own: those of its window and array."""
    source = maps[unit.source]
    fields: dict[str, Any] = {"in_blocks_log": source.blocks_log} | own
    fields["in_bank"] = source.bank
    fields |= output_fields(unit, maps, arch, kernels=kernels, first=first)
    fields |= value_fields(unit, source.feature, mode)
    fields["parameter"] = words.parameter(unit, network, mode, first=first, kernels=kernels)
    if unit.skip is not None:
        fields |= skip_fields(unit, unit.skip, network, maps, mode)
    if arch.floats:
        fields |= rounding_fields(unit)
    return fields


def rounding_fields(unit: Unit) -> Fields:
    """Return how the own value and the addition of a unit round; what is moved stays as it is.

    Raw sums stay, too: a requantizer that rounds as float32 rounds the sum itself.
    """
    scales = (
        isinstance(unit.layer, net.Weighted | net.AveragePool | net.Rescale)
        and not unit.layer.output.raw
    )
    own = getattr(unit.layer, "rounding", HALF_UP) if scales else HALF_UP
    fields = {"rounding": ROUNDING_CODES[own]}
    if unit.skip is not None:
        fields["sum_rounding"] = ROUNDING_CODES[unit.skip.add.rounding]
    return fields


def task_of(tasks: Mapping[Task, object], name: str, first: int, mode: int) -> Task:
    """Return the task of a layer's round in a mode."""
    own = Task(name=name, first=first, mode=mode)
    return own if own in tasks else Task(name=name, first=first, mode=None)
