"""Energy of counted events on a crossbar chip, by the constants of its components.

What has no event has no energy here: DACs, digital units and requantizers, whose work a search
counts, and whose static power is in `leakage_pj` as everyone's is.
"""

import math
from collections.abc import Mapping

from hwgen.crossbar.facts.arch import Arch, fabric_of_chip

PICO_OF_NANO = 1000


def energy_pj(events: Mapping[str, int], arch: Arch) -> dict[str, float]:
    """Return picojoules by event; the keys are those of `events`.

    A flit costs nothing of its own: the power of the network-on-chip is that of the whole chip.
    """
    each = event_nj(arch)
    return {name: count * each[name] * PICO_OF_NANO for name, count in events.items()}


def event_nj(arch: Arch) -> dict[str, float]:
    """Return the nanojoules of one event of each kind."""
    parts = fabric_of_chip(arch, arch.name).constants
    return {
        "conversions": parts.adc.latency_ns * parts.adc.dynamic_w,
        "crossbar_reads": parts.crossbar_latency_ns * parts.crossbar.dynamic_w,
        "port_reads": parts.scratchpad.read_nj,
        "port_writes": parts.scratchpad.write_nj,
        "flit_hops": 0.0,
    }


def leakage_pj(cycles: int, arch: Arch) -> float:
    """Return what all parts of a chip take in some cycles while they do nothing."""
    fabric = fabric_of_chip(arch, arch.name)
    nanoseconds = cycles * fabric.clock.clock_ns
    return static_w(arch) * nanoseconds * PICO_OF_NANO


def static_w(arch: Arch) -> float:
    """Return the static power of all parts, and that of the network-on-chip."""
    parts = fabric_of_chip(arch, arch.name).constants
    units = parts.vector_units
    counts = [layer.counts for layer in arch.layers]
    return math.fsum(
        [
            parts.network_on_chip.power_w,
            arch.mesh.macros * parts.scratchpad.leakage_w,
            sum(layer.mapping.crossbars for layer in arch.layers) * parts.crossbar.static_w,
            sum(each.adc for each in counts) * parts.adc.static_w,
            sum(each.dac for each in counts) * parts.dac.static_w,
            *(
                sum(getattr(each, name) for each in counts) * getattr(units, name).static_w
                for name in ("shift_add", "addition", "relu", "sigmoid", "pool", "eltwise")
            ),
        ]
    )
