"""Memory and area: the 10.6x, the accuracy that it costs, and the 7.9 %."""

from collections.abc import Iterator, Mapping, Sequence

from hwgen.mram.facts.energy import Area
from hwgen.network import INPUT, Conv, QuantizedNetwork
from hwgen_studies.cadnn_paper.counts import weighted
from hwgen_studies.cadnn_paper.published import ACCURACY_DROP, AREA_OVERHEAD, MEMORY_RATIO
from hwgen_studies.cadnn_paper.report import MemoryCurve
from hwgen_studies.comparison import PaperRow, row

FIGURE = "Section V-C"
FLOAT_BITS = 32
BITS = (FLOAT_BITS, 8)
FLOAT_BYTES = 4
NORM_PARAMETERS = 2
"""Of a channel: scale and shift of batch norm."""

Accuracies = Mapping[tuple[int, str], float]
"""Percent by bits and mode."""


def memory_curves(network: QuantizedNetwork, accuracies: Accuracies) -> Iterator[MemoryCurve]:
    """Yield the memory of each mode with 32 and with 8 bits."""
    for bits in BITS:
        for mode, name in enumerate(network.graph.modes):
            yield memory_of(network, bits, mode, accuracies.get((bits, name)))


def memory_of(
    network: QuantizedNetwork, bits: int, mode: int, accuracy: float | None
) -> MemoryCurve:
    """Return the memory of one configuration: weights, all maps with weights, image, norms."""
    weights, maps, channels = sizes(network, mode)
    height, width, colours = network.graph.input.shape
    parts = {
        "weights_bytes": weights * bits // 8,
        "maps_bytes": maps * bits // 8,
        "image_bytes": height * width * colours * FLOAT_BYTES,
        "norms_bytes": channels * NORM_PARAMETERS * FLOAT_BYTES,
    }
    return MemoryCurve(
        bits=bits,
        mode=network.graph.modes[mode],
        **parts,
        total_bytes=sum(parts.values()),
        accuracy_percent=accuracy,
    )


def sizes(network: QuantizedNetwork, mode: int) -> tuple[int, int, int]:
    """Return weights, elements of the maps of convolutions, and channels of these, of a mode."""
    maps = {INPUT: network.graph.input} | {each.name: each.output for each in network.graph.layers}
    weights = elements = channels = 0
    for layer in weighted(network):
        output, source = layer.output, maps[layer.inputs[0]]
        kernels = output.channels_in(mode)
        taps = layer.kernel[0] * layer.kernel[1] if isinstance(layer, Conv) else 1
        weights += kernels * taps * source.channels_in(mode)
        if not output.raw:
            elements += output.height * output.width * kernels
            channels += kernels
    return weights, elements, channels


def memory_rows(curves: Sequence[MemoryCurve], widest: str) -> Iterator[PaperRow]:
    """Yield 8 bits and 0.5x against 32 bits and 1.0x, by what is counted, and the accuracy."""
    by = {(each.bits, each.mode): each for each in curves}
    whole, small = by[FLOAT_BITS, widest], by[8, "0.5x"]
    resident = by[8, widest].weights_bytes
    for what, ours, reason in (
        (
            "weights, maps and image",
            (whole.weights_bytes + whole.maps_bytes + whole.image_bytes)
            / (small.weights_bytes + small.maps_bytes + small.image_bytes),
            "the reading that gives the published figure: all maps count, and the image keeps 32"
            " bits, since the first layer need not be quantized",
        ),
        (
            "weights alone",
            whole.weights_bytes / small.weights_bytes,
            "a quarter of the bits times a quarter of the weights; maps fall by half only",
        ),
        (
            "weights of all widths, maps and image",
            (whole.weights_bytes + whole.maps_bytes + whole.image_bytes)
            / (resident + small.maps_bytes + small.image_bytes),
            "what switching needs: all weights stay resident, so a narrow mode saves maps alone",
        ),
    ):
        yield row(
            FIGURE,
            f"memory of 32-bit 1.0x over 8-bit 0.5x, {what}",
            "resnet20",
            published=MEMORY_RATIO,
            ours=ours,
            unit="x",
            reason=reason,
        )
    yield drop_row(by[8, widest].accuracy_percent, small.accuracy_percent)


def drop_row(wide: float | None, narrow: float | None) -> PaperRow:
    """Return the accuracy that 0.5x costs."""
    known = wide is not None and narrow is not None
    return row(
        FIGURE,
        "accuracy of 8-bit 0.5x less that of 1.0x",
        "resnet20",
        published=ACCURACY_DROP,
        ours=narrow - wide if wide is not None and narrow is not None else None,
        unit="points",
        reason=(
            "see Table I: both are measured on the integer path"
            if known
            else "accuracies of this network are not measured; see Table I"
        ),
    )


def area_rows(area: Area) -> Iterator[PaperRow]:
    """Yield the area that computing adds to a sub-array, without and with the in-memory adder."""
    beside = "; sense amplifiers, row decoder and enables are circuits without an open model"
    counting = area.counting_um2
    for what, size, reason in (
        (
            "counters, joins and accumulators",
            counting,
            "seven segments have a counter and an accumulator of 32 bits each, where the paper has"
            f" one counter and one shifter{beside}",
        ),
        (
            "the same and the latches of the in-memory adder",
            counting + area.adding_um2,
            "sum and carry of every column are latched before they are written, in flip-flops of"
            f" the cell library{beside}",
        ),
    ):
        yield row(
            "Section V-D",
            f"area beside the memory, {what}",
            None,
            published=AREA_OVERHEAD,
            ours=100 * size / area.sub_array_um2,
            unit="%",
            reason=reason,
        )
