"""A piece of an ONNX file on a chip: its network, and where its borders lie in image and maps.

Tests: `tests/plan/test_cut.py`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from hwgen.errors import HwgenError, RefusedNetworkError
from hwgen.importers.integer import IntegerGraph, folded, lower, refusals_of
from hwgen.importers.integer.lower import Lowered, keeping_states
from hwgen.importers.onnx.check import opset_of
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Real
from hwgen.importers.onnx.quantized import part_read
from hwgen.network import INPUT
from hwgen.plan.file import Place, in_axes
from hwgen.plan.onnx_units import OnnxFile
from hwgen.plan.pieces import PieceRefusedError
from hwgen.plan.target import Target
from hwgen.plan.units import TensorFacts, Units

SPLIT_BY_INPUT = 13
"""Opset from which the sizes of a Split are an input."""
PICTURE = 4
"""Rank of a picture with its batch."""
OF_TOKENS = frozenset(
    {"MatMul", "QLinearMatMul", "Softmax", "LayerNormalization", "RMSNormalization"}
)
"""Operators whose maps are often no pictures, even of rank 4."""
SELECTS = "what it selects"
"""In the refusal of a layer for what a move in front of it picks: then the move goes."""
IMAGE = "chip/image"


@dataclass(frozen=True, kw_only=True)
class ChipPiece:
    """A piece that imports and that the chip takes.

    batch: images of a call; image: where each border that it reads lies in them; maps: where each
    border that it writes lies in maps of layers
    """

    lowered: Lowered
    batch: int
    image: tuple[Place, ...]
    maps: tuple[Place, ...]


@dataclass(frozen=True, kw_only=True)
class View:
    """A tensor seen as pixels with channels.

    grid: rows, columns; channels; sides: of the tensor before its axes are put in `order`
    """

    grid: tuple[int, int]
    channels: int
    sides: tuple[int, ...]
    order: tuple[int, ...] = ()


def piece_of(file: OnnxFile, units: Units, target: Target, *, compiled: bool = True) -> ChipPiece:
    """Return a piece of a file for a chip; compiled: whether its compiler is asked, too.

    Raises PieceRefusedError for one that is not taken.
    """
    inputs, _ = file.units.ends_of(units)
    model, first = file.part(units, f"piece{units[0]}"), None
    if len(inputs) == 1:
        try:
            return piece_at(file, units, model, target, [None], compiled=compiled)
        except PieceRefusedError as error:
            first, sides = error, file.tensors[inputs[0]].sides
            operators = {node.op_type for node in model.graph.node}
            if len(sides) == PICTURE and sides[0] == 1 and operators.isdisjoint(OF_TOKENS):
                raise
    for views in common_views([file.tensors[name] for name in inputs]):
        try:
            joined = with_one_image(model, inputs, views)
            return piece_at(file, units, joined, target, views, compiled=compiled)
        except PieceRefusedError as error:
            first = first or error
    raise first or PieceRefusedError("its borders share no grid of pixels")


def piece_at(
    file: OnnxFile,
    units: Units,
    model: onnx.ModelProto,
    target: Target,
    views: Sequence[View | None],
    *,
    compiled: bool,
) -> ChipPiece:
    """Return the piece of a model with one image, by these views of the borders in it.

    One that is only held against the runtime leaves out outputs that are its image, moved.
    """
    inputs, outputs = file.units.ends_of(units)
    try:
        state, graph = part_read(model, name="piece", source=file.source)
        if not compiled:
            outputs = tuple(name for name in outputs if not moves_image(state, name))
            if not outputs:
                raise PieceRefusedError("moves its image alone")
            model = ending_at(model, outputs)
            state, graph = part_read(model, name="piece", source=file.source)
        refused = refusals_of(folded(keeping_states(graph)))
        if refused:
            raise RefusedNetworkError(source=file.source, refusals=refused)
        for name in outputs:
            check_output(file, state, name)
        lowered = lower(graph, kernels="onnxruntime" if target.is_exact else "half_up")
    except RefusedNetworkError as error:
        told = error.refusals[0].sentence
        named = units_named(file, [each.node for each in error.refusals], units, told)
        raise PieceRefusedError(said(file, told), named) from None
    except HwgenError as error:
        raise PieceRefusedError(said(file, str(error))) from None
    if lowered.network.raw_image is not None:
        raise PieceRefusedError("computes with its image before it is quantized")
    complaint = target.refused(lowered.network) if compiled else None
    if complaint is not None:
        layers = [each for each in lowered.network.layers if each.name in complaint.layers]
        named = units_named(file, [each.source for each in layers], units, complaint.sentence)
        raise PieceRefusedError(said(file, complaint.sentence), named)
    return ChipPiece(
        lowered=lowered,
        batch=state.batch,
        image=tuple(
            image_places(file, state, graph, lowered, dict(zip(inputs, views, strict=True)))
        ),
        maps=tuple(map_place(state, graph, lowered, name) for name in outputs),
    )


def check_output(file: OnnxFile, state: State, name: str) -> None:
    """Refuse an output that is no map of a layer."""
    value = state.values.get(name)
    if not isinstance(value, Real) or not isinstance(value.base, str) or not value.integer:
        raise PieceRefusedError("its output is no map of a layer", [file.units.writers[name]])
    if moves_image(state, name):
        raise PieceRefusedError("moves its image alone", [file.units.writers[name]])


def moves_image(state: State, name: str) -> bool:
    """Return whether a tensor is the image in another order."""
    value = state.values.get(name)
    return isinstance(value, Real) and value.base == state.input and value.integer


def ending_at(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """Return a model with some of its outputs."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    kept = [each for each in model.graph.output if each.name in names]
    del made.graph.output[:]
    made.graph.output.extend(kept)
    return made


def units_named(file: OnnxFile, nodes: Sequence[str], units: Units, told: str) -> set[int]:
    """Return the units whose nodes a refusal names; nodes or maps by their names in the model."""
    found = set()
    for name in nodes:
        number = re.match(r"n(\d+)(?!\d)", name)
        node = file.makers.get(name) if number is None or name in file.makers else int(number[1])
        if node is not None and node in file.units.of_node:
            found.add(file.units.of_node[node])
    if SELECTS in told:
        before = {
            file.units.writers[name]
            for unit in found
            for name in file.units.units[unit].inputs
            if name in file.units.writers
        }
        moves = {unit for unit in before & set(units) if not file.units.units[unit].products}
        return moves or found
    return found


def said(file: OnnxFile, sentence: str) -> str:
    """Return a sentence with the names that the user's file has for its nodes."""

    def named(found: re.Match[str]) -> str:
        number = int(found[1])
        return file.names[number] if number < len(file.names) else found[0]

    return re.sub(r"(?<![\w/])n(\d+)(?![\w/])", named, sentence).removesuffix(f" ({file.source})")


def image_places(
    file: OnnxFile,
    state: State,
    graph: IntegerGraph,
    lowered: Lowered,
    views: Mapping[str, View | None],
) -> Iterator[Place]:
    """Yield where each element of the borders lies in the images."""
    places, offset, first = state.given.places, graph.maps[graph.input].offset, 0
    shape = lowered.network.graph.input.shape
    for name, view in views.items():
        found = places
        if view is not None:
            found = places[:, first : first + view.channels]
            first += view.channels
            found = found.reshape(view.sides)
            found = found.transpose(view.order) if view.order else found
        sides = file.tensors[name].sides
        yield place_of(name, INPUT, found.reshape(sides), shape, offset)


def map_place(state: State, graph: IntegerGraph, lowered: Lowered, name: str) -> Place:
    """Return where the elements of an output lie in the map of a layer."""
    value = state.values[name]
    assert isinstance(value, Real)
    end = graph.ends.get(name)
    base = str(value.base) if end is None else end.maps[0]
    layers = layers_of(graph, lowered)
    if base not in layers:
        raise PieceRefusedError(f"its output {name} is no map of a layer")
    shape = lowered.network.map_of(layers[base]).shape
    return place_of(name, layers[base], value.places, shape, graph.maps[base].offset)


def layers_of(graph: IntegerGraph, lowered: Lowered) -> dict[str, str]:
    """Return the layer of each map that ends a piece; each has its own."""
    names = lowered.network.graph.outputs
    if len(names) < len(graph.outputs):
        raise PieceRefusedError("two of its outputs are one map")
    return dict(zip(graph.outputs, names, strict=True))


def place_of(
    name: str, layer: str, places: NDArray[np.int64], shape: tuple[int, int, int], offset: int
) -> Place:
    """Return a place, as an order of axes where it is one."""
    axes = in_axes(places, shape)
    numbers = None if axes is not None else places.astype(np.int32)
    return Place(tensor=name, layer=layer, offset=offset, axes=axes, numbers=numbers)


def views_of(facts: TensorFacts) -> Iterator[View]:
    """Yield the ways to see a tensor as pixels with channels."""
    match facts.sides:
        case (1, c, h, w):
            yield View(grid=(h, w), channels=c, sides=(1, c, h, w))
            yield View(grid=(h, 1), channels=c * w, sides=(1, c, w, h), order=(0, 1, 3, 2))
            yield View(grid=(w, 1), channels=c * h, sides=(1, c, h, w))
        case (1, a, b):
            yield View(grid=(a, 1), channels=b, sides=(1, b, a), order=(0, 2, 1))
            yield View(grid=(b, 1), channels=a, sides=(1, a, b))
        case (c, h, w):
            yield View(grid=(h, 1), channels=c * w, sides=(c, w, h), order=(0, 2, 1))
            yield View(grid=(w, 1), channels=c * h, sides=(c, h, w))
        case (a, b):
            yield View(grid=(a, 1), channels=b, sides=(b, a), order=(1, 0))


def common_views(borders: Sequence[TensorFacts]) -> Iterator[list[View]]:
    """Yield, for each grid that all borders have, how each of them is seen."""
    if len({each.type for each in borders}) > 1:
        return
    ways = [list(views_of(each)) for each in borders]
    for grid in dict.fromkeys(view.grid for view in ways[0]):
        chosen = [next((each for each in views if each.grid == grid), None) for views in ways]
        found = [each for each in chosen if each is not None]
        if len(found) == len(chosen):
            yield found


def with_one_image(
    model: onnx.ModelProto, inputs: Sequence[str], views: Sequence[View]
) -> onnx.ModelProto:
    """Return a model whose inputs are channels of one image, from which nodes take them."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph, front = made.graph, []
    channels = [view.channels for view in views]
    kind = graph.input[0].type.tensor_type.elem_type
    del graph.input[:]
    sides = [1, sum(channels), *views[0].grid]
    graph.input.append(helper.make_tensor_value_info(IMAGE, kind, sides))

    def stored(name: str, values: Sequence[int]) -> str:
        graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    parts = [IMAGE]
    if len(inputs) > 1:
        parts = [f"chip/part{k}" for k in range(len(inputs))]
        if opset_of(made) < SPLIT_BY_INPUT:
            front.append(
                helper.make_node("Split", [IMAGE], parts, "chip/split", axis=1, split=channels)
            )
        else:
            given = [IMAGE, stored("chip/sizes", channels)]
            front.append(helper.make_node("Split", given, parts, "chip/split", axis=1))
    for k, (name, view, part) in enumerate(zip(inputs, views, parts, strict=True)):
        shaped = f"chip/shaped{k}" if view.order else name
        given = [part, stored(f"chip/sides{k}", view.sides)]
        front.append(helper.make_node("Reshape", given, [shaped], f"chip/reshape{k}"))
        if view.order:
            turned = helper.make_node(
                "Transpose", [shaped], [name], f"chip/transpose{k}", perm=list(view.order)
            )
            front.append(turned)
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*front, *rest])
    return made
