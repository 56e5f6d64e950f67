"""The table of energies is complete, each figure with its source; units follow the chip."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.dbpim.facts.arch import load_arch, with_sparsity
from hwgen.dbpim.facts.energy import PARTS, Area, Cost, EnergyTable, load_energy, parts_of
from hwgen.dbpim.facts.events import (
    CHIP_EVENTS,
    CORE_EVENTS,
    EVENTS,
    OVERLAPPING,
    ROW_EVENTS,
    events_of,
)
from hwgen.dbpim.facts.units import UNITS, chip_sizes, event_sizes, size_of
from hwgen.errors import ConfigError
from hwgen.files.load import read_mapping, validate_spec
from tests.dbpim.facts import energy_28nm

CONFIGS = Path(__file__).parents[3] / "configs"
FILE = CONFIGS / "energy" / "dbpim_45nm.yaml"
SPARSE = load_arch(CONFIGS / "dbpim" / "paper.yaml")
DENSE = with_sparsity(SPARSE, "none")
TINY = load_arch(CONFIGS / "dbpim" / "tiny.yaml")
ROWS = load_arch(CONFIGS / "dbpim" / "paper_rows.yaml")
OF_FLOATS = ("filter_float_bit", "sum_float_bit", "lane_float_bit")
OF_FLOATS = (*OF_FLOATS, "output_float_bit", "simd_float_bit")
OF_OTHERS = ("chip_waiting_total", "float_filter", *OF_FLOATS)
"""Units that the smallest chip has none of, with a requantizer a lane and without floats."""
OF_ROWS = {"row_lane", "float_bit", "product_lane", "float_byte"}
OF_ONE_STREAM = {"chip_follower"}
OF_PAIRS = {"chip_second_filter", "chip_second_filter_compartment", "core_second_filter"}
OF_OPTIONS = {"stage_bit", "sense_bit", "chip_stage_bit", "chip_sense_bit"}
OF_ROWS |= {"chip_row_lane", "chip_row_unit", "chip_product_lane"}


@pytest.mark.promise(
    "every event has entries with their sources, trees and PPU as built and as first written; a"
    " wrong table is one sentence"
)
def test_every_event_and_part_has_cited_figures() -> None:
    table = load_energy(FILE)
    assert table.name == FILE.stem
    assert set(table.events) == set(EVENTS) == {*CORE_EVENTS, *ROW_EVENTS, *CHIP_EVENTS}
    assert set(OVERLAPPING) < set(EVENTS)
    costs = [cost for entries in table.events.values() for cost in entries]
    for entry in (*costs, *table.area, table.leakage):
        assert "45 nm" in entry.source
    assert {cost.part for cost in costs} | {"control"} == set(PARTS)
    used = {entry.unit for entry in (*costs, *table.area)} | {"memory_byte"}
    assert used <= set(UNITS)


@pytest.mark.promise(
    "a table of energies and areas at 28 nm ships: memories by NeuroSim and CACTI at that node, all"
    " other logic by what a flip-flop takes there; it is made again by a command"
)
def test_the_table_at_28_nm_is_what_is_made() -> None:
    assert energy_28nm.FILE.read_text(encoding="utf-8") == energy_28nm.text()
    made, first = load_energy(energy_28nm.FILE), load_energy(FILE)
    assert (made.name, made.node_nm, made.port) == ("dbpim_28nm", 28, None)
    for event in EVENTS:
        for now, then in zip(made.events[event], first.events[event], strict=True):
            assert 0.33 < now.pj / then.pj < 0.61
            assert now.source != then.source
            assert now.memory <= now.source.startswith("NeuroSim 1.3 and CACTI 7, 28 nm")
    for now_um2, then_um2 in zip(made.area, first.area, strict=True):
        assert 0.39 < now_um2.um2 / then_um2.um2 < 0.56


def test_a_memory_without_a_figure_at_28_nm_is_refused() -> None:
    entry = {"pj": 7.7, "memory": True, "source": "CACTI 7, 45 nm: another memory"}
    with pytest.raises(ValueError, match="no memory at 28 nm"):
        energy_28nm.scaled(entry, "pj")


def test_trees_and_ppu_are_those_of_the_netlists() -> None:
    events = load_energy(FILE).events

    def filter_pj(arch: Any, *, written: bool) -> tuple[float, float]:
        """Return tree and PPU of a filter with all its cell columns in a bit plane."""
        (tree,) = (cost for cost in events["column_planes"] if cost.applies(arch))
        (ppu,) = (cost for cost in events["filter_planes"] if cost.applies(arch))
        columns = arch.columns_per_filter
        return columns * tree.of(arch, written=written), ppu.of(arch, written=written)

    assert filter_pj(SPARSE, written=False) == pytest.approx((0.822, 0.911))
    assert filter_pj(SPARSE, written=True) == pytest.approx((3.357, 2.155))
    assert filter_pj(DENSE, written=False) == pytest.approx((0.388, 0.911))
    assert filter_pj(DENSE, written=True) == pytest.approx((0.709, 2.602))


def test_units_of_the_paper_chip() -> None:
    sparse, dense = event_sizes(SPARSE), event_sizes(DENSE)
    assert (sparse["cell"], sparse["metadata_bit"], dense["metadata_bit"]) == (256, 768 + 8 * 13, 0)
    assert (sparse["row_register_bit"], dense["row_register_bit"]) == (282, 64)
    assert (sparse["group_bit"], sparse["queue_multiplexer"]) == (149, 7 * 149)
    assert sparse["plane_multiplexer"] == 112
    assert (sparse["vector_bit"], sparse["word_bit"], sparse["byte_choice"]) == (512, 128, 8)
    assert (sparse["sum_bit"], dense["sum_bit"]) == (256, 64)
    assert sparse["table_bit"] == 8 * 256
    chip = chip_sizes(SPARSE)
    assert chip["chip_cell"] == 128 * 1024
    assert chip["chip_metadata_bit"] == 32 * 16 * (768 + 104)
    assert chip["buffer_byte"] == 256 * 1024
    assert chip["psum_byte"] == 32 * 1024
    assert chip["memory_byte"] == (256 + 32 + 8 + 16 + 54.5) * 1024
    assert chip["chip_filter"] == 32 * 8 and chip_sizes(DENSE)["chip_filter"] == 32 * 2
    assert (chip["chip_requantizer"], chip["chip_waiting_total"]) == (8 * 8, 8 * 56)
    assert {unit for unit in UNITS if not size_of(unit, TINY)} == {
        *OF_ROWS,
        *OF_OPTIONS,
        *OF_OTHERS,
        *OF_ONE_STREAM,
        *OF_PAIRS,
    }


def test_units_of_a_chip_with_one_stream() -> None:
    """Core 0 has the buffer, the walker and the SIMD unit; no core has a residual adder."""
    arch = load_arch(CONFIGS / "dbpim" / "paper_published.yaml")
    chip, own = chip_sizes(arch), chip_sizes(SPARSE)
    assert (chip["chip_reader"], chip["chip_follower"], chip["chip_bank"]) == (1, 7, 4)
    assert (own["chip_reader"], own["chip_follower"], own["chip_bank"]) == (8, 0, 32)
    assert (chip["adding_core"], chip["adding_filter"]) == (0, 0)
    assert (own["adding_core"], own["adding_filter"]) == (8, 64)
    same = ("chip_core", "core_filter", "chip_macro", "chip_cell", "buffer_byte", "psum_byte")
    assert [chip[each] for each in same] == [own[each] for each in same]


def test_units_of_a_chip_with_pair_tiles() -> None:
    """Trees, sums, constants of a row and parameters of a second group of filters."""
    arch = load_arch(CONFIGS / "dbpim" / "paper_digits.yaml")
    event, chip, plain = event_sizes(arch), chip_sizes(arch), chip_sizes(SPARSE)
    assert event["metadata_bit"] == 768 + 16 * 13
    assert (event["filter"], event["sum_bit"]) == (8, 256)
    assert (chip["chip_filter"], chip["chip_second_filter"]) == (32 * 16, 32 * 8)
    assert chip["chip_second_filter_compartment"] == 32 * 8 * 16
    assert (chip["core_filter"], chip["core_second_filter"]) == (64, 64)
    assert chip["psum_byte"] == plain["psum_byte"]
    assert chip["packet_byte"] - plain["packet_byte"] == 8 * 4 * 8 * 62 // 8


def test_units_of_a_row_unit() -> None:
    units = set(UNITS) - OF_PAIRS - OF_ONE_STREAM - OF_OPTIONS
    assert all(size_of(unit, ROWS) > 0 for unit in units)
    event, chip = event_sizes(ROWS), chip_sizes(ROWS)
    assert (event["row_lane"], event["float_bit"], event["product_lane"]) == (4, 4 * 256, 64)
    assert (chip["chip_row_unit"], chip["chip_row_lane"]) == (8, 32)
    assert chip["chip_product_lane"] == 8 * 64
    assert chip["float_byte"] == 8 * (4 * 1024 + 2048)


def test_a_chip_without_a_row_unit_has_none_of_its_parts_and_events() -> None:
    assert set(PARTS) - set(parts_of(SPARSE)) == {"rows"} and parts_of(ROWS) == PARTS
    assert set(events_of(SPARSE)) == {*CORE_EVENTS, *CHIP_EVENTS}
    assert tuple(events_of(ROWS)) == tuple(EVENTS)
    table = load_energy(FILE)
    costs = [cost for entries in table.events.values() for cost in entries]
    for entry in (*costs, *table.area):
        if entry.part == "rows" or entry.unit in OF_ROWS:
            assert entry.applies(ROWS) and entry.of(ROWS) > 0
            assert not entry.applies(SPARSE) or entry.of(SPARSE) == 0


def test_a_cost_grows_with_the_chip() -> None:
    cost = Cost(part="inputs", pj=6.0, units=3, unit="compartment", source="here")
    assert cost.of(SPARSE) == 32
    assert cost.of(SPARSE, written=True) == 32
    assert replace(cost, written_pj=9.0).of(SPARSE, written=True) == 48
    assert replace(cost, design="dense").applies(DENSE)
    assert not replace(cost, design="dense").applies(SPARSE)
    area = Area(part="trees", um2=5.0, written_um2=7.0, units=2, unit="chip_core", source="here")
    assert (area.of(SPARSE), area.of(SPARSE, written=True)) == (20, 28)


def test_leakage_and_port_grow_with_the_chip() -> None:
    table = load_energy(FILE)
    memories = 3.3e-3 * 366.5 / 128
    assert table.leakage_mw(SPARSE, 0.0) == pytest.approx(memories)
    assert table.leakage_mw(SPARSE, 1e6) == pytest.approx(memories + 21.8)
    assert table.port_pj(3, SPARSE) == 3 * 256 * 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"events": {"groups": None}}, "events.groups must be present, got nothing"),
        ({"events": {"rows": []}}, "events must be events of the chip, got rows"),
        ({"control_pj": {"low": 0.7}}, "typical must be from low 0.7 to high 1.5, got 0.6"),
        ({"port": {"pj": 1, "bits": 0, "source": "mine"}}, "port.bits must be"),
        ({"area_uncertainty": 1.5}, "area_uncertainty must be"),
        ({"node": 45}, "node must be a known key"),
    ],
)
def test_a_wrong_table_is_one_sentence(changes: dict[str, Any], message: str) -> None:
    content = read_mapping(FILE)
    for key, value in changes.items():
        content[key] = content.get(key, {}) | value if isinstance(value, dict) else value
    content["events"] = {k: v for k, v in content["events"].items() if v is not None}
    with pytest.raises(ConfigError, match=message):
        validate_spec(EnergyTable, content, source="table.yaml")
