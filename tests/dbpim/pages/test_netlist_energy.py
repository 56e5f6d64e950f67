"""The blocks of a core take together what the table says of one core."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.dbpim.facts import load_arch
from hwgen.dbpim.facts.events import CORE_EVENTS
from hwgen.dbpim.model import parts_pj
from hwgen.dbpim.model.energy import TYPICAL, cost_pj, default_table
from hwgen.dbpim.pages.netlist_energy import block_of, events_of, table_pj
from hwgen.dbpim.rtl.core_events import core_pulses
from tests.cli.given import TINY

ARCH = load_arch(Path(TINY))
CYCLES = 1000


def total(blocks: Mapping[str, tuple[float, float]]) -> float:
    """Return the pJ of logic and memories of all blocks."""
    return sum(logic + memory for logic, memory in blocks.values())


@pytest.mark.promise(
    "the energy of a core comes from its netlist, which follows a simulation and shows what it"
    " shows, beside the table"
)
def test_blocks_add_up_to_the_parts() -> None:
    events = {name: 3 + index for index, name in enumerate(CORE_EVENTS)}
    table, core = default_table(), replace(ARCH, cores=1)
    blocks = table_pj(ARCH, events, 0)
    parts = parts_pj(events, 0, core)
    # Neither wires and glitches of trees and PPU nor the tree of the clock are in a netlist.
    for part, share in (("trees", 1 - 0.17 - 0.19), ("ppu", 1 - 0.17 - 0.127)):
        assert blocks[part][0] == pytest.approx(parts[part] * share)
        parts[part] *= share
    assert total(blocks) == pytest.approx(sum(parts.values()))
    each = sum(cost_pj(cost, core, table, TYPICAL) * cost.of_netlist for cost in table.cycles)
    waiting = CYCLES * (each + ARCH.macros_per_core * table.control_pj.low)
    assert total(table_pj(ARCH, events, CYCLES)) == pytest.approx(total(blocks) + waiting)
    # A memory is in no netlist: the word of masks, not the registers of the fetcher.
    masks = 1.45 / 16 * ARCH.macro.compartments * events["words"]
    assert blocks["words"][1] == pytest.approx(masks)
    assert blocks["psums"][0] == 0


def test_events_are_the_pulses() -> None:
    pulses = np.zeros((3, core_pulses(ARCH).size), dtype=np.uint8)
    pulses[1] = 1
    pulses[2, 0] = 1
    events = events_of(ARCH, {"pulses": pulses})
    assert tuple(events) == tuple(CORE_EVENTS)
    assert events["groups"] == ARCH.macros_per_core
    assert sum(events.values()) == core_pulses(ARCH).size + 1
    assert events["bit_planes"] == ARCH.macros_per_core + 1


def test_a_block_for_each_module() -> None:
    assert block_of("dbpim_walker") == block_of("dbpim_fetcher") == "words"
    assert block_of("dbpim_requantizer_32x16") is None
