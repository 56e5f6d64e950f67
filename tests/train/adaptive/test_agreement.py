"""Modes that are one network are seen in their file: the shipped digits pass, others do not."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hwgen.data import load_dataset
from hwgen.errors import ConfigError
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network
from hwgen.train.adaptive.agreement import Agreement, agreements, check_modes
from hwgen.train.integer import classes_of

CONFIGS = Path(__file__).parents[3] / "configs"
DIGITS = ["cadnn_digits", "cadnn_digits_cycles"] + [
    f"bits/cadnn_digits_{bits}" for bits in ("1_1", "2_4", "4_4", "16_16")
]


def agreements_of(network: QuantizedNetwork, images: np.ndarray) -> list[Agreement]:
    tensor = torch.tensor(images)
    modes = range(len(network.graph.modes))
    return agreements(network, tensor, [classes_of(network, tensor, mode=mode) for mode in modes])


@pytest.mark.promise(
    "modes that are one network are refused, and a training says how far its modes agree"
)
@pytest.mark.parametrize("name", DIGITS)
def test_the_shipped_digits_are_networks_of_their_own(name: str) -> None:
    network = load_network(CONFIGS / "networks" / f"{name}.npz")
    found = agreements_of(network, load_dataset("digits").test_images)
    check_modes(found, source=name)
    assert len(found) == 6
    extra = {(each.wider, each.narrower): each.extra for each in found}
    if name == "cadnn_digits":
        assert (extra["1.0x", "0.75x"], extra["0.75x", "0.25x"]) == (12, 24)
    assert all(0 < each.same_class < 0.99 and each.at_floor == 0 for each in found)


def test_the_shipped_widths_of_cifar10_are_networks_of_their_own() -> None:
    network = load_network(CONFIGS / "networks" / "cadnn_cifar10_resnet20.npz")
    with np.load(CONFIGS / "images" / "cifar10.npz") as file:
        found = agreements_of(network, file["images"])
    check_modes(found, source="the present file")
    # Few channels of 1.0x alone stand still, none of the narrower widths.
    assert {(each.wider, each.at_floor) for each in found} == {
        ("1.0x", 17),
        ("0.75x", 0),
        ("0.5x", 0),
    }


def switched_off() -> QuantizedNetwork:
    """Return the digits network whose channels beyond 0.5x have factors of nearly zero."""
    network = load_network(CONFIGS / "networks" / "cadnn_digits.npz")
    for layer in network.layers:
        parameters = network.parameters.get(layer.name)
        if parameters is None or layer.output.raw:
            continue
        half = layer.output.channels_in(2)
        for array in (parameters.bias, parameters.multiplier, parameters.shift):
            array[:2, :half] = array[2, :half]  # what is left computes as 0.5x does
        parameters.multiplier[:2, half:] = 1 << 14
        parameters.shift[:2, half:] = 31
    return network


def test_channels_at_the_floor_are_counted() -> None:
    network = switched_off()
    found = agreements_of(network, load_dataset("digits").test_images[:50])
    by_name = {(each.wider, each.narrower): each for each in found}
    one = by_name["1.0x", "0.5x"]
    assert (one.extra, one.at_floor) == (24, 24)
    assert by_name["0.5x", "0.25x"].at_floor == 0
    with pytest.raises(ConfigError, match=r"modes 1.0x and 0.75x .* 12 of the 12 chan"):
        check_modes(found, source="the present file")


@pytest.mark.parametrize(
    ("same_class", "at_floor", "refused"),
    [(0.991, 13, True), (0.99, 13, False), (0.991, 12, False), (1.0, 24, True)],
)
def test_both_signs_are_needed(same_class: float, at_floor: int, refused: bool) -> None:
    each = Agreement(
        wider="1.0x", narrower="0.5x", same_class=same_class, extra=24, at_floor=at_floor
    )
    assert each.one_network == refused
    if refused:
        with pytest.raises(ConfigError, match=rf"modes 1.0x and 0.5x .* {at_floor} of the 24 chan"):
            check_modes([each], source="here")
