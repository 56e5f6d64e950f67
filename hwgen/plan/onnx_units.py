"""An ONNX model in units, and parts of it as models of their own.

What is cut is the graph that the runtime's session makes: pairs of quantizations in a row are one
there. Every reader of a border has a DequantizeLinear of its own.

Tests: `tests/plan/test_units.py`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from hwgen.errors import FormatError
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.qonnx import is_qonnx
from hwgen.importers.onnx.quantized import checked, in_known_opset
from hwgen.importers.onnx.read import opened
from hwgen.importers.onnx.shapes import infer, shapes_of
from hwgen.plan.units import BYTES, TensorFacts, Unit, UnitGraph, Units, in_units

DRAWN = frozenset({"RandomNormal", "RandomUniform"})
"""Operators that are no constants although they read nothing."""
QUANTIZED = "QLinear"
"""Begins the names of operators that read and write integers themselves."""
RECURRENT = frozenset({"LSTM", "GRU", "RNN"})


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Scale and zero point of a whole border, and the tensors that hold them."""

    scale: float
    zero_point: int
    names: tuple[str, ...]


@dataclass(kw_only=True)
class OnnxFile:
    """A model that is cut: nodes are named `n0`, `n1`, .. by their place.

    names: of the nodes in the file of the user
    """

    model: onnx.ModelProto
    names: list[str]
    source: str
    tensors: Mapping[str, TensorFacts]
    stored: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stored = {tensor.name: tensor for tensor in self.graph.initializer}

    @property
    def graph(self) -> onnx.GraphProto:
        """The graph of the model."""
        return self.model.graph

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Tensors that a call gives."""
        return tuple(each.name for each in self.graph.input if each.name not in self.stored)

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """Tensors that a call answers with."""
        return tuple(each.name for each in self.graph.output)

    @cached_property
    def makers(self) -> dict[str, int]:
        """The node that writes each tensor."""
        return {name: k for k, node in enumerate(self.graph.node) for name in node.output if name}

    @cached_property
    def constants(self) -> dict[str, tuple[int, ...] | None]:
        """Tensors that do not depend on a call, with their sides where these are known."""
        return constants_of(self.graph)

    @cached_property
    def constant_nodes(self) -> set[int]:
        """Nodes that compute constants."""
        return {self.makers[name] for name in self.constants if name in self.makers}

    @cached_property
    def borders(self) -> set[str]:
        """Maps of bytes that depend on a call."""
        return {
            name
            for name, facts in self.tensors.items()
            if facts.type in BYTES and name not in self.constants
        }

    @cached_property
    def copies(self) -> set[int]:
        """Nodes of which each unit that reads their tensor has one: they make a border real."""
        return {
            k
            for k, node in enumerate(self.graph.node)
            if node.op_type == "DequantizeLinear"
            and node.input[0] in self.borders
            and all(name in self.constants for name in node.input[1:])
            and node.output[0] not in self.outputs
        }

    def read_of(self, name: str) -> str:
        """Return the border that stands behind a tensor, or the tensor."""
        maker = self.makers.get(name)
        return self.graph.node[maker].input[0] if maker in self.copies else name

    def reads(self, node: onnx.NodeProto) -> list[str]:
        """Return the tensors that a node needs and that a call changes."""
        found = (self.read_of(name) for name in names_read(node))
        return [name for name in found if name not in self.constants]

    @cached_property
    def units(self) -> UnitGraph:
        """The units of the model."""
        nodes, skipped = self.graph.node, self.constant_nodes | self.copies
        reads = {k: self.reads(node) for k, node in enumerate(nodes) if k not in skipped}
        readers: dict[str, set[int]] = {}
        for k, names in reads.items():
            for name in names:
                readers.setdefault(name, set()).add(k)
        units = []
        for members in in_units(reads, self.makers, self.borders):
            mine = set(members)
            inputs = (
                name for k in members for name in reads[k] if self.makers.get(name) not in mine
            )
            outputs = (
                name
                for k in members
                for name in nodes[k].output
                if name and (name in self.outputs or readers.get(name, set()) - mine)
            )
            units.append(
                Unit(
                    nodes=members,
                    inputs=tuple(dict.fromkeys(inputs)),
                    outputs=tuple(outputs),
                    products=sum(self.products(nodes[k]) for k in members),
                )
            )
        return UnitGraph(
            units=units,
            tensors=self.tensors,
            names=self.names,
            operators=[node.op_type for node in nodes],
            inputs=self.inputs,
            outputs=self.outputs,
            of_node={k: number for number, unit in enumerate(units) for k in unit.nodes},
        )

    def sides(self, name: str) -> tuple[int, ...]:
        """Return the sides of a tensor, constant or not; empty: not known."""
        known = self.constants.get(name)
        if known is not None:
            return known
        return self.tensors[name].sides if name in self.tensors else ()

    def products(self, node: onnx.NodeProto) -> int:
        """Return the multiply-accumulates of a node; none where its shapes are not known."""
        operator = node.op_type.removeprefix(QUANTIZED)
        weights = 3 if node.op_type.startswith(QUANTIZED) else 1
        written = math.prod(self.sides(node.output[0]))
        try:
            if operator in ("Conv", "ConvInteger"):
                return written * math.prod(self.sides(node.input[weights])[1:])
            if operator == "ConvTranspose":
                read = math.prod(self.sides(node.input[0]))
                return read * math.prod(self.sides(node.input[1])[1:])
            if operator in ("MatMul", "MatMulInteger"):
                return written * self.sides(node.input[0])[-1]
            if operator in ("Gemm", "QGemm"):
                turned = any(each.name == "transA" and each.i for each in node.attribute)
                return written * self.sides(node.input[0])[0 if turned else 1]
            if operator in RECURRENT:
                steps, matrices = self.sides(node.input[0])[0], node.input[1:3]
                return steps * sum(math.prod(self.sides(name)) for name in matrices)
        except IndexError:
            pass
        return 0

    def numbers_of(self, border: str) -> Numbers | None:
        """Return scale and zero point that a QuantizeLinear or DequantizeLinear gives a border."""
        return self._numbers.get(border)

    @cached_property
    def _numbers(self) -> dict[str, Numbers]:
        """Numbers of all borders that have one scale."""
        found: dict[str, Numbers] = {}
        for node in self.graph.node:
            if node.op_type not in ("DequantizeLinear", "QuantizeLinear"):
                continue
            name = node.input[0] if node.op_type == "DequantizeLinear" else node.output[0]
            names = tuple(each for each in node.input[1:] if each)
            if name not in self.borders or not all(each in self.stored for each in names):
                continue
            scale, *zero = (numpy_helper.to_array(self.stored[each]) for each in names)
            if scale.size == 1 and scale.dtype == np.float32:
                point = int(zero[0].reshape(-1)[0]) if zero else 0
                known = Numbers(scale=float(scale.reshape(-1)[0]), zero_point=point, names=names)
                found.setdefault(name, known)
        return found

    def part(self, units: Units, name: str) -> onnx.ModelProto:
        """Return the model of some units, whose inputs and outputs are their borders."""
        inputs, outputs = self.units.ends_of(units)
        nodes = {k for unit in units for k in self.units.units[unit].nodes}
        needed, waiting = (
            set[str](),
            [each for k in nodes for each in names_read(self.graph.node[k])],
        )
        while waiting:
            each = waiting.pop()
            if each in needed or each in inputs:
                continue
            needed.add(each)
            maker = self.makers.get(each)
            if maker in self.constant_nodes | self.copies and maker not in nodes:
                nodes.add(maker)
                waiting += names_read(self.graph.node[maker])
        made = onnx.ModelProto(
            ir_version=self.model.ir_version,
            opset_import=self.model.opset_import,
            functions=self.model.functions,
            producer_name=self.model.producer_name,
        )
        made.graph.name = name
        made.graph.node.extend(self.graph.node[k] for k in sorted(nodes))
        made.graph.initializer.extend(self.stored[each] for each in self.stored if each in needed)
        made.graph.input.extend(map(self.declared, inputs))
        made.graph.output.extend(map(self.declared, outputs))
        return made

    def declared(self, name: str) -> onnx.ValueInfoProto:
        """Return a tensor as inputs and outputs of a graph have it."""
        facts = self.tensors[name]
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(facts.type))
        return helper.make_tensor_value_info(name, kind, list(facts.sides))


def names_read(node: onnx.NodeProto) -> list[str]:
    """Return what a node reads, graphs in its attributes included."""
    found = [name for name in node.input if name]
    for attribute in node.attribute:
        graphs = [attribute.g] if attribute.type == attribute.GRAPH else list(attribute.graphs)
        for graph in graphs:
            own = {name for each in graph.node for name in each.output}
            own |= {each.name for each in (*graph.initializer, *graph.input)}
            read = [name for each in graph.node for name in names_read(each)]
            read += [each.name for each in graph.output]
            found += [name for name in read if name not in own]
    return found


def constants_of(graph: onnx.GraphProto) -> dict[str, tuple[int, ...] | None]:
    """Return the tensors that no call changes, with their sides where these are known."""
    found: dict[str, tuple[int, ...] | None] = {
        tensor.name: tuple(tensor.dims) for tensor in graph.initializer
    }
    for node in graph.node:
        read = names_read(node)
        if node.op_type in DRAWN or any(name not in found for name in read):
            continue
        sides = found.get(read[0]) if read else None
        if node.op_type == "Constant":
            sides = next(
                (tuple(each.t.dims) for each in node.attribute if each.name == "value"), ()
            )
        elif node.op_type == "Transpose" and sides is not None:
            order = next((each.ints for each in node.attribute if each.name == "perm"), None)
            sides = sides[::-1] if order is None else tuple(sides[each] for each in order)
        elif node.op_type not in ("DequantizeLinear", "QuantizeLinear", "Cast", "Identity"):
            sides = None
        found |= dict.fromkeys((name for name in node.output if name), sides)
    return found


def onnx_file(model: onnx.ModelProto, source: str) -> OnnxFile:
    """Return a quantized model to cut; source: its path, for messages.

    Raises FormatError for a model that is float or QONNX, that has sides that are not known, or
    that its runtime refuses.
    """
    if is_qonnx(model):
        raise FormatError(
            field="a network that is cut",
            allowed="one that its runtime reads (QCDQ, QDQ, QOperator)",
            given="QONNX, nodes Quant",
            source=source,
        )
    given = onnx.ModelProto()
    given.CopyFrom(model)
    fix_sides(given.graph, source)
    given = in_known_opset(given, source)
    checked(given, source)
    try:
        from hwgen.importers.onnx.session_graph import as_session_runs
    except ModuleNotFoundError:
        made = given
    else:
        made = as_session_runs(given, source)
    # The session writes the types of maps that it has replaced.
    del made.graph.value_info[:]
    names = [node_name(node) for node in made.graph.node]
    for k, node in enumerate(made.graph.node):
        node.name = f"n{k}"
    return OnnxFile(model=made, names=names, source=source, tensors=tensors_of(made, source))


def fix_sides(graph: onnx.GraphProto, source: str) -> None:
    """Set the batch of every input to one call; refuse other sides that are not known."""
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [each for each in graph.input if each.name not in stored]
    firsts = (each.type.tensor_type.shape.dim[:1] for each in inputs)
    batches = {side.dim_param for sides in firsts for side in sides} - {""}
    for each in inputs:
        for place, side in enumerate(each.type.tensor_type.shape.dim):
            if side.dim_value > 0:
                continue
            if place and side.dim_param not in batches:
                raise FormatError(
                    field=f"side {place} of input {each.name}",
                    allowed="a number: export the network with sides that are fixed",
                    given=side.dim_param or "no number",
                    source=source,
                )
            side.dim_value = 1


def tensors_of(model: onnx.ModelProto, source: str) -> dict[str, TensorFacts]:
    """Return type and sides of what a call changes: as the runtime shows them, else as inferred."""
    try:
        from hwgen.importers.onnx.session_graph import options_of, session_of
    except ModuleNotFoundError:
        return dict(inferred(model, source))
    constants = constants_of(model.graph)
    stored = {tensor.name for tensor in model.graph.initializer}
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    known = {each.name for each in shown.graph.output}
    names = [name for node in model.graph.node for name in node.output if name]
    more = (name for name in names if name not in known and name not in constants)
    shown.graph.output.extend(onnx.ValueInfoProto(name=name) for name in more)
    session = session_of(shown, options_of(None), source)
    given = {
        each.name: np.zeros(
            [side.dim_value for side in each.type.tensor_type.shape.dim],
            helper.tensor_dtype_to_np_dtype(each.type.tensor_type.elem_type),
        )
        for each in model.graph.input
        if each.name not in stored
    }
    outputs = [each.name for each in session.get_outputs()]
    values = zip(outputs, ran(session.run, outputs, given, source), strict=True)
    return {
        name: TensorFacts(type=value.dtype.name, sides=value.shape)
        for name, value in (*values, *given.items())
        if isinstance(value, np.ndarray)
    }


def ran(run: Any, outputs: Sequence[str], given: Mapping[str, Any], source: str) -> list[Any]:
    """Return outputs of a session by its `run`; FormatError where a kernel refuses what it reads.

    given: inputs by name; source: path of the file
    """
    try:
        return list(run(list(outputs), dict(given)))
    except Exception as error:  # the package has a class for each of its codes, and no base
        raise FormatError(
            field="the network",
            allowed="an ONNX file that onnxruntime runs",
            given=" ".join(str(error).split())[:200],
            source=source,
        ) from None


def inferred(model: onnx.ModelProto, source: str) -> Iterator[tuple[str, TensorFacts]]:
    """Yield type and sides of the tensors for which inference finds both."""
    slim = opened(model, source).slim
    known = shapes_of(slim, source).known
    graph = infer(slim, source)[0].graph
    for each in (*graph.value_info, *graph.input, *graph.output):
        kind = each.type.tensor_type.elem_type
        if kind and each.name in known:
            name = np.dtype(helper.tensor_dtype_to_np_dtype(kind)).name
            yield each.name, TensorFacts(type=name, sides=tuple(known[each.name]))
