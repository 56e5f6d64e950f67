"""Products, factors, dilation and what is not square, against the reference: event for event."""

from dataclasses import replace
from itertools import accumulate

import pytest

from hwgen.crossbar.compiler import shipped_network
from hwgen.crossbar.facts.layout import first_needed, last_needed
from hwgen.crossbar.facts.network import Columns, CrossbarLayer
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT
from hwgen.crossbar.model.tables import ADDING, make_tables
from hwgen.errors import ConfigError
from tests.crossbar.model.designs import COMPONENTS, compiled_of
from tests.crossbar.model.layers import layer
from tests.crossbar.model.test_exact import check
from tests.crossbar.model.wide_designs import wide_case
from verif.reference.crossbar import evaluate

VGG13 = "20d0dd0bd9087e191a266bc27c027e89d9a2eb782696800145e2890a9540acb7"
"""As it was before anything but squares."""

FEW = range(30)
MANY = range(30, 600)


@pytest.mark.promise(
    "products, factors, dilation and what is not square are in both evaluators, event for"
    " event; published rules refuse them"
)
@pytest.mark.parametrize("seed", FEW)
def test_random(seed: int) -> None:
    check(wide_case(seed), events=True)


@pytest.mark.long
@pytest.mark.parametrize("seed", MANY)
def test_many_random(seed: int) -> None:
    check(wide_case(seed), events=True)


def test_the_cases_hold_what_they_should() -> None:
    """Most of them fit, and every kind of layer is in several."""
    cases = [wide_case(seed) for seed in FEW]
    layers = [one for case in cases for one in case.network.layers]
    gates = [
        one
        for case in cases
        for one in case.network.layers
        if one.product and any(case.network.layers[p].pixels < one.pixels for p in one.providers)
    ]
    assert len(gates) > 5 and sum(one.product for one in layers) > len(gates) + 2
    assert sum(one.dilation != (1, 1) for one in layers) > 10
    assert sum(one.kernels[0] != one.kernels[1] for one in layers) > 10
    assert sum(not evaluate(case).failure for case in cases) > len(FEW) // 2


def pixels_read(one: CrossbarLayer, pixel: int) -> list[int]:
    """Return the pixels (from 1) of a provider that an output pixel reads, tap by tap.

    Of a tap outside of the map the pixel beside it, which decides where a clipped window ends.
    """
    if one.kind == "eltwise":
        return [pixel + 1]
    at = divmod(pixel, one.out_sides[1])
    rows, columns = (
        [
            min(side - 1, max(0, at[axis] * one.strides[axis] - one.paddings[axis] + tap))
            for tap in range(one.spans[axis])
        ]
        for axis, side in enumerate(one.in_sides)
    )
    return [row * one.in_sides[1] + column + 1 for row in rows for column in columns]


@pytest.mark.parametrize("seed", FEW)
def test_windows_hold_every_tap(seed: int) -> None:
    """Strict: nothing that an earlier pixel read is forgotten, nor what a later one reads."""
    for one in wide_case(seed).network.layers:
        if one.kind == "fc":
            continue
        read = [pixels_read(one, pixel) for pixel in range(one.pixels)]
        last = accumulate(map(max, read), max)
        first = accumulate(map(min, reversed(read)), min)
        assert last_needed(one, STRICT) == tuple(last)
        assert first_needed(one) == tuple(first)[::-1]
        assert last_needed(one, PUBLISHED) == tuple(map(max, read))


def test_a_dilated_window_by_hand() -> None:
    """Three rows that are two apart, over a map of 5 x 2 with two rows of padding at the top."""
    square = layer("a", "conv", (), (3, 8), (5, 5), window=(3, 1, 2))
    columns = Columns(kernel=1, stride=1, padding=0, in_side=2, out_side=2)
    tall = replace(square, dilation=(2, 1), columns=columns)
    assert last_needed(tall, STRICT) == (5, 6, 7, 8, 9, 10, 10, 10, 10, 10)
    assert first_needed(tall) == (1, 1, 1, 1, 1, 2, 3, 4, 5, 6)
    assert (tall.taps, tall.pixels, tall.operations) == (3, 10, 2 * 3 * 3 * 8 * 10)


def test_a_product_is_as_many_additions_as_an_element_has_bits() -> None:
    for seed in FEW:
        case = wide_case(seed)
        tables, _ = compiled_of(case)
        lanes = COMPONENTS.vector_units.lanes
        for place, one in enumerate(case.network.layers):
            if one.product:
                bits = case.components.activation_bits
                assert tables.work[place, ADDING] == -(-one.out_channels // lanes) * bits


def test_published_rules_do_not_know_them() -> None:
    case = wide_case(0)
    with pytest.raises(ConfigError) as caught:
        make_tables(case.network, COMPONENTS, case.point, 5.0, PUBLISHED)
    assert str(caught.value) == (
        "rules must be strict where maps or windows are not square, dilated or multiplied,"
        " got published for layer0 (wide)"
    )


def test_digests_of_square_networks_are_older() -> None:
    """What is new stands in a digest only where it is used."""
    vgg13 = shipped_network("vgg13")
    maximum = [replace(one, average=False) for one in vgg13.layers]
    assert replace(vgg13, layers=tuple(maximum)).digest == VGG13
    assert any(one.average for one in vgg13.layers) and vgg13.digest != VGG13
    wide = wide_case(0).network
    others = [replace(one, dilation=(7, 7)) for one in wide.layers]
    assert replace(wide, layers=tuple(others)).digest != wide.digest
