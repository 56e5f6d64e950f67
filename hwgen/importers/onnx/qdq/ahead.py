"""A QuantizeLinear behind a MaxPool or a Concat of real numbers: the same, in front of them.

Rounding to a grid never exchanges two numbers, so that what is picked or joined first and rounded
then is what is rounded first. torch's pt2e leaves such maps real: of Conv, Concat, QuantizeLinear.
Parts of a map that are joined with negated ones are one layer, and stay real.

Tests: `tests/importers/onnx/test_ahead.py`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import onnx

from hwgen.importers.onnx.check import node_name

PICKING = frozenset({"Concat", "MaxPool"})
MOVING = frozenset({"Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})
QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"


@dataclass(frozen=True)
class Read:
    """The place of an input of a node; picked: a MaxPool or a Concat stands behind it."""

    node: onnx.NodeProto
    place: int
    picked: bool

    @property
    def tensor(self) -> str:
        """What is read."""
        name: str = self.node.input[self.place]
        return name


class Ahead:
    """The nodes of a graph, and by the first output of each the pairs that are to stand before it.

    passed: nodes whose outputs are quantized here and real in the file
    """

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.nodes = list(graph.node)
        self.before: dict[str, list[onnx.NodeProto]] = {}
        self.passed: set[str] = set()
        self._makers = {name: node for node in self.nodes for name in node.output}
        self._readers = Counter(name for node in self.nodes for name in node.input)
        self._readers.update(output.name for output in graph.output)
        self._stored = {tensor.name for tensor in graph.initializer}

    def reads(self, tensor: str, *, picked: bool = False) -> Iterator[Read]:
        """Yield what nodes read that only pick and move, down to a tensor that nothing else reads.

        Nothing where another node makes the tensor.
        """
        node = self.passing(tensor)
        if node is None:
            return
        picked = picked or node.op_type in PICKING
        for place in range(data_of(node)):
            found = list(self.reads(node.input[place], picked=picked))
            yield from found or [Read(node, place, picked)]

    def chosen(self, quantize: onnx.NodeProto) -> list[Read]:
        """Return what is to be quantized in front of what is picked; none if all of it is."""
        if quantize.op_type != QUANTIZE or not self._stored.issuperset(quantize.input[1:]):
            return []
        reads = [read for name in quantize.input[:1] for read in self.reads(name)]
        real = any(each.picked and self.is_real(each.tensor) for each in reads)
        made = all(each.tensor in self._makers for each in reads)
        turned = any(self.maker_is(each.tensor, "Neg") for each in reads)
        return reads if real and made and not turned else []

    def move(self, quantize: onnx.NodeProto) -> None:
        """Put pairs in front of what is picked, where some of it is real."""
        reads = self.chosen(quantize)
        if reads:
            self.pass_by(quantize.input[0])
        for number, each in enumerate(reads):
            self.put(quantize, each, f"{quantize.output[0]}/{number}")

    def maker_is(self, tensor: str, operator: str) -> bool:
        """Return whether a node of an operator makes a tensor."""
        maker = self._makers.get(tensor)
        return maker is not None and maker.op_type == operator

    def is_real(self, tensor: str) -> bool:
        """Return whether a tensor that a node makes has no scale of its own."""
        maker = self._makers.get(tensor)
        return maker is not None and maker.op_type != DEQUANTIZE

    def passing(self, tensor: str) -> onnx.NodeProto | None:
        """Return what makes a tensor, if it only picks and moves, for a single reader."""
        node = self._makers.get(tensor)
        passes = node is not None and node.op_type in PICKING | MOVING
        return node if passes and self._readers[tensor] == 1 else None

    def pass_by(self, tensor: str) -> None:
        """Remember a tensor, and those before it, that only picks and moves."""
        node = self.passing(tensor)
        if node is not None:
            self.passed.add(tensor)
            for name in node.input[: data_of(node)]:
                self.pass_by(name)

    def put(self, quantize: onnx.NodeProto, read: Read, name: str) -> None:
        """Put a pair of the numbers of a QuantizeLinear in front of an input of a node."""
        before = self.before.setdefault(read.node.output[0], [])
        for operator in (QUANTIZE, DEQUANTIZE):
            made = onnx.NodeProto()
            made.CopyFrom(quantize)
            made.op_type, made.name = operator, node_name(quantize)
            made.input[0], made.output[0] = read.tensor, f"{name}/{operator}"
            if operator == DEQUANTIZE:
                del made.attribute[:]
            before.append(made)
            read.node.input[read.place] = made.output[0]

    def whole(self) -> Iterator[onnx.NodeProto]:
        """Yield all nodes in their order; what is quantized here has a name of its own."""
        for node in self.nodes:
            yield from self.before.get(node.output[0], ())
            for names in (node.input, node.output):
                for place, name in enumerate(names):
                    if name in self.passed:
                        names[place] = f"{name}/quantized"
            yield node


def data_of(node: onnx.NodeProto) -> int:
    """Return how many inputs of a node are maps; further ones say how it moves them."""
    return len(node.input) if node.op_type == "Concat" else min(len(node.input), 1)


def with_pairs_ahead(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model in which no map is picked or joined as real numbers and quantized then.

    A model without such maps is returned as it is.
    """
    as_given = Ahead(model.graph)
    if not any(as_given.chosen(node) for node in as_given.nodes):
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    ahead = Ahead(copy.graph)
    for node in ahead.nodes:
        ahead.move(node)
    made = onnx.GraphProto()
    made.node.extend(ahead.whole())
    del copy.graph.node[:]
    copy.graph.node.extend(made.node)
    return copy
