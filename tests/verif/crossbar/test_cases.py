"""Small networks whose chips once erred: made again by the search, and run as `hwgen run` does."""

from pathlib import Path
from typing import NamedTuple

import pytest

from hwgen.network.file import load_network
from tests.verif.crossbar.random_chips import Recipe, cheap, differences, find_chip, run_chip

CASES = Path(__file__).parent / "cases"
"""Networks, and images of each."""


class Case(NamedTuple):
    """How a network runs: so many images, so many at a time, on a chip of so many least powers."""

    name: str
    images: int
    batch: int = 1
    factor: float = 3.0


QUICK = (Case("pool_small", 2), Case("one2", 1), Case("c_cat11", 2))
LONG = (
    Case("pool_read", 4),
    Case("own_concat", 4),
    Case("own_concat", 5, 5),
    Case("gap_11x11", 2),
    Case("vgg2", 1),
    Case("stem", 1),
    Case("heads4", 2, 2),
    Case("own_shortcut", 1),
    Case("own_depthwise", 5, 5),
    Case("own_residual", 5, 5, 1.2),
    Case("own_x_out", 2),
    Case("own_x_catlast", 2),
    Case("ans1", 2, 2),
    Case("sub1", 2),
    Case("c_add1", 2, 2),
)


def check(case: Case, folder: Path) -> None:
    """Find a chip for the network of a case; hold its answers, maps, starts and cycles."""
    network, images = CASES / f"{case.name}.npz", CASES / f"{case.name}_images.npz"
    with cheap():
        chip = find_chip(network, Recipe(factor=case.factor, objective="stream"), folder)
        count, batch = case.images, case.batch
        report = run_chip(network, chip, images, folder, count=count, batch=batch)
    assert differences(load_network(network), report) == {}


@pytest.mark.dear
@pytest.mark.promise(
    "networks whose chips once erred are equal on the chips that the search finds today"
)
@pytest.mark.parametrize("case", QUICK, ids=str)
def test_networks_that_once_erred(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("case", LONG, ids=str)
def test_more_networks_that_once_erred(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)
