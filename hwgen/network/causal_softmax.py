"""Softmax over the first channels of each group alone: the keys that a token may read.

Tests: `tests/network/test_states.py`.
"""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.softmax import Softmax

Keys = Literal["pixel", "position"]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CausalSoftmax(Softmax):
    """As `softmax`, over the first n(k) of the N channels of each group of pixel k = 0, 1, ...

    m is the largest of these n bytes and S their sum; the shares of all other channels are zero:
    clip(zero point, low, high). Pixels count row after row.

    keys: `pixel`: n(k) = k + 1; `position`: n(k) = p + k + 1 with the position p of the call; at
        most N
    """

    op: Literal["causal_softmax"]  # type: ignore[assignment]
    keys: Keys
