"""The outputs of a model as maps, and what the host does behind the chip to have them.

Tests: `tests/importers/onnx/test_host.py`.
"""

from dataclasses import replace

import numpy as np
import onnx

from hwgen.importers.integer import Ending, Unsupported
from hwgen.importers.integer.endings import said_of_head
from hwgen.importers.integer.moves import Places
from hwgen.importers.integer.nodes import Head, SoftmaxOfGroups
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.qdq.functions import ORDER_KEPT
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Operation, Real, Value

ANSWER = (
    "chips answer in the order of the map; element i of the file's answer is element"
    " answer_places[i] of the map, and hwgen compares and infers in the file's order"
)
LAYERS = frozenset(
    {"AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "Gemm", "GlobalAveragePool",
     "GlobalMaxPool", "LayerNormalization", "MatMul", "MaxPool", "RMSNormalization", "ReduceMean"}
)  # fmt: skip
"""Operators of layers: behind a Softmax that is left out stands none."""
OTHER = "chips and golden have the order of the map"


def endings_of(graph: onnx.GraphProto) -> frozenset[str]:
    """Return the tensors behind which no layer stands."""
    before: set[str] = set()
    for node in reversed(graph.node):
        if node.op_type in LAYERS or not before.isdisjoint(node.output):
            before.update(node.input)
    return frozenset({name for node in graph.node for name in node.output} - before)


def answers(state: State, model: onnx.ModelProto) -> dict[str, Ending]:
    """Return by tensor what each output is, the answer first; note what the host does behind."""
    ends: dict[str, Ending] = {}
    for tensor in model.graph.output:
        value, first = with_softmax_as_head(state.values.get(tensor.name)), not ends
        found, order = answer(state, tensor.name, value)
        if isinstance(value, Real):
            note(state, value, (tensor.name, found), order, first=first)
        ends[tensor.name] = Ending(maps=(found,), order=order)
        if first:
            state.order = order
    return ends


def note(
    state: State, value: Real, names: tuple[str, str], order: Places | None, *, first: bool
) -> None:
    """Note what the host does behind the map of an output; names: of the output and of the map."""
    if order is not None:
        sides = " x ".join(map(str, state.maps[names[1]].shape))
        nodes = ", ".join(f"{step.operator} ({step.name})" for step in value.trail if step.moves)
        made = " x ".join(map(str, order.shape)) + (f", by {nodes}" if nodes else "")
        state.behind.append(
            f"output {names[0]} is the map of {sides} in another order, {made}:"
            f" {ANSWER if first else OTHER}"
        )
    state.behind += heads(value)


def heads(value: Real) -> list[str]:
    """Return a sentence for each function that is left out behind an output's map."""
    base = value.base
    steps = [step for step in value.trail if step.operator in ORDER_KEPT]
    found = [base] if isinstance(base, Operation) and base.kind is Head else steps
    return [said_of_head(each.operator, each.name) for each in found]


def order_of(state: State, value: Real, name: str) -> Places | None:
    """Return the places of an output in its map; None if it has the map's order.

    Channels first is the map's order, as long as rows and columns are sides of their own.
    """
    shape = state.maps[name].shape
    first = state.first_of(state.by_images(value.places), shape)
    flat, planes = first.reshape(-1), state.planes(shape)[0].reshape(-1)
    if flat.size == planes.size:
        apart = first.ndim == len(shape) or (first.ndim > 1 and 1 in shape[:2])
        if np.array_equal(flat, np.arange(flat.size)) or (apart and np.array_equal(flat, planes)):
            return None
    return first


def with_softmax_as_head(value: Value | None) -> Value | None:
    """Return a Softmax that nothing quantizes as the head that it is then."""
    base = value.base if isinstance(value, Real) else None
    if not isinstance(base, Operation) or base.kind is not SoftmaxOfGroups or base.sequences:
        return value
    assert isinstance(value, Real)
    return replace(value, base=replace(base, kind=Head, keys={}))


def answer(state: State, name: str, value: Value | None) -> tuple[str, Places | None]:
    """Return the map of an output of the network, and its order in the file."""
    if not isinstance(value, Real):
        return name, None
    try:
        found = answer_map(state, value, name)
        return found, order_of(state, value, found)
    except RefusedError as error:
        base = value.base
        about: tuple[str, str, tuple[str, ...]] = ("output", name, (str(base),))
        if isinstance(base, Operation):
            about = (base.operator, base.name, base.inputs)
        return refused(state, name, about, error), None


def refused(
    state: State, name: str, about: tuple[str, str, tuple[str, ...]], error: RefusedError
) -> str:
    """Append a node in place of an output; about: operator, name and inputs of what is refused."""
    operator, node, inputs = about
    state.nodes.append(
        Unsupported(
            name=node,
            operator=operator,
            inputs=inputs,
            output=f"{name}/refused",
            what=error.what,
            allowed=error.allowed,
            given=error.given,
        )
    )
    return f"{name}/refused"


def answer_map(state: State, value: Real, name: str) -> str:
    """Return the map of an output, whose sums may be raw."""
    base = value.base
    if isinstance(base, Operation):
        if base.kind is Head:
            same = state.maps[base.inputs[0]]
            return str(state.finish(value, same, name, like=base.inputs[0]).base)
        if base.kind.__name__ in ("MaxPooling", "Concatenation"):
            return str(state.settled(value, onnx.NodeProto(name=name, op_type="output")).base)
        return str(state.raw(value, name).base)
    computing = {step.operator for step in value.trail if not step.moves}
    left_out = computing <= ORDER_KEPT | {"QuantizeLinear"} and not state.whole
    if value.function is not None and left_out:
        return base
    return str(state.settled(value, onnx.NodeProto(name=name, op_type="output")).base)
