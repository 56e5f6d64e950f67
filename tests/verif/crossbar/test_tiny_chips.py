"""Chips of which everything is one: channels, maps, windows, answers. Verilator says nothing."""

from pathlib import Path

import pytest

from hwgen.crossbar.compiler.quantized import crossbar_network
from hwgen.crossbar.facts.arch import load_arch
from hwgen.crossbar.model.record import make_arch
from hwgen.crossbar.rtl import make_chip
from tests.verif.crossbar.random_chips import Recipe as Budget
from tests.verif.crossbar.random_chips import cheap, find_chip
from tests.verif.crossbar.test_cases import CASES
from tests.verif.crossbar.whole import design
from verif.crossbar.random_network import ENDS, KINDS, Recipe, random_network
from verif.lint import lint_part

QUICK = (3, 7)
SPOKEN_OF = ("ans1", "sub1", "c_add1", "c_cat11")
"""Networks of whose chips Verilator once spoke, though not of its shipped ones."""


def tiny(place: int) -> Recipe:
    """Return layers of one channel and pixel; all places together have every kind and end."""
    return Recipe(
        height=1 + place % 2,
        width=1 + place // 2 % 2,
        channels=1,
        classes=1,
        kinds=KINDS[place :: len(ENDS)],
        end=ENDS[place],
        filters=(1,),
    )


def check(place: int) -> None:
    """Lint the chip with one copy of each layer."""
    network = random_network(tiny(place), seed=place)
    layers = crossbar_network(network).layers
    found = design(
        network,
        copies=[1] * len(layers),
        macros=[int(layer.has_weights) for layer in layers],
        clocks=[4 if layer.kind == "fc" else 1 for layer in layers],
        side=16,
    )
    assert lint_part(make_chip(make_arch(found, "tiny"))) == ""


@pytest.mark.dear("3")
@pytest.mark.promise(
    "chips whose layers have one channel, one pixel or one tap are lint-clean, as all are"
)
@pytest.mark.parametrize("place", QUICK)
def test_a_tiny_chip_is_clean(place: int) -> None:
    check(place)


@pytest.mark.long
@pytest.mark.parametrize("place", range(len(ENDS)))
def test_every_tiny_chip_is_clean(place: int) -> None:
    check(place)


@pytest.mark.dear
@pytest.mark.parametrize("name", SPOKEN_OF)
def test_a_chip_of_the_search_is_clean(name: str, tmp_path: Path) -> None:
    with cheap():
        chip = find_chip(CASES / f"{name}.npz", Budget(factor=3.0, objective="image"), tmp_path)
    assert lint_part(make_chip(load_arch(chip))) == ""
