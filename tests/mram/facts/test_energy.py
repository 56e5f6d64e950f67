"""The table of energies is complete, each figure with its source."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.errors import ConfigError
from hwgen.files.load import read_mapping, validate_spec
from hwgen.mram.facts.arch import load_arch
from hwgen.mram.facts.energy import DERIVED, PRICED, EnergyTable, Price, load_energy, size_of
from hwgen.mram.facts.events import EVENTS, MODEL_EVENTS

CONFIGS = Path(__file__).parents[3] / "configs"
FILE = CONFIGS / "energy" / "mram_45nm.yaml"
PAPER = load_arch(CONFIGS / "mram" / "paper.yaml")


def test_every_event_has_one_cited_price() -> None:
    table = load_energy(FILE)
    assert table.name == FILE.stem
    assert {*table.events, *DERIVED} == {*EVENTS, *MODEL_EVENTS}
    assert set(table.events) == set(PRICED)
    for entry in (
        *table.events.values(),
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
    assert size_of("result", PAPER) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"events": {"sums": None}}, "events.sums must be present, got nothing"),
        ({"events": {"ands": {}}}, "events must be events of the chip, got ands"),
        ({"events": {"sums": {"pj": -1.0}}}, "events.sums.pj must be greater than 0, got -1.0"),
        ({"events": {"sums": {"unit": "row"}}}, "events.sums.unit must be"),
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
                old = content["events"].get(name, asdict(load_energy(FILE).events["sums"]))
                content["events"][name] = old | entry
    with pytest.raises(ConfigError, match=message):
        validate_spec(EnergyTable, content, source="table.yaml")
