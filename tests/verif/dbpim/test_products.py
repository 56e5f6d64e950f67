"""Products of two maps, whole on RTL: every element, step, cycle and event."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.chip.trouble import Trouble
from hwgen.dbpim.compiler import unstored
from hwgen.dbpim.sim import simulate
from hwgen.network import INPUT, QuantizedNetwork
from tests.verif.dbpim.chips import check_chip, check_values, chip_arch, compiled
from verif.common.drawing import Drawing, draw_images


@dataclass(frozen=True, kw_only=True)
class Block:
    """Attention without a softmax: query, key, value, scores, values, and a convolution behind.

    tokens, width: of the maps; heads: groups of both products
    keys: tokens of key and value, those of the query if None; embedded: a constant is added
    """

    tokens: tuple[int, int]
    width: int
    heads: int
    keys: tuple[int, int] | None = None
    embedded: bool = False


BLOCKS: Mapping[str, Block] = {
    "three_heads": Block(tokens=(4, 4), width=24, heads=3),
    "one_head_of_three_words": Block(tokens=(2, 4), width=24, heads=1, embedded=True),
    "tokens_in_two_columns": Block(tokens=(4, 2), width=32, heads=2),
    "many_keys": Block(tokens=(1, 3), width=16, heads=1, keys=(6, 4)),
}


def network(block: Block, *, seed: int) -> QuantizedNetwork:
    """Return a drawn block that rounds as float32; keys come from a window of the image."""
    height, width = block.keys or block.tokens
    drawing = Drawing(seed, modes=("all",), shape=(height, width, 5))
    drawing.rounding = "float32"
    rows = height - block.tokens[0] + 1, width - block.tokens[1] + 1
    channels = (block.width,)
    query = drawing.conv(INPUT, channels, kernel=rows)
    if block.embedded:
        query = drawing.add(query, drawing.constant(like=query))
    key, value = drawing.conv(INPUT, channels), drawing.conv(INPUT, channels)
    scores = drawing.matmul(query, key, groups=block.heads, transposed=True)
    values = drawing.matmul(scores, value, groups=block.heads, transposed=False)
    return drawing.build(drawing.conv(values, (9,)))


def draw_block(seed: int) -> Block:
    """Return a random block for words of eight channels, which the small chip holds."""
    rng = np.random.default_rng(seed)
    heads, words = rng.integers(1, 4, 2).tolist()
    tokens, keys = [
        tuple(rng.permutation([int(rng.choice([1, 2, 3])), 8]).tolist()),
        tuple(rng.permutation([int(rng.choice([1, 2, 4])), 8]).tolist()),
    ]
    keys = (max(keys[0], tokens[0]), max(keys[1], tokens[1]))
    return Block(
        tokens=tokens,
        width=8 * heads * min(words, 4 // heads),
        heads=heads,
        keys=keys,
        embedded=bool(rng.random() < 0.5),
    )


def check(block: Block, folder: Path, *, seed: int, images: int, batch: int) -> None:
    """Compare a block on the small chip with golden and the model."""
    net = network(block, seed=seed)
    arch = replace(chip_arch("small_rows"), memory_latency_cycles=1 + 7 * (seed % 5))
    check_chip(net, arch, draw_images(net, images, seed=seed), folder, batch=batch)


def check_with_stalls(block: Block, *, seed: int, stall: int) -> None:
    """Compare every element with golden while the memory stalls."""
    net, arch = network(block, seed=seed), chip_arch("small_rows")
    images = draw_images(net, 2, seed=seed)
    program = compiled(net, arch, batch=2)
    (stalled,) = simulate(arch, program, images, trouble=Trouble(stall=stall, seed=seed), seed=seed)
    check_values(stalled, net, infer(net, images), f"stall {stall}", unstored(net, program, arch))


@pytest.mark.dear
@pytest.mark.promise(
    "scores and values of several heads and shapes are exact on RTL, in every element, step,"
    " cycle and event"
)
def test_blocks_of_different_shapes(tmp_path: Path) -> None:
    for seed, block in enumerate(BLOCKS.values()):
        check(block, tmp_path, seed=seed, images=2, batch=1 + seed % 2)


@pytest.mark.promise("no stall of the memory changes a product")
def test_stalls_of_the_memory_change_no_value() -> None:
    check_with_stalls(BLOCKS["one_head_of_three_words"], seed=1, stall=60)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_random_blocks(seed: int, tmp_path: Path) -> None:
    check(draw_block(seed), tmp_path, seed=seed, images=2, batch=1 + seed % 2)
    check_with_stalls(draw_block(seed), seed=seed, stall=10 + 4 * seed)
