"""Flipped cells by voltage: between points, outside of them, and files that cannot be."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from hwgen.chip.effects import DeviceEffects, check_taken, load_effects
from hwgen.chip.supply import SupplyTable
from hwgen.errors import ConfigError
from hwgen.files.load import validate_spec
from hwgen.files.shipped import tables

TABLE = {
    "volts": 0.6,
    "nominal_volts": 1.0,
    "flips": [
        {"volts": 0.5, "flipped": 1e-2},
        {"volts": 0.6, "flipped": 1e-4},
        {"volts": 0.7, "flipped": 1e-5},
    ],
}


def given(**changes: Any) -> SupplyTable:
    return validate_spec(SupplyTable, {**TABLE, **changes}, source="mine.yaml")


@pytest.mark.parametrize(
    ("volts", "flipped"),
    [(0.5, 1e-2), (0.55, 1e-3), (0.6, 1e-4), (0.65, 10**-4.5), (0.7, 1e-5), (0.71, 0), (1.0, 0)],
)
def test_between_measured_voltages_the_logarithm_is_on_a_line(volts: float, flipped: float) -> None:
    assert given(volts=volts).flipped == pytest.approx(flipped)
    assert given(volts=volts).energy == pytest.approx(volts**2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"volts": 0.49},
            r"supply\.volts must be from 0\.5, the lowest measured, to 1, nominal, got 0\.49",
        ),
        ({"volts": 1.1}, "supply.volts must be from 0.5"),
        (
            {"nominal_volts": 0.65},
            "supply.flips.volts must be at most nominal_volts, 0.65, got 0.7",
        ),
        ({"flips": TABLE["flips"][::-1]}, "supply.flips.volts must be rising"),
        ({"flips": [{**each, "flipped": 0.1} for each in TABLE["flips"]]}, "must be falling with"),
        ({"flips": TABLE["flips"][:1]}, "flips"),
    ],
)
def test_a_table_that_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        given(**changes)
    assert "\n" not in str(error.value)


def shipped() -> DeviceEffects:
    return load_effects(tables("effects")["effects/sram_28nm"])


def test_the_chip_that_ships_says_what_was_counted() -> None:
    effects = shipped()
    assert effects.supply is not None
    bits = 2060 * 18 * 1024
    counted = [23706, 7520, 2732, 772, 146, 24, 4]
    for point, faults in zip(effects.supply.flips, counted, strict=True):
        assert point.flipped == pytest.approx(faults / bits, rel=5e-3)


def test_the_voltage_decides_the_digest_by_what_flips_alone() -> None:
    effects = shipped()
    assert effects.supply is not None
    by_hand = replace(
        effects, supply=None, cells=replace(effects.cells, flipped=effects.supply.flipped)
    )
    lower = replace(effects, supply=replace(effects.supply, volts=0.55))
    assert effects.digest == by_hand.digest != lower.digest
    assert effects.flipped == by_hand.flipped < lower.flipped


def test_beside_a_share_and_of_other_families_it_is_refused() -> None:
    plain = asdict(shipped())
    plain["cells"]["flipped"] = 0.1
    with pytest.raises(ConfigError, match=r"cells\.flipped must be 0 beside a table of voltages"):
        validate_spec(DeviceEffects, plain, source="mine.yaml")
    with pytest.raises(
        ConfigError, match=r"^supply must be left out, since chips of the family mram"
    ):
        check_taken(shipped(), ("cells.failed_writes",), "mram")
