"""The blocks of a core take together what the table says of one core."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.dbpim.facts import load_arch
from hwgen.dbpim.facts.events import CORE_EVENTS
from hwgen.dbpim.model import parts_pj
from hwgen.dbpim.model.energy import default_table
from hwgen.dbpim.pages.netlist_energy import block_of, events_of, table_pj
from hwgen.dbpim.rtl.core_events import core_pulses
from tests.cli.given import TINY

ARCH = load_arch(Path(TINY))
CYCLES = 1000


def test_blocks_add_up_to_the_parts() -> None:
    events = {name: 3 + index for index, name in enumerate(CORE_EVENTS)}
    blocks = table_pj(ARCH, events, CYCLES)
    control = CYCLES * ARCH.macros_per_core * default_table().control_pj.typical
    parts = sum(parts_pj(events, 0, ARCH).values())
    assert sum(sum(each) for each in blocks.values()) == pytest.approx(parts + control)
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
