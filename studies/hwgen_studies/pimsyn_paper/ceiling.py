"""What no crossbar of some constants can exceed, whatever is built around it."""

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import Rules


def peak_ceiling(components: Components, rules: Rules) -> float:
    """Return the most GOPS/W of a crossbar that computes all the time, with its ADCs and DACs.

    A full crossbar does 2 operations for each weight that it holds once in all bit steps of an
    input. Everything else of a chip costs power and computes no more.
    """
    best = 0.0
    for point in points(components, rules):
        size = next(each for each in components.crossbars.sizes if each.side == point.side)
        adc = next(each for each in components.adcs.resolutions if each.bits == point.adc_bits)
        dac = next(each for each in components.dacs.resolutions if each.bits == point.dac_bits)
        conversions = point.side / (adc.samples_per_ns * components.step_floor_ns)
        power = size.peak_w + conversions * adc.peak_w + point.side * dac.peak_w
        operations = 2 * point.side**2 / point.slices(components) / point.bit_steps(components)
        best = max(best, operations / components.step_floor_ns / power)
    return best
