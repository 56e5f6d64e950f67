"""Heads and scores that do not fill words: programs in plain numpy, and what stays as it is."""

import pytest

from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.compiler.folding import folded
from hwgen.dbpim.compiler.word_groups import groupings
from hwgen.errors import CompileError, RefusedNodesError
from hwgen.network import INPUT, QuantizedNetwork
from tests.dbpim.compiler.test_execute import check
from tests.verif.dbpim.chips import chip_arch
from verif.common.drawing import Drawing
from verif.dbpim.random_network import draw_row_recipe, random_network

SMALL, PAPER = chip_arch("small_rows"), chip_arch("paper_rows")


def attention(
    tokens: tuple[int, int], *, channels: int, heads: int, seed: int = 1
) -> QuantizedNetwork:
    """Return a norm, attention whose queries and keys are moved and scores scaled, and a sum."""
    drawing = Drawing(seed, modes=("all",), shape=(*tokens, 5))
    drawing.rounding = "float32"
    width = channels * heads
    image = drawing.conv(INPUT, (width,))
    now = drawing.layer_norm(image, order="rms")
    query, key, value = (drawing.conv(now, (width,)) for _ in range(3))
    query = drawing.multiply(query, drawing.constant(like=query))
    key = drawing.add(key, drawing.constant(like=key))
    scores = drawing.matmul(query, key, groups=heads, transposed=True)
    scores = drawing.rescale(scores, bits=8)
    shares = drawing.softmax(scores, groups=heads, scale=0.05)
    mixed = drawing.matmul(shares, value, groups=heads, transposed=False)
    now = drawing.add(image, drawing.conv(mixed, (width,)))
    return drawing.build(drawing.conv(drawing.layer_norm(now), (9,)))


@pytest.mark.dear("tokens2-8-2")
@pytest.mark.promise(
    "attention of any number of tokens and of heads of 8 channels, whatever a word holds, gives"
    " golden's maps: channels that fill a word neither count in a softmax nor in a product"
)
@pytest.mark.parametrize(
    ("tokens", "channels", "heads"),
    [((1, 10), 8, 3), ((7, 1), 8, 1), ((1, 1), 8, 2), ((3, 5), 24, 2), ((1, 16), 8, 5)],
)
def test_attention_of_any_size(tokens: tuple[int, int], channels: int, heads: int) -> None:
    net = attention(tokens, channels=channels, heads=heads)
    for arch in (SMALL, PAPER):
        check(net, arch, images=2)


@pytest.mark.parametrize(
    "seed", [*range(5), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(5, 60))]
)
def test_random_networks(seed: int) -> None:
    net = random_network(draw_row_recipe(seed), seed=seed)
    for arch in (SMALL, PAPER):
        check(net, arch, images=1 + seed % 2)


def behind_a_table(zero: int) -> QuantizedNetwork:
    """Return scores of keys of 12 channels behind a table; zero: its entry for the zero point."""
    drawing = Drawing(2, modes=("all",), shape=(4, 2, 5))
    query, key = (drawing.conv(INPUT, (12,)) for _ in range(2))
    key = drawing.table(key)
    scores = drawing.matmul(query, key, groups=1, transposed=True)
    values = drawing.matmul(scores, drawing.conv(INPUT, (8,)), groups=1, transposed=False)
    net = drawing.build(drawing.conv(values, (9,)))
    source, own = (net.map_of(name).quantization[0].zero_point for name in (query_of(net), key))
    net.tables[key][0, source] = own + zero
    return net


def query_of(net: QuantizedNetwork) -> str:
    """Return the map that the table of a network reads."""
    return next(layer.inputs[0] for layer in net.layers if layer.op == "table")


def test_a_table_must_keep_zero() -> None:
    """Channels that fill a word up would add what the table makes of zeros."""
    kept, lost = (groupings(behind_a_table(zero), SMALL.word) for zero in (0, 1))
    assert kept and {name for name, each in kept.items() if each.kept == 12} >= {"conv_0", "conv_1"}
    assert lost == {}
    check(behind_a_table(0), SMALL)
    with pytest.raises((CompileError, RefusedNodesError), match=r"a multiple of 8 .*, got 12"):
        compile_network(behind_a_table(1), SMALL)


def test_a_pool_keeps_its_stride_beside_folded_tokens() -> None:
    drawing = Drawing(3, modes=("all",), shape=(6, 6, 5))
    now = drawing.max_pool(INPUT, kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1))
    now = drawing.conv(now, (16,))
    scores = drawing.matmul(now, now, groups=2, transposed=True)
    now = drawing.matmul(scores, now, groups=2, transposed=False)
    net = drawing.build(drawing.conv(now, (9,)))
    assert folded(net, SMALL.word) is not net
    check(net, SMALL)
