"""Rows of crossbars: golden's order and weights give the cells that the lowering writes."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from golden.crossbar.effects import erring
from golden.crossbar.rows import sections_of, shares_of
from golden.network import infer
from hwgen.crossbar.compiler import compile_network
from hwgen.crossbar.compiler.quantized import crossbar_network
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.model.record import make_arch
from hwgen.network import Conv, QuantizedNetwork
from tests.golden.crossbar.test_effects import NONE
from tests.verif.crossbar.whole import design, joined_design, joined_network
from verif.common.drawing import Drawing, draw_images
from verif.crossbar.random_network import draw_recipe, random_network

SEEDS = range(40)


@cache
def drawn(seed: int) -> tuple[QuantizedNetwork, Arch]:
    """Return a network and a chip of it that errs, with copies of its layers; 0: joined maps."""
    if not seed:
        found, network = joined_design(), joined_network()
        return network, replace(make_arch(found, "joined"), effects=True)
    rng, network = np.random.default_rng(seed), random_network(draw_recipe(seed), seed=seed)
    layers = crossbar_network(network).layers
    copies = [int(rng.integers(1, min(4, layer.pixels) + 1)) for layer in layers]
    found = design(
        network,
        copies=copies,
        macros=[int(layer.has_weights) for layer in layers],
        clocks=[16 if layer.has_weights else 1 for layer in layers],
        side=16,
    )
    return network, replace(make_arch(found, f"drawn-{seed}"), effects=True)


@pytest.mark.dear("30")
@pytest.mark.promise("devices without errors hold the cells of the program, whatever its layers")
@pytest.mark.parametrize("seed", SEEDS)
def test_devices_without_errors_hold_the_cells_of_the_program(seed: int) -> None:
    network, arch = drawn(seed)
    program = compile_network(network, arch)
    assert np.array_equal(erring(network, arch, NONE, 1, program).loaded().image, program.image)
    images = draw_images(network, 2, seed=3)
    wanted = infer(network, images)
    found = infer(network, images, sums_by=erring(network, arch, NONE, 1))
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


def conv_behind(*channels: int, groups: int = 1) -> tuple[QuantizedNetwork, Conv]:
    """Return a convolution of 1 x 2 pixels that reads maps of some channels, and its network."""
    drawing = Drawing(1, modes=("full",), shape=(1, 2, 1))
    read = [drawing.conv("input", (channels[0],))]
    read += [drawing.conv("input", (count,), like=read[0]) for count in channels[1:]]
    joined = drawing.concatenate(*read) if len(read) > 1 else read[0]
    name = drawing.conv(drawing.table(joined), (6,), kernel=(1, 2), groups=groups)
    network = drawing.build(name)
    (layer,) = (one for one in network.layers if one.name == name)
    assert isinstance(layer, Conv)
    return network, layer


def test_rows_of_two_providers() -> None:
    """Channels 0 and 1 are of the first one; a row tile has rows of its own."""
    network, layer = conv_behind(2, 1)
    assert shares_of(network, layer.inputs[0]) == [2, 1]
    (whole,) = sections_of(network, layer, 16)
    assert whole.inputs.tolist() == [0, 1, 3, 4, 2, 5]
    weights = network.parameters[layer.name].weights.reshape(6, 6)
    assert np.array_equal(whole.weights, weights[:, whole.inputs].T)
    (cut,) = sections_of(network, layer, 4)
    assert cut.inputs.tolist() == [0, 1, 3, 2, 4, 5]
    windows = np.arange(12).reshape(2, 6)
    assert cut.taken(windows).tolist() == [[0, 1, 3, 2, 4, 5], [6, 7, 9, 8, 10, 11]]


def test_groups_stand_on_a_diagonal() -> None:
    """Of three groups two fit; beside them weights are 0."""
    network, layer = conv_behind(3, groups=3)
    first, last = sections_of(network, layer, 4)
    assert (first.inputs.tolist(), last.inputs.tolist()) == ([0, 1, 3, 4], [2, 5])
    weights = network.parameters[layer.name].weights.reshape(6, 2)
    assert np.array_equal(last.weights, weights[4:].T)
    for row, (tap, group) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        for column in range(4):
            held = weights[column, tap] if column // 2 == group else 0
            assert first.weights[row, column] == held


def test_groups_share_a_section_while_rows_and_columns_hold_them() -> None:
    """Two groups of 2 inputs and 3 outputs: 6 columns, twice as many where a weight is a pair."""
    network, layer = conv_behind(2, groups=2)

    def columns(side: int, *, pairs: bool = False) -> list[int]:
        return [each.weights.shape[1] for each in sections_of(network, layer, side, pairs=pairs)]

    assert columns(6) == [6] and columns(5) == [3, 3]
    assert columns(12, pairs=True) == [6] and columns(11, pairs=True) == [3, 3]
