"""Predicted events, worked by hand; what each switch takes away; what a run adds up."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts.arch import load_arch, with_sparsity
from hwgen.dbpim.facts.events import CHIP_EVENTS, CORE_EVENTS
from hwgen.dbpim.model import CycleModel, Prediction
from hwgen.dbpim.model.vectors import vectors_of, words_read
from hwgen.network import INPUT, QuantizedNetwork
from verif.dbpim.network_builder import NetworkBuilder
from verif.dbpim.random_network import draw_recipe, random_images, random_network

SMALL = load_arch(Path(__file__).parents[3] / "configs" / "dbpim" / "small.yaml")
"""Two cores of two macros with 8 compartments and 16 columns: 8 filters, or 2 dense ones."""


def predict(network: QuantizedNetwork, image: np.ndarray, switches: str) -> Prediction:
    arch = with_sparsity(SMALL, switches)
    return CycleModel(compile_network(network, arch), arch).predict(infer(network, image))


def layer(weights: int | np.ndarray = 3) -> tuple[QuantizedNetwork, np.ndarray]:
    """Return a network of a 1 x 1 layer, 3 channels to 5, and an image of 3 pixels.

    weights: (5, 3), or one for all
    """
    net = NetworkBuilder(name="by hand", shape=(1, 3, 3), seed=1)
    given = np.broadcast_to(weights, (5, 3)).astype(np.int8)
    now = net.conv(INPUT, given, kernel=(1, 1), padding=0)
    net.linear(now, np.full((2, 15), 3, np.int8), head=True)
    return net.build(), np.full((1, 1, 3, 3), 0b101, np.uint8)


def events_of(prediction: Prediction, name: str) -> Counter[str]:
    """Return the events of the steps of a layer."""
    total: Counter[str] = Counter()
    for step in prediction.found:
        if step.layer == name:
            total.update(step.events)
    return total


@pytest.mark.promise(
    "events of a run, and of each step, are predicted and counted on the chip, sparse and dense"
)
def test_events_of_a_step_by_hand() -> None:
    """Three positions of two bit planes on four macros; the fourth has a group of zeros."""
    found = events_of(predict(*layer(), "all"), "conv_0")
    assert set(found) == {*CORE_EVENTS, *CHIP_EVENTS}
    computed = {
        "bit_planes": 3 * 2,
        "inactive_bit_planes": 1,
        "filter_planes": 3 * 2 * 5,
        "column_planes": 3 * 2 * 5 * 2,
        "groups": 4,
        "psum_reads": 0,
        "psum_writes": 0,
        "words": 2,
        "selected_inputs": 2 * 3,
        "bank_reads": 3,
        "results": 3,
        "simd_parts": 0,
    }
    assert {name: found[name] for name in computed} == computed
    stored = {"row_writes": 2 * 2, "mask_beats": 2, "parameter_writes": 2 * 8, "tap_words": 0}
    assert {name: found[name] for name in stored} == stored
    assert found["bank_bytes"] >= 3 * 8


def test_events_of_a_second_walk_by_hand() -> None:
    """The same layer of 85 = 80 + 5: both tiles walk the same inputs, and each counts."""
    found = events_of(predict(*layer(85), "all"), "conv_0")
    once = events_of(predict(*layer(), "all"), "conv_0")
    twice = ("bit_planes", "inactive_bit_planes", "filter_planes", "column_planes", "groups")
    twice += ("words", "selected_inputs", "bank_reads", "row_writes", "mask_beats")
    assert {name: found[name] for name in twice} == {name: 2 * once[name] for name in twice}
    same = ("parameter_writes", "results", "bank_bytes", "bus_bytes")
    assert {name: found[name] for name in same} == {name: once[name] for name in same}
    assert (found["psum_writes"], found["psum_reads"]) == (4, 4)


def test_filters_without_further_digits_take_no_part_in_a_second_walk() -> None:
    """One filter of five has digits 3 and 4, at one input of three."""
    weights = np.full((5, 3), 3)
    weights[2, 1] = 85
    found = events_of(predict(*layer(weights), "all"), "conv_0")
    assert found["bit_planes"] == 2 * 3 * 2
    assert found["filter_planes"] == 3 * 2 * (5 + 1)
    assert found["column_planes"] == 3 * 2 * (5 + 1) * 2
    assert found["selected_inputs"] == 2 * (3 + 1)


def test_every_switch_takes_its_events_away() -> None:
    found = {
        switches: events_of(predict(*layer(), switches), "conv_0")
        for switches in ("none", "input_bits", "weight_bits")
    }
    dense = found["none"]
    # Three groups of two filters meet every position; each takes eight bit planes.
    assert dense["groups"] == 3 * 4
    assert dense["bit_planes"] == 3 * 3 * 8
    assert dense["inactive_bit_planes"] == 3 * 8
    assert dense["filter_planes"] == 3 * 8 * 5
    assert dense["column_planes"] == 3 * 8 * 5 * 8
    assert found["input_bits"]["bit_planes"] == 3 * 3 * 2
    assert found["input_bits"]["inactive_bit_planes"] == 3
    assert found["weight_bits"]["column_planes"] == 3 * 8 * 5 * 2
    assert found["weight_bits"]["groups"] == 4


@pytest.mark.parametrize("switches", ["all", "none"])
def test_a_run_adds_up_its_steps(switches: str) -> None:
    network = random_network(draw_recipe(4), seed=4)
    found = predict(network, random_images(network, 1, seed=4), switches)
    total: Counter[str] = Counter()
    for events in found.step_events:
        total.update(events)
    assert dict(total) == found.events
    first = found.step_events[0]
    assert first["bus_bytes"] > 0
    assert first["bank_bytes"] >= first["bus_bytes"]
    assert found.events["beats_written"] > 0


def test_vectors_follow_each_other_over_rows_and_images() -> None:
    """Patches of 2 x 1 on a map of 1 column and 3 rows: the third row is alone."""
    fields = {"patch": 1, "output_first_row": 0, "output_end_row": 3, "output_width": 1}
    fields |= {"output_image_rows": 5, "start_image_0": 1, "start_y_0": 2, "start_x_0": 0}
    fields |= {"vectors_0": 2, "private_first_0": 7, "private_rows_0": 4}
    found = vectors_of(fields, 0, SMALL)
    assert found.image[:, 0].tolist() == [1, 2]
    assert found.y.tolist() == [[2, 3], [0, 1]]
    assert found.active.tolist() == [[True, False], [True, True]]
    assert found.row.tolist() == [[7, 8], [10, 11]]
    assert found.private.tolist() == [[True, True], [True, False]]
    fields |= {"stride_y": 2, "stride_x": 1, "padding_top": 1, "padding_left": 0}
    fields |= {"input_height": 4, "input_width": 1}
    assert words_read(found, fields, kernel_y=0, kernel_x=0) == 2


def test_positions_that_see_one_pixel_of_a_grown_map_share_its_word() -> None:
    """A row of two pixels, repeated or with zeros between, in vectors of 1 x 2."""
    fields = {"patch": 0, "output_first_row": 0, "output_end_row": 2, "output_width": 4}
    fields |= {"output_image_rows": 2, "start_image_0": 0, "start_y_0": 0, "start_x_0": 0}
    fields |= {"vectors_0": 4, "private_first_0": 0, "private_rows_0": 2}
    fields |= {"stride_y": 1, "stride_x": 1, "padding_top": 0, "padding_left": 0}
    fields |= {"input_height": 1, "input_width": 2, "grow_y": 1, "grow_x": 1, "grow_zeros": 0}
    found = vectors_of(fields, 0, SMALL)
    assert words_read(found, fields, kernel_y=0, kernel_x=0) == 4, "a word a vector of two"
    between = {**fields, "grow_zeros": 1}
    assert words_read(found, between, kernel_y=0, kernel_x=0) == 2, "the pixels themselves"
