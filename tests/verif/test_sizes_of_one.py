"""Random networks whose image, maps, windows and answers often have a size of 1, in each family.

Golden computes every map, the program is executed or its starts are walked, and the cycle model
predicts it; some run on RTL. `--long` tries two hundred networks of each family.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.network import infer
from hwgen.crossbar.compiler.quantized import crossbar_network
from hwgen.crossbar.facts.chip import described
from hwgen.crossbar.model.record import make_arch
from hwgen.dbpim.model import CycleModel
from hwgen.errors import CompileError
from hwgen.mram.compiler import compile_network
from hwgen.mram.facts.arch import Arch
from hwgen.mram.model import CycleModel as MramModel
from hwgen.mram.sim import simulate
from hwgen.network import QuantizedNetwork
from tests.crossbar.model.conducted import promised_starts
from tests.dbpim.compiler.archs import TINY, draw_arch
from tests.dbpim.compiler.test_execute import check as check_dbpim
from tests.mram.compiler.executor import Chip
from tests.mram.compiler.test_execute import check as check_mram
from tests.verif.crossbar.whole import design
from tests.verif.dbpim.chips import check_chip, chip_arch
from tests.verif.mram import chips as mram_chips
from verif.common.drawing import draw_images
from verif.crossbar.random_network import draw_recipe
from verif.crossbar.random_network import random_network as crossbar_drawn
from verif.dbpim.component import dense
from verif.dbpim.random_network import draw_recipe_of_ones, random_images, random_network
from verif.mram.random_network import OfOnes
from verif.reference.crossbar.walk import walk

COUNT = 200
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"twins": True},
    {"overlap": True, "twins": True},
    {"write_back": True, "input_rows": 17},
)
"""Of mram chips, by turns."""
TOO_LARGE = r"must fit .* rows of every sub-array|must be at most .* on an mram chip"


def dbpim_drawn(seed: int) -> QuantizedNetwork:
    """Return a network for DB-PIM."""
    return random_network(draw_recipe_of_ones(seed), seed=seed)


def in_dbpim(seed: int) -> None:
    """Execute and predict a network on a drawn chip, one without parts, and the tiny one."""
    network, count = dbpim_drawn(seed), 1 + seed % 3
    maps = infer(network, random_images(network, count, seed=seed))
    drawn = draw_arch(seed)
    for arch in (drawn, dense(replace(drawn, input_streams="own")), TINY):
        program, _ = check_dbpim(network, arch, images=count, seed=seed)
        assert CycleModel(program, arch).predict(maps).cycles > 0


def mram_arch(seed: int, name: str = "tiny") -> Arch:
    """Return the chip of a seed."""
    arch = mram_chips.chip_arch(name)
    return replace(arch, **OPTIONS[seed % len(OPTIONS)]) if name == "tiny" else arch


def in_mram(seed: int) -> None:
    """Execute and predict a network on two chips, unless it is too large for one."""
    network = OfOnes(seed).build()
    for arch in (mram_arch(seed), mram_arch(seed, "small")):
        try:
            program = compile_network(network, arch, mapping="positions" if seed % 5 else "seed")
        except CompileError as error:
            assert re.search(TOO_LARGE, str(error))
            continue
        check_mram(network, arch, Chip(program, arch), seed=seed)
        assert MramModel(program, arch).predict(modes=[0]).cycles > 0


def in_crossbar(seed: int) -> None:
    """Walk the starts that the model promises for the chip with one copy of each layer."""
    network, images = crossbar_drawn(draw_recipe(seed), seed=seed), 2
    infer(network, draw_images(network, images, seed=seed))
    layers = crossbar_network(network).layers
    found = design(
        network,
        copies=[1] * len(layers),
        macros=[int(layer.has_weights) for layer in layers],
        clocks=[4 if layer.kind == "fc" else 1 for layer in layers],
        side=128,
    )
    chip = described(make_arch(found, "one"))
    steps = promised_starts(found, images, chip.interval)
    starts = {
        (layer.place, operation.name): np.array(
            [steps[layer.place, index, block] for block in range(images * layer.blocks)]
        )
        for layer in chip.layers
        for index, operation in enumerate(layer.operations)
    }
    assert not walk(chip, starts, images=images, interval=chip.interval)


FAMILIES = {"dbpim": in_dbpim, "mram": in_mram, "crossbar": in_crossbar}


@pytest.mark.dear("dbpim-0")
@pytest.mark.promise(
    "networks whose images, maps, windows and answers have a size of 1 are exact in every family"
)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("family", FAMILIES)
def test_in_golden_and_model(family: str, seed: int) -> None:
    FAMILIES[family](seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4, COUNT))
@pytest.mark.parametrize("family", FAMILIES)
def test_many_in_golden_and_model(family: str, seed: int) -> None:
    FAMILIES[family](seed)


def dbpim_on_rtl(seed: int, folder: Path) -> None:
    """Compare every element and cycle of two images on the tiny chip."""
    network = dbpim_drawn(seed)
    check_chip(network, chip_arch("tiny"), random_images(network, 2, seed=seed), folder)


def mram_on_rtl(seed: int, folder: Path) -> None:
    """Compare every map and cycle of two images, in two modes where there are any."""
    network, arch = OfOnes(seed).build(), mram_arch(seed)
    images, modes = draw_images(network, 2, seed=seed), [len(network.graph.modes) - 1, 0]
    program = mram_chips.compiled(network, arch, images=2)
    (run,) = simulate(arch, program, images, modes=modes, seed=seed)
    mram_chips.check_maps(run, network, images)
    mram_chips.check_cycles(run, program, arch, modes)


ON_RTL = {"dbpim": dbpim_on_rtl, "mram": mram_on_rtl}
"""Crossbar chips belong to a network: `tests.verif.crossbar.random_chips` builds each."""
NO_ROOM = {("mram", 0), ("mram", 7)}
"""Networks that the tiny chip has no room for."""
ONES_ON_RTL = [
    (family, seed)
    for family in ON_RTL
    for seed in (0, 1, *range(3, 16))
    if (family, seed) not in NO_ROOM
]


@pytest.mark.dear("dbpim")
@pytest.mark.parametrize("family", ON_RTL)
def test_on_rtl(family: str, tmp_path: Path) -> None:
    ON_RTL[family](2, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(("family", "seed"), ONES_ON_RTL)
def test_many_on_rtl(family: str, seed: int, tmp_path: Path) -> None:
    ON_RTL[family](seed, tmp_path)
