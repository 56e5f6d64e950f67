"""A network gives every array of its layers by name, and after them what its host needs."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.network import QuantizedNetwork
from hwgen.network.check import check_network
from hwgen.network.host import RawImage
from tests.network.changes import BYTES, HEAD, TOKENS, graphed, refused
from verif.dbpim.directed_network import directed


def test_arrays_of_every_layer_and_of_the_host() -> None:
    network = directed("squeeze_and_excite")
    names = [
        f"{layer}.{key}"
        for layer in sorted({*network.parameters, *network.tables, *network.held})
        for key in network.arrays_of(layer)
    ]
    assert network.parameters and network.tables
    assert list(network.arrays()) == names
    places = np.arange(3, dtype=np.int32)
    told = replace(network, raw_image=RawImage(steps=(), byte=1.0), answer_places=places)
    assert list(told.arrays()) == names + list(told.host_arrays())
    assert len(told.host_arrays()) == 2


def test_a_network_says_what_older_chips_lack() -> None:
    assert BYTES.newer_layers() == ""
    assert TOKENS.newer_layers().endswith(f" of {len(TOKENS.layers)} layers")
    assert "2 constant, 1 stack, 2 layer_norm, 2 matmul, 1 softmax" in TOKENS.newer_layers()


def test_networks_share_no_tables() -> None:
    one, other = QuantizedNetwork(graph=BYTES.graph), QuantizedNetwork(graph=BYTES.graph)
    one.parameters["conv"] = BYTES.parameters[HEAD]
    assert (other.parameters, other.tables, other.held) == ({}, {}, {})


def test_raw_sums_of_unlike_scales_are_compared_as_numbers() -> None:
    """The host multiplies each channel by its scale: 8 x 1 is less than 5 x 2."""
    shape = BYTES.map_of(HEAD).shape
    scales = np.ones(shape[-1], np.float32)
    answers = np.zeros((2, *shape), np.int32)
    answers[1, ..., 0], answers[1, ..., 1] = 8, 5
    for scale, wanted in ((1, [8, 5]), (2, [8, 10])):
        scales[1] = scale
        weights = replace(BYTES.parameters[HEAD], weight_scale=scales)
        network = replace(BYTES, parameters={**BYTES.parameters, HEAD: weights})
        scores = network.scores(answers)
        assert scores.shape == (2, answers[0].size)
        assert scores[1, :2].tolist() == wanted and not scores[0].any()


@pytest.mark.parametrize("dtype", [np.int32, np.float64])
def test_places_of_an_answer_are_int64(dtype: type) -> None:
    places = np.arange(3).astype(dtype)
    assert refused(replace(BYTES, answer_places=places)) == (
        f"answer_places must be int64, of at least one element, got {np.dtype(dtype)}, 3"
    )


def test_an_answer_in_another_order_has_a_name_for_each_place() -> None:
    network = graphed(BYTES, class_names=["one", "two", "three"])
    check_network(replace(network, answer_places=np.array([2, 0, 1])), source="here")
    assert refused(replace(network, answer_places=np.array([2, 0]))) == (
        "class_names must be empty or 2 names, got 3 names"
    )
