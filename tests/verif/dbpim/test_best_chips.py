"""The best chips found of each kind, in Verilog: clean, and equal to golden and model."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.rtl.chip import Chip
from tests.verif.dbpim.chips import CONFIGS, check_chip
from verif.dbpim.random_network import draw_recipe, random_images, random_network
from verif.lint import lint_part

BEST = sorted(path.stem for path in (CONFIGS / "dbpim").glob("best_*.yaml"))


@pytest.mark.long
@pytest.mark.promise("the best chip found of each of six kinds ships, and runs what its kind runs")
@pytest.mark.parametrize("name", BEST)
def test_a_drawn_network_is_equal_in_rtl(name: str, tmp_path: Path) -> None:
    arch = load_arch(CONFIGS / "dbpim" / f"{name}.yaml")
    recipe = replace(
        draw_recipe(2), weight_bits=arch.macro.weight_bits, max_digits=1 + (not arch.pairs)
    )
    network = random_network(recipe, seed=2)
    check_chip(network, arch, random_images(network, 2, seed=2), tmp_path)


@pytest.mark.long
@pytest.mark.promise("Verilator -Wall is silent")
@pytest.mark.parametrize("name", BEST)
def test_lint_clean(name: str) -> None:
    assert lint_part(Chip(arch=load_arch(CONFIGS / "dbpim" / f"{name}.yaml"))) == ""
