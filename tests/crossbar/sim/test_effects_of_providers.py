"""Layers that read several maps, or have groups, err in Verilog as golden does."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from golden.crossbar.effects import ErringCrossbars, erring
from golden.crossbar.rows import Section
from golden.network import infer
from hwgen.crossbar.compiler import compile_network
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.chip import described
from hwgen.crossbar.facts.point import Cells
from hwgen.crossbar.facts.program import Program
from hwgen.crossbar.model.record import make_arch
from hwgen.crossbar.sim import simulate
from hwgen.network import QuantizedNetwork
from tests.golden.crossbar.test_effects import with_effects
from tests.verif.crossbar.random_chips import cheap
from tests.verif.crossbar.whole import design, joined_design, joined_network
from verif.common.drawing import Drawing, draw_images

SIDE = 16
CHANNELS = 8
"""Of both maps that are read together."""

Case = tuple[QuantizedNetwork, Arch, Program]


def drawn_network(seed: int) -> QuantizedNetwork:
    """Return two maps that a convolution and one with groups read together."""
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.permutation([1, 2, 3])[:2])
    drawing = Drawing(seed, modes=("full",), shape=(height, width, 2))
    around: dict[str, Any] = {"kernel": (2, 2), "padding": (0, 1, 1, 0)}
    channels = int(rng.integers(2, CHANNELS - 1))
    first = drawing.conv("input", (channels,))
    second = drawing.conv(first, (CHANNELS - channels,), like=first)
    both = drawing.concatenate(*rng.permutation([first, second]).tolist())
    third = drawing.conv(both, (int(rng.integers(2, 6)),), **around)
    groups = int(rng.choice([2, 4, 8]))
    grouped = drawing.conv(both, (CHANNELS,), groups=groups, **around)
    return drawing.build(third, grouped)


@cache
def drawn(seed: int, cells: Cells = "offset") -> Case:
    """Return such a network, a chip of it that errs, and its program.

    The convolution has copies in a macro each, or a macro for each of its row tiles.
    """
    rng, network = np.random.default_rng([seed, 1]), drawn_network(seed)
    pixels = network.graph.input.height * network.graph.input.width
    first, second, grouped = (int(rng.integers(1, pixels + 1)) for _ in range(3))
    found = design(
        network,
        copies=[first, second, 1 + seed % 2, max(2, grouped)],
        macros=[1, 1, 2, 1],
        side=SIDE,
        cells=cells,
    )
    arch = replace(make_arch(found, f"drawn-{seed}"), effects=True)
    return network, arch, compile_network(network, arch, images=2)


def some_effects(seed: int) -> Any:
    """Return effects that change answers, some of them by the seed."""
    return with_effects(
        variation=0.1, stuck_at_full=0.02, offset_lsb=2.0, trimmed=bool(seed % 3), voltage_drop=0.1
    )


def wrong_elements(case: Case, chip: ErringCrossbars, loaded: Program) -> int:
    """Return the elements that differ from golden; loaded: the program that the chip has."""
    network, arch, _ = case
    images = draw_images(network, 2, seed=3)
    wanted, exact = infer(network, images, sums_by=chip), infer(network, images)
    assert not np.array_equal(wanted[network.answer], exact[network.answer])
    with cheap():
        (run,) = simulate(arch, loaded, images)
    wrong = 0
    for image, maps in zip(run.images, run.maps, strict=True):
        assert network.answer in maps
        wrong += sum(
            int((found.reshape(wanted[name][image].shape) != wanted[name][image]).sum())
            for name, found in maps.items()
        )
    return wrong


def test_what_is_drawn() -> None:
    """Rows in another order than channels, sections, sums over two macros and copies in each."""
    layers = [layer for seed in (1, 2) for layer in described(drawn(seed)[1]).layers]
    read = [len(described(drawn(seed)[1]).shares_of(2)) for seed in (1, 2)]
    assert read == [2, 2]
    assert any(layer.cut and layer.cut.sections > 1 for layer in layers)
    held = {(one.copies, one.row_tiles) for layer in layers for one in layer.held}
    assert {((0, 1), (0, 1)), ((0, 1), (1, 2)), ((0, 1), (0, 2)), ((1, 2), (0, 2))} <= held


@pytest.mark.promise(
    "a crossbar layer that reads several maps, or has groups, errs in Verilog as golden does, each"
    " copy by its own cells"
)
@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 15))]
)
def test_drawn_networks_err_as_golden_does(seed: int) -> None:
    case = drawn(seed)
    chip = erring(case[0], case[1], some_effects(seed), seed, case[2])
    assert wrong_elements(case, chip, chip.loaded()) == 0


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_network_with_tables_and_joined_maps(seed: int) -> None:
    network, arch = joined_network(), replace(make_arch(joined_design(), "joined"), effects=True)
    case = network, arch, compile_network(network, arch, images=2)
    chip = erring(network, arch, some_effects(seed), seed, case[2])
    assert wrong_elements(case, chip, chip.loaded()) == 0


class OtherOrder(ErringCrossbars):
    """Loads the cells of one provider where those of the other belong: rows as in a window."""

    def _sections_of(self, name: str) -> list[Section]:
        found = []
        for section in super()._sections_of(name):
            order = np.argsort(section.inputs)
            found.append(Section(section.inputs[order], section.weights[order]))
        return found


class OtherCopy(ErringCrossbars):
    """Loads each copy with what another one holds."""

    def _tiles_of(self, name: str, section: int, copy: int) -> Any:
        return super()._tiles_of(name, section, self._copies[name] - 1 - copy)


class OtherSection(ErringCrossbars):
    """Loads each section of groups with the cells of another one."""

    def _tiles_of(self, name: str, section: int, copy: int) -> Any:
        return super()._tiles_of(name, len(self._sections_of(name)) - 1 - section, copy)


@pytest.mark.dear("OtherCopy")
@pytest.mark.promise("cells that are loaded into another provider, copy or section are seen")
@pytest.mark.parametrize("fault", [OtherOrder, OtherCopy, OtherSection])
def test_planes_in_another_place_are_seen(fault: type[ErringCrossbars]) -> None:
    network, arch, program = case = drawn(1)
    chip = erring(network, arch, some_effects(1), 1, program)
    planted = fault(network, arch, some_effects(1), 1, program)
    assert wrong_elements(case, chip, planted.loaded()) > 0
