"""Energy by event and by part, worked by hand; what the assumptions change; area."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.chip.family import Family
from hwgen.commands.families import families
from hwgen.dbpim.facts.arch import load_arch, with_sparsity
from hwgen.dbpim.facts.energy import PARTS, parts_of
from hwgen.dbpim.facts.events import EVENTS, events_of
from hwgen.dbpim.facts.units import size_of
from hwgen.dbpim.model import (
    STRICT_DENSE,
    Assumptions,
    area_um2,
    energy_pj,
    leakage_pj,
    parts_pj,
    port_bytes,
    port_pj,
    spread_pj,
)
from hwgen.dbpim.model.energy import default_table, waiting_pj

CONFIGS = Path(__file__).parents[3] / "configs"
SPARSE = replace(load_arch(CONFIGS / "dbpim" / "paper.yaml"), clock_mhz=500.0)
DENSE = with_sparsity(SPARSE, "none")
ROWS = load_arch(CONFIGS / "dbpim" / "paper_rows.yaml")
LANES = load_arch(CONFIGS / "dbpim" / "paper_lanes.yaml")
PUBLISHED = replace(load_arch(CONFIGS / "dbpim" / "paper_published.yaml"), one_digit="none")
MANY = {name: 3 + index for index, name in enumerate(EVENTS)}
MULTIPLEXER = 0.0142 / 27
FLIP_FLOP = 0.0147
FOLLOWER = 3565
"""Area of what a core without maps has in the place of a walker and a fetcher, in um2."""


def total(events: Mapping[str, int], cycles: int, assume: Assumptions) -> float:
    return sum(parts_pj(events, cycles, SPARSE, assume=assume).values())


@pytest.mark.promise(
    "energy and area of a chip by part, sparse and dense, with wires and control varied; the"
    " memory outside apart"
)
def test_events_cost_what_the_table_says() -> None:
    events = {"filter_planes": 8, "column_planes": 16, "bank_reads": 2, "psum_writes": 3}
    assert energy_pj(events, SPARSE) == pytest.approx(
        {
            "filter_planes": 8 * 0.911,
            "column_planes": 8 * 0.822,
            "bank_reads": 2 * 10.8,
            "psum_writes": 3 * 4 * 3.49,
        }
    )
    assert list(energy_pj(events, SPARSE)) == list(events)
    dense = energy_pj(events, DENSE)
    assert dense["column_planes"] == pytest.approx(2 * 0.388)
    assert dense["psum_writes"] == pytest.approx(3 * 3.49)


def test_a_group_reads_a_row_and_passes_its_queue() -> None:
    cells = 0.068 * 16
    bits = 149
    inputs = bits * FLIP_FLOP + (7 * bits + 112) * MULTIPLEXER + 100 * FLIP_FLOP
    found = parts_pj({"groups": 1}, 0, SPARSE)
    beside = 0.00046
    columns = 16 * SPARSE.macro.columns
    assert found["cells"] == pytest.approx(4 * cells + 0.068 / 16 * 8 * 13 + columns * beside)
    assert found["trees"] == pytest.approx(8 * 0.167)
    assert found["inputs"] == pytest.approx(inputs)
    dense = parts_pj({"groups": 1}, 0, DENSE)["cells"]
    assert dense == pytest.approx(cells + 16 * DENSE.macro.columns * beside)


def test_trees_and_ppu_as_first_written() -> None:
    events = {"filter_planes": 1, "column_planes": 2}
    found = parts_pj(events, 0, SPARSE, assume=Assumptions(written=True))
    assert (found["trees"], found["ppu"]) == pytest.approx((3.357, 2.155))
    plane = {"filter_planes": 1, "column_planes": 8}
    found = parts_pj(plane, 0, DENSE, assume=Assumptions(written=True))
    assert (found["trees"], found["ppu"]) == pytest.approx((0.709, 2.602))


def test_parts_add_up_to_events_and_time() -> None:
    for arch in (SPARSE, DENSE):
        for assume in (Assumptions(), STRICT_DENSE, Assumptions(wires="high", control="low")):
            parts = parts_pj(MANY, 1000, arch, assume=assume)
            assert tuple(parts) == parts_of(arch)
            expected = sum(energy_pj(MANY, arch, assume=assume).values())
            expected += leakage_pj(1000, arch, assume=assume)
            assert sum(parts.values()) == pytest.approx(expected)


def test_time_costs_control_and_leakage() -> None:
    leakage = 3.3e-3 * 366.5 / 128 * 2000
    waiting = (32 * 0.15 + 8 * (0.70 + 0.215 + 0.045)) * 1000
    waiting += 256 * 0.0066 * 1000
    waiting += (8 * 8 * 8 * 0.0133 + 64 * (0.062 + 0.036) + 512 * 0.0044 + 64 * 0.0205) * 1000
    leakage += waiting
    memories = Assumptions(logic_leaks=False)
    assert leakage_pj(1000, SPARSE, assume=memories) == pytest.approx(32 * 600 + leakage)
    low = leakage_pj(1000, SPARSE, assume=replace(memories, control="low"))
    assert low == pytest.approx(32 * 260 + leakage)
    high = leakage_pj(1000, SPARSE, assume=replace(memories, control="high"))
    assert high == pytest.approx(32 * 1500 + leakage)


def test_every_area_of_logic_leaks() -> None:
    table = default_table()
    memory = next(area for area in table.area if area.memory)
    logic = next(area for area in table.area if area.part == "output" and not area.memory)
    small = replace(table, area=[memory, logic])
    # 2000 ns at 21.8 nW a um2, of one entry a filter of each core.
    spent = leakage_pj(1000, SPARSE, table=small)
    spent -= leakage_pj(1000, SPARSE, table=small, assume=Assumptions(logic_leaks=False))
    assert spent == pytest.approx(2000 * 21.8e-6 * logic.um2 * SPARSE.cores * SPARSE.filters)


@pytest.mark.promise("the dense chip of the strict pair has no switch and queues of two groups")
def test_the_strict_pair_has_no_switch_and_short_queues() -> None:
    one = {"words": 1, "selected_inputs": 5, "groups": 1}
    typical, direct = energy_pj(one, DENSE), energy_pj(one, DENSE, assume=STRICT_DENSE)
    assert direct["selected_inputs"] == 0
    assert typical["selected_inputs"] == pytest.approx(5 * 8 * 0.0655)
    assert typical["words"] - direct["words"] == pytest.approx(1.45 + 0.058)
    assert typical["groups"] - direct["groups"] == pytest.approx(6 * 149 * MULTIPLEXER)
    shallow = replace(DENSE, queue_depth=1)
    assert energy_pj(one, shallow, assume=STRICT_DENSE)["groups"] < direct["groups"]


def test_wires_and_control_spread_the_sum() -> None:
    found = spread_pj(MANY, 50, SPARSE)
    assert len(found) == 9
    assert found["typical", "typical"] == pytest.approx(total(MANY, 50, Assumptions()))
    assert found["low", "low"] < found["low", "typical"] < found["typical", "typical"]
    assert found["typical", "typical"] < found["high", "typical"] < found["high", "high"]
    tree = energy_pj({"column_planes": 2}, SPARSE, assume=Assumptions(wires="high"))
    assert tree["column_planes"] == pytest.approx(0.822 * (1 + 0.17))
    tree = energy_pj({"column_planes": 2}, SPARSE, assume=Assumptions(wires="low"))
    assert tree["column_planes"] == pytest.approx(0.822 * (1 - 0.17 * 2 / 3))


def test_the_memory_outside_is_apart() -> None:
    events = {"beats_read": 5, "beats_written": 2}
    assert port_bytes(events, SPARSE) == 7 * 32
    assert port_pj(events, SPARSE) == 7 * 256 * 8
    assert sum(energy_pj(events, SPARSE).values()) == pytest.approx(7 * 4 * 5.16)


def test_another_table_counts_instead() -> None:
    table = default_table()
    dear = replace(
        table,
        events={**table.events, "tap_words": [replace(table.events["tap_words"][0], pj=100.0)]},
        control_pj=replace(table.control_pj, typical=1.0),
    )
    assert energy_pj({"tap_words": 2}, SPARSE, table=dear) == pytest.approx({"tap_words": 400})
    spent = leakage_pj(9, SPARSE, table=dear) - leakage_pj(9, SPARSE)
    assert spent == pytest.approx(9 * 32 * 0.4)


def test_areas_of_trees_follow_their_design() -> None:
    sparse, dense = area_um2(SPARSE), area_um2(DENSE)
    assert tuple(sparse) == parts_of(SPARSE)
    assert sparse["trees"] == pytest.approx(32 * 8 * 1826)
    assert dense["trees"] == pytest.approx(32 * 2 * 674)
    written = area_um2(SPARSE, assume=Assumptions(written=True))
    assert written["trees"] == pytest.approx(32 * 8 * 2198)
    direct = area_um2(DENSE, assume=STRICT_DENSE)
    # The switch is among the inputs, registers behind it are in the core.
    less = {name for name in parts_of(DENSE) if direct[name] < dense[name]}
    assert less == {"inputs", "control"}
    assert all(direct[name] == dense[name] for name in parts_of(DENSE) if name not in less)


def test_a_row_unit_adds_its_part_and_changes_no_other() -> None:
    """A chip without one takes to the digit what it takes by a table without any of its entries."""
    table = default_table()
    plain = replace(
        table,
        events={
            name: [cost for cost in costs if cost.part != "rows"] or costs
            for name, costs in table.events.items()
        },
        area=[area for area in table.area if area.part != "rows"],
    )
    events = {name: MANY[name] for name in events_of(SPARSE)}
    assert parts_pj(events, 99, SPARSE) == parts_pj(events, 99, SPARSE, table=plain)
    assert area_um2(SPARSE) == area_um2(SPARSE, table=plain)
    rows = parts_pj(MANY, 99, ROWS)
    assert tuple(rows) == PARTS and rows["rows"] > 0
    assert area_um2(ROWS)["rows"] > 0
    beside = replace(SPARSE, rounding=ROWS.rounding)
    assert {name: area_um2(ROWS)[name] for name in parts_of(SPARSE)} == area_um2(beside)


def test_the_family_offers_its_energy() -> None:
    energy = families()["dbpim"].need(Family.energy)
    assert energy.energy_pj({"bank_reads": 1}, SPARSE) == pytest.approx({"bank_reads": 10.8})
    assert energy.leakage_pj(1, SPARSE) > 0


def test_what_waits_belongs_to_its_part() -> None:
    found = waiting_pj(1000, SPARSE)
    assert tuple(found) == parts_of(SPARSE)
    assert sum(found.values()) == pytest.approx(leakage_pj(1000, SPARSE))
    assert found["simd"] == pytest.approx(1000 * (8 * 0.215 + 512 * 0.0044 + 64 * 0.0205))
    assert found["trees"] == pytest.approx(1000 * 256 * 0.0066)
    assert found["cells"] == 0
    no_switch = waiting_pj(1000, SPARSE, assume=STRICT_DENSE)
    assert found["inputs"] - no_switch["inputs"] == pytest.approx(1000 * 8 * 8 * 8 * 0.0133)


def test_a_chip_without_parts_has_the_price_of_the_strict_one_without_queues() -> None:
    direct = replace(DENSE, sparse_parts=False)
    one = {"words": 1, "groups": 1}
    found, strict = energy_pj(one, direct), energy_pj(one, DENSE, assume=STRICT_DENSE)
    assert found["words"] == pytest.approx(strict["words"])
    # A group stays in the fetcher: no flip-flops of a queue, and none of its multiplexers.
    assert strict["groups"] - found["groups"] == pytest.approx(149 * (0.0147 + MULTIPLEXER))
    areas = [sum(area_um2(chip).values()) for chip in (DENSE, direct)]
    switch, masks = 5658 / 64 * 8 * 8 * 8, 3600 / 1024 * 8 * 1024
    queues = 3600 / 8192 * 32 * 8 * 149
    around = (11 + 76) * 8 * 64
    assert areas[0] - areas[1] == pytest.approx(switch + around + masks + queues)


@pytest.mark.promise(
    "the area of a chip with one stream has one walker, one buffer and one SIMD unit, what follows"
    " in the other cores, and no residual adders"
)
def test_one_stream_has_one_input_side() -> None:
    own, shared = area_um2(LANES), area_um2(PUBLISHED)
    less = {part: own[part] - shared[part] for part in own if own[part] != shared[part]}
    memory = 3600 / 1024 * 7 * size_of("simd_byte", PUBLISHED)
    assert less == pytest.approx(
        {
            "inputs": 7 * (4400 + 4 * 1300 + 64 * (20 + 11 + 4 * 8.25) - FOLLOWER),
            "output": 64 * (2924 + 660),
            "buffers": 7 * 64 * (82 + 4 * 8.69),
            "simd": 7 * (3800 + 64 * (262 + 1885 + 3689)) + memory,
        }
    )
    waits, without = waiting_pj(1000, LANES), waiting_pj(1000, PUBLISHED)
    assert waits["simd"] == pytest.approx(8 * without["simd"])
    assert waits["output"] - without["output"] == pytest.approx(1000 * (8 * 0.045 + 64 * 0.036))
