"""From a graph to the layers of a CrossbarNetwork.

The nodes are walked in the order of the graph. Convolutions, fully connected layers, poolings and
element-wise additions become layers. An activation belongs to the layers that wrote what it reads:
behind a concatenation to each of them, and to the one before even when other readers of that layer
stand in front of the activation (a layer has one activation, and crossbars apply it once, where
they write). Everything else moves data only, and its readers read through it. A layer that reads
the image beside other layers names those alone: the image is always there.
"""

from dataclasses import replace
from typing import cast

from pydantic import ValidationError

from hwgen.compiler.crossbar.maps import LAYOUT, Axis, Map, named
from hwgen.compiler.crossbar.moves import moved, providers_of, unmoved
from hwgen.compiler.crossbar.operators import (
    FULLY_CONNECTED,
    GLOBAL_POOLS,
    MOVES,
    RELUS,
    SIGMOIDS,
    SUMS,
    UNMOVED,
    WINDOWS,
)
from hwgen.compiler.crossbar.step import Step
from hwgen.compiler.crossbar.windows import Window, equal, global_window, sliding_window
from hwgen.errors import FormatError
from hwgen.spec import graph as spec
from hwgen.spec.crossbar.network import Activation, CrossbarLayer, CrossbarNetwork, Kind
from hwgen.spec.graph import Graph
from hwgen.spec.load import first_mistake

FUSED_NOTE = "hwgen.fused_activations"
"""Note of a graph: "true" when its activations cost nothing under published rules."""

BY_ROWS: tuple[Axis, ...] = ("batch", "row", "column", "channel")
"""How some tools lay an image out, with a transpose behind it."""

MATRIX = 2


def network_of(graph: Graph) -> CrossbarNetwork:
    """Return the layers of a graph; refused in one sentence where a crossbar cannot run a node."""
    walk = Walk(graph)
    image = walk.maps[graph.image]
    try:
        for node in graph.nodes:
            walk.take(Step(node=node, graph=graph, maps=walk.maps))
        return CrossbarNetwork(
            name=graph.name,
            input_channels=image.size("channel"),
            input_side=image.size("row"),
            layers=tuple(walk.layers),
            fused_activations=graph.notes.get(FUSED_NOTE) == "true",
        )
    except ValidationError as error:
        raise first_mistake(error, graph.source, FormatError) from None


class Walk:
    """The layers so far, and the map that each tensor carries."""

    def __init__(self, graph: Graph) -> None:
        self.layers: list[CrossbarLayer] = []
        self.maps: dict[str, Map] = {graph.image: image_map(graph)}

    def take(self, step: Step) -> None:
        """Add what a node does."""
        op = step.node.op
        if not step.read:
            raise step.error("input", "a map", "a mask or places")
        if op not in WINDOWS | {"pad"} and any(any(read.padding) for read in step.read):
            raise step.error("input", "not padded (Pad stands before Conv or a pooling)", "padded")
        if op in WINDOWS | GLOBAL_POOLS:
            result = self.add_window(step)
        elif op in FULLY_CONNECTED:
            result = self.add_fully_connected(step)
        elif op in SUMS and len(step.read) > 1:
            result = self.add_sum(step)
        elif op in RELUS:
            result = self.activate(step, "relu")
        elif op in SIGMOIDS:
            result = self.activate(step, "sigmoid")
        elif op in MOVES:
            result = moved(step)
        elif op in UNMOVED | SUMS:
            result = unmoved(step)
        else:
            raise step.error("operation", "one that a crossbar runs or reads through", op)
        self.maps[step.node.outputs[0]] = result

    def add_window(self, step: Step) -> Map:
        """Convolution or pooling."""
        op, groups = step.node.op, 1
        channels = step.map.size("channel", "mixed")
        window = sliding_window(step) if op in WINDOWS else global_window(step)
        if op == "conv":
            weights = step.shape_of(step.node.inputs[1])
            groups = cast(spec.Window, step.node.attributes).groups
            if weights[1] * groups != channels or weights[0] % groups:
                given = f"of shape {weights} and {groups} groups"
                raise step.error("weights", f"for {channels} channels", given)
        axes = reduced_axes(step) if op == "mean" else LAYOUT
        result = self.placed(step, axes)
        self.add_layer(
            step,
            "conv" if op == "conv" else "pool",
            window,
            channels=(channels, result.size("channel", "mixed")),
            groups=groups,
        )
        return result

    def add_fully_connected(self, step: Step) -> Map:
        """A matrix product of a map and weights, which may stand on either side."""
        read, node = step.read[0], step.node
        left = node.inputs[0] in self.maps
        if len(step.read) > 1 or (node.op == "fully_connected" and not left):
            raise step.error("inputs", "one map and weights", "others")
        given = cast(spec.Matrices, node.attributes)
        contracted = len(read.shape) - (1 if left else MATRIX)
        inputs = read.shape[contracted] if contracted >= 0 else 0
        weights = step.shape_of(node.inputs[1 if left else 0])
        if len(weights) != MATRIX:
            raise step.error("weights", f"constant, of {MATRIX} dimensions", len(weights))
        across = 1 if given.second_transposed or not left else 0
        if inputs != read.values or given.first_transposed:
            shape = " x ".join(str(size) for size in read.shape)
            raise step.error("map", "flattened (a value for each input, one position)", shape)
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
        name = step.node.name
        self.layers.append(
            CrossbarLayer(
                name=step.node.outputs[0] if name in taken else name,
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


def reduced_axes(step: Step) -> tuple[Axis, ...]:
    """Return the axes behind a mean over rows and columns, which are kept with size 1 or gone."""
    axes = step.map.axes
    if len(step.shape) == len(axes):
        return axes
    reduced = cast(spec.Mean, step.node.attributes).axes
    return tuple(axis for place, axis in enumerate(axes) if place not in reduced)


def image_map(graph: Graph) -> Map:
    """Return the image: batch x channels x rows x columns, by rows, or a batch of vectors."""
    shape = graph.tensors[graph.image].shape
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


def reads_by_rows(graph: Graph) -> bool:
    """Whether every reader of the image turns rows x columns x channels around first."""
    readers = [node.attributes for node in graph.nodes if graph.image in node.inputs]
    turned = spec.Transposition(order=(0, 3, 1, 2))
    return bool(readers) and readers == [turned] * len(readers)
