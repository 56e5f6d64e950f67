"""What stands in the stream equals the network: weights, masks, columns, parameters."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.facts.arch import Arch, with_sparsity
from hwgen.dbpim.facts.instructions import INSTRUCTIONS
from hwgen.dbpim.facts.stream import Packet, TilePacket, decode_stream
from hwgen.network import Conv, Linear, QuantizedNetwork
from hwgen.network.sparsity import ALPHA
from tests.dbpim.compiler.archs import SMALL, TINY, draw_arch
from tests.dbpim.compiler.execute_conv import tile_weights
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import draw_recipe, random_network
from verif.reference.dbpim.csd import phi
from verif.reference.dbpim.pruning import block_mask

Walk = tuple[Conv | Linear, Packet, list[TilePacket]]
BROAD = replace(
    SMALL,
    name="broad",
    macro=replace(SMALL.macro, compartments=16, columns=32),
    buffer_bytes=1 << 14,
    mask_bytes=128,
)
"""Groups of 16 filters: each has two blocks of 8."""
SEEDS = (0, 1, 2, 4, 5, 6, 7, 8)
"""Networks with weights; that of 3 has tables alone. Groups in pairs are in `test_pairs`."""
CASES = [
    *[
        (random_network(draw_recipe(seed), seed=seed), replace(draw_arch(seed), one_digit="none"))
        for seed in SEEDS
    ],
    *[(directed(name), arch) for name in ("all_masked_group", "tails") for arch in (SMALL, TINY)],
    (directed("mixed_phi"), TINY),
    (directed("any_weights"), with_sparsity(SMALL, "weight_values")),
    (directed("all_two_digit_values"), with_sparsity(SMALL, "weight_bits")),
    *[(directed("any_weights"), arch) for arch in (SMALL, TINY)],
    (directed("mixed_digits"), with_sparsity(SMALL, "weight_bits")),
    (directed("mixed_digits"), replace(TINY, input_streams="shared")),
    *[(directed(name), BROAD) for name in ("any_weights", "mixed_phi", "tails")],
]
NAMES = [f"{network.graph.name} on {arch.name}" for network, arch in CASES]


def walks(network: QuantizedNetwork, arch: Arch) -> Iterator[Walk]:
    """Yield the tiles of one walk over all inputs: layer, instruction, one tile after another."""
    layers = {layer.name: layer for layer in network.layers if isinstance(layer, Conv | Linear)}
    program = compile_network(network, arch)
    plans = iter(program.facts.steps)
    open_walks: dict[int, list[TilePacket]] = {}
    for packet in decode_stream(program.image, arch):
        if packet.opcode in INSTRUCTIONS:
            plan, instruction = next(plans), packet
        if not isinstance(packet, TilePacket):
            continue
        walk = open_walks.setdefault(packet.fields["group"], [])
        walk.append(packet)
        assert bool(packet.fields["first"]) == (len(walk) == 1)
        if packet.fields["last"]:
            yield (
                layers[(*plan.fused, plan.layer)[0]],
                instruction,
                open_walks.pop(packet.fields["group"]),
            )
    assert not open_walks


def layer_words(
    network: QuantizedNetwork, layer: Conv | Linear, instruction: Packet, arch: Arch
) -> np.ndarray:
    """Return the weights as (filters, pixels, channel words, C), padded by hand.

    Over the windows of an image a pixel is a row of the kernel.
    """
    fields, width = instruction.fields, arch.word
    weights = network.parameters[layer.name].weights
    pixels = fields["kernel_height"] * fields["kernel_width"]
    weights = weights.reshape(len(weights), pixels, -1)
    channels = weights.shape[2]
    words = np.zeros((*weights.shape[:2], -(-channels // width) * width), int)
    words[:, :, :channels] = weights
    return words.reshape(*weights.shape[:2], -1, width)


def first_word(tile: TilePacket, instruction: Packet) -> int:
    """Return the number of a tile's first word in the order kernel row, column, channel word."""
    fields, sizes = tile.fields, instruction.fields
    pixel = fields["kernel_y"] * sizes["kernel_width"] + fields["kernel_x"]
    return pixel * sizes["input_channel_words"] + fields["channel_word"]


@pytest.mark.promise(
    "cells hold exactly the network's weights, masks cover each kept block once, and once more"
    " each input with weights of 3 or 4 digits"
)
@pytest.mark.parametrize(("network", "arch"), CASES, ids=NAMES)
def test_weights_and_masks(network: QuantizedNetwork, arch: Arch) -> None:
    width = arch.word
    for layer, instruction, tiles in walks(network, arch):
        words = layer_words(network, layer, instruction, arch)
        chosen = slice(tiles[0].fields["group"] * arch.filters, None)
        wanted = words[chosen][: arch.filters].reshape(len(words[chosen][: arch.filters]), -1)
        found = np.zeros((arch.filters, wanted.shape[1]), int)
        times = np.zeros(wanted.shape[1], int)
        for tile in tiles:
            inputs = np.flatnonzero(tile.masks) + width * first_word(tile, instruction)
            weights = tile_weights(tile, arch).reshape(-1, arch.filters)
            found[:, inputs] += weights[: len(inputs)].T.astype(int)
            times[inputs] += 1
            assert not weights[len(inputs) :].any() or arch.sparsity.weight_bits
        np.testing.assert_array_equal(found[: len(wanted)], wanted)
        assert not found[len(wanted) :].any()
        once = wanted_mask(network, layer, words, tiles, arch)
        again = (phi(wanted) > 2).any(axis=0) & arch.sparsity.weight_bits
        np.testing.assert_array_equal(times, once.astype(int) + again)


def wanted_mask(
    network: QuantizedNetwork,
    layer: Conv | Linear,
    words: np.ndarray,
    tiles: list[TilePacket],
    arch: Arch,
) -> np.ndarray:
    """Return which inputs the first two digits of the weights must be walked for, once each."""
    flat = words.reshape(len(words), -1)
    first = tiles[0].fields["group"] * arch.filters
    # A group of more than 8 filters walks the inputs of all its blocks.
    mask = block_mask(flat)[first // ALPHA : -(-(first + arch.filters) // ALPHA)].any(axis=0)
    if not arch.sparsity.weight_values:
        channels = network.parameters[layer.name].weights[0].size // words.shape[1]
        channel = np.arange(words.shape[2] * words.shape[3])
        mask = np.tile(channel < channels, words.shape[1])
    if not mask.any():
        mask = np.arange(len(mask)) == 0
    return mask


@pytest.mark.promise("columns follow phi, parameters are the network's and come once a group")
@pytest.mark.parametrize(("network", "arch"), CASES, ids=NAMES)
def test_columns_and_parameters(network: QuantizedNetwork, arch: Arch) -> None:
    sent: set[tuple[str, int]] = set()
    for layer, instruction, tiles in walks(network, arch):
        group = tiles[0].fields["group"]
        assert bool(tiles[0].parameters) == ((layer.name, group) not in sent)
        assert not any(tile.parameters for tile in tiles[1:])
        sent.add((layer.name, group))
        parameters = network.parameters[layer.name]
        weights = parameters.weights.reshape(len(parameters.weights), -1)
        words = layer_words(network, layer, instruction, arch)
        once = wanted_mask(network, layer, words, tiles, arch)
        for place in range(arch.filters):
            bits = [tile.fields["filter_enable"] >> 2 * place & 3 for tile in tiles]
            number = group * arch.filters + place
            if number >= len(weights):
                assert set(bits) == {0}
                continue
            count = first_walk(tiles, int(once.sum()))
            assert set(bits[:count]) == {wanted_enable(weights, number, arch)}
            assert set(bits[count:]) <= {enable_of_rest(weights, number, arch)}
            if tiles[0].parameters:
                entry = tiles[0].parameters[place]
                assert entry.bias == parameters.bias[0, number]
                if not layer.output.raw:
                    assert entry.multiplier == parameters.multiplier[0, number]
                    assert entry.shift == parameters.shift[0, number]
    assert sent


def wanted_enable(weights: np.ndarray, number: int, arch: Arch) -> int:
    """Return `filter_enable` of a filter: 1 only if every unpruned weight has exactly one digit."""
    if not arch.sparsity.weight_bits:
        return 3
    size = max(ALPHA, arch.filters)
    group = number // size * size
    unpruned = np.ones(weights.shape[1], bool)
    if arch.sparsity.weight_values:
        unpruned = weights[group : group + size].any(axis=0)
    return enable_of(phi(weights[number][unpruned]).clip(max=2))


def enable_of_rest(weights: np.ndarray, number: int, arch: Arch) -> int:
    """Return `filter_enable` of a filter in the second walk, over inputs with digits 3 and 4."""
    first = number // arch.filters * arch.filters
    rest = (phi(weights[first : first + arch.filters]) - 2).clip(min=0)
    return enable_of(rest[number - first][rest.any(axis=0)])


def enable_of(digits: np.ndarray) -> int:
    """Return `filter_enable` of a filter whose weights add so many digits each in a walk."""
    found = set(digits.tolist())
    return 0 if found <= {0} else 1 if found == {1} else 3


def first_walk(tiles: list[TilePacket], inputs: int) -> int:
    """Return the tiles of the first walk, which selects so many inputs."""
    selected = np.cumsum([tile.masks.sum() for tile in tiles])
    return int(np.searchsorted(selected, inputs)) + 1
