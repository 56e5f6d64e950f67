"""The outputs of a model as maps, and what the host does behind the chip to have them.

Tests: `tests/importers/onnx/test_host.py`.
"""

import numpy as np
import onnx

from hwgen.importers.integer import Unsupported
from hwgen.importers.integer.moves import Places
from hwgen.importers.integer.nodes import Head
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.qdq.functions import ORDER_KEPT
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Operation, Real

ANSWER = (
    "chips answer in the order of the map; element i of the file's answer is element"
    " answer_places[i] of the map, and hwgen compares and infers in the file's order"
)
OTHER = "chips and golden have the order of the map"


def answers(state: State, model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the map of each output, the answer first, and note what the host does behind it."""
    maps = []
    for number, tensor in enumerate(model.graph.output):
        name, order = answer(state, tensor.name)
        maps.append(name)
        value = state.values.get(tensor.name)
        if order is not None and number == 0:
            state.order = order
        if order is not None and isinstance(value, Real):
            sides = " x ".join(map(str, state.maps[name].shape))
            nodes = ", ".join(
                f"{step.operator} ({step.name})" for step in value.trail if step.moves
            )
            made = " x ".join(map(str, order.shape)) + (f", by {nodes}" if nodes else "")
            state.behind.append(
                f"output {tensor.name} is the map of {sides} in another order, {made}:"
                f" {ANSWER if number == 0 else OTHER}"
            )
        if isinstance(value, Real):
            state.behind += heads(value)
    return tuple(maps)


def heads(value: Real) -> list[str]:
    """Return a sentence for each function that is left out behind an output's map."""
    base = value.base
    steps = [step for step in value.trail if step.operator in ORDER_KEPT]
    found = [base] if isinstance(base, Operation) and base.kind is Head else steps
    return [
        f"{each.operator} ({each.name}) is left out: the order of classes is that before it"
        for each in found
    ]


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


def answer(state: State, name: str) -> tuple[str, Places | None]:
    """Return the map of an output of the network, and its order in the file."""
    value = state.values.get(name)
    if not isinstance(value, Real):
        return name, None
    try:
        found = answer_map(state, value, name)
        return found, order_of(state, value, found)
    except RefusedError as error:
        base = value.base
        about = base if isinstance(base, Operation) else None
        state.nodes.append(
            Unsupported(
                name=about.name if about else name,
                operator=about.operator if about else "output",
                inputs=about.inputs if about else (str(base),),
                output=f"{name}/refused",
                what=error.what,
                allowed=error.allowed,
                given=error.given,
            )
        )
        return f"{name}/refused", None


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
    if value.function is not None and computing <= ORDER_KEPT | {"QuantizeLinear"}:
        return base
    return str(state.settled(value, onnx.NodeProto(name=name, op_type="output")).base)
