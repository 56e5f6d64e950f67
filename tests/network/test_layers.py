"""Kinds of layers check their own fields, each at the ends of what is allowed."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.network import MapQuantization
from hwgen.network.average_pool import AveragePool
from hwgen.network.factors import factor_refusals
from hwgen.network.layer import LayerBase, Surroundings
from hwgen.network.maps import Complaint, FeatureMap
from hwgen.network.mode import layer_in
from hwgen.network.shortcut import Shortcut
from tests.network.changes import BYTES, CONV, MEAN, MODES, MOVED


def a_map(channels: int = 2, bits: int = 8, zero_point: int = 9, low: int = 0) -> FeatureMap:
    """Return a map of 3 x 3 pixels, one mode."""
    return FeatureMap(
        height=3,
        width=3,
        channels=channels,
        mode_channels=(),
        bits=bits,
        quantization=(
            MapQuantization(scale=1.0, zero_point=zero_point, low=low, high=(1 << bits) - 1),
        ),
    )


def complaints(layer: LayerBase, source: FeatureMap) -> list[Complaint]:
    return list(layer.complaints(Surroundings(sources=(source,), modes=1, arrays={})))


@pytest.mark.parametrize(("channels", "wrong"), [(2, 0), (3, 1)])
def test_added_channels_hold_a_zero_that_the_map_has(channels: int, wrong: int) -> None:
    layer = Shortcut(
        name="s",
        op="shortcut",
        source="",
        inputs=("a",),
        stride=(1, 1),
        output=a_map(channels, low=10),
    )
    wanted = ("s.output.quantization.0.zero_point", "from 10 to 255", 9)
    assert complaints(layer, a_map(low=10)) == [wanted] * wrong


@pytest.mark.parametrize(
    ("bits", "center", "allowed"), [(4, 15, True), (4, 16, False), (8, 255, True), (8, 256, False)]
)
def test_a_center_is_an_integer_of_both_maps(bits: int, center: int, allowed: bool) -> None:
    mean = next(layer for layer in BYTES.layers if layer.name == MEAN)
    assert isinstance(mean, AveragePool)
    narrow, wide = (replace(BYTES.map_of(mean.name), bits=each) for each in (bits, 8))
    source = replace(BYTES.map_of(mean.inputs[0]), bits=wide.bits)
    found = complaints(replace(mean, output=narrow, center=center), source)
    wanted = ("average_pool_5.center", "an integer of both maps", center)
    assert (wanted in found) != allowed


def test_a_mean_of_a_whole_window_has_one_multiplier_a_mode() -> None:
    mean = next(layer for layer in MOVED.layers if layer.name == "average_pool_1")
    source = MOVED.map_of("conv_0")
    assert isinstance(mean, AveragePool) and mean.divisor == "inside"
    # 3 x 3 windows, steps of two, a border above and on the left: 4, 6 or 9 pixels inside.
    assert mean.counts(source.height, source.width) == [4, 6, 9]
    [entry] = mean.requantization
    assert len(entry.multipliers) == 3
    whole = replace(
        mean, divisor="window", requantization=(replace(entry, multipliers=(1 << 23,)),)
    )
    assert complaints(whole, source) == []


def test_a_mode_takes_its_own_entry_of_each_table() -> None:
    for mode in range(len(MODES.graph.modes)):
        layer = layer_in(next(each for each in MODES.layers if each.op == "add"), MODES, mode)
        whole = MODES.map_of(layer.name)
        assert layer.output.quantization == (whole.quantization[mode],)
        assert layer.output.channels == whole.channels_in(mode)
    [add] = [each for each in MOVED.layers if each.name == "add_3"]
    pairs = ((31, 33), (32, 34), (33, 35))
    three = replace(
        add,
        operand_shifts=pairs,
        requantization=add.requantization * 3,
        output=replace(add.output, quantization=add.output.quantization * 3),
    )
    for mode, pair in enumerate(pairs):
        assert layer_in(three, MOVED, mode).operand_shifts == (pair,)


def refused(layer: LayerBase, multiplier_bits: int, roundings: tuple[str, ...]) -> list[str]:
    found = factor_refusals(
        MOVED if layer.name.startswith("average") else BYTES,
        layer,
        roundings=roundings,
        multiplier_bits=multiplier_bits,
        factor_bits=multiplier_bits,
    )
    return [key for key, *_ in found]


def test_a_chip_refuses_factors_that_its_requantizers_lack() -> None:
    [mean] = [each for each in MOVED.layers if each.name == "average_pool_1"]
    assert max(mean.requantization[0].multipliers) == 12582912  # 24 bits
    assert refused(mean, 24, ("half_up", "float32")) == []
    assert refused(mean, 23, ("half_up", "float32")) == ["multipliers"]
    assert refused(mean, 24, ("half_up",)) == ["rounding"]
    [conv] = [each for each in BYTES.layers if each.name == CONV]
    bits = int(BYTES.parameters[CONV].multiplier.max()).bit_length()
    assert refused(conv, bits, ("half_up",)) == []
    assert refused(conv, bits - 1, ("half_up",)) == ["multipliers"]
    late = replace(
        mean,
        rounding="half_up",
        requantization=(replace(mean.requantization[0], multipliers=(1 << 15,), shift=48),),
    )
    assert refused(late, 24, ("half_up",)) == ["shifts"]
    assert refused(next(each for each in MOVED.layers if each.op == "transpose"), 1, ()) == []


def test_a_map_holds_bytes_words_or_sums() -> None:
    assert [replace(a_map(), bits=bits).dtype for bits in (1, 8, 9, 16, 32, 64)] == [
        np.uint8,
        np.uint8,
        np.uint16,
        np.uint16,
        np.int32,
        np.int64,
    ]


@pytest.mark.parametrize(("kernel", "wide"), [((256, 128), False), ((256, 129), True)])
def test_sums_of_a_window_within_31_bits_have_the_factors_of_bytes(
    kernel: tuple[int, int], wide: bool
) -> None:
    mean = next(layer for layer in BYTES.layers if layer.name == MEAN)
    assert isinstance(mean, AveragePool) and mean.rounding == "half_up"
    entry = replace(mean.requantization[0], multipliers=(65536,), shift=30)
    side = replace(BYTES.map_of(mean.inputs[0]), height=300, width=300, bits=16)
    layer = replace(mean, kernel=kernel, requantization=(entry,))
    keys = [key for key, *_ in complaints(layer, side)]
    assert ("average_pool_5.requantization.0.multipliers" in keys) == wide
