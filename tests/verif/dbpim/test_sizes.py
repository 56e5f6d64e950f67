"""Chips of other sizes: each is clean for lint and runs a network as golden and model predict."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import Arch, MacroSize, Sparsity
from hwgen.dbpim.rtl.chip import Chip
from hwgen.network import QuantizedNetwork
from tests.verif.dbpim.chips import check_chip, compiled
from verif.dbpim.component import small
from verif.dbpim.random_network import Recipe, random_images, random_network
from verif.lint import lint_part

PORTS = (64, 128, 256, 512)
FACTORS: dict[str, tuple[int, int]] = {
    "cores": (1, 2),
    "macros": (1, 2),
    "compartments": (8, 16),
    "columns": (8, 16),
    "rows": (4, 32),
    "sparse": (0, 1),
    "ahead": (16, 128),
    "packed": (0, 1),
}
"""Two values of each size beside the port."""

RECIPE = Recipe(
    height=7,
    width=6,
    channels=3,
    kinds=("conv", "depthwise", "residual", "max_pool", "inverted", "average_pool"),
    filters=(37, 40),
    pruned_share=0.3,
)
OPERATIONS = {"conv", "add", "max_pool", "average_pool", "linear"}

Size = dict[str, int]


def grid() -> Iterator[Size]:
    """Yield two sizes a port, one the opposite of the other, so that each pair of values occurs.

    Factor n takes its values by the bits of n over the ports. No two factors have equal or
    opposite bits, so two factors are equal at one port and differ at another one.
    """
    for port, opposite in itertools.product(range(len(PORTS)), range(2)):
        chosen = {
            name: values[(number >> port & 1) ^ opposite]
            for number, (name, values) in enumerate(FACTORS.items())
        }
        yield {"port": PORTS[port], **chosen}


GRID = list(grid())
SAMPLE = random.Random(4).sample(GRID, 1)


def name_of(size: Size) -> str:
    """Return a name for people: every value behind the first letters of its factor."""
    return "_".join(f"{name[:4]}{value}" for name, value in size.items())


def arch_of(size: Size) -> Arch:
    """Return a chip of a size; what the grid leaves open follows from it."""
    macros, compartments, rows = size["macros"], size["compartments"], size["rows"]
    sparse = bool(size["sparse"])
    return replace(
        small(),
        name=name_of(size),
        cores=size["cores"],
        macros_per_core=macros,
        macro=MacroSize(compartments=compartments, columns=size["columns"], rows=rows),
        tile_rows=rows // 2,
        buffer_bytes=1 << 14,
        psum_entries=16,
        mask_bytes=compartments * rows,
        simd_lanes=macros * compartments // 2,
        bus_words=macros,
        logit_entries=64,
        port_bits=size["port"],
        read_ahead_beats=size["ahead"],
        packed_weights=bool(size["packed"]),
        sparsity=Sparsity(weight_bits=sparse, weight_values=sparse, input_bits=sparse),
    )


def network() -> QuantizedNetwork:
    return random_network(RECIPE, seed=4)


def check_size(size: Size, folder: Path) -> None:
    """Lint the chip of a size, then compare a network of several tiles on it in full."""
    arch = arch_of(size)
    assert lint_part(Chip(arch=arch)) == ""
    check_chip(network(), arch, random_images(network(), 1, seed=1), folder)


@pytest.mark.promise(
    "chips of other cores, macros, compartments, columns, rows and ports are clean and exact,"
    " dense and sparse"
)
def test_each_pair_of_values_occurs() -> None:
    levels = {"port": PORTS, **FACTORS}
    for first, second in itertools.combinations(levels, 2):
        found = {(size[first], size[second]) for size in GRID}
        assert found == set(itertools.product(levels[first], levels[second])), (first, second)


@pytest.mark.dear
def test_the_network_has_every_operation_and_several_tiles() -> None:
    whole = network()
    assert {layer.op for layer in whole.graph.layers} >= OPERATIONS
    assert any(layer.op == "conv" and layer.groups > 1 for layer in whole.graph.layers)
    for size in GRID:
        steps = compiled(whole, arch_of(size)).facts.steps
        assert max(step.tiles for step in steps if step.op == "conv") > 1, name_of(size)


@pytest.mark.long
@pytest.mark.parametrize("size", SAMPLE, ids=name_of)
def test_a_sample_of_the_sizes(size: Size, tmp_path: Path) -> None:
    check_size(size, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("size", GRID, ids=name_of)
def test_every_size(size: Size, tmp_path: Path) -> None:
    check_size(size, tmp_path)
