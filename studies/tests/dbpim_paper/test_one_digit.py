"""What filters of one digit bring: changed networks, tables, and from which share on it pays."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hwgen_studies.dbpim_paper.one_digit import Subjects, of_one_digit
from hwgen_studies.dbpim_paper.one_digit_page import OneDigitReport, OneDigitRow, break_even, page
from hwgen_studies.dbpim_paper.race_networks import CONFIGS

from hwgen.commands.context import Context
from hwgen.commands.families import load_architecture
from hwgen.fit.digits import digits_of
from hwgen.fit.text import unpruned
from hwgen.network import Linear
from hwgen.network.file import load_network

NETWORK = load_network(CONFIGS / "networks/digits_small_cnn.npz")


def most_digits(weights: np.ndarray) -> np.ndarray:
    """The digits of each filter."""
    return digits_of(weights.reshape(len(weights), -1)).max(axis=1)


def test_all_groups_get_one_digit_and_keep_their_masks() -> None:
    changed = of_one_digit(NETWORK)
    for name, given in NETWORK.parameters.items():
        new = changed.parameters[name].weights
        flat, old = new.reshape(len(new), -1), given.weights.reshape(len(new), -1)
        assert most_digits(new).max() == 1
        assert np.array_equal(unpruned(flat), unpruned(old))


def test_two_groups_get_one_mask() -> None:
    changed = of_one_digit(NETWORK, together=2)
    several = [each.weights for each in changed.parameters.values() if len(each.weights) == 16]
    assert several
    for weights in several:
        assert np.array_equal(weights[:8], weights[8:])


def test_a_share_of_the_groups_or_layers_of_some_kind() -> None:
    half = of_one_digit(NETWORK, share=0.5)
    counts = [most_digits(each.weights)[::8] for each in half.parameters.values()]
    ones = np.concatenate(counts) == 1
    assert 0 < ones.sum() < len(ones)
    assert of_one_digit(NETWORK, share=0.0).digest == NETWORK.digest
    linear = of_one_digit(NETWORK, kinds=(Linear,))
    for layer in NETWORK.layers:
        if layer.name in NETWORK.parameters:
            old, new = (each.parameters[layer.name].weights for each in (NETWORK, linear))
            assert np.array_equal(old, new) is not isinstance(layer, Linear)


def row(share: float, chip: str, cycles: int, area: float) -> OneDigitRow:
    return OneDigitRow(
        part="shares",
        network="one",
        weights="masks",
        chip=chip,
        cycles=cycles,
        area_mm2=area,
        share=share,
    )


def test_it_pays_from_where_speed_outgrows_area() -> None:
    """On 1.2 times the area: a gain of 1 / 1.2 at first, of 1.44 / 1.2 at the end."""
    assert break_even([(0.0, 0.8), (0.5, 0.9), (1.0, 1.1)]) == pytest.approx(0.75)
    assert break_even([(0.0, 0.8), (1.0, 0.9)]) is None
    assert break_even([(0.1, 1.0)]) == 0.1
    rows = [row(0.0, "paper", 120, 1.0), row(0.0, "paper_digits", 120, 1.2)]
    rows += [row(1.0, "paper", 144, 1.0), row(1.0, "paper_digits", 100, 1.2)]
    report = OneDigitReport(
        format="hwgen.report.dbpim_one_digit", version=1, commit="abc", seed=1, rows=rows
    )
    assert "masks: it pays from 45 % of the groups on" in page(report)


def test_cycles_of_a_network_on_a_chip_with_pairs(tmp_path: Path) -> None:
    family, small = load_architecture(CONFIGS / "dbpim/small.yaml")

    pairs = replace(small, one_digit="paired")  # type: ignore[type-var]
    subjects = Subjects(
        part="shares",
        network=of_one_digit(NETWORK),
        name="digits",
        weights="one digit",
        chips=[("small", small), ("pairs", pairs)],
        shown=NETWORK,
        share=1.0,
    )
    alone, paired = subjects.rows(Context(work=tmp_path), family)
    assert paired.cycles < 0.95 * alone.cycles and paired.area_mm2 > alone.area_mm2
