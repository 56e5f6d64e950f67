"""What chips in Verilog can be built for: layers, widths of elements, rates of converters.

The generators ask here, and a synthesis does before it searches.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from hwgen.crossbar.facts.columns import partial_sum_bits
from hwgen.crossbar.facts.components import Components, Scratchpad
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
    check_arrivals(network, components)
    asked = {point.adc_bits for point in points}
    for adc in components.adcs.resolutions:
        if adc.bits in asked:
            rate = adc_rate(adc.samples_per_ns, components.clock_ns)
            check_rate(rate, f"{components.name}, {adc.bits} bits")


def with_buildable_adcs(
    components: Components, points: Iterable[Point]
) -> tuple[Components, list[str]]:
    """Return constants without the ADCs that no array is built with, and a sentence for each.

    Where all that the points ask for are such, they stay, and `check_buildable` refuses them.
    """
    asked = {point.adc_bits for point in points}
    sentences: dict[int, str] = {}
    for adc in components.adcs.resolutions:
        try:
            if adc.bits in asked:
                rate = adc_rate(adc.samples_per_ns, components.clock_ns)
                check_rate(rate, f"{components.name}, {adc.bits} bits")
        except ConfigError as error:
            sentences[adc.bits] = str(error)
    if asked <= sentences.keys():
        return components, []
    kept = tuple(adc for adc in components.adcs.resolutions if adc.bits not in sentences)
    adcs = replace(components.adcs, resolutions=kept)
    return replace(components, adcs=adcs), list(sentences.values())


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


def check_arrivals(network: CrossbarNetwork, components: Components) -> None:
    """Refuse links and scratchpads with which flits would come faster than they are taken.

    A router passes a flit in a clock; a word must be in all rings of a macro before the next one.
    """
    links, pads = components.network_on_chip, components.scratchpads
    clock_ns = components.clock_ns
    if links.hop_ns < clock_ns or not (links.hop_ns / clock_ns).is_integer():
        raise ConfigError(
            field="hop_ns",
            allowed=f"whole clocks of {clock_ns:g} ns, at least one",
            given=f"{links.hop_ns:g}",
            source=components.name,
        )
    flits, rings = pads.bus_bits // links.flit_bits, most_rings(network)
    if flits < rings:
        least = rings * links.flit_bits
        raise ConfigError(
            field="bus_bits",
            allowed=f"at least {least}, a flit for each time that a word is written",
            given=pads.bus_bits,
            source=components.name,
        )
    for pad in pads.to_choose_from(published=False):
        if slower_than_words(pad, network, components):
            raise ConfigError(
                field=f"latency_ns of a scratchpad of {pad.kilobytes:g} KB",
                allowed=f"at most {flits // rings} clocks, in which a word of {flits} flits comes "
                f"and is written {rings} times",
                given=f"{pad.latency_ns:g}",
                source=components.name,
            )


def slower_than_words(pad: Scratchpad, network: CrossbarNetwork, components: Components) -> bool:
    """Return whether a scratchpad writes a word in more clocks than the next one takes to come."""
    flits = components.scratchpads.bus_bits // components.network_on_chip.flit_bits
    return math.ceil(pad.latency_ns / components.clock_ns) * most_rings(network) > flits


def with_buildable_pads(
    network: CrossbarNetwork, components: Components
) -> tuple[Components, list[str]]:
    """Return constants without the scratchpads from the first on that is too slow; a sentence each.

    A chip has the smallest that holds its maps. Where the smallest of all is too slow they stay,
    and `check_buildable` refuses them.
    """
    pads = components.scratchpads
    slow = [slower_than_words(pad, network, components) for pad in pads.capacities]
    first = slow.index(True) if any(slow) else len(slow)
    if first in (0, len(slow)):
        return components, []
    kept, left = pads.capacities[:first], pads.capacities[first:]
    sentences = [f"{pad.kilobytes:g} KB in {pad.latency_ns:g} ns" for pad in left]
    published = min(pads.published_from_kilobytes, kept[-1].kilobytes)
    pads = replace(pads, capacities=kept, published_from_kilobytes=published)
    return replace(components, scratchpads=pads), sentences


def most_rings(network: CrossbarNetwork) -> int:
    """Return the most rings of one macro into which a map, or the image, is written.

    Two layers with weights may be in a macro, and any number without that have no ring of theirs
    there yet: a layer without weights works where its first provider stores.
    """
    found = 1
    for map_read in (None, *range(len(network.layers))):
        readers = [
            layer
            for layer in network.layers
            if (not layer.providers if map_read is None else map_read in layer.providers)
        ]
        weighty = sum(layer.has_weights for layer in readers)
        others = sum(not one.has_weights and one.providers[:1] != (map_read,) for one in readers)
        found = max(found, min(2, weighty) + others)
    return found


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


def adc_rate(samples_per_ns: float, clock_ns: float) -> Fraction:
    """Return the samples of an ADC in a clock."""
    return Fraction(samples_per_ns * clock_ns).limit_denominator(MOST_RATE_CLOCKS)
