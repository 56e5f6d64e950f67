"""Rows of several maps, which end a network: a detector's list of boxes.

No chip computes them: they are places in the maps. What is done to each element of a list is done
to each of its maps; what else a file computes of a list, such as boxes and their overlaps, is the
host's.

Tests: `tests/importers/onnx/test_lists.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import onnx

from hwgen.importers.integer import Ending
from hwgen.importers.integer.moves import ZERO
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq import functions, grids, rearrange
from hwgen.importers.onnx.qdq.constants import MOVING, attributes_of, computed
from hwgen.importers.onnx.qdq.host_heads import is_head, maps_before
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import PART, Constant, Left, Real, Rows, Step, Unknown, Value

Given = list[Value | None]

LAYERS = frozenset(
    {"AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "Gemm", "GlobalAveragePool",
     "GlobalMaxPool", "LayerNormalization", "MatMul", "MaxPool", "RMSNormalization", "ReduceMean"}
)  # fmt: skip
"""Operators of layers: a concatenation in front of one ends no network."""
MOST_BINS = 64
"""Of a box that YOLOv8 decodes: a Conv with one filter of one pixel is their mean."""
PICTURE = 4
"""Rank of images x channels x rows x columns."""
PASSED = frozenset({"Dropout", "Identity"})
QUANTIZATION = frozenset({"DequantizeLinear", "QuantizeLinear"})
ELEMENTWISE: Mapping[str, Callable[[State, onnx.NodeProto, list[Value | None]], list[Value]]] = (
    MappingProxyType(
        {
            "Cast": rearrange.cast,
            "Clip": functions.clip,
            "DequantizeLinear": grids.dequantize,
            "QuantizeLinear": grids.quantize,
            "Relu": functions.clip,
            **dict.fromkeys(functions.FUNCTIONS, functions.unary),
        }
    )
)
"""What reads a function of each element."""


def endings_of(graph: onnx.GraphProto) -> frozenset[str]:
    """Return the tensors behind which no layer stands but those that decode boxes."""
    before: set[str] = set()
    sides = {each.name: tuple(each.dims) for each in graph.initializer}
    for node in graph.node:
        if node.op_type in QUANTIZATION and node.input[0] in sides:
            sides[node.output[0]] = sides[node.input[0]]
    for node in reversed(graph.node):
        if is_layer(node, [sides.get(name, ()) for name in node.input]) or not before.isdisjoint(
            node.output
        ):
            before.update(node.input)
    written = {name for node in graph.node for name in node.output}
    return frozenset(written - before)


def is_layer(node: onnx.NodeProto, sides: Sequence[tuple[int, ...]]) -> bool:
    """Return whether a node is a layer, and no mean over bins; sides: of its constant inputs."""
    if node.op_type != "Conv" or len(sides) != len(("map", "weights")):
        return node.op_type in LAYERS
    filters, bins, *kernel = (*sides[1], 0, 0)[:4]
    return (filters, *kernel) != (1, 1, 1) or not 0 < bins <= MOST_BINS


def lists(state: State, proto: onnx.NodeProto, inputs: Given) -> bool:
    """Return whether a node reads a list, or makes one of maps at the end of the network."""
    if any(isinstance(each, Rows | Left) for each in inputs) or is_head(state, proto, inputs):
        return True
    reals = [each for each in inputs if isinstance(each, Real)]
    if proto.op_type != "Concat" or len(reals) < max(2, len(inputs)):
        return False
    return proto.output[0] in state.endings and not of_channels(state, proto, reals)


def of_channels(state: State, proto: onnx.NodeProto, reals: list[Real]) -> bool:
    """Return whether maps of one height and width are concatenated by channels."""
    rank = reals[0].places.ndim
    axis = int(attributes_of(proto).get("axis", 1)) % rank
    if axis not in (1, rank - 1) or {each.places.ndim for each in reals} != {rank}:
        return False
    moved = [np.moveaxis(each.places, axis, -1) for each in reals]
    if rank == PICTURE:
        return all(state.in_lines(*each) for each in zip(reals, moved, strict=True))
    pixels = set()
    for each, places in zip(reals, moved, strict=True):
        shape = state.shape_of(each)
        whole = state.places(shape).reshape(-1, shape[0] * shape[1], shape[2])
        if not np.array_equal(places.reshape(len(places), -1, places.shape[-1]), whole):
            return False
        pixels.add(shape[:2])
    return len(pixels) == 1


def read(state: State, proto: onnx.NodeProto, inputs: Given) -> list[Value]:
    """Read a node that makes a list, or that reads one."""
    first = inputs[0] if inputs else None
    if proto.op_type == "Shape" and isinstance(first, Rows):
        sides = attributes_of(proto)
        whole = np.array(first.places.shape, np.int64)
        return [Constant(array=whole[sides.get("start", 0) : sides.get("end", len(whole))])]
    try:
        if any(isinstance(each, Left) for each in inputs):
            raise RefusedError("its input", "a list", "what the host computes of one")
        return list(rows_behind(state, proto, inputs))
    except RefusedError as error:
        return [left(state, proto, inputs, error)] * len(proto.output)


def rows_behind(state: State, proto: onnx.NodeProto, inputs: Given) -> list[Rows]:
    """Return the lists that a node makes; RefusedError where it is the host's."""
    first, *others = inputs
    if proto.op_type == "Concat":
        return [joined(state, proto, inputs)]
    if not isinstance(first, Rows):
        raise RefusedError("its first input", "the list", "another")
    if proto.op_type in PASSED:
        return [first]
    if proto.op_type in ELEMENTWISE:
        return [of_each(state, proto, first, others)]
    if proto.op_type in MOVING and proto.op_type != "Resize":
        arrays = [each.array for each in others if isinstance(each, Constant)]
        if len(arrays) < len(others):
            raise RefusedError("its inputs", "a list, then constants", "others")
        found = computed(proto, [first.places, *arrays], state.opset)
        return [replace(first, places=places) for places in found]
    raise RefusedError("the operator", "one of each element, or a move", proto.op_type)


def joined(state: State, proto: onnx.NodeProto, inputs: Given) -> Rows:
    """Return maps and lists one behind the other."""
    parts: list[Real] = []
    names: dict[str, None] = {}
    steps: dict[Step, None] = {}
    arrays = []
    for name, each in zip(proto.input, inputs, strict=True):
        rows = rows_of(state, each)
        names |= dict.fromkeys(rows.lists or (name,))
        steps |= dict.fromkeys(rows.steps)
        if parts and rows.integer != parts[0].integer:
            raise RefusedError("its inputs", "all integers, or all real numbers", "both")
        moved = np.full_like(rows.places, ZERO)
        for number, part in enumerate(rows.parts):
            place = next((at for at, known in enumerate(parts) if same(known, part)), len(parts))
            if place == len(parts):
                parts.append(part)
            here = rows.places // PART == number
            moved[here] = rows.places[here] + (place - number) * PART
        arrays.append(moved)
    (places,) = computed(proto, arrays, state.opset)
    made = Rows(parts=tuple(parts), places=places)
    if not steps:
        return made
    return replace(made, lists=tuple(names), steps=(*steps, step_of(proto)))


def rows_of(state: State, given: Value | None) -> Rows:
    """Return a map as a list of one."""
    if isinstance(given, Rows):
        return given
    if not isinstance(given, Real):
        raise RefusedError("its inputs", "maps of layers, where it lists rows", "others")
    if given.base == state.input:
        raise RefusedError("its inputs", "maps of layers, where it lists rows", "the image")
    whole = replace(given, places=state.places(state.shape_of(given)))
    return Rows(parts=(whole,), places=given.places)


def same(one: Real, other: Real) -> bool:
    """Return whether two maps are one, to which the same is done."""
    base = one.base is other.base or (isinstance(one.base, str) and one.base == other.base)
    done = ("factor", "offset", "low", "high", "function")
    return base and all(getattr(one, name) is getattr(other, name) for name in done)


def step_of(proto: onnx.NodeProto) -> Step:
    """Return a node that computes."""
    return Step(name=node_name(proto), operator=proto.op_type, moves=False)


def of_each(state: State, proto: onnx.NodeProto, rows: Rows, others: Given) -> Rows:
    """Return the list after a function of each element, which is done to each map."""
    made = []
    for number, part in enumerate(rows.parts):
        node = onnx.NodeProto()
        node.CopyFrom(proto)
        node.output[0] = f"{proto.output[0]}/{number}"
        (result,) = ELEMENTWISE[proto.op_type](state, node, [part, *others])
        assert isinstance(result, Real)
        made.append(result)
    if all(part.function is None for part in made):
        return Rows(parts=tuple(made), places=rows.places)
    lists = rows.lists or (proto.input[0],)
    return replace(rows, parts=tuple(made), lists=lists, steps=(*rows.steps, step_of(proto)))


def left(state: State, proto: onnx.NodeProto, inputs: Given, error: RefusedError) -> Left:
    """Return what a node computes as the host's; RefusedError of what no host does to a list."""
    names: dict[str, None] = {}
    steps: dict[Step, None] = {}
    for name, each in zip(proto.input, inputs, strict=True):
        if isinstance(each, Left):
            names |= dict.fromkeys(each.lists)
            steps |= dict.fromkeys(each.steps)
        elif isinstance(each, Rows) and not each.integer:
            names |= dict.fromkeys(each.lists or (name,))
            steps |= dict.fromkeys(each.steps)
        elif isinstance(each, Real) and not each.integer:
            maps, between = maps_before(state, name, each)
            names |= maps
            steps |= between
        elif not isinstance(each, Constant | Unknown | None):
            raise error
    sides = [each.array.shape if isinstance(each, Constant) else () for each in inputs]
    if is_layer(proto, sides) or not names:
        raise error
    return Left(lists=tuple(names), steps=(*steps, step_of(proto)))


def listed(state: State, rows: Rows, name: str, answer: Callable[[Real, str], str]) -> Ending:
    """Return a list as places in maps; answer: gives the map of a part that ends the network."""
    places = state.by_images(rows.places)
    flat = places.reshape(len(places), -1)
    order = np.full(flat.shape[1:], ZERO)
    begins: dict[str, int] = {}
    end, hidden = 0, False
    for number, part in enumerate(rows.parts):
        own = np.where(flat // PART == number, flat % PART, ZERO)
        here = own[0] != ZERO
        if not here.any():
            continue
        made = answer(part, f"{name}/{number}")
        if made not in begins:
            begins[made] = end
            end += part.places.size // state.batch
        order[here] = state.first_of(own, state.shape_of(part))[here] + begins[made]
        hidden = hidden or part.function is not None
    return Ending(maps=(*begins,), order=order.reshape(places.shape[1:]), hidden=hidden)
