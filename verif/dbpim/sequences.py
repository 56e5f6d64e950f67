"""Drawn transformer blocks over a sequence of tokens, in any shape of its maps.

Tests: `tests/dbpim/compiler/test_folding.py`, `tests/verif/dbpim/test_sequences.py`.
"""

from dataclasses import dataclass, replace
from typing import Any

from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.maps import Pair
from verif.common.drawing import Drawing

ENDS = ("bytes", "mean", "best", "linear")
"""The map of the last addition; a mean or the largest of all tokens; sums over all tokens."""


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """Norm, attention with an embedding, two layers on each token, both with a residual.

    sides: height and width of the tokens; width: channels of a token; heads: divide them
    end: one of ENDS; rows: whether it has softmax and norms
    from_zero: whether the zero point of the softmax is 0
    """

    sides: Pair
    width: int
    heads: int
    end: str
    rows: bool = True
    from_zero: bool = False

    def of(self, sides: Pair) -> "Sequence":
        """Return the same network of tokens in another shape."""
        return replace(self, sides=sides)


def network_of(what: Sequence, *, seed: int) -> QuantizedNetwork:
    """Return the network of a seed; its integers do not depend on the shape of the tokens."""
    drawing = Drawing(seed, modes=("all",), shape=(*what.sides, what.width))
    drawing.rounding = "float32"
    image = drawing.add(INPUT, drawing.constant(like=INPUT))
    now = block(drawing, image, what)
    whole: dict[str, Any] = {"kernel": what.sides, "stride": what.sides, "padding": (0, 0, 0, 0)}
    if what.end == "mean":
        now = drawing.average_pool(now, **whole)
    elif what.end == "best":
        now = drawing.max_pool(now, **whole)
    elif what.end == "linear":
        now = drawing.linear(now, (9,))
    return drawing.build(now)


def behind_a_token(what: Sequence, *, seed: int) -> QuantizedNetwork:
    """Return a network whose image's pixels stand behind a token of its own; it reads all.

    Of an end `first` it reads that token alone.
    """
    what = replace(what, from_zero=True)
    drawing = Drawing(seed, modes=("all",), shape=(*what.sides, 5))
    drawing.rounding = "float32"
    image = drawing.conv(INPUT, (what.width,))
    image = drawing.stack(drawing.constant(like=image, height=1, width=1), image)
    image = drawing.add(image, drawing.constant(like=image))
    now = block(drawing, image, what)
    if what.end == "first":
        tokens = 1 + what.sides[0] * what.sides[1]
        now = drawing.shortcut(now, (what.width,), stride=(tokens, 1))
    return drawing.build(drawing.linear(now, (9,)))


def block(drawing: Drawing, image: str, what: Sequence) -> str:
    """Append the block of a sequence to a map; return the map of its last addition."""
    channels, groups = (what.width,), what.heads
    now = drawing.layer_norm(image) if what.rows else image
    query, key, value = (drawing.conv(now, channels) for _ in range(3))
    scores = drawing.matmul(query, key, groups=groups, transposed=True)
    if what.rows:
        scores = drawing.softmax(scores, groups=groups, scale=0.05, from_zero=what.from_zero)
    values = drawing.matmul(scores, value, groups=groups, transposed=False)
    now = drawing.add(image, drawing.conv(values, channels))
    inner = drawing.layer_norm(now) if what.rows else now
    inner = drawing.table(drawing.conv(inner, (2 * what.width,)))
    return drawing.add(now, drawing.conv(inner, channels))
