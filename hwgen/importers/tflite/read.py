"""Read a TFLite file as an integer graph.

Tests: `tests/importers/tflite/test_damaged.py`.
"""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.errors import KNOWN_OPERATOR, FormatError
from hwgen.importers.integer.endings import Ending
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.moves import Places, moved_nodes
from hwgen.importers.integer.nodes import Lookup, MatrixProduct, Node, Requantization, Unsupported
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.tflite.batches import without_parts
from hwgen.importers.tflite.file import (
    DAMAGED,
    OperatorFacts,
    TensorFacts,
    TFLiteFile,
    damaged,
    read_file,
)
from hwgen.importers.tflite.moves import MOVES, SECOND, Moved, check_elements
from hwgen.importers.tflite.node import Reading, map_of, map_shape
from hwgen.importers.tflite.nodes_maps import REAL, Function, of_real
from hwgen.importers.tflite.operators import OPERATORS
from hwgen.importers.tflite.tokens import (
    factors,
    groups_of,
    is_inside,
    is_of_each,
    matrices,
    softmax_of,
)

FORMAT = "TFLite"


def read_integer_graph(path: Path) -> IntegerGraph:
    """Return the graph of a file; a node that is not supported stays in it as `Unsupported`.

    Raises FormatError for a file that is damaged, or has not one image and an answer.
    """
    return graph_of(read_file(path), name=path.stem)


@dataclass(kw_only=True)
class Nodes:
    """The nodes read so far.

    computed: tensors that depend on the image; refused: some of them
    moved: tensors that rearrange a map
    heads: maps of tokens by heads and channels, which the file has as (heads, tokens, channels)
    real: tensors of real numbers by the map and the function that they are
    sides: tensors computed from the sides of others alone; a file also says what follows from them
    index: of the operator that is read
    """

    file: TFLiteFile
    image: int
    computed: set[int]
    refused: set[int] = field(default_factory=set)
    moved: dict[int, Moved] = field(default_factory=dict)
    heads: set[int] = field(default_factory=set)
    real: dict[int, tuple[int, Function]] = field(default_factory=dict)
    sides: set[int] = field(default_factory=set)
    index: int = 0
    nodes: list[Node] = field(default_factory=list)
    maps: dict[str, QuantizedMap] = field(default_factory=dict)

    def read(self, index: int, operator: OperatorFacts) -> None:
        """Read one operator; constants behind constants are left out."""
        self.index = index
        self.check_order(index, operator)
        if operator.operator == "SHAPE" or self.of_sides(operator):
            self.sides.update(operator.outputs)
            return
        if self.computed.isdisjoint(operator.inputs):
            return
        reading = Reading(
            name=f"{operator.operator.lower().replace(' ', '_')}_{index}",
            file=self.file,
            operator=operator,
            computed=self.computed,
        )
        try:
            self.add(reading)
        except RefusedError as refusal:
            self.refuse(reading, refusal)
        except DAMAGED:
            raise damaged(f"damaged options of node {reading.name}", self.file.source) from None
        self.computed.update(number for number in operator.outputs if number >= 0)

    def of_sides(self, operator: OperatorFacts) -> bool:
        """Return whether an operator computes with the sides of tensors alone."""
        known = self.computed.isdisjoint(operator.inputs)
        return known and not self.sides.isdisjoint(operator.inputs)

    def check_order(self, index: int, operator: OperatorFacts) -> None:
        """Refuse an operator without output, or one that writes what is known."""
        outputs = [number for number in operator.outputs if number >= 0]
        again = [
            number
            for number in outputs
            if number in self.computed or self.file.tensors[number].data is not None
        ]
        if again or not outputs or len(set(outputs)) < len(outputs):
            raise FormatError(
                field=f"every output of node {index} ({operator.operator})",
                allowed="new",
                given=", ".join(self.file.tensors[number].name for number in again) or "none",
                source=self.file.source,
            )

    def add(self, reading: Reading) -> None:
        """Add the nodes of a supported operator."""
        name = reading.operator.operator
        known = OPERATORS.get(name)
        if known is None:
            place = f"{name} as node {self.index + 1} of {len(self.file.operators)}"
            raise RefusedError("the operator", KNOWN_OPERATOR, place)
        self.check_inputs(reading)
        if name in MOVES:
            self.move(reading)
            return
        self.add_layers(reading)

    def add_layers(self, reading: Reading) -> None:
        """Add the nodes of an operator that does not move elements."""
        name = reading.operator.operator
        number, output = reading.number(0), reading.operator.outputs[0]
        if name == "BATCH_MATMUL":
            self.add_product(reading)
        elif name in REAL:
            if number not in self.real:
                raise RefusedError("its input", "a map behind DEQUANTIZE", "another")
            source, before = self.real[number]
            self.real[output] = source, REAL[name](before)
        elif name == "QUANTIZE" and number in self.real:
            self.add_table(reading, *self.real[number])
        elif not self.add_in_heads(reading):
            self.add_nodes(reading)
            if name == "DEQUANTIZE" and number is not None:
                self.real[output] = number, of_real

    def add_table(self, reading: Reading, source: int, function: Function) -> None:
        """Add a function of the real numbers of a map, which are integers of the same scale."""
        own = replace(reading, operator=replace(reading.operator, inputs=(source,)))
        before, output = own.map(0), own.written()
        if before.scale != output.scale:
            raise RefusedError(
                "the scale of its output",
                f"that of its map ({before.scale:.6g})",
                f"{output.scale:.6g}",
            )
        self.nodes.append(Lookup(function=function, **own.base()))
        self.maps[own.output] = output

    def add_tensor(self, tensor: TensorFacts) -> int:
        """Add a tensor that the file has in another order, and return its number."""
        self.file = replace(self.file, tensors=(*self.file.tensors, tensor))
        number = len(self.file.tensors) - 1
        self.computed.add(number)
        self.heads.add(number)
        return number

    def add_product(self, reading: Reading) -> None:
        """Add a product of two maps, whose heads are groups of channels."""
        numbers = [reading.number(place) for place in (0, 1)]
        if any(number is None or number not in self.computed for number in numbers):
            raise RefusedError(
                "its inputs", "two maps (constant weights: FULLY_CONNECTED)", "others"
            )
        if not self.refused.isdisjoint(reading.operator.inputs):
            raise RefusedError("its inputs", "readable", "those of a refused node")
        followed = [self.followed(number) for number in numbers if number is not None]
        parts = [matrices(reading, place, each) for place, (_, each) in enumerate(followed)]
        *placed, transposed = factors(reading, *parts)
        inputs = tuple(
            self.arranged(source, places, reading, place)
            for place, ((source, _), places) in enumerate(zip(followed, placed, strict=True))
        )
        output, (heads, rows, _) = reading.outputs[0], parts[0].shape
        shape = (rows, heads, parts[1].shape[2])
        name = f"{output.name}/heads"
        values = reading.written().reshaped((rows, 1, math.prod(shape[1:])))
        number = self.add_tensor(replace(output, name=name, shape=(1, rows, values.shape[2])))
        keys = {"inputs": inputs, "output": name}
        product = MatrixProduct(groups=heads, transposed=transposed, **{**reading.base(), **keys})
        self.nodes.append(product)
        self.maps[name] = values
        places = np.arange(math.prod(shape), dtype=np.int64).reshape(shape).swapaxes(0, 1)
        self.moved[reading.operator.outputs[0]] = Moved(
            source=number,
            places=places.reshape(output.shape),
            name=reading.name,
            operator=reading.operator.operator,
        )

    def arranged(self, number: int, places: Places, reading: Reading, place: int) -> str:
        """Return the map of some elements of a map; places: (rows, columns, channels)."""
        source = self.file.tensors[number].name
        before = self.maps[source]
        about = {"name": reading.name, "operator": reading.operator.operator}
        output = f"{source}/{reading.name}_{place}"
        for node, made in moved_nodes(
            places, source=source, shape=before.shape, output=output, **about
        ):
            self.nodes.append(node)
            self.maps[node.output] = before.reshaped(made)
        return output

    def add_in_heads(self, reading: Reading) -> bool:
        """Add what computes each element, or each head, in the order that its map has by heads."""
        name, operator = reading.operator.operator, reading.operator
        given = [number for number in operator.inputs if number in self.moved]
        before = self.moved[given[0]] if len(given) == 1 else None
        if before is None or before.source not in self.heads:
            return False
        source = self.file.tensors[before.source]
        groups = groups_of(before.places, source.shape[-1])
        of_heads = name == "SOFTMAX" and groups is not None and is_inside(reading)
        if not (of_heads or is_of_each(reading)):
            return False
        output = reading.outputs[0]
        number = self.add_tensor(replace(output, name=f"{output.name}/heads", shape=source.shape))
        inputs = tuple(before.source if each == given[0] else each for each in operator.inputs)
        own = replace(operator, inputs=inputs, outputs=(number,))
        part = replace(reading, file=self.file, operator=own)
        if of_heads and groups is not None:
            nodes, maps = softmax_of(part, groups=groups)
        else:
            nodes, maps = OPERATORS[name].read(part)
        self.nodes += nodes
        self.maps.update({node.output: each for node, each in zip(nodes, maps, strict=True)})
        self.moved[operator.outputs[0]] = replace(
            before, source=number, name=reading.name, operator=name
        )
        return True

    def add_nodes(self, reading: Reading) -> None:
        """Add the nodes of an operator of maps."""
        for number in reading.operator.inputs:
            self.settle(number)
        nodes, maps = OPERATORS[reading.operator.operator].read(reading)
        self.nodes += nodes
        self.maps.update({node.output: each for node, each in zip(nodes, maps, strict=True)})

    def followed(self, number: int) -> tuple[int, Places]:
        """Return the map that a tensor rearranges, and the places of its elements there."""
        before = self.moved.get(number)
        if before is not None:
            return before.source, before.places
        shape = self.file.tensors[number].shape
        check_elements(math.prod(shape))
        return number, np.arange(math.prod(shape), dtype=np.int64).reshape(shape)

    def move(self, reading: Reading) -> None:
        """Follow the elements through an operator that only moves them."""
        name = reading.operator.operator
        place = 1 if name in SECOND else 0
        number = reading.number(place)
        if number is None or number not in self.computed:
            raise RefusedError("its inputs", "a map, then constants", "another order")
        if number in self.refused:
            raise RefusedError("its input", "readable", "that of a refused node")
        if number not in self.moved:
            reading.map(place)
        number, places = self.followed(number)
        results = MOVES[name](reading, places)
        for tensor, result in zip(reading.operator.outputs, results, strict=True):
            self.moved[tensor] = Moved(
                source=number, places=result, name=reading.name, operator=name
            )

    def settle(self, number: int) -> None:
        """Add the nodes that make a moved tensor a map, once."""
        moved, tensor = self.moved.get(number), self.file.tensors[number]
        if moved is None or tensor.name in self.maps or number in self.refused:
            return
        about: dict[str, Any] = {"name": moved.name, "operator": moved.operator}
        source = self.file.tensors[moved.source].name
        try:
            self.settle_as(tensor, moved.places, source, about)
        except RefusedError as refusal:
            self.refused.add(number)
            self.nodes.append(
                Unsupported(
                    **about,
                    inputs=(source,),
                    output=tensor.name,
                    what=refusal.what,
                    allowed=refusal.allowed,
                    given=refusal.given,
                )
            )

    def settle_as(
        self, tensor: TensorFacts, places: Places, source: str, about: dict[str, Any]
    ) -> None:
        """Add the nodes that move elements of a map, and one where the numbers change."""
        shape, before = map_shape(tensor.shape), self.maps[source]
        if shape is None or math.prod(shape) != places.size:
            given = " x ".join(map(str, tensor.shape)) or "no shape"
            raise RefusedError("its output", "one image of known shape, up to 4 dimensions", given)
        target = map_of(tensor) or before.reshaped(shape)
        same = target.same_numbers == before.same_numbers
        output = tensor.name if same else f"{tensor.name}/moved"
        for node, made in moved_nodes(
            places.reshape(shape), source=source, shape=before.shape, output=output, **about
        ):
            self.nodes.append(node)
            self.maps[node.output] = before.reshaped(made)
        if not same:
            self.nodes.append(Requantization(**about, inputs=(output,), output=tensor.name))
            self.maps[tensor.name] = target

    def check_inputs(self, reading: Reading) -> None:
        """Refuse an input that is neither constant nor written before, or that has several maps."""
        for number in reading.operator.inputs:
            if number >= 0 and number not in self.computed | self.sides:
                tensor = self.file.tensors[number]
                if tensor.data is None and 0 not in tensor.shape:
                    raise RefusedError(
                        f"its input {tensor.name}", "constant or written before it", "neither"
                    )

    def ends(self) -> dict[str, Ending]:
        """Return by tensor what ends the network."""
        ends: dict[str, Ending] = {}
        for number in (each for each in self.file.outputs if each >= 0):
            name, moved = self.file.tensors[number].name, self.moved.get(number)
            if moved is not None and moved.source in self.heads:
                source = self.file.tensors[moved.source].name
                ends[name] = Ending(maps=(source,), order=moved.places[0])
            else:
                self.settle(number)
                ends[name] = Ending(maps=(name,))
        return ends

    def refuse(self, reading: Reading, refusal: RefusedError) -> None:
        """Add an operator that is not supported, once for each output."""
        base = reading.base()
        dependent = not self.refused.isdisjoint(reading.operator.inputs)
        for place, tensor in enumerate(reading.outputs):
            inputs = (base["output"],) if place else base["inputs"]
            self.nodes.append(
                Unsupported(
                    **{**base, "inputs": inputs, "output": tensor.name},
                    what=refusal.what,
                    allowed=refusal.allowed,
                    given=refusal.given,
                    dependent=(dependent and reading.operator.operator in OPERATORS) or place > 0,
                )
            )
        self.refused.update(reading.operator.outputs)


def graph_of(file: TFLiteFile, *, name: str) -> IntegerGraph:
    """Return the graph of a file's content."""
    file = without_parts(file)
    image, operators = image_of(file)
    nodes = Nodes(file=file, image=image, computed={image})
    tensor = file.tensors[image]
    values = map_of(tensor)
    if tensor.type == "float32":
        raise real_file(file, tensor.name)
    if values is None:
        raise FormatError(
            field=f"the image {tensor.name}",
            allowed="one of int8, uint8 or int16 with one scale, of known shape",
            given=f"{tensor.type} of shape {list(tensor.shape)}, {len(tensor.scales)} scales",
            source=file.source,
        )
    nodes.maps[tensor.name] = values
    for index, operator in enumerate(file.operators):
        if operator in operators:
            nodes.read(index, operator)
    ends = nodes.ends()
    missing = [number for number in file.outputs if number not in nodes.computed]
    if missing or not ends:
        raise FormatError(
            field="every output of the network",
            allowed="computed from its image",
            given=", ".join(file.tensors[number].name for number in missing) or "none",
            source=file.source,
        )
    return IntegerGraph(
        name=name,
        source=file.source,
        format=FORMAT,
        input=tensor.name,
        outputs=tuple(dict.fromkeys(name for each in ends.values() for name in each.maps)),
        maps=nodes.maps,
        nodes=tuple(nodes.nodes),
        ends=ends,
        answer_places=next(iter(ends.values())).order,
    )


def real_file(file: TFLiteFile, image: str) -> FormatError:
    """Return the error for a file that computes with real numbers."""
    hybrid = any(each.data is not None and each.type == "int8" for each in file.tensors)
    return FormatError(
        field="the maps of the network",
        allowed="int8, uint8 or int16 with a fixed scale each: convert it with"
        " optimizations and a representative_dataset",
        given=f"float32 behind the image {image}"
        + (" (dynamic range quantization: int8 weights alone)" if hybrid else " (a float file)"),
        source=file.source,
    )


def image_of(file: TFLiteFile) -> tuple[int, list[OperatorFacts]]:
    """Return the tensor that is the image, and the operators behind it.

    A real image that is only quantized enters as integers.
    """
    if len(file.inputs) != 1 or file.inputs[0] < 0:
        raise FormatError(
            field="the inputs of the network",
            allowed="one, the image",
            given=len(file.inputs),
            source=file.source,
        )
    image = file.inputs[0]
    readers = [each for each in file.operators if image in each.inputs]
    quantizes = len(readers) == 1 and readers[0].operator == "QUANTIZE"
    if file.tensors[image].type == "float32" and quantizes and len(readers[0].outputs) == 1:
        others = [each for each in file.operators if each is not readers[0]]
        return readers[0].outputs[0], others
    return image, list(file.operators)
