"""What a search may vary: every combination of values becomes a chip whose sizes go together."""

import random
from typing import Any

import pytest

from hwgen.commands.subject import configuration_of
from hwgen.commands.sweep import changed_keys
from hwgen.files.load import validate_spec
from hwgen.mram.facts.arch import Arch, load_arch
from hwgen.mram.facts.axes import AXES, START, fitting
from tests.cli.given import ROOT

PAPER = configuration_of(load_arch(ROOT / f"configs/{START}.yaml"))


def drawn(seed: int) -> dict[str, Any]:
    chosen = random.Random(seed)
    return changed_keys(PAPER, {key: chosen.choice(values) for key, values in AXES.items()})


@pytest.mark.parametrize("seed", range(200))
def test_every_combination_is_a_chip(seed: int) -> None:
    found = fitting(drawn(seed))
    arch = validate_spec(Arch, found, source="drawn")
    assert found | configuration_of(arch) == found  # keys of their defaults may be left out
    assert fitting(found) == found


def test_sizes_that_go_together_stay() -> None:
    assert fitting(PAPER) == PAPER


@pytest.mark.parametrize(
    ("values", "key", "found"),
    [
        ({"sub_arrays": 4, "block": 16}, "block", 4),
        ({"array.columns": 64, "block": 8}, "block", 4),
        ({"array.columns": 128}, "port_bits", 128),
        ({"array.rows": 64, "input_rows": 64}, "input_rows", 32),
    ],
)
def test_a_size_that_is_too_large_is_the_largest_allowed(
    values: dict[str, int], key: str, found: int
) -> None:
    assert fitting(changed_keys(PAPER, values)).get(key) == found


def test_values_are_in_order() -> None:
    assert all(list(values) == sorted(set(values)) for values in AXES.values())
