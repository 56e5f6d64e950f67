"""The table of energies is complete, each figure with its source."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.errors import ConfigError
from hwgen.files.load import read_mapping, validate_spec
from hwgen.mram.facts.arch import load_arch
from hwgen.mram.facts.energy import (
    CYCLES,
    DERIVED,
    OF_LOGIC,
    PRICED,
    EnergyTable,
    Price,
    load_energy,
    size_of,
)
from hwgen.mram.facts.events import EVENTS, MODEL_EVENTS

CONFIGS = Path(__file__).parents[3] / "configs"
FILE = CONFIGS / "energy" / "mram_45nm.yaml"
PAPER = load_arch(CONFIGS / "mram" / "paper.yaml")


@pytest.mark.promise(
    "every event has an energy with its source, and so have leakage and area; a wrong table is"
    " one sentence"
)
def test_every_event_has_cited_prices() -> None:
    table = load_energy(FILE)
    assert table.name == FILE.stem
    assert {*table.events, *DERIVED, *OF_LOGIC} == {*EVENTS, *MODEL_EVENTS}
    assert set(table.events) == set(PRICED)
    assert {*OF_LOGIC, CYCLES} <= {one.event for one in table.logic}
    for entry in (
        *table.events.values(),
        *table.logic,
        table.row_drive,
        table.stt_write,
        table.leakage,
        table.area,
    ):
        assert "45 nm" in entry.source


def test_prices_are_those_of_the_reference() -> None:
    events = load_energy(FILE).events
    found = {name: events[name].of(PAPER) for name in ("and_operations", "xor_operations")}
    assert found == {"and_operations": 104, "xor_operations": 235}
    assert events["input_row_writes"].of(PAPER) == events["write_backs"].of(PAPER) == 27.4
    assert events["bank_reads"].of(PAPER) == events["read_backs"].of(PAPER) == 79.5


def test_a_price_grows_with_the_chip() -> None:
    price = Price(pj=6.0, units=3, unit="column", source="here")
    assert price.of(PAPER) == 2 * 512
    assert replace(price, unit="segment_column").of(PAPER) == 2 * 72
    assert replace(price, unit="tree_bit").of(PAPER) == 2 * 504
    assert replace(price, unit="count_bit").of(PAPER) == 2 * 7
    assert replace(price, unit="accumulator_bit").of(PAPER) == 2 * 32
    assert replace(price, unit="lane").of(PAPER) == 2 * 8
    assert replace(price, unit="sub_array").of(PAPER) == 2 * 64
    assert replace(price, unit="octet").of(PAPER) == 2 * 8
    assert replace(price, unit="octet_column").of(PAPER) == 2 * 8 * 512
    assert replace(price, unit="chip_column").of(PAPER) == 2 * 64 * 512
    assert size_of("one", PAPER) == 1


def test_logic_of_an_event_is_all_its_entries() -> None:
    table = load_energy(FILE)
    own = [one for one in table.logic if one.event == CYCLES]
    assert len({one.block for one in own}) > 1
    assert table.logic_of(CYCLES, PAPER) == pytest.approx(sum(one.of(PAPER) for one in own))
    assert table.logic_of("xor_operations", PAPER) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"events": {"bank_reads": None}}, "events.bank_reads must be present, got nothing"),
        ({"events": {"sums": {}}}, "events must be events of arrays, got sums"),
        ({"events": {"bank_reads": {"pj": -1.0}}}, "events.bank_reads.pj must be greater than 0"),
        ({"events": {"bank_reads": {"unit": "row"}}}, "events.bank_reads.unit must be"),
        ({"logic": []}, "logic must be entries of bit_counts, got nothing"),
        ({"leakage": {"source": ""}}, "leakage.source must"),
        ({"node": 45}, "node must be a known key"),
    ],
)
def test_a_wrong_table_is_one_sentence(changes: dict[str, Any], message: str) -> None:
    content = read_mapping(FILE)
    for key, value in changes.items():
        if key != "events":
            content[key] = content[key] | value if isinstance(value, dict) else value
            continue
        for name, entry in value.items():
            if entry is None:
                del content["events"][name]
            else:
                old = content["events"].get(name, asdict(load_energy(FILE).events["bank_reads"]))
                content["events"][name] = old | entry
    with pytest.raises(ConfigError, match=message):
        validate_spec(EnergyTable, content, source="table.yaml")
