"""Read attention: products of two maps, and what is done to each element between them.

A tensor (1, heads, tokens, channels) is kept as a map (tokens, heads * channels), where a product
and a softmax run in groups of channels; the tensor is a rearrangement of that map.

Tests: `tests/importers/tflite/test_tokens.py`.
"""

import math

import numpy as np

from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.moves import Places
from hwgen.importers.integer.nodes import Node, SoftmaxOfGroups
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.tflite.moves import MOVES
from hwgen.importers.tflite.node import EACH, Reading
from hwgen.importers.tflite.nodes_shape import Read, head
from hwgen.network.maps import BYTE_BITS

WITH_CONSTANTS = frozenset({"ADD", "MUL", "SUB"})
"""Operators that are functions of one element where their other operand is one constant."""
ORDER_KEPT = frozenset({"DEQUANTIZE", "QUANTIZE", *MOVES})
"""What may stand between a softmax and the end of a network that drops it."""


def softmax(reading: Reading) -> Read:
    """Read a Softmax over channels: inside a network a layer, at its end dropped."""
    return softmax_of(reading, groups=1) if is_inside(reading) else head(reading)


def softmax_of(reading: Reading, *, groups: int) -> Read:
    """Return a softmax over each of some groups of channels."""
    source, output = reading.map(0), reading.written()
    beta = float(reading.option("Beta", 1.0))
    if beta != 1:
        raise RefusedError("its beta", "1 inside a network", beta)
    if max(source.bits, output.bits) > BYTE_BITS:
        raise RefusedError("its maps", "int8 or uint8 inside a network", f"int{source.bits}")
    nodes: list[Node] = [SoftmaxOfGroups(groups=groups, **reading.base())]
    made: list[QuantizedMap] = [output.reshaped(source.shape)]
    return nodes, made


def is_inside(reading: Reading) -> bool:
    """Return whether a layer reads an operator's output, through what keeps its order."""
    reached = set(reading.operator.outputs)
    for operator in reading.file.operators:
        if not reached.isdisjoint(operator.inputs):
            if operator.operator not in ORDER_KEPT:
                return True
            reached.update(operator.outputs)
    return False


def is_of_each(reading: Reading) -> bool:
    """Return whether an operator reads one map, and each of its elements alone."""
    operator = reading.operator
    if operator.operator in WITH_CONSTANTS:
        alone = [place for place in range(2) if reading.is_computed(place)]
        return len(alone) == 1 and math.prod(reading.tensor(1 - alone[0]).shape) == 1
    return operator.operator in EACH


def groups_of(places: Places, channels: int) -> int | None:
    """Return the groups of channels that the last dimension runs over; None if it runs elsewhere.

    channels: of the map that the places are in
    """
    count = places.shape[-1]
    first = places[..., :1]
    whole = channels % count == 0 and not (first % count).any()
    return channels // count if whole and (places == first + np.arange(count)).all() else None


def matrices(reading: Reading, place: int, places: Places) -> Places:
    """Return an operand of a product as (heads, rows, columns), turned where its option says so."""
    if places.ndim < 3 or places.shape[0] != 1:
        given = " x ".join(map(str, places.shape))
        raise RefusedError(f"its input {place}", "1 x tokens x channels, or with heads", given)
    parts = places.reshape(-1, *places.shape[-2:])
    turned = bool(reading.option("AdjY" if place else "AdjX", False))
    return parts.swapaxes(1, 2) if turned else parts


def factors(reading: Reading, one: Places, other: Places) -> tuple[Places, Places, bool]:
    """Return both operands as (tokens, 1, heads * channels), and whether channels are summed.

    one, other: (heads, rows, columns). Of the second the order is chosen that its map has.
    """
    if len(one) != len(other) or one.shape[2] != other.shape[1]:
        given = " and ".join(" x ".join(map(str, each.shape)) for each in (one, other))
        raise RefusedError("its inputs", "of as many heads, and rows as columns", given)
    first, scores, values = (
        each.reshape(len(each), 1, -1)
        for each in (one.transpose(1, 0, 2), other.transpose(2, 0, 1), other.transpose(1, 0, 2))
    )
    transposed = not (np.diff(values.reshape(-1)) == 1).all()
    return first, scores if transposed else values, transposed
