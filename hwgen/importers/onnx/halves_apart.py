"""Rotary embeddings whose halves are computed apart, as the sum that the others are written as.

(x1 cos - x2 sin, x1 sin + x2 cos) is x times a constant plus (-x2, x1) times another.

Tests: `tests/importers/onnx/test_turned.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Factors = dict[int, NDArray[np.float32]]
"""Of a sum of both halves: by half the constant that it is multiplied by."""


@dataclass(frozen=True)
class Turned:
    """A join of two sums of the halves of a tensor; halves: names of the two parts."""

    source: str
    halves: tuple[str, str]
    sums: tuple[Factors, Factors]


def with_halves_joined(graph: onnx.GraphProto, known: Mapping[str, Sequence[int]]) -> None:
    """Write each such join as a product by constants plus another of the turned halves.

    known: shapes of tensors
    """
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    nodes = []
    for node in graph.node:
        found = turned_by(node, makers, stored, known) if node.op_type == "Concat" else None
        nodes += [node] if found is None else list(joined(node, found, graph))
    read = {each.name for each in graph.output}
    kept = []
    for node in reversed(nodes):
        if node.op_type not in SPENT or not read.isdisjoint(node.output):
            kept.append(node)
            read.update(node.input)
    del graph.node[:]
    graph.node.extend(kept[::-1])


SPENT = frozenset({"Add", "Mul", "Sub"})
"""Operators of the sums, which go where nothing else reads them."""


def turned_by(
    join: onnx.NodeProto,
    makers: Mapping[str, onnx.NodeProto],
    stored: Mapping[str, NDArray[np.float32]],
    known: Mapping[str, Sequence[int]],
) -> Turned | None:
    """Return what a join turns; None for another join."""
    rank = len(known.get(join.output[0], ()))
    axis = next((each.i for each in join.attribute if each.name == "axis"), 0)
    if len(join.input) != 2 or not rank or axis % rank != rank - 1:
        return None
    terms = [terms_of(makers.get(name), makers, stored) for name in join.input]
    parts = sorted({name for sum_ in terms for name in sum_})
    if len(parts) != 2 or any(len(sum_) != 2 for sum_ in terms):
        return None
    places = {name: place_of(name, makers, stored, known) for name in parts}
    if {each[1] for each in places.values() if each} != {0, 1}:
        return None
    (source, *others) = {each[0] for each in places.values() if each}
    side = known.get(source, (0,))[-1] // 2
    if others or any(factor.shape[-1:] != (side,) for sum_ in terms for factor in sum_.values()):
        return None
    first, second = sorted(parts, key=lambda name: places[name][1])  # type: ignore[index]
    one, two = ({0: sum_[first], 1: sum_[second]} for sum_ in terms)
    return Turned(source, (first, second), (one, two))


def terms_of(
    sum_: onnx.NodeProto | None,
    makers: Mapping[str, onnx.NodeProto],
    stored: Mapping[str, NDArray[np.float32]],
) -> dict[str, NDArray[np.float32]]:
    """Return the factor of each tensor of a sum or difference of products; empty: it is none."""
    if sum_ is None or sum_.op_type not in ("Add", "Sub"):
        return {}
    found: dict[str, NDArray[np.float32]] = {}
    for place, name in enumerate(sum_.input):
        product = makers.get(name)
        if product is None or product.op_type != "Mul":
            return {}
        constants = [each for each in product.input if each in stored]
        maps = [each for each in product.input if each not in stored]
        if len(constants) != 1 or len(maps) != 1:
            return {}
        factor = stored[constants[0]]
        found[maps[0]] = -factor if place and sum_.op_type == "Sub" else factor
    return found


def place_of(
    part: str,
    makers: Mapping[str, onnx.NodeProto],
    stored: Mapping[str, NDArray[np.float32]],
    known: Mapping[str, Sequence[int]],
) -> tuple[str, int] | None:
    """Return the source of a half and which one it is; None: it is no half of a last axis."""
    node = makers.get(part)
    if node is None or not node.input or node.input[0] not in known:
        return None
    source, sides = node.input[0], known[node.input[0]]
    half, rank = sides[-1] // 2, len(sides)
    if known.get(part, (0,))[-1] * 2 != sides[-1]:
        return None
    if node.op_type == "Split" and len(node.output) == 2:
        axis = next((each.i for each in node.attribute if each.name == "axis"), 0)
        return (source, list(node.output).index(part)) if axis % rank == rank - 1 else None
    if node.op_type != "Slice" or any(name not in stored for name in node.input[1:]):
        return None
    starts, _, *others = (stored[name].ravel() for name in node.input[1:])
    axes = [int(each) % rank for each in others[0]] if others else []
    steps = [int(each) for each in others[1]] if len(others) > 1 else [1]
    if len(starts) != 1 or steps != [1] or axes != [rank - 1]:
        return None
    place = int(starts[0]) % sides[-1]
    return (source, place // half) if place in (0, half) else None


def joined(
    join: onnx.NodeProto, found: Turned, graph: onnx.GraphProto
) -> tuple[onnx.NodeProto, ...]:
    """Return the nodes in the place of a join; their constants are stored."""
    name, (first, second), (one, two) = join.output[0], found.halves, found.sums
    straight = np.concatenate(np.broadcast_arrays(one[0], two[1]), axis=-1)
    crossed = np.concatenate(np.broadcast_arrays(-one[1], two[0]), axis=-1)
    for suffix, array in (("cos", straight), ("sin", crossed)):
        graph.initializer.append(numpy_helper.from_array(array, f"{name}/{suffix}"))
    parts: tuple[tuple[str, list[str], str, dict[str, Any]], ...] = (
        ("Neg", [second], f"{name}/negated", {}),
        ("Concat", [f"{name}/negated", first], f"{name}/turned", {"axis": -1}),
        ("Mul", [found.source, f"{name}/cos"], f"{name}/straight", {}),
        ("Mul", [f"{name}/turned", f"{name}/sin"], f"{name}/crossed", {}),
        ("Add", [f"{name}/straight", f"{name}/crossed"], name, {}),
    )
    return tuple(
        helper.make_node(kind, given, [made], f"{join.name}/{made}", **keys)
        for kind, given, made, keys in parts
    )
