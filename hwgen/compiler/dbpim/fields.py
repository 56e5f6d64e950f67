"""Fields of instructions that follow from maps, windows and cores."""

from dataclasses import dataclass

from hwgen.compiler.dbpim.cost import LayerCost
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.program import Region
from hwgen.spec.network import Layer, QuantizedNetwork

Fields = dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What the compilation of a layer reads.

    regions: of each map in the activation buffers, by layer name; the logits have none
    layer_cost: judges splits of a layer; None: the compiler's estimate
    """

    network: QuantizedNetwork
    arch: Arch
    regions: dict[str, Region]
    layer_cost: LayerCost | None


def input_fields(task: Task, layer: Layer) -> Fields:
    """Return where the first input map of a layer lies, and its zero point."""
    source = layer.inputs[0]
    region = task.regions[source]
    return {
        "input_base": region.base,
        "input_row_pitch": region.row_pitch,
        "input_channel_words": region.channel_words,
        "input_height": region.height,
        "input_width": region.width,
        "input_zero_point": task.network.map_of(source).quantization[0].zero_point,
    }


def window_fields(kernel: tuple[int, int], *, stride: int = 1, padding: int = 0) -> Fields:
    """Return the fields of a window of (height, width)."""
    height, width = kernel
    return {
        "kernel_height": height,
        "kernel_width": width,
        "stride": stride,
        "padding": padding,
    }


def output_fields(task: Task, layer: Layer) -> Fields:
    """Return where the output map of a layer lies, and its range; logits have no region."""
    region, values = task.regions.get(layer.name), layer.output.quantization[0]
    return {
        "output_base": region.base if region else 0,
        "output_row_pitch": region.row_pitch if region else 0,
        "output_channel_words": region.channel_words if region else 0,
        "output_width": layer.output.width,
        "output_zero_point": values.zero_point,
        "output_low": values.low,
        "output_high": values.high,
    }


def walk_fields(*, unit: int, cores: int, count: int, width: int) -> Fields:
    """Return how `cores` cores walk in turns over an output map of `width` columns.

    unit: positions that a core handles at a time; count: such units of the whole map
    """
    unit_y, unit_x = divmod(unit, width)
    step_y, step_x = divmod(unit * cores, width)
    base, extra = divmod(count, cores)
    return {
        "unit_y": unit_y,
        "unit_x": unit_x,
        "step_y": step_y,
        "step_x": step_x,
        "count_base": base,
        "count_extra": extra,
    }
