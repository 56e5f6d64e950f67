"""Heads are padded by zeros: no other integer changes, and layers beside do it where they can."""

from dataclasses import replace

import numpy as np
import pytest

from golden.network import infer
from golden.states import calls
from hwgen.network import MatMul, QuantizedNetwork
from hwgen.network.check import check_network
from hwgen.network.decoding import decode
from hwgen.network.padded_heads import with_heads_padded
from verif.dbpim.decoders import DecoderShape, drawn_decoder

SHAPE = DecoderShape(blocks=2, width=24, heads=4, hidden=16, tokens=7)


def sides(network: QuantizedNetwork) -> set[int]:
    """Return the channels of all heads."""
    products = (each for each in network.layers if isinstance(each, MatMul))
    return {network.map_of(each.inputs[1]).channels // each.groups for each in products}


def agree(one: QuantizedNetwork, other: QuantizedNetwork, least: int) -> None:
    """Hold that all maps of one name and one size are equal, at least so many."""
    images = np.random.default_rng(0).integers(0, 256, (3, *one.graph.input.shape), np.uint8)
    wanted, found = infer(one, images), infer(other, images)
    same = [name for name in wanted if name in found and wanted[name].shape == found[name].shape]
    assert len(same) >= least and one.answer in same
    assert all((wanted[name] == found[name]).all() for name in same)


@pytest.mark.promise("heads of any channels are padded to words by zeros; all other integers stay")
@pytest.mark.parametrize(("multiple", "side"), [(4, 8), (8, 8), (5, 10), (16, 16)])
def test_heads_are_padded(multiple: int, side: int) -> None:
    network = drawn_decoder(1, SHAPE)
    padded = with_heads_padded(network, multiple)
    check_network(padded, source="padded")
    assert sides(network) == {6} and sides(padded) == {side}
    assert len(padded.layers) == len(network.layers)  # filters and weights of zeros do it
    agree(network, padded, least=14)
    for again, same in ((network, 3), (padded, side)):
        assert with_heads_padded(again, same).digest == again.digest


def test_what_no_convolution_writes_or_reads_is_selected() -> None:
    network = drawn_decoder(1, replace(SHAPE, blocks=1), placed=True)
    padded = with_heads_padded(network, 8)
    check_network(padded, source="padded")
    # Keys are products, not sums: a selection stands behind them.
    assert len(padded.layers) == len(network.layers) + 1
    agree(network, padded, least=10)
    mixed = next(each for each in network.layers if each.op == "matmul" and not each.transposed)
    key = next(each.inputs[1] for each in network.layers if each.op == "matmul")
    shown = replace(network.graph, outputs=(network.answer, mixed.name, mixed.inputs[1], key))
    network = replace(network, graph=shown)
    padded = with_heads_padded(network, 8)
    check_network(padded, source="padded")
    assert len(padded.layers) == len(network.layers) + 3
    agree(network, padded, least=13)


@pytest.mark.parametrize("seed", range(3))
def test_a_step_of_padded_heads_is_the_step(seed: int) -> None:
    network = drawn_decoder(seed, SHAPE)
    step, padded = decode(network), decode(with_heads_padded(network, 16))
    images = np.random.default_rng(seed).integers(0, 256, (7, *step.graph.input.shape), np.uint8)
    one, other = calls(step, images), calls(padded, images)
    assert (one[step.answer] == other[step.answer]).all()
