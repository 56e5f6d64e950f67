"""What a search may vary: every combination of values becomes a chip whose sizes go together."""

import random
from typing import Any

import pytest

from hwgen.commands.subject import configuration_of
from hwgen.commands.sweep import changed_keys, leaves
from hwgen.dbpim.facts.arch import PARTS_ALONE, SWITCHES, Arch, load_arch
from hwgen.dbpim.facts.axes import AXES, START, fitting
from hwgen.files.load import validate_spec
from tests.cli.given import ROOT

PAPER = configuration_of(load_arch(ROOT / f"configs/{START}.yaml"))
KINDS: dict[str, dict[str, Any]] = {
    "digits": {},
    "pairs": {"one_digit": "paired"},
    "shared": {"one_digit": "paired", "input_streams": "shared"},
    "masks": {"sparsity.weight_bits": False},
    "masks4": {"sparsity.weight_bits": False, "macro.weight_bits": 4},
    "dense": {f"sparsity.{switch}": False for switch in SWITCHES} | {"sparse_parts": False},
}
KINDS["dense4"] = KINDS["dense"] | {"macro.weight_bits": 4}


def drawn(seed: int, kind: str = "digits") -> dict[str, Any]:
    chosen = random.Random(seed)
    start = changed_keys(PAPER, KINDS[kind])
    return changed_keys(start, {key: chosen.choice(values) for key, values in AXES.items()})


@pytest.mark.promise("a search draws chips of every kind, and the widest macros that each may have")
@pytest.mark.parametrize("kind", KINDS)
def test_every_combination_of_a_kind_is_a_chip(kind: str) -> None:
    widest = 0
    for seed in range(60):
        arch = validate_spec(Arch, fitting(drawn(seed, kind)), source="drawn")
        widest = max(widest, arch.macro.columns)
    assert widest == (16 if "paired" in str(KINDS[kind]) else 128)


@pytest.mark.parametrize(
    ("kind", "columns"),
    [("digits", 32), ("pairs", 16), ("masks", 128), ("masks4", 64), ("dense", 128), ("dense4", 64)],
)
def test_a_macro_has_as_many_filters_as_a_word_has_channels(kind: str, columns: int) -> None:
    """Words of 16 channels: 16 filters have 32 columns of digits, 64 of four bits, 128 of int8."""
    wide = changed_keys(changed_keys(PAPER, KINDS[kind]), {"macro.columns": 128})
    assert fitting(wide)["macro"]["columns"] == columns


@pytest.mark.parametrize("seed", range(200))
def test_every_combination_is_a_chip(seed: int) -> None:
    found = fitting(drawn(seed))
    arch = validate_spec(Arch, found, source="drawn")
    assert configuration_of(arch) == found
    assert fitting(found) == found


def test_sizes_that_go_together_stay() -> None:
    assert fitting(PAPER) == PAPER
    wide = changed_keys(PAPER, {"macro.compartments": 32, "word_channels": 16})
    assert fitting(wide) == wide


@pytest.mark.parametrize(
    ("values", "key", "found"),
    [
        ({"word_channels": 64}, "word_channels", None),
        ({"macro.compartments": 64, "word_channels": 32}, "word_channels", 32),
        ({"simd_lanes": 128}, "simd_lanes", 64),
        ({"bus_words": 16}, "bus_words", 4),
        ({"macro.rows": 8}, "tile_rows", 4),
        ({"mask_bytes": 4}, "mask_bytes", 64),
        ({"simd_lanes": 8, "lanes_per_requantizer": 16}, "lanes_per_requantizer", 8),
    ],
)
def test_a_size_that_is_too_large_is_the_largest_allowed(
    values: dict[str, int], key: str, found: int | None
) -> None:
    assert fitting(changed_keys(PAPER, values)).get(key) == found


@pytest.mark.promise("a search reaches every chip that ships as the best of its kind")
def test_the_best_chips_are_among_the_values() -> None:
    """A key that a chip leaves out has the largest value, which becomes what the chip has."""
    best = sorted((ROOT / "configs/dbpim").glob("best_*.yaml"))
    assert len(best) == 6
    for file in best:
        configuration = configuration_of(load_arch(file))
        own = leaves(configuration)
        values = {key: own.get(key, each[-1]) for key, each in AXES.items()}
        idle = () if configuration.get("sparse_parts", True) else PARTS_ALONE
        assert all(values[key] in AXES[key] for key in AXES if key not in idle), file.name
        assert fitting(changed_keys(configuration, values)) == configuration


def test_values_are_in_order() -> None:
    assert all(list(values) == sorted(set(values)) for values in AXES.values())
