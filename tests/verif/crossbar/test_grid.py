"""Macros compute small networks at every point of crossbars, bits and rates, and random ones."""

from pathlib import Path
from typing import Any

import pytest

from tests.verif.crossbar.grid import CONV, GRID, HEAD, THREE, point
from tests.verif.crossbar.random_macros import random_macro
from tests.verif.crossbar.test_macro import run_facts

DEFAULT = ["64 rows, cells of 4 bits, DACs of 4, 4 samples a clock", "concatenations"]
SHORT = (3, 25, 54, 58)
"""Seeds of random macros that run for at most 2,000 clocks."""


@pytest.mark.dear("concatenations")
@pytest.mark.promise(
    "small networks at every point of crossbars, bits, rates and words are exact, with"
    " functions, groups, means and concatenations"
)
@pytest.mark.parametrize("name", DEFAULT)
def test_a_point_of_each_end(name: str, icarus: str, tmp_path: Path) -> None:
    run_facts(GRID[name], tmp_path, icarus)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in GRID if name not in DEFAULT])
def test_every_point(name: str, icarus: str, tmp_path: Path) -> None:
    run_facts(GRID[name], tmp_path, icarus)


ENDS = {
    "layers": [
        {**CONV, **THREE, "name": "one", "in_channels": 3, "out_channels": 2},
        {**HEAD, "name": "head", "in_channels": 18, "out_channels": 3, "providers": [0]},
    ],
    "copies": [4, 1],
    "adcs": 5,
    "raw": True,
    **point(16, 2, 2),
}


@pytest.mark.promise(
    "columns, partial sums, sums of 32 bits and results are exact at both of their ends"
)
def test_columns_and_sums_at_their_greatest(icarus: str, tmp_path: Path) -> None:
    run_facts(ENDS, tmp_path, icarus, end="greatest")


@pytest.mark.long
@pytest.mark.parametrize("end", ["least", "alternating"])
def test_columns_and_sums_at_other_ends(end: str, icarus: str, tmp_path: Path) -> None:
    run_facts(ENDS, tmp_path, icarus, end=end)


def drawn(seed: int, icarus: str, folder: Path) -> None:
    """Run a random macro."""
    facts: dict[str, Any] = random_macro(seed)
    run_facts(facts, folder, icarus, seed=seed)


@pytest.mark.dear("25")
@pytest.mark.promise("random networks in up to three macros are exact")
@pytest.mark.parametrize("seed", SHORT)
def test_random_macros(seed: int, icarus: str, tmp_path: Path) -> None:
    drawn(seed, icarus, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", sorted(set(range(60)) - set(SHORT)))
def test_more_random_macros(seed: int, icarus: str, tmp_path: Path) -> None:
    drawn(seed, icarus, tmp_path)
