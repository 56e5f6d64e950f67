"""Which inputs the rows of crossbars take, and which weights they hold.

Rows stand in the order of a window: kernel row, kernel column, channel; a row tile has `side` of
them. A layer that reads a concatenation has several providers: within a row tile and a kernel row
the channels of the first one come first. Groups stand on the diagonal of crossbars, as many as fit,
and there it is within a kernel row and column. Beside the diagonal weights are 0; their cells hold
the offset of the encoding, and err as all others.

Source: docs/crossbar-rules.md.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.crossbar.encoding import Ints
from hwgen.network import INPUT, Concatenate, Conv, Linear, QuantizedNetwork, Rescale, Table


@dataclass(frozen=True)
class Section:
    """Groups of a layer that share crossbars; all of a layer without groups.

    inputs: (rows), the element of a flat window that each row takes
    weights: (rows, columns) signed
    """

    inputs: Ints
    weights: NDArray[Any]

    def taken(self, windows: NDArray[Any]) -> NDArray[Any]:
        """Return what rows take of windows (pixels, elements): (pixels, rows)."""
        natural = len(self.inputs) == windows.shape[1] and np.all(np.diff(self.inputs) == 1)
        return windows if natural else windows[:, self.inputs]


def sections_of(
    network: QuantizedNetwork, layer: Conv | Linear, side: int, *, pairs: bool = False
) -> list[Section]:
    """Return the sections of a layer on crossbars of `side` rows and columns, in their order.

    pairs: an output channel takes two columns
    """
    read = network.map_of(layer.inputs[0])
    across, groups = read.height * read.width, 1
    if isinstance(layer, Conv):
        across, groups = layer.kernel[1], layer.groups
    weights = network.parameters[layer.name].weights
    depth, columns = read.channels // groups, len(weights) // groups
    weights = weights.reshape(len(weights), -1, depth)
    taps = weights.shape[1]
    shares = shares_of(network, layer.inputs[0])
    provider = np.repeat(np.arange(len(shares)), shares)
    together = max(1, min(groups, side // (taps * depth), side // (columns * (1 + pairs))))
    found = []
    for first in range(0, groups, together):
        behind = min(groups, first + together)
        tap, channel = (
            each.reshape(-1) for each in np.mgrid[:taps, first * depth : behind * depth]
        )
        run = tap if groups > 1 else tap // across
        order = np.lexsort((provider[channel], run, np.arange(len(tap)) // side))
        tap, channel = tap[order, np.newaxis], channel[order, np.newaxis]
        outputs = np.arange(first * columns, behind * columns)
        held = weights[outputs, tap, channel % depth]
        found.append(
            Section(
                inputs=(tap * read.channels + channel)[:, 0],
                weights=np.where(channel // depth == outputs // columns, held, 0),
            )
        )
    return found


def shares_of(network: QuantizedNetwork, name: str) -> list[int]:
    """Return the channels of a map that each layer wrote that is behind it, in their order."""
    made = {layer.name: layer for layer in network.layers}
    waiting, channels = [name], []
    while waiting:
        now = waiting.pop(0)
        if now != INPUT and isinstance(made[now], Concatenate | Rescale | Table):
            waiting[:0] = made[now].inputs
        else:
            channels.append(network.map_of(now).channels)
    return channels
