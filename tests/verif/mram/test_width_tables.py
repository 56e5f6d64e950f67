"""Other widths for the same weights: valid files, and the widest mode as it was."""

from pathlib import Path

import numpy as np
import pytest

from golden.network import infer, infer_layer
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network, save_network
from verif.common.drawing import draw_images
from verif.mram.random_network import draw_adaptive
from verif.mram.width_tables import draw_widths, retabled

SHIPPED = Path(__file__).parents[3] / "configs" / "networks" / "cadnn_digits.npz"


def saved(network: QuantizedNetwork, folder: Path) -> QuantizedNetwork:
    save_network(network, folder / "network.npz")
    return load_network(folder / "network.npz")


@pytest.mark.dear("3")
@pytest.mark.parametrize("seed", range(4))
def test_random_widths(seed: int, tmp_path: Path) -> None:
    network = draw_adaptive(8, 8, seed=seed, side=8)
    widths = {f"t{number}": draw_widths(network, 10 * seed + number) for number in range(3)}
    other = saved(retabled(network, widths), tmp_path)
    assert other.graph.modes == ("1.0x", "t0", "t1", "t2")
    images = draw_images(network, 3, seed=seed)
    before, after = infer(network, images), infer(other, images)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    for name, parameters in network.parameters.items():
        assert np.array_equal(parameters.weights, other.parameters[name].weights)
    for mode, counts in enumerate(widths.values(), start=1):
        maps = infer(other, images, mode=mode)
        assert all(maps[name].shape[3] == count for name, count in counts.items())


def test_channels_that_a_mode_lacks_count_as_zero(tmp_path: Path) -> None:
    """Each layer gives what it gives in the widest mode with those channels on the zero point."""
    network = draw_adaptive(8, 8, seed=1)
    other = saved(retabled(network, {"slim": draw_widths(network, 5)}), tmp_path)
    slim = infer(other, draw_images(network, 2, seed=3), mode=1)
    for layer in other.layers:
        if layer.name not in other.parameters:
            continue
        source = other.map_of(layer.inputs[0])
        given = slim[layer.inputs[0]]
        lacking = source.channels - given.shape[3]
        zero = source.quantization[0].zero_point
        padded = np.pad(given, ((0, 0), (0, 0), (0, 0), (0, lacking)), constant_values=zero)
        wide = infer_layer(other, layer, [padded])
        assert np.array_equal(slim[layer.name], wide[..., : slim[layer.name].shape[3]])


def test_the_shipped_network_in_other_widths(tmp_path: Path) -> None:
    network = load_network(SHIPPED)
    counts = {"conv1": 5, "conv2": 7, "max_pool": 7, "conv3": 11, "average_pool": 11}
    other = saved(retabled(network, {"odd": counts}), tmp_path)
    assert other.map_of("conv3").mode_channels == (16, 11)
