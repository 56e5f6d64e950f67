"""From the graph of an ONNX model to the layers of a CrossbarNetwork.

The nodes are walked in the order of the file. Convolutions, fully connected layers, poolings and
element-wise additions become layers. An activation belongs to the layers that wrote what it reads:
behind a concatenation to each of them, and to the one before even when other readers of that layer
stand in front of the activation (a layer has one activation, and crossbars apply it once, where
they write). Everything else moves data only, and its readers read through it. A layer that reads
the image beside other layers names those alone: the image is always there.
"""

from dataclasses import replace
from pathlib import Path

import onnx
from pydantic import ValidationError

from hwgen.compiler.crossbar.maps import LAYOUT, Axis, Map, named
from hwgen.compiler.crossbar.moves import moved, providers_of
from hwgen.compiler.crossbar.onnx_check import node_name
from hwgen.compiler.crossbar.onnx_file import OnnxGraph, open_model, read_model
from hwgen.compiler.crossbar.operators import (
    FULLY_CONNECTED,
    GLOBAL_POOLS,
    POOLS,
    RELUS,
    SIGMOIDS,
    SUMS,
    WINDOWS,
)
from hwgen.compiler.crossbar.step import Step
from hwgen.compiler.crossbar.windows import Window, equal, global_window, sliding_window
from hwgen.errors import FormatError
from hwgen.spec.crossbar.network import Activation, CrossbarLayer, CrossbarNetwork, Kind
from hwgen.spec.load import first_mistake

BY_ROWS: tuple[Axis, ...] = ("batch", "row", "column", "channel")
"""How some tools lay an image out, with a Transpose behind it."""

MATRIX = 2


def read_onnx(path: Path) -> CrossbarNetwork:
    """Return the layers of an ONNX file; the file is only read."""
    return network_of(read_model(path), name=path.stem, source=str(path))


def network_of(model: onnx.ModelProto, *, name: str, source: str) -> CrossbarNetwork:
    """Return the layers of a model that came from `source`; the model stays as it is."""
    graph = open_model(model, name=name, source=source)
    walk = Walk(graph)
    image = walk.maps[graph.image]
    try:
        for node in graph.nodes:
            walk.take(Step(node=node, graph=graph, maps=walk.maps))
        return CrossbarNetwork(
            name=name,
            input_channels=image.size("channel"),
            input_side=image.size("row"),
            layers=tuple(walk.layers),
            fused_activations=graph.fused_activations,
        )
    except ValidationError as error:
        raise first_mistake(error, source, FormatError) from None


class Walk:
    """The layers so far, and the map that each tensor carries."""

    def __init__(self, graph: OnnxGraph) -> None:
        self.layers: list[CrossbarLayer] = []
        self.maps: dict[str, Map] = {graph.image: image_map(graph)}

    def take(self, step: Step) -> None:
        """Add what a node does."""
        operator = step.node.op_type
        if not step.read:
            raise step.error("input", "a map", "a mask or places")
        if operator not in WINDOWS | {"Pad"} and any(any(read.padding) for read in step.read):
            raise step.error("input", "not padded (Pad stands before Conv or a pooling)", "padded")
        if operator in WINDOWS | GLOBAL_POOLS:
            result = self.add_window(step)
        elif operator in FULLY_CONNECTED:
            result = self.add_fully_connected(step)
        elif operator in SUMS and len(step.read) > 1:
            result = self.add_sum(step)
        elif operator in RELUS:
            result = self.activate(step, "relu")
        elif operator in SIGMOIDS:
            result = self.activate(step, "sigmoid")
        else:
            result = moved(step)
        self.maps[step.node.output[0]] = result

    def add_window(self, step: Step) -> Map:
        """Convolution or pooling."""
        operator, groups = step.node.op_type, 1
        channels = step.map.size("channel", "mixed")
        if operator == "Conv":
            weights = weights_of(step, 1, rank=len(LAYOUT))
            window = sliding_window(step, weights[2:])
            groups = int(step.attribute("group", 1))
            if weights[1] * groups != channels or weights[0] % groups:
                given = f"of shape {weights} and {groups} groups"
                raise step.error("weights", f"for {channels} channels", given)
        elif operator in POOLS:
            window = sliding_window(step, tuple(step.attribute("kernel_shape", ())))
        else:
            window = global_window(step)
        axes = reduced_axes(step) if operator == "ReduceMean" else LAYOUT
        result = self.placed(step, axes)
        self.add_layer(
            step,
            "conv" if operator == "Conv" else "pool",
            window,
            channels=(channels, result.size("channel", "mixed")),
            groups=groups,
        )
        return result

    def add_fully_connected(self, step: Step) -> Map:
        """Gemm, or MatMul with weights on one side."""
        read = step.read[0]
        left = step.node.input[0] in self.maps
        if len(step.read) > 1 or (step.node.op_type == "Gemm" and not left):
            raise step.error("inputs", "one map and weights", "others")
        contracted = len(read.shape) - (1 if left else MATRIX)
        inputs = read.shape[contracted] if contracted >= 0 else 0
        weights = weights_of(step, 1 if left else 0, rank=MATRIX)
        across = 1 if step.attribute("transB", 0) or not left else 0
        if inputs != read.values or step.attribute("transA", 0):
            given = " x ".join(str(size) for size in read.shape)
            raise step.error("map", "flattened (a value for each input, one position)", given)
        if weights[across] != inputs:
            raise step.error("weights", f"for {inputs} inputs", f"of shape {weights}")
        axes: list[Axis] = ["batch" if axis == "batch" else "one" for axis in read.axes]
        axes[contracted] = "channel"
        result = self.placed(step, tuple(axes))
        self.add_layer(step, "fc", POINT, channels=(inputs, result.values))
        return result

    def add_sum(self, step: Step) -> Map:
        """Element-wise addition of maps of one shape."""
        reads = step.read
        first = reads[0]
        if any((read.shape, read.axes) != (first.shape, first.axes) for read in reads):
            given = " and ".join(str(read.shape) for read in reads)
            raise step.error("maps", "of one shape and layout", given)
        if not providers_of(reads):
            raise step.error("maps", "of at least one layer", "the image alone")
        side = equal(step, "map", (first.size("row"), first.size("column")))
        channels = first.size("channel", "mixed")
        window = Window(kernel=1, stride=1, padding=0, in_side=side, out_side=side)
        result = self.placed(step, first.axes)
        self.add_layer(step, "eltwise", window, channels=(channels, channels))
        return result

    def placed(self, step: Step, axes: tuple[Axis, ...]) -> Map:
        """Return the map that the layer which comes next writes."""
        shape = step.shape
        return Map(providers=(len(self.layers),), shape=shape, axes=named(shape, axes))

    def add_layer(
        self,
        step: Step,
        kind: Kind,
        window: Window,
        *,
        channels: tuple[int, int],
        groups: int = 1,
    ) -> None:
        """Put a layer behind the others; channels are those that it reads and writes."""
        taken = {layer.name for layer in self.layers}
        name = node_name(step.node)
        self.layers.append(
            CrossbarLayer(
                name=step.node.output[0] if name in taken else name,
                kind=kind,
                providers=providers_of(step.read),
                kernel=window.kernel,
                stride=window.stride,
                padding=window.padding,
                in_channels=channels[0],
                out_channels=channels[1],
                groups=groups,
                in_side=window.in_side,
                out_side=window.out_side,
                activation="none",
            )
        )

    def activate(self, step: Step, activation: Activation) -> Map:
        """Give an activation to the layers that wrote the map."""
        read = step.map
        if not read.providers:
            raise step.error("input", "written by a layer", "the image")
        for place in read.providers:
            before = self.layers[place].activation
            if before not in ("none", activation):
                allowed = f"{before}, which layer {self.layers[place].name} has already"
                raise step.error("activation", allowed, activation)
            self.layers[place] = replace(self.layers[place], activation=activation)
        return read


POINT = Window(kernel=1, stride=1, padding=0, in_side=1, out_side=1)
"""What a fully connected layer sees and writes."""


def weights_of(step: Step, place: int, *, rank: int) -> tuple[int, ...]:
    """Return the shape of the weights, which must not come from the image."""
    name = step.node.input[place]
    shape = step.shape_of(name)
    if name in step.maps or len(shape) != rank:
        given = "a map" if name in step.maps else f"{len(shape)}"
        raise step.error("weights", f"constant, of {rank} dimensions", given)
    return shape


def reduced_axes(step: Step) -> tuple[Axis, ...]:
    """Return the axes behind a mean over rows and columns, which are kept with size 1 or gone."""
    axes = step.map.axes
    if len(step.shape) == len(axes):
        return axes
    reduced = {place % len(axes) for place in step.integers("axes", 1) or ()}
    return tuple(axis for place, axis in enumerate(axes) if place not in reduced)


def image_map(graph: OnnxGraph) -> Map:
    """Return the image: batch x channels x rows x columns, by rows, or a batch of vectors."""
    shape = graph.shapes[graph.image]
    axes: tuple[Axis, ...] = LAYOUT
    if len(shape) == MATRIX:
        axes = ("batch", "channel")
    elif reads_by_rows(graph):
        axes = BY_ROWS
    image = Map(providers=(), shape=shape, axes=axes)
    if len(shape) != len(axes) or image.size("row") != image.size("column"):
        raise FormatError(
            field=f"input {graph.image}",
            allowed="a square image or a vector, of 4 or 2 dimensions with the batch",
            given=" x ".join(str(side) for side in shape),
            source=graph.source,
        )
    return replace(image, axes=named(shape, axes))


def reads_by_rows(graph: OnnxGraph) -> bool:
    """Whether every reader of the image turns rows x columns x channels around first."""
    readers = [node for node in graph.nodes if graph.image in node.input]
    orders = [
        list(onnx.helper.get_attribute_value(attribute))
        for node in readers
        for attribute in node.attribute
        if node.op_type == "Transpose" and attribute.name == "perm"
    ]
    return bool(readers) and orders == [[0, 3, 1, 2]] * len(readers)
