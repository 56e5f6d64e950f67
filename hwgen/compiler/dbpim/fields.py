"""Fields of instructions that follow from maps, windows and cores."""

from hwgen.spec.dbpim.program import Region
from hwgen.spec.network import FeatureMap

Fields = dict[str, int]


def input_fields(region: Region, feature: FeatureMap) -> Fields:
    """Return what a layer knows of the map that it reads."""
    return {
        "input_base": region.base,
        "input_row_pitch": region.row_pitch,
        "input_channel_words": region.channel_words,
        "input_height": region.height,
        "input_width": region.width,
        "input_zero_point": feature.quantization[0].zero_point,
    }


def window_fields(kernel: tuple[int, int], *, stride: int = 1, padding: int = 0) -> Fields:
    """Return the window."""
    height, width = kernel
    return {
        "kernel_height": height,
        "kernel_width": width,
        "stride": stride,
        "padding": padding,
    }


def output_fields(region: Region | None, feature: FeatureMap) -> Fields:
    """Return what a layer knows of the map that it writes; logits have no region."""
    values = feature.quantization[0]
    return {
        "output_base": region.base if region else 0,
        "output_row_pitch": region.row_pitch if region else 0,
        "output_channel_words": region.channel_words if region else 0,
        "output_width": feature.width,
        "output_zero_point": values.zero_point,
        "output_low": values.low,
        "output_high": values.high,
    }


def walk_fields(*, unit: int, share: int, count: int, width: int) -> Fields:
    """Return how `share` sharers walk over an output map of `width` columns.

    unit: positions that one of them handles at a time; count: such units of the whole map
    """
    unit_y, unit_x = divmod(unit, width)
    step_y, step_x = divmod(unit * share, width)
    base, extra = divmod(count, share)
    return {
        "unit_y": unit_y,
        "unit_x": unit_x,
        "step_y": step_y,
        "step_x": step_x,
        "count_base": base,
        "count_extra": extra,
    }
