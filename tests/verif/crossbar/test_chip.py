"""Whole chips compute whole networks: all maps exact, all starts and all cycles as promised."""

from pathlib import Path

import pytest

from hwgen.crossbar.compiler.quantized import crossbar_network
from hwgen.crossbar.facts import chip as facts
from hwgen.crossbar.rtl.chip import Chip
from hwgen.crossbar.rtl.macro import Macro
from hwgen.network.file import load_network
from tests.verif.crossbar.chip_runs import WholeRun, run_whole
from tests.verif.crossbar.whole import (
    answers_design,
    chip_for,
    design,
    joined_design,
    joined_network,
    plain_network,
)
from verif.lint import lint_part

ROOT = Path(__file__).parents[3]


def check(whole: WholeRun) -> None:
    """Hold maps, starts and cycles to golden, to the conductor and to the model."""
    whole.compare()
    whole.compare_starts()
    whole.compare_cycles()


def partners() -> facts.Chip:
    """Two layers share two macros and gather in one of them; the sums of the third travel."""
    found = design(
        plain_network(),
        copies=[4, 2, 1],
        macros=[2, 0, 2],
        partner=[1, 0, -1],
        clocks=[1, 1, 2],
        side=16,
    )
    return chip_for(found, "partners")


@pytest.mark.dear("plain")
@pytest.mark.promise(
    "a chip computes a network whole, a stream of images, with all starts and cycles as promised"
)
@pytest.mark.parametrize("name", ["plain", "answers"])
def test_a_whole_chip_is_clean(name: str) -> None:
    """The image of the second one is a single beat."""
    plain = design(plain_network(), copies=[1, 1, 1], macros=[1, 1, 1], clocks=[1, 1, 4])
    chip = chip_for(plain if name == "plain" else answers_design(), name)
    macros = [Macro(chip=chip, macro=one.macro) for one in chip.macros]
    assert lint_part(Chip(chip=chip, macros=macros)) == ""


@pytest.mark.long
def test_partners_gather_and_chain(tmp_path: Path) -> None:
    check(run_whole(partners(), plain_network(), tmp_path, images=2))


@pytest.mark.long
def test_functions_and_concatenations(tmp_path: Path) -> None:
    """Maps of one macro and of others side by side, in units that cut them anywhere."""
    chip = chip_for(joined_design(), "joined")
    check(run_whole(chip, joined_network(), tmp_path, images=2))


@pytest.mark.long
def test_the_digits_network(tmp_path: Path) -> None:
    """A copy and a macro of each layer with weights; poolings and an addition beside them."""
    network = load_network(ROOT / "configs/networks/digits_small_cnn.npz")
    layers = crossbar_network(network).layers
    found = design(
        network,
        copies=[1] * len(layers),
        macros=[int(layer.has_weights) for layer in layers],
        clocks=[4 if layer.kind == "fc" else 1 for layer in layers],
        side=64,
        bus_bits=256,
    )
    check(run_whole(chip_for(found, "digits"), network, tmp_path, images=2))
