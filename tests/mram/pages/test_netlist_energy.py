"""The data path shows events as the simulation counts them; its blocks take what the table says."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.rtl.layouts import places
from hwgen.chip.sim.vcd import Bits
from hwgen.mram.facts import load_arch
from hwgen.mram.facts.events import EVENTS
from hwgen.mram.facts.records import entry_name
from hwgen.mram.model import energy_pj
from hwgen.mram.model.energy import waiting_pj
from hwgen.mram.pages.netlist_energy import PORTS, block_of, events_of, table_pj
from hwgen.mram.rtl.layouts import octet_trace, record

ARCH = load_arch(Path("configs/mram/small.yaml"))
CYCLES = 3


def ports() -> dict[str, Bits]:
    """Return the ports of a data path that does nothing."""
    widths = {
        "record": record(ARCH).size,
        "octets": ARCH.octets * octet_trace(ARCH).size,
        **dict.fromkeys(PORTS, 4),
    }
    return {name: np.zeros((CYCLES, width), np.uint8) for name, width in widths.items()}


def put(bits: Bits, place: tuple[int, int], value: int) -> None:
    """Write an unsigned number into a field, in the second cycle."""
    first, width = place
    assert value < 1 << width
    bits[1, first : first + width] = [value >> bit & 1 for bit in range(width)]


def test_idle_ports_show_nothing() -> None:
    events = events_of(ARCH, ports())
    assert set(events) == set(EVENTS)
    assert not any(events.values())


def test_an_octet_counts_by_its_record() -> None:
    shown, of_record, of_octet = ports(), places(record(ARCH)), places(octet_trace(ARCH))
    # The row set decides whose segments are active: three of the second one, one of the first.
    for row_set, segments in ((0, (0,)), (1, (0, 1, 2))):
        for segment in segments:
            put(shown["record"], of_record[entry_name("active", row_set, segment)], 1)
    put(shown["record"], of_record["join"], 0b11)
    put(shown["record"], of_record["accumulate"], 0b100)
    last = (ARCH.octets - 1) * octet_trace(ARCH).size
    values = {"ands": 5, "row_set": 1, "double": 1, "input_writes": 2, "weight_writes": 3}
    for name, value in values.items():
        first, width = of_octet[name]
        put(shown["octets"], (last + first, width), value)
    events = {name: count for name, count in events_of(ARCH, shown).items() if count}
    assert events == {
        "and_operations": 5,
        "and_segments": 15,
        "bit_counts": 15,
        "joins": 10,
        "adds": 5,
        "shifts": 5,
        "input_row_writes": 2,
        "weight_row_writes": 3,
    }


def test_lanes_and_rows_are_counted() -> None:
    shown = ports()
    for name in PORTS:
        put(shown[name], (0, 4), 7 if name.endswith("lanes") else 1)
    events = {name: count for name, count in events_of(ARCH, shown).items() if count}
    assert events == {
        "tree_rows": 1, "sums": 7, "dpu_results": 7, "bank_reads": 3, "bank_writes": 1,
    }  # fmt: skip


def test_blocks_add_up_to_the_table() -> None:
    events = {name: 3 + index for index, name in enumerate(EVENTS)}
    blocks = table_pj(ARCH, events, CYCLES)
    assert sum(sum(each) for each in blocks.values()) == pytest.approx(
        sum(energy_pj(events, ARCH).values()) + waiting_pj(CYCLES, ARCH)
    )
    assert blocks["arrays"][0] == 0
    assert blocks["counters"][1] == 0


def test_a_block_for_each_module() -> None:
    assert block_of("mram_sub_array_16") == block_of("mram_sub_array_1") == "arrays"
    assert block_of("mram_window") == "former"
    assert block_of("mram_requantizer_32x16") is None
