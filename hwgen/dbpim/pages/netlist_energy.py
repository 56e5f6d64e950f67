"""One core of a DB-PIM chip beside its table of energies: the same blocks of both, the same run."""

from collections.abc import Mapping
from dataclasses import replace

from hwgen.chip.accesses import by_block
from hwgen.chip.rtl.layouts import places
from hwgen.chip.sim.vcd import Bits
from hwgen.dbpim.facts import Arch
from hwgen.dbpim.facts.energy import EnergyTable
from hwgen.dbpim.model.energy import TYPICAL, cost_pj, default_table
from hwgen.dbpim.rtl.core_events import core_pulses

MODULE = "dbpim_core"
INSTANCE = "host.chip.core_0"
DEPTH = 3
"""Levels of the simulation down to the ports of a core."""

FAMILY = "dbpim_"
BLOCK_OF: Mapping[str, str] = {
    "core": "control",
    "write_port": "control",
    "tile_store": "control",
    "walker": "words",
    "fetcher": "words",
    "mask_array": "words",
    "switch": "switch",
    "group_queue": "macros",
    "macro": "macros",
    "dots": "trees",
    "compartment": "trees",
    "adder_tree": "trees",
    "cell_array": "cells",
    "meta_array": "cells",
    "ppu": "ppu",
    "psum_array": "psums",
    "output_stage": "output stage",
    "residual_adder": "residual adder",
    "simd": "simd",
    "product_operands": "rows",
    "row_unit": "rows",
    "activation_buffer": "buffers",
}
"""By module without the prefix of the family."""


def block_of(module: str) -> str | None:
    """Return the block that a module of a core belongs to; None: that of its parent."""
    return BLOCK_OF.get(module.removeprefix(FAMILY))


def events_of(arch: Arch, shown: Mapping[str, Bits]) -> dict[str, int]:
    """Return the events of a core; shown: by port its bits in each cycle, (cycles, bits)."""
    pulses = shown["pulses"]
    return {
        name: int(pulses[:, place : place + width].sum())
        for name, (place, width) in places(core_pulses(arch)).items()
    }


def table_pj(
    arch: Arch, events: Mapping[str, int], cycles: int, *, table: EnergyTable | None = None
) -> dict[str, tuple[float, float]]:
    """Return by block what the table says of one core: logic, and memories, in pJ.

    Of logic without wires, glitches and the tree of the clock, for the netlist has none.
    """
    prices, core = table or default_table(), replace(arch, cores=1)
    counted = [(cost, events[event]) for event in events for cost in prices.events[event]]
    rows = [("control", cycles * arch.macros_per_core * prices.control_pj.low, 0.0)]
    for cost, count in (*counted, *((cost, cycles) for cost in prices.cycles)):
        pj = count * cost_pj(cost, core, prices, TYPICAL)
        rows.append((cost.block or cost.part, pj * cost.of_netlist, pj if cost.memory else 0.0))
    return by_block(rows)
