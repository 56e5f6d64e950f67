"""A router of a crossbar chip: what its netlist takes, beside its share of the sheet's power.

It is the one part that stands in each macro alike, and that no crossbar lies in.
"""

from collections.abc import Mapping

from hwgen.chip.sim.vcd import Bits
from hwgen.crossbar.facts.arch import Arch, fabric_of_chip
from hwgen.crossbar.facts.chip import described
from hwgen.crossbar.facts.routes import PORTS
from hwgen.crossbar.model.events import PICO_OF_NANO
from hwgen.crossbar.rtl.layouts import flit

MODULE = "crossbar_router"
INSTANCE = "host.chip.router0"
DEPTH = 3
"""Levels of the simulation down to the ports of a router."""
BLOCK = "router"


def block_of(module: str) -> str | None:
    """Return the block of the router; a part of it belongs to it."""
    return BLOCK if module == MODULE else None


def events_of(arch: Arch, shown: Mapping[str, Bits]) -> dict[str, int]:
    """Return the flits that leave; shown: by port its bits in each cycle, (cycles, bits)."""
    size = flit(described(arch)).size
    valid = shown["outputs"][:, 0 : PORTS * size : size]
    return {"flit_hops": int(valid.sum())}


def table_pj(
    arch: Arch, events: Mapping[str, int], cycles: int, *, table: None = None
) -> dict[str, tuple[float, float]]:
    """Return a router's share of the power of the network-on-chip, in pJ, and of memories none.

    table: there is none: the constants stand in the architecture
    """
    fabric = fabric_of_chip(arch, arch.name)
    power = fabric.constants.network_on_chip.power_w / arch.mesh.macros
    return {BLOCK: (power * cycles * fabric.clock.clock_ns * PICO_OF_NANO, 0.0)}
