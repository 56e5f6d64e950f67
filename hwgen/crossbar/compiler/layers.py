"""From a graph to the layers of a CrossbarNetwork.

The nodes are walked in the order of the graph. Convolutions, fully connected layers, poolings and
element-wise additions and products become layers. An activation belongs to the layers that wrote
what it reads: behind a concatenation to each of them, and to the one before even when other readers
of that layer stand in front of the activation (a layer has one activation, and crossbars apply it
once, where they write). A chain of functions of one map is one function, which the table of the
sigmoid holds; so is the product of two functions of one map, such as the SiLU. Everything else
moves data only, and its readers read through it. By published rules a layer that reads the image
beside other layers names those alone: the image is always there. By strict rules each operand is
carried and charged, so such a layer is refused, and an addition that reads a layer twice.

A node that cannot be is written down, and the walk goes on behind it where the shapes say how, so
that all of them are refused at once.

Tests: `tests/crossbar/compiler/test_refusals.py`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from pydantic import ValidationError

from hwgen.crossbar.compiler import walk as forms
from hwgen.crossbar.facts.network import Activation, Columns, CrossbarLayer, CrossbarNetwork, Kind
from hwgen.crossbar.facts.rules import STRICT, Rules
from hwgen.errors import FormatError, RefusedNodesError
from hwgen.files.load import first_mistake
from hwgen.network import operations as spec
from hwgen.network.operations import Graph

FUSED_NOTE = "hwgen.fused_activations"
"""Note of a graph: "true" when its activations cost nothing under published rules."""

OPERANDS = "maps of different layers, one each"
IMAGE_AMONG_THEM = "the image among them (a 1 x 1 convolution in front makes it a layer's)"
TWICE = "one of them twice"
"""What strict rules ask of a concatenation, an addition or a product, and what breaks it."""

COLUMN_FIELDS = ("kernel", "stride", "padding", "in_side", "out_side")


def network_of(graph: Graph, rules: Rules = STRICT) -> CrossbarNetwork:
    """Return the layers of a graph.

    rules: that a synthesis counts by
    Raises FormatError where one node stands in the way, RefusedNodesError with a sentence for each
    of several.
    """
    walk = Walk(graph, rules)
    image = walk.maps[graph.image]
    for node in graph.nodes:
        walk.take(forms.Step(node=node, graph=graph, maps=walk.maps))
    if len(walk.errors) == 1:
        raise walk.errors[0]
    if walk.errors:
        sentences = [str(error).removesuffix(f" ({graph.source})") for error in walk.errors]
        raise RefusedNodesError(sentences=sentences, source=graph.source)
    rows, columns = image.size("row"), image.size("column")
    try:
        return CrossbarNetwork(
            name=graph.name,
            input_channels=image.size("channel"),
            input_side=rows,
            input_columns=None if rows == columns else columns,
            layers=tuple(walk.layers),
            fused_activations=graph.notes.get(FUSED_NOTE) == "true",
        )
    except ValidationError as error:
        raise first_mistake(error, graph.source, FormatError) from None


class Walk:
    """The layers so far, the map that each tensor carries, and what cannot be."""

    def __init__(self, graph: Graph, rules: Rules) -> None:
        self.carries_image = rules.image_travels
        self.layers: list[CrossbarLayer] = []
        self.maps: dict[str, forms.Map] = {graph.image: forms.image_map(graph)}
        self.errors: list[FormatError] = []
        self.lost: set[str] = set()

    def take(self, step: forms.Step) -> None:
        """Add what a node does; behind a node that cannot be its map has the shape that is known.

        A node that reads what is lost is left out but for an operator that is unknown anyway.
        """
        node = step.node
        refused = node.attributes
        if isinstance(refused, spec.Refused):
            if not refused.dependent:
                self.errors.append(step.error(refused.what, refused.allowed, refused.given))
            self.go_on(step)
        elif not self.lost.isdisjoint(node.inputs):
            self.lost.update(node.outputs)
        else:
            try:
                self.maps[node.outputs[0]] = self.mapped(step)
            except FormatError as error:
                self.errors.append(error)
                self.go_on(step)

    def go_on(self, step: forms.Step) -> None:
        """Give the outputs of a refused node the map that it reads, in their own shape."""
        for name in step.node.outputs:
            shape = step.graph.tensors[name].shape if name in step.graph.tensors else ()
            alike = [read for read in step.read if len(read.shape) == len(shape)]
            # Of a layer, if one is there: readers would complain again of the image.
            read = max(alike, key=lambda read: bool(read.providers), default=None)
            if read is not None and read.shape[:1] == shape[:1]:
                self.maps[name] = replace(
                    read, shape=shape, padding=(0, 0), added=(0, 0), activated=True
                )
            else:
                self.lost.add(name)

    def mapped(self, step: forms.Step) -> forms.Map:
        """Return what a node writes, and add its layer if it is one."""
        op = step.node.op
        if not step.read:
            raise step.error("input", "a map", "a mask or places")
        if op not in forms.WINDOWS | {"pad"} and any(any(read.added) for read in step.read):
            raise step.error("input", "not padded (Pad stands before Conv or a pooling)", "padded")
        for ops, method in self.methods():
            if op in ops:
                return method(step)
        raise step.error("operation", "one that a crossbar runs or reads through", op)

    def methods(self) -> list[tuple[frozenset[spec.Op], Callable[[forms.Step], forms.Map]]]:
        """Return what is done for each set of operations."""
        return [
            (forms.WINDOWS | forms.GLOBAL_POOLS, self.add_window),
            (forms.FULLY_CONNECTED, self.add_fully_connected),
            (forms.SUMS | forms.PRODUCTS, self.add_eltwise),
            (forms.RELUS, lambda step: self.activate(step, "relu")),
            (forms.SIGMOIDS, lambda step: self.activate(step, "sigmoid")),
            (forms.MOVES, self.move),
            (forms.UNMOVED, forms.unmoved),
        ]

    def add_window(self, step: forms.Step) -> forms.Map:
        """Convolution or pooling."""
        op, groups = step.node.op, 1
        channels = step.map.size("channel", "mixed")
        window = forms.sliding_window(step) if op in forms.WINDOWS else forms.global_window(step)
        if op == "conv":
            weights = step.shape_of(step.node.inputs[1])
            groups = cast(spec.Window, step.node.attributes).groups
            if weights[1] * groups != channels or weights[0] % groups:
                given = f"of shape {weights} and {groups} groups"
                raise step.error("weights", f"for {channels} channels", given)
        axes = forms.reduced_axes(step) if op == "mean" else forms.LAYOUT
        result = self.placed(step, axes)
        self.add_layer(
            step,
            "conv" if op == "conv" else "pool",
            window,
            channels=(channels, result.size("channel", "mixed")),
            groups=groups,
            average=op in forms.AVERAGES,
        )
        return result

    def add_fully_connected(self, step: forms.Step) -> forms.Map:
        """A matrix product of a map and weights, which may stand on either side."""
        read, node = step.read[0], step.node
        left = node.inputs[0] in self.maps
        if len(step.read) > 1 or (node.op == "fully_connected" and not left):
            raise step.error("inputs", "one map and weights", "others")
        given = cast(spec.Matrices, node.attributes)
        if left and node.op == "matrix_product" and self.is_by_pixels(step):
            return self.add_pixels(step)
        contracted = len(read.shape) - (1 if left else forms.MATRIX)
        inputs = read.shape[contracted] if contracted >= 0 else 0
        weights = step.shape_of(node.inputs[1 if left else 0])
        if len(weights) != forms.MATRIX:
            raise step.error("weights", f"constant, of {forms.MATRIX} dimensions", len(weights))
        across = 1 if given.second_transposed or not left else 0
        if inputs != read.values or given.first_transposed:
            shape = " x ".join(str(size) for size in read.shape)
            raise step.error("map", "flattened (a value for each input, one position)", shape)
        if weights[across] != inputs:
            raise step.error("weights", f"for {inputs} inputs", f"of shape {weights}")
        axes: list[forms.Axis] = ["batch" if axis == "batch" else "one" for axis in read.axes]
        axes[contracted] = "channel"
        result = self.placed(step, tuple(axes))
        self.add_layer(step, "fc", POINT, channels=(inputs, result.values))
        return result

    @staticmethod
    def is_by_pixels(step: forms.Step) -> bool:
        """Whether a matrix product reads a map of rows, columns, channels, the last for itself."""
        axes = step.read[0].axes
        wanted: tuple[forms.Axis, ...] = ("batch", "row", "column", "channel")
        pairs = zip(axes, wanted, strict=False)
        several = step.read[0].size("row", "column") > 1
        return several and len(axes) == len(wanted) and all(a in (b, "one") for a, b in pairs)

    def add_pixels(self, step: forms.Step) -> forms.Map:
        """A matrix product of the channels of each pixel: a convolution of 1 x 1."""
        read, weights = step.read[0], step.shape_of(step.node.inputs[1])
        channels = read.shape[-1]
        if len(weights) != forms.MATRIX or weights[0] != channels:
            raise step.error("weights", f"for {channels} channels", f"of shape {weights}")
        result = self.placed(step, forms.BY_ROWS)
        sides = read.shape[1], read.shape[2]
        window = forms.Window(in_sides=sides, out_sides=sides)
        self.add_layer(step, "conv", window, channels=(channels, weights[1]))
        return result

    def add_eltwise(self, step: forms.Step) -> forms.Map:
        """Element-wise addition or product of maps of one shape; a product may scale channels."""
        reads = step.read
        product = step.node.op in forms.PRODUCTS
        if len(reads) == 1:
            return forms.unmoved(step)
        first = max(reads, key=lambda read: read.values)
        activated = any(read.activated for read in reads)
        others = activated and len(set(step.node.inputs)) > 1
        if (product or others) and all(forms.one_source(read, first) for read in reads):
            # Functions of one map, such as x and sigmoid(x): their product or sum is one, too.
            return self.activate(step, "sigmoid", replace(first, activated=activated))
        for read in reads:
            if not (forms.fits(read, first) or (product and forms.scales(read, first))):
                given = " and ".join(str(read.shape) for read in reads)
                raise step.error("maps", "of one shape and layout", given)
        if not forms.providers_of(reads):
            raise step.error("maps", "of at least one layer", "the image alone")
        self.check_operands(step)
        channels = first.size("channel", "mixed")
        sides = first.size("row"), first.size("column")
        window = forms.Window(in_sides=sides, out_sides=sides)
        result = self.placed(step, first.axes)
        self.add_layer(step, "eltwise", window, channels=(channels, channels), product=product)
        return result

    def move(self, step: forms.Step) -> forms.Map:
        """Move or rename values."""
        if step.node.op == "concatenate":
            self.check_operands(step)
        return forms.moved(step)

    def check_operands(self, step: forms.Step) -> None:
        """Refuse, by strict rules, operands that would not be carried: the image, a map twice.

        A concatenation of parts of one map, as a channel shuffle has it, carries that map once.
        """
        places = [place for read in step.read for place in read.providers]
        if not self.carries_image or len(step.read) == 1:
            return
        if not all(read.providers for read in step.read):
            raise step.error("inputs", OPERANDS, IMAGE_AMONG_THEM)
        if step.node.op in forms.SUMS and len(set(places)) < len(places):
            raise step.error("inputs", OPERANDS, TWICE)

    def placed(self, step: forms.Step, axes: tuple[forms.Axis, ...]) -> forms.Map:
        """Return the map that the layer which comes next writes."""
        shape = step.shape
        return forms.Map(providers=(len(self.layers),), shape=shape, axes=forms.named(shape, axes))

    def add_layer(
        self,
        step: forms.Step,
        kind: Kind,
        window: forms.Window,
        *,
        channels: tuple[int, int],
        groups: int = 1,
        product: bool = False,
        average: bool = False,
    ) -> None:
        """Put a layer behind the others; channels are those that it reads and writes."""
        taken = {layer.name for layer in self.layers}
        name = step.node.name
        rows, columns = (
            (
                window.kernel[axis],
                window.stride[axis],
                window.padding[axis],
                window.in_sides[axis],
                window.out_sides[axis],
            )
            for axis in (0, 1)
        )
        kernel, stride, padding, in_side, out_side = rows
        other = Columns(**dict(zip(COLUMN_FIELDS, columns, strict=True)))
        self.layers.append(
            CrossbarLayer(
                name=step.node.outputs[0] if name in taken else name,
                kind=kind,
                providers=in_order(forms.providers_of(step.read), kind, product=product),
                kernel=kernel,
                stride=stride,
                padding=padding,
                in_channels=channels[0],
                out_channels=channels[1],
                groups=groups,
                in_side=in_side,
                out_side=out_side,
                activation="none",
                columns=None if rows == columns else other,
                dilation=window.dilation,
                product=product,
                average=average,
            )
        )

    def activate(
        self, step: forms.Step, activation: Activation, read: forms.Map | None = None
    ) -> forms.Map:
        """Give an activation to the layers that wrote the map; behind another one, both are one."""
        read = read or step.map
        if not read.providers:
            raise step.error("input", "written by a layer", "the image")
        for place in read.providers:
            before = self.layers[place].activation
            if before not in ("none", activation) and not read.activated:
                allowed = f"{before}, which layer {self.layers[place].name} has already"
                raise step.error("activation", allowed, activation)
            both = activation if before in ("none", activation) else "sigmoid"
            slope = slope_of(step.node) if both == "relu" else 0.0
            self.layers[place] = replace(self.layers[place], activation=both, slope=slope)
        return replace(read, activated=True)


def slope_of(node: spec.Node) -> float | None:
    """Return the factor of what is below 0; None: one a channel, which is loaded."""
    if isinstance(node.attributes, spec.Slope):
        return node.attributes.slope
    return None if node.op == "prelu" else 0.0


POINT = forms.Window()
"""What a fully connected layer sees and writes."""


def in_order(providers: tuple[int, ...], kind: Kind, *, product: bool) -> tuple[int, ...]:
    """Return providers; those of a sum in the order of layers, as the published code takes them."""
    return tuple(sorted(providers)) if kind == "eltwise" and not product else providers
