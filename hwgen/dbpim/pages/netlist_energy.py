"""One core of a DB-PIM chip beside its table of energies: the same blocks of both, the same run."""

from collections.abc import Mapping
from dataclasses import replace

from hwgen.chip.rtl.layouts import places
from hwgen.chip.sim.vcd import Bits
from hwgen.dbpim.facts import Arch
from hwgen.dbpim.facts.energy import Part
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
BLOCK_OF_ENTRY: Mapping[tuple[Part, str], str] = {
    ("inputs", "words"): "words",
    ("inputs", "selected_inputs"): "switch",
    ("inputs", "groups"): "macros",
    ("inputs", "bit_planes"): "macros",
    ("inputs", "inactive_bit_planes"): "macros",
    ("output", "results"): "output stage",
    ("output", "residual_sums"): "residual adder",
    ("loading", "row_writes"): "control",
}
"""By part and event of an entry of the table, where a part has several blocks."""


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


def table_pj(arch: Arch, events: Mapping[str, int], cycles: int) -> dict[str, tuple[float, float]]:
    """Return by block what the table says of one core: logic, and memories, in pJ."""
    table, core = default_table(), replace(arch, cores=1)
    found: dict[str, tuple[float, float]] = {}
    for event, count in events.items():
        for cost in table.events[event]:
            block = BLOCK_OF_ENTRY.get((cost.part, event), cost.part)
            logic, memory = found.get(block, (0.0, 0.0))
            pj = count * cost_pj(cost, core, table, TYPICAL)
            found[block] = (logic, memory + pj) if cost.memory else (logic + pj, memory)
    logic, memory = found.get("control", (0.0, 0.0))
    found["control"] = (logic + cycles * arch.macros_per_core * table.control_pj.typical, memory)
    return found
