"""Read a TFLite file as an integer graph."""

from dataclasses import dataclass, field
from pathlib import Path

from hwgen.errors import KNOWN_OPERATOR, FormatError
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.nodes import Node, Unsupported
from hwgen.importers.tflite.file import DAMAGED, OperatorFacts, TFLiteFile, damaged, read_file
from hwgen.importers.tflite.node import NodeRefusalError, Reading, map_of
from hwgen.importers.tflite.operators import OPERATORS

FORMAT = "TFLite"


def read_integer_graph(path: Path) -> IntegerGraph:
    """Return the graph of a file; a node that is not supported stays in it as `Unsupported`.

    Raises FormatError for a file that is damaged, or has not one image and an answer.
    """
    return graph_of(read_file(path), name=path.stem)


@dataclass(kw_only=True)
class Nodes:
    """The nodes read so far; computed: tensors that depend on the image; refused: some of them."""

    file: TFLiteFile
    computed: set[int]
    refused: set[int] = field(default_factory=set)
    nodes: list[Node] = field(default_factory=list)
    maps: dict[str, QuantizedMap] = field(default_factory=dict)

    def read(self, index: int, operator: OperatorFacts) -> None:
        """Read one operator; constants behind constants are left out."""
        self.check_order(index, operator)
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
        except NodeRefusalError as refusal:
            self.refuse(reading, refusal)
        except DAMAGED:
            raise damaged(f"damaged options of node {reading.name}", self.file.source) from None
        self.computed.update(number for number in operator.outputs if number >= 0)

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
        known = OPERATORS.get(reading.operator.operator)
        if known is None:
            raise NodeRefusalError("the operator", KNOWN_OPERATOR, reading.operator.operator)
        self.check_inputs(reading)
        nodes, maps = known.read(reading)
        self.nodes += nodes
        self.maps.update({node.output: each for node, each in zip(nodes, maps, strict=True)})

    def check_inputs(self, reading: Reading) -> None:
        """Refuse an input that is neither constant nor written before."""
        for number in reading.operator.inputs:
            if number >= 0 and number not in self.computed:
                tensor = self.file.tensors[number]
                if tensor.data is None and 0 not in tensor.shape:
                    raise NodeRefusalError(
                        f"its input {tensor.name}", "constant or written before it", "neither"
                    )

    def refuse(self, reading: Reading, refusal: NodeRefusalError) -> None:
        """Add an operator that is not supported, once for each output."""
        what, allowed, given = refusal.args
        base = reading.base()
        dependent = not self.refused.isdisjoint(reading.operator.inputs)
        for place, tensor in enumerate(reading.outputs):
            self.nodes.append(
                Unsupported(
                    **{**base, "output": tensor.name},
                    what=what,
                    allowed=allowed,
                    given=given,
                    dependent=(dependent and reading.operator.operator in OPERATORS) or place > 0,
                )
            )
        self.refused.update(reading.operator.outputs)


def graph_of(file: TFLiteFile, *, name: str) -> IntegerGraph:
    """Return the graph of a file's content."""
    image, operators = image_of(file)
    nodes = Nodes(file=file, computed={image})
    tensor = file.tensors[image]
    values = map_of(tensor)
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
    outputs = tuple(file.tensors[number].name for number in file.outputs if number >= 0)
    missing = [number for number in file.outputs if number not in nodes.computed]
    if missing or not outputs:
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
        outputs=outputs,
        maps=nodes.maps,
        nodes=tuple(nodes.nodes),
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
