"""What ends a network: maps in the order of the file, and what the host does behind them.

Tests: `tests/importers/onnx/test_host.py`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A tensor that ends a network: the elements of one map.

    order: of the shape of the tensor, the number of each element in the map, or -1 for a real
        zero; None: that of the map
    """

    maps: tuple[str, ...]
    order: NDArray[np.int64] | None = None


def said_of_head(operator: str, node: str) -> str:
    """Return the sentence on a function that the network leaves out behind its answer."""
    return f"{operator} ({node}) is left out: the order of classes is that before it"
