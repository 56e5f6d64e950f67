"""Networks with one thing changed, and the sentence that they are refused with."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.errors import FormatError
from hwgen.importers.integer import lower
from hwgen.importers.tflite import read_integer_graph
from hwgen.network import QuantizedNetwork, Requantization
from hwgen.network.check import check_network
from tests.golden.drawn import draw_every_operation, draw_joined, draw_moved, draw_tokens
from verif.dbpim.directed_network import directed

Change = Callable[[], QuantizedNetwork]
CONV, ADD, POOL, MEAN, HEAD = "conv_0", "add_2", "max_pool_3", "average_pool_5", "linear_6"
BYTES, MODES, JOINED = directed("zero_points"), draw_every_operation(1), draw_joined(0)
"""Of one mode and bytes; of three modes; of one mode with joined maps, groups and wide sums."""
MOVED = draw_moved(0)
"""Of one mode and bytes, with every rounding and every kind that moves elements."""
TOKENS = draw_tokens(1)
"""Of one mode and bytes: a transformer's block."""
BLOCK = Path(__file__).parents[1] / "importers" / "tflite" / "cases" / "vit_block.tflite"
PIECES = lower(read_integer_graph(BLOCK), kernels="reference").network
"""Of one mode and bytes: a transformer's block as LiteRT's reference kernels compute it."""


def refused(network: QuantizedNetwork) -> str:
    with pytest.raises(FormatError) as caught:
        check_network(network, source="here")
    assert str(caught.value).endswith(" (here)")
    return str(caught.value).removesuffix(" (here)")


def graphed(network: QuantizedNetwork, **changes: Any) -> QuantizedNetwork:
    """Return a network with other fields in its graph."""
    return replace(network, graph=replace(network.graph, **changes))


def changed(network: QuantizedNetwork, which: str, /, **changes: Any) -> QuantizedNetwork:
    """Return a network with other fields in one layer."""
    layers = [
        replace(layer, **changes) if layer.name == which else layer for layer in network.layers
    ]
    assert layers != network.layers
    return graphed(network, layers=layers)


def with_output(network: QuantizedNetwork, name: str, /, **changes: Any) -> QuantizedNetwork:
    """Return a network with other fields in one layer's output."""
    return changed(network, name, output=replace(network.map_of(name), **changes))


def with_values(
    network: QuantizedNetwork, name: str, mode: int = 0, /, **changes: Any
) -> QuantizedNetwork:
    """Return a network with another quantization of one layer's output in one mode."""
    values = list(network.map_of(name).quantization)
    values[mode] = replace(values[mode], **changes)
    return with_output(network, name, quantization=tuple(values))


def with_array(
    network: QuantizedNetwork, name: str, key: str, change: Callable[[np.ndarray], Any]
) -> QuantizedNetwork:
    """Return a network with one array changed in place or replaced."""
    array = network.arrays_of(name)[key].copy()
    answer = change(array)
    fresh = array if answer is None else answer
    if key == "table":
        return replace(network, tables={**network.tables, name: fresh})
    parameters = replace(network.parameters[name], **{key: fresh})
    return replace(network, parameters={**network.parameters, name: parameters})


def fill(value: int, place: Any = (0, 1)) -> Callable[[np.ndarray], None]:
    """Return a change that puts one value into one place."""

    def change(array: np.ndarray) -> None:
        array[place] = value

    return change


def named(network: QuantizedNetwork, op: str) -> str:
    """Return the name of the first layer of a kind."""
    return next(layer.name for layer in network.layers if layer.op == op)


def factors(*multipliers: int, shift: int = 20) -> Requantization:
    return Requantization(multipliers=multipliers, shift=shift)


def check_sentence(network: Change, sentence: str) -> None:
    """Hold what a network is refused with against a sentence, or its beginning if it ends open."""
    if sentence[-1].isspace():
        assert refused(network()).startswith(sentence)
    else:
        assert refused(network()) == sentence
