"""The graph that onnxruntime runs, as its own optimization writes it.

The basic level has all that moves elements of a map: it removes transposes, joins pairs of
QuantizeLinear and DequantizeLinear in a row, takes padding into a window. The levels behind it
choose kernels and change no element, but for the biases of `qdq.integer_bias`.

Tests: `tests/importers/onnx/test_session.py`.
"""

import logging
import tempfile
import warnings
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import onnx
import onnxruntime

from hwgen.errors import FormatError
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.constants_apart import with_constants_apart

PRECISE = "session.x64quantprecision"
"""Asks a session for exact sums where two products of uint8 and int8 saturate at 16 bits."""
RUNTIME = f"onnxruntime {onnxruntime.__version__}"
WARNINGS, FATAL = 2, 4
"""What onnxruntime prints by itself, and the least that it can print."""
Level = Literal["basic", "all"]
AFTER_FUSION = "fused "
"""Begins the name of a fusion, in front of that of the node that computes."""
CARRIED = "_q_to_dq"
"""Ends the name of integers where onnxruntime carries a pair across a node, and renames its map."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the advice of the library off the console: what it raises is one sentence."""
    logging.disable(logging.WARNING)
    onnxruntime.set_default_logger_severity(FATAL)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        onnxruntime.set_default_logger_severity(WARNINGS)
        logging.disable(logging.NOTSET)


def options_of(level: Level | None) -> Any:
    """Return the options of a session on one thread; level: of optimization, None: none."""
    options = onnxruntime.SessionOptions()
    levels = onnxruntime.GraphOptimizationLevel
    by_name = {None: levels.ORT_DISABLE_ALL, "basic": levels.ORT_ENABLE_BASIC}
    options.graph_optimization_level = by_name.get(level, levels.ORT_ENABLE_ALL)
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return options


def made_precise(model: onnx.ModelProto, options: Any) -> onnx.ModelProto:
    """Ask a session for exact sums; return the model as it opens then, constants apart."""
    options.add_session_config_entry(PRECISE, "1")
    return with_constants_apart(model)


def session_of(model: onnx.ModelProto, options: Any, source: str, **chosen: Any) -> Any:
    """Return a session of a model; source: its path, for messages.

    Raises FormatError for a model that onnxruntime does not open.
    """
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"], **chosen
        )
    except Exception as error:  # the library's exceptions have no common base
        raise FormatError(
            field="the network",
            allowed="ONNX that onnxruntime runs",
            given=" ".join(str(error).split())[:200],
            source=source,
        ) from None


def optimized(
    model: onnx.ModelProto, source: str, level: Level, *, precise: bool = False, **chosen: Any
) -> onnx.ModelProto:
    """Return what onnxruntime makes of a model; its nodes are named by their place in the model.

    precise: with exact sums on a processor whose sums of two products saturate
    chosen: of the session besides
    Raises FormatError for a model that onnxruntime does not open.
    """
    named = onnx.ModelProto()
    named.CopyFrom(model)
    for place, node in enumerate(named.graph.node):
        node.name = str(place)
    options = options_of(level)
    if precise:
        named = made_precise(named, options)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "optimized.onnx"
        options.optimized_model_filepath = str(path)
        session_of(named, options, source, **chosen)
        return onnx.load(path, load_external_data=False)


def place_of(node: onnx.NodeProto, nodes: Mapping[str, Any], makers: Mapping[str, str]) -> str:
    """Return the place of the node of a model that an optimized one came from, or its own name.

    nodes: of the model, by place; makers: places by what they write. A fusion is named after one of
    its nodes, or writes what one of them wrote.
    """
    named: str = node.name.removeprefix(AFTER_FUSION)
    place = named if named in nodes else named.partition("/")[0]
    return place if place in nodes else makers.get(node.output[0], node.name)


def as_session_runs(model: onnx.ModelProto, source: str) -> onnx.ModelProto:
    """Return the model that a default session computes, without its choice of kernels.

    Nodes, and tensors that are left, have the names and the order of the model. Raises FormatError
    for a model that onnxruntime does not open.
    """
    found = optimized(model, source, "basic")
    nodes = {str(place): node for place, node in enumerate(model.graph.node)}
    makers = {name: place for place, node in nodes.items() for name in node.output}
    order = []
    for node in found.graph.node:
        place = place_of(node, nodes, makers)
        order.append(int(place) if place in nodes else len(nodes))
        if place in nodes:
            node.name = node_name(nodes[place])
    copies = copies_of(found.graph, makers)
    with_names_back(found.graph, copies)
    kept = [number for number, node in enumerate(found.graph.node) if node.output[0] not in copies]
    nodes_kept = [found.graph.node[number] for number in kept]
    ordered = list(in_order(nodes_kept, [order[number] for number in kept]))
    del found.graph.node[:]
    found.graph.node.extend(ordered)
    return found


def copies_of(graph: onnx.GraphProto, known: Container[str]) -> dict[str, str]:
    """Return what each copy of a DequantizeLinear writes, by the tensor of the first of its kind.

    onnxruntime makes one for each reader; known: tensors that the model had itself.
    """
    firsts: dict[tuple[str, ...], str] = {}
    copies = {}
    for node in graph.node:
        if node.op_type != "DequantizeLinear":
            continue
        if node.output[0] in known:
            firsts.setdefault(tuple(node.input), node.output[0])
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.output[0] not in known:
            first = firsts.setdefault(tuple(node.input), node.output[0])
            if first != node.output[0]:
                copies[node.output[0]] = first
    return copies


def with_names_back(graph: onnx.GraphProto, copies: Mapping[str, str]) -> None:
    """Name integers after the map that they stand for where that name is free.

    copies: tensors in place of which others are read
    """
    used = {name for node in graph.node for name in (*node.input, *node.output)}
    names = {
        name: name.removesuffix(CARRIED)
        for name in used
        if name.endswith(CARRIED) and name.removesuffix(CARRIED) not in used
    }
    for node in graph.node:
        read = [copies.get(name, name) for name in node.input]
        node.input[:] = [names.get(name, name) for name in read]
        node.output[:] = [names.get(name, name) for name in node.output]


def in_order(nodes: list[onnx.NodeProto], wanted: Sequence[int]) -> Iterator[onnx.NodeProto]:
    """Yield nodes by a wanted place, each behind those that write what it reads."""
    makers = {name: number for number, node in enumerate(nodes) for name in node.output if name}
    left = set(range(len(nodes)))
    for first in sorted(left, key=lambda number: (wanted[number], number)):
        waiting = [first] if first in left else []
        while waiting:
            number = waiting[-1]
            before = {makers[name] for name in nodes[number].input if name in makers} & left
            if before:
                waiting += sorted(before, reverse=True)
                continue
            waiting.pop()
            if number in left:
                left.discard(number)
                made = onnx.NodeProto()
                made.CopyFrom(nodes[number])
                yield made
