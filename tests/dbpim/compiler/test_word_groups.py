"""Heads and scores that do not fill words: programs in plain numpy, and what stays as it is."""

import pytest

from hwgen.network import INPUT, QuantizedNetwork
from tests.dbpim.compiler.test_execute import check
from tests.verif.dbpim.chips import chip_arch
from verif.common.drawing import Drawing

SMALL, PAPER = chip_arch("small_rows"), chip_arch("paper_rows")


def attention(
    tokens: tuple[int, int], *, channels: int, heads: int, order: str = "rms", seed: int = 1
) -> QuantizedNetwork:
    """Return a norm, attention whose queries and keys are moved and scores scaled, and a sum."""
    drawing = Drawing(seed, modes=("all",), shape=(*tokens, 5))
    drawing.rounding = "float32"
    width = channels * heads
    image = drawing.conv(INPUT, (width,))
    now = drawing.layer_norm(image, order="rms" if order == "rms" else "eight")
    query, key, value = (drawing.conv(now, (width,)) for _ in range(3))
    query = drawing.multiply(query, drawing.constant(like=query))
    key = drawing.add(key, drawing.constant(like=key))
    scores = drawing.matmul(query, key, groups=heads, transposed=True)
    scores = drawing.rescale(scores, bits=8)
    shares = drawing.softmax(scores, groups=heads, scale=0.05)
    mixed = drawing.matmul(shares, value, groups=heads, transposed=False)
    now = drawing.add(image, drawing.conv(mixed, (width,)))
    return drawing.build(drawing.conv(drawing.layer_norm(now), (9,)))


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
