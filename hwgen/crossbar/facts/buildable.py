"""What chips in Verilog can be built for: layers, widths of elements, rates of converters.

The generators ask here, and a synthesis does before it searches.
"""

from collections.abc import Iterable
from fractions import Fraction

from hwgen.crossbar.facts.chip import CLOCK_NS
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.encoding import partial_sum_bits
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.packets import HEADER_FIELDS
from hwgen.crossbar.facts.point import Point
from hwgen.errors import ConfigError

SUMMANDS = 2
"""Maps that an addition reads."""
MOST_RATE_CLOCKS = 1000
"""Clocks in which the samples of an ADC are counted, at most."""


def check_buildable(
    network: CrossbarNetwork, components: Components, points: Iterable[Point]
) -> None:
    """Refuse a network, or constants, for which no chip of these points is built."""
    for layer in network.layers:
        check_layer(layer, network.name)
        if layer.has_weights:
            rows = layer.taps * layer.in_channels // layer.groups
            partial_sum_bits(rows, components.weight_bits, components.activation_bits)
    check_widths(
        activation_bits=components.activation_bits,
        word_bits=components.scratchpads.bus_bits,
        flit_bits=components.network_on_chip.flit_bits,
        source=f"{network.name}, {components.name}",
    )
    asked = {point.adc_bits for point in points}
    for adc in components.adcs.resolutions:
        if adc.bits in asked:
            check_rate(adc_rate(adc.samples_per_ns), f"{components.name}, {adc.bits} bits")


def check_layer(layer: CrossbarLayer, source: str) -> None:
    """Refuse a layer that no engine computes."""
    if layer.dilation != (1, 1):
        allowed, given = "without dilation", f"{layer.dilation}"
    elif layer.kind == "eltwise" and layer.product:
        allowed, given = "an addition, the only operation on two maps that is built", "a product"
    elif layer.kind == "eltwise" and len(layer.providers) != SUMMANDS:
        allowed, given = f"of {SUMMANDS} maps of layers", f"{len(layer.providers)}"
    else:
        return
    raise ConfigError(field=f"layer {layer.name}", allowed=allowed, given=given, source=source)


def check_widths(*, activation_bits: int, word_bits: int, flit_bits: int, source: str) -> None:
    """Refuse links that cannot carry a header, and elements that do not fill words and flits."""
    header = sum(bits for _, bits in HEADER_FIELDS)
    if flit_bits < header or flit_bits & (flit_bits - 1):
        raise ConfigError(
            field="flit_bits",
            allowed=f"a power of two, at least {header}",
            given=flit_bits,
            source=source,
        )
    if word_bits < flit_bits or word_bits & (word_bits - 1):
        raise ConfigError(
            field="bus_bits of a scratchpad",
            allowed=f"a power of two, at least the bits of a flit ({flit_bits})",
            given=word_bits,
            source=source,
        )
    if activation_bits > flit_bits or activation_bits & (activation_bits - 1):
        raise ConfigError(
            field="bits of the widest map",
            allowed=f"a power of two that divides the bits of a flit ({flit_bits})",
            given=activation_bits,
            source=source,
        )


def check_rate(rate: Fraction, source: str) -> None:
    """Refuse an ADC of more than one sample in a clock, but not of a whole number."""
    if rate > 1 and rate.denominator > 1:
        raise ConfigError(
            field="samples of an ADC in a clock",
            allowed="a whole number, or at most one",
            given=f"{float(rate):g}",
            source=source,
        )


def adc_rate(samples_per_ns: float) -> Fraction:
    """Return the samples of an ADC in a clock."""
    return Fraction(samples_per_ns * CLOCK_NS).limit_denominator(MOST_RATE_CLOCKS)
