"""The best chips found of each kind: they are of their kind, and their programs are right."""

from dataclasses import replace

import pytest

from hwgen.dbpim.facts.arch import Sparsity, load_arch
from hwgen.dbpim.facts.stream import TilePacket, decode_stream
from tests.dbpim.compiler.archs import CONFIGS
from tests.dbpim.compiler.test_execute import check
from verif.dbpim.random_network import draw_recipe, random_network

NOTHING = Sparsity(weight_bits=False, weight_values=False, input_bits=False)
MASKS = Sparsity(weight_bits=False, weight_values=True, input_bits=True)
DIGITS = Sparsity(weight_bits=True, weight_values=True, input_bits=True)
BEST = {
    "best_dense": (NOTHING, 8, "none", False),
    "best_dense4": (NOTHING, 4, "none", False),
    "best_masks": (MASKS, 8, "none", True),
    "best_masks4": (MASKS, 4, "none", True),
    "best_digits": (DIGITS, 8, "none", True),
    "best_pairs": (DIGITS, 8, "paired", True),
}
"""What each skips, the bits of its weights, its tiles of one digit, and whether it has a switch."""


@pytest.mark.promise("the best chip found of each of six kinds ships, and runs what its kind runs")
@pytest.mark.parametrize("name", BEST)
def test_each_is_of_its_kind_and_runs_a_drawn_network(name: str) -> None:
    arch = load_arch(CONFIGS / f"{name}.yaml")
    facts = arch.sparsity, arch.macro.weight_bits, arch.one_digit, arch.sparse_parts
    assert facts == BEST[name]
    recipe = replace(
        draw_recipe(2), weight_bits=arch.macro.weight_bits, max_digits=1 + (not arch.pairs)
    )
    program, _ = check(random_network(recipe, seed=2), arch, images=2)
    packets = decode_stream(program.image, arch)
    tiles = [packet for packet in packets if isinstance(packet, TilePacket)]
    assert any(tile.fields.get("double") for tile in tiles) == arch.pairs
