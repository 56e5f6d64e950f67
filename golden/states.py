"""Calls of a network with states: each leaves maps for the next.

Tests: `tests/network/test_states.py`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.network import Map, infer
from hwgen.network import QuantizedNetwork


class Session:
    """Calls in turn, from a reset on; streams side by side are the images of a call.

    states: what the next call reads, by name of the state, (streams, height, width, channels)
    position: of the next call, unless it is given one
    """

    def __init__(self, network: QuantizedNetwork, *, streams: int = 1) -> None:
        self.network, self.streams = network, streams
        self.reset()

    def reset(self) -> None:
        """Set all states to their first value, and the position to 0."""
        self.position = 0
        self.states: dict[str, Map] = {
            name: np.repeat(self.network.held[name]["map"][np.newaxis], self.streams, axis=0)
            for name in self.network.states
        }

    def step(self, images: Map, position: int | None = None) -> dict[str, Map]:
        """Return all maps of a call by name, those of the states as they were before it.

        images: (streams, height, width, channels); position: of this call; the next has one more
        Raises ValueError for images of another type, shape or number, and for a position outside.
        """
        if len(images) != self.streams:
            raise ValueError(f"images must be {self.streams}, one a stream, got {len(images)}")
        place = self.position if position is None else position
        check_position(self.network, place)
        maps = infer(self.network, images, states=self.states, position=place)
        self.states = {name: maps[state.next] for name, state in self.network.states.items()}
        self.position = place + 1
        return maps


def check_position(network: QuantizedNetwork, position: int) -> None:
    """Refuse a position that a network does not have, or that leaves no room for its rows."""
    if not network.graph.positions:
        return
    if not 0 <= position < network.starts:
        raise ValueError(f"the position must be from 0 to {network.starts - 1}, got {position}")


def calls(network: QuantizedNetwork, images: NDArray[Any]) -> dict[str, Map]:
    """Return all maps of calls in turn from a reset on, (calls, ...); images: one a call."""
    session = Session(network)
    found = [session.step(image[np.newaxis]) for image in images]
    return {name: np.concatenate([maps[name] for maps in found]) for name in found[0]}
