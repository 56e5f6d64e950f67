"""Write the steps of LSTM, GRU and RNN nodes out, as layers that a calibration quantizes.

A chip has no loop: the hidden state and that of the cell are maps between the layers of one step
and those of the next. All steps read the same stored weights.

    LSTM    i, o, f = s(W x + R h + b) each;  g = t(W x + R h + b);  c = f * c + i * g
            h = o * t(c)
    GRU     z, r = s(W x + R h + b) each;  n = t(W x + b + R (r * h)), or with
            linear_before_reset t(W x + b + r * (R h + d));  h = (1 - z) * n + z * h
    RNN     h = t(W x + R h + b)

What only picks and rearranges states behind a node is done here, so that no state that nothing
reads becomes a layer.

Source: the operators LSTM, GRU and RNN of ONNX, opset 14 and 22.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from hwgen.errors import FormatError
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import node_name, opset_of
from hwgen.importers.onnx.qdq.constants import REARRANGING, attributes_of, computed

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
"""Gates of each operator: i, o, f, c of an LSTM, z, r, h of a GRU."""
FUNCTIONS = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}
"""What each operator has where it names no other functions."""
KNOWN = ("Relu", "Sigmoid", "Tanh")
IN_STEP = "/at_step"
"""Stands in the names of nodes that are written here, in front of the number of the step."""
MOST_STEPS = 1024
"""Steps of all nodes of a file at most."""

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class States:
    """A tensor whose elements are those of states, (1, size) each.

    names: of the states; places: state * size + place in it, of each element
    """

    names: tuple[str, ...]
    size: int
    places: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Direction:
    """The weights of a node in one direction.

    inputs: (gates, hidden, inputs), hidden: (gates, hidden, hidden); biases: (gates, hidden) each
    functions: of gates, of the candidate, of an LSTM's cell
    """

    inputs: Array
    hidden: Array
    input_bias: Array
    hidden_bias: Array
    functions: tuple[str, ...]


@dataclass(kw_only=True)
class Writer:
    """A model that is written anew.

    sides: shape of each tensor, as far as it is known
    constants: by name; states: by name of the tensor in the file that they are
    steps: written so far
    """

    source: str
    opset: int
    sides: dict[str, list[int]]
    constants: dict[str, Array]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    stored: list[onnx.TensorProto] = field(default_factory=list)
    states: dict[str, States] = field(default_factory=dict)
    steps: int = 0

    def node(self, operator: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Append a node of one output, and return its name."""
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def store(self, name: str, array: Any) -> str:
        """Store a constant once."""
        if name not in self.constants:
            self.constants[name] = np.array(array)
            self.stored.append(numpy_helper.from_array(self.constants[name], name))
        return name

    def read(self, node: onnx.NodeProto) -> None:
        """Write what becomes of a node."""
        if node.op_type in GATES:
            self.write_steps(node)
            return
        if node.op_type in REARRANGING and node.input[0] in self.states:
            others = [self.constants.get(name) if name else None for name in node.input[1:]]
            given = self.states[node.input[0]]
            results = computed(node, [given.places, *others], self.opset)
            for name, places in zip(node.output, results, strict=True):
                self.states[name] = States(names=given.names, size=given.size, places=places)
            return
        for name in node.input:
            self.show(name)
        self.nodes.append(node)

    def show(self, name: str) -> None:
        """Write the tensor of a name that is made of states."""
        given = self.states.pop(name, None)
        if given is None:
            return
        sides = given.places.shape
        last = sides[-1] if sides and sides[-1] % given.size == 0 else given.size
        rows = self.rows(given, last, name)
        if len(rows) > 1:
            apart = self.store("axis of steps", np.array([1], np.int64))
            rows = [self.node("Unsqueeze", [row, apart], f"{row}/in {name}") for row in rows]
            rows = [self.node("Concat", rows, f"{name}/steps", axis=1)]
        shape = self.store(f"{name}/shape", np.array(sides, np.int64))
        self.node("Reshape", [rows[0], shape], name)

    def rows(self, given: States, length: int, name: str) -> list[str]:
        """Return tensors (1, length), one for each row of a tensor of states."""
        parts = given.places.reshape(-1, given.size)
        numbers = parts[:, 0] // given.size
        whole = numbers[:, np.newaxis] * given.size + np.arange(given.size)
        if not np.array_equal(parts, whole):
            raise RefusedError("what reads states", "whole states, each in its order", "others")
        found = []
        for place, row in enumerate(numbers.reshape(-1, length // given.size)):
            names = [given.names[number] for number in row]
            joined = names[0]
            if len(names) > 1:
                joined = self.node("Concat", names, f"{name}/row{place}", axis=1)
            found.append(joined)
        return found

    def inputs_of(self, node: onnx.NodeProto, axis: int) -> list[str]:
        """Return the input of each step, (1, inputs)."""
        name = node.input[0]
        if name in self.states:
            given = self.states[name]
            sides = list(given.places.shape)
            check_input(node, sides, axis)
            return self.rows(given, sides[2], f"{node_name(node)}/input")
        sides = self.sides.get(name, [])
        check_input(node, sides, axis)
        steps = []
        for step in range(sides[axis]):
            place = self.store(f"step {step}", np.array(step, np.int64))
            made = f"{node_name(node)}{IN_STEP}{step}/input"
            steps.append(self.node("Gather", [name, place], made, axis=axis))
        return steps

    def first_state(self, node: onnx.NodeProto, place: int, direction: int, layout: int) -> str:
        """Return the state (1, size) in front of the first step; empty: zero.

        place: of the states of all directions in the inputs of the node, that of the cell behind
        """
        name = node.input[place] if place < len(node.input) else ""
        if not name or name in self.constants:
            return ""
        self.show(name)
        number = self.store(f"direction {direction}", np.array(direction, np.int64))
        made = f"{node_name(node)}/{direction}/first{place}"
        return self.node("Gather", [name, number], made, axis=layout)

    def write_steps(self, node: onnx.NodeProto) -> None:
        """Write the steps of a node, and remember its outputs as states."""
        given = attributes_of(node)
        later = int(given.get("layout", 0))
        inputs = self.inputs_of(node, axis=later)
        directions = directions_of(node, self.constants)
        self.steps += len(inputs) * len(directions)
        if self.steps > MOST_STEPS:
            raise RefusedError("its steps", f"at most {MOST_STEPS} in all", self.steps)
        reverse = given.get("direction", b"forward") == b"reverse"
        names: list[list[str]] = []
        cells: list[str] = []
        for number, direction in enumerate(directions):
            backward = reverse or number > 0
            hidden, cell = (self.first_state(node, place, number, later) for place in (5, 6))
            found = [""] * len(inputs)
            for step in range(len(inputs))[:: -1 if backward else 1]:
                about = Step(self, node, direction, f"{node_name(node)}/{number}", step)
                hidden, cell = about.write(inputs[step], hidden, cell)
                found[step] = hidden
            names.append(found)
            cells.append(cell)
        size, count = directions[0].hidden.shape[1], len(directions)
        flat = [each for found in names for each in found]
        places = np.arange(count * len(inputs) * size).reshape(count, len(inputs), 1, size)
        order = (2, 1, 0, 3) if later else (1, 0, 2, 3)
        ends = [
            len(inputs) * number + (0 if reverse or number else len(inputs) - 1)
            for number in range(count)
        ]
        last = np.array(ends).reshape(-1, 1, 1) * size + np.arange(size)
        own = np.arange(count * size).reshape(count, 1, size)
        outputs = [
            States(names=tuple(flat), size=size, places=places.transpose(order)),
            States(names=tuple(flat), size=size, places=last.swapaxes(0, 1) if later else last),
            States(names=tuple(cells), size=size, places=own.swapaxes(0, 1) if later else own),
        ]
        self.states.update(zip(node.output, outputs, strict=False))


@dataclass(frozen=True)
class Step:
    """A step of a node in one direction, under way."""

    writer: Writer
    proto: onnx.NodeProto
    given: Direction
    name: str
    number: int

    def write(self, inputs: str, hidden: str, cell: str) -> tuple[str, str]:
        """Write a step; states are empty in front of the first. Return the new ones."""
        kind = self.proto.op_type
        if kind == "LSTM":
            return self.lstm(inputs, hidden, cell)
        return (self.gru if kind == "GRU" else self.rnn)(inputs, hidden), ""

    def lstm(self, inputs: str, hidden: str, cell: str) -> tuple[str, str]:
        """Write a step of an LSTM."""
        gate, candidate, last = self.given.functions
        i, o, g = (
            self.node(function, [self.sum_of(inputs, hidden, place)], f"gate{place}/value")
            for place, function in ((0, gate), (1, gate), (3, candidate))
        )
        new = self.node("Mul", [i, g], "new")
        if cell:
            f = self.node(gate, [self.sum_of(inputs, hidden, 2)], "gate2/value")
            new = self.node("Add", [self.node("Mul", [f, cell], "kept"), new], "cell")
        return self.node("Mul", [o, self.node(last, [new], "shown")], "hidden"), new

    def gru(self, inputs: str, hidden: str) -> str:
        """Write a step of a GRU."""
        gate, candidate = self.given.functions
        linear_first = bool(attributes_of(self.proto).get("linear_before_reset", 0))
        z = self.node(gate, [self.sum_of(inputs, hidden, 0)], "gate0/value")
        late = self.given.hidden_bias[2:3]
        apart = linear_first and bool(hidden or late.any())
        total = self.product(inputs, 2, bias=self.given.input_bias[2] + (0 if apart else late[0]))
        if hidden or apart:
            r = self.node(gate, [self.sum_of(inputs, hidden, 1)], "gate1/value")
            if not hidden:
                other = self.node("Mul", [r, self.store("late", late)], "reset")
            elif apart:
                sums = self.product(hidden, 2, bias=late[0], own="hidden")
                other = self.node("Mul", [r, sums], "reset")
            else:
                reset = self.node("Mul", [r, hidden], "reset")
                other = self.product(reset, 2, own="hidden")
            total = self.node("Add", [total, other], "gate2")
        n = self.node(candidate, [total], "gate2/value")
        rest = self.node("Sub", [self.store("one", np.ones(())), z], "gate0/rest")
        fresh = self.node("Mul", [rest, n], "new" if hidden else "hidden")
        if not hidden:
            return fresh
        return self.node("Add", [self.node("Mul", [z, hidden], "kept"), fresh], "hidden")

    def rnn(self, inputs: str, hidden: str) -> str:
        """Write a step of a plain recurrent network."""
        return self.node(self.given.functions[0], [self.sum_of(inputs, hidden, 0)], "hidden")

    def sum_of(self, inputs: str, hidden: str, gate: int) -> str:
        """Write W x + R h + b of a gate."""
        bias = self.given.input_bias[gate] + self.given.hidden_bias[gate]
        total = self.product(inputs, gate, bias=bias)
        if not hidden:
            return total
        return self.node("Add", [total, self.product(hidden, gate, own="hidden")], f"gate{gate}")

    def product(
        self, source: str, gate: int, *, bias: Array | None = None, own: str = "inputs"
    ) -> str:
        """Write a product of weights of a gate; own: which weights."""
        weights = self.store(f"gate{gate}/{own}/weights", getattr(self.given, own)[gate])
        parts = [source, weights]
        if bias is not None and bias.any():
            parts.append(self.store(f"gate{gate}/{own}/bias", bias))
        return self.node("Gemm", parts, f"gate{gate}/{own}", transB=1)

    def node(self, operator: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Append a node of this step."""
        full = f"{self.name}{IN_STEP}{self.number}/{name}"
        return self.writer.node(operator, inputs, full, **attributes)

    def store(self, name: str, array: Array) -> str:
        """Store a constant that all steps share."""
        return self.writer.store(f"{self.name}/{name}", array.astype(np.float32))


def check_input(node: onnx.NodeProto, sides: list[int], axis: int) -> None:
    """Refuse an input of another rank, of unknown sides or of several sequences."""
    if len(sides) != 3 or min(sides) < 1 or sides[1 - axis] != 1:
        order = "(1, steps, inputs)" if axis else "(steps, 1, inputs)"
        raise RefusedError("its input", f"of known sides {order}", sides or "unknown")


def directions_of(node: onnx.NodeProto, constants: dict[str, Array]) -> list[Direction]:
    """Return the weights of each direction; RefusedError for what no step here has."""
    given, gates = attributes_of(node), GATES[node.op_type]
    parts = [*node.input, *[""] * 8][:8]
    known: list[Array | None] = []
    parts[5:7] = [name if name in constants else "" for name in parts[5:7]]
    for name in parts[1:]:
        if name and name not in constants:
            raise RefusedError("its weights and lengths", "constants of the file", name)
        known.append(constants[name] if name else None)
    weights, hidden, bias, _, *rest = known
    if weights is None or hidden is None:
        raise RefusedError("its weights", "constants of the file", "none")
    for what, array in zip(("its first state", "its first state", "peepholes"), rest, strict=True):
        if array is not None and array.any():
            raise RefusedError(what, "zero", "others")
    if "clip" in given or given.get("input_forget", 0):
        raise RefusedError("clip and input_forget", "left out", "given")
    count, size = len(weights), hidden.shape[2]
    usual = FUNCTIONS[node.op_type]
    named = [each.decode() for each in given.get("activations", [])] or [*usual * count]
    named = named[: len(usual) * count]  # a default of the schema is for two directions
    if len(named) != len(usual) * count or not set(named) <= {*KNOWN}:
        raise RefusedError("its activations", f"{', '.join(KNOWN)}", ", ".join(named))
    if bias is None:
        bias = np.zeros((count, 2 * gates * size), np.float32)
    return [
        Direction(
            inputs=weights[number].reshape(gates, size, -1),
            hidden=hidden[number].reshape(gates, size, size),
            input_bias=bias[number].reshape(2, gates, size)[0],
            hidden_bias=bias[number].reshape(2, gates, size)[1],
            functions=tuple(named[len(usual) * number : len(usual) * (number + 1)]),
        )
        for number in range(count)
    ]


def fix_steps(model: onnx.ModelProto, images: Array) -> None:
    """Give a sequence of unknown sides one batch, and the sides of the images.

    images: (images, inputs, 1, steps), as a sequence (1, steps, inputs) is read by recurrent nodes;
        (images, tokens, 1, channels) where there are none, and the file knows the channels; or of
        three axes as the file has them
    """
    cells = any(node.op_type in GATES for node in model.graph.node)
    stored = {each.name for each in model.graph.initializer}
    for tensor in model.graph.input:
        sides = tensor.type.tensor_type.shape.dim
        if tensor.name in stored or len(sides) != 3 or images.ndim not in (3, 4):
            continue
        if not cells and sides[2].dim_value != images.shape[-1]:
            continue
        sizes = images.shape[1 :: images.ndim - 2]
        if cells and images.ndim == 4:
            sizes = sizes[::-1]
        for side, size in zip(sides, (1, *sizes), strict=True):
            if side.dim_value < 1:
                side.dim_value = size


def with_steps(model: onnx.ModelProto, source: str) -> onnx.ModelProto:
    """Return a float model whose recurrent nodes are steps; the same where it has none.

    model: with known sides. Raises FormatError for a node whose steps cannot be written.
    """
    if not any(node.op_type in GATES for node in model.graph.node):
        return model
    inferred = onnx.shape_inference.infer_shapes(model)
    graph = inferred.graph
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    sides = {
        each.name: [side.dim_value for side in each.type.tensor_type.shape.dim]
        for each in (*graph.input, *graph.value_info)
    }
    opset = opset_of(model)
    writer = Writer(source=source, opset=opset, sides=sides, constants=constants)
    for node in graph.node:
        try:
            writer.read(node)
        except RefusedError as error:
            raise FormatError(
                field=f"node {node_name(node)} ({node.op_type}): {error.what}",
                allowed=error.allowed,
                given=error.given,
                source=source,
            ) from None
    for tensor in graph.output:
        writer.show(tensor.name)
    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:], made.graph.value_info[:]
    made.graph.node.extend(writer.nodes)
    read = {name for node in writer.nodes for name in node.input}
    kept = [each for each in (*graph.initializer, *writer.stored) if each.name in read]
    del made.graph.initializer[:]
    made.graph.initializer.extend(kept)
    return onnx.shape_inference.infer_shapes(made)
