"""Turned halves of a rotary embedding in a float model, (x1, x2) -> (-x2, x1), for its calibration.

They stay real numbers up to the join, and what is turned has the numbers of its source: one scale
and a zero point in the middle, so that a turn rounds nothing.

Tests: `tests/importers/onnx/test_turned.py`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import numpy_helper

from hwgen.importers.onnx.qdq.constants import REARRANGING

JOINING, NEGATING = "Concat", "Neg"
QUANTIZE = "QuantizeLinear"
MIDDLE, REACH = 128, 127
"""Zero point of a turned map, and the steps on both sides of it that every sign has."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A join of parts of one tensor, of which some are negated.

    source, result: names of tensors; nodes: names of all nodes behind the source
    products: names of the nodes that multiply either of them
    """

    source: str
    result: str
    nodes: frozenset[str]
    products: frozenset[str]


def turns_of(graph: onnx.GraphProto) -> list[Turn]:
    """Return the turns of a graph."""
    makers = {name: node for node in graph.node for name in node.output}
    readers = Counter(name for node in graph.node for name in node.input)
    readers.update(each.name for each in graph.output)
    found = (turn_of(node, makers, readers) for node in graph.node if node.op_type == JOINING)
    return [moved_on(each, graph, readers) for each in found if each is not None]


def moved_on(turn: Turn, graph: onnx.GraphProto, readers: Counter[str]) -> Turn:
    """Return a turn with the moves behind its join, as of turned pairs, and with its products."""
    result, nodes = turn.result, set(turn.nodes)
    for node in graph.node:
        if node.op_type in REARRANGING and node.input[0] == result and readers[result] == 1:
            result = node.output[0]
            nodes.add(node.name)
    products = frozenset(
        node.name
        for node in graph.node
        if node.op_type == "Mul" and not {turn.source, result}.isdisjoint(node.input)
    )
    return replace(turn, result=result, nodes=frozenset(nodes), products=products)


def turn_of(
    join: onnx.NodeProto, makers: dict[str, onnx.NodeProto], readers: Counter[str]
) -> Turn | None:
    """Return the turn that a join ends."""
    paths = [list(path_to(name, makers)) for name in join.input]
    sources = [name for name in paths[0] if all(name in path for path in paths[1:])]
    if not sources:
        return None
    inner = {name for path in paths for name in path[: path.index(sources[0])]}
    nodes = {makers[name].output[0]: makers[name] for name in inner}
    negated = any(node.op_type == NEGATING for node in nodes.values())
    within = Counter(name for node in (*nodes.values(), join) for name in node.input)
    shared = any(readers[name] != within[name] for name in inner)
    if not negated or shared:
        return None
    names = {node.name for node in (*nodes.values(), join)}
    return Turn(
        source=sources[0], result=join.output[0], nodes=frozenset(names), products=frozenset()
    )


def path_to(name: str, makers: dict[str, onnx.NodeProto]) -> Iterator[str]:
    """Yield a tensor and those that it is a moved or negated part of, the nearest first."""
    yield name
    while name in makers and makers[name].op_type in REARRANGING | {NEGATING}:
        name = makers[name].input[0]
        yield name


def with_turns_exact(model: onnx.ModelProto, turns: Sequence[Turn]) -> None:
    """Give the source and the result of each turn one scale, and zero points in the middle."""
    stored = {each.name: each for each in model.graph.initializer}
    pairs = {node.input[0]: node for node in model.graph.node if node.op_type == QUANTIZE}
    for turn in turns:
        ends = [pairs[name] for name in (turn.source, turn.result) if name in pairs]
        known = [each for each in ends if set(each.input[1:]) <= stored.keys()]
        if len(known) < 2 or len(known[0].input) < 3:
            continue
        scale, zero = (numpy_helper.to_array(stored[name]) for name in known[0].input[1:3])
        if zero.dtype != np.uint8 or zero.size != 1:
            continue
        reach = max(int(zero), 2 * REACH + 1 - int(zero)) * np.float32(scale.item())
        numbers = (np.float32(reach / REACH), np.uint8(MIDDLE))
        for pair in known:
            for name, number in zip(pair.input[1:3], numbers, strict=True):
                shape = numpy_helper.to_array(stored[name]).shape
                made = np.broadcast_to(np.array(number), shape)
                stored[name].CopyFrom(numpy_helper.from_array(np.array(made), name))
