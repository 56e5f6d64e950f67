"""Which element of a host piece comes from which: moves, functions of one element, the largest.

A piece of an ONNX file is traced by running its nodes on numbers of elements in the place of
values. What maps one element by constants becomes a table of all bytes, which the file's runtime
computes.

Tests: `tests/plan/test_firmware.py`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from hwgen.importers.onnx.check import opset_of
from hwgen.plan.file import PlanStep, PlanTensor
from hwgen.plan.onnx_host import REAL, runner_of

MOVES = frozenset(
    {
        "Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "Identity", "Reshape", "Slice",
        "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze",
    }
)  # fmt: skip
FUNCTIONS = frozenset(
    {
        "Abs", "Add", "Cast", "Clip", "DequantizeLinear", "Div", "Elu", "Exp", "HardSigmoid",
        "HardSwish", "LeakyRelu", "Log", "Mul", "Neg", "QuantizeLinear", "Relu", "Sigmoid", "Sqrt",
        "Sub", "Tanh",
    }
)  # fmt: skip
"""Of one element, where all else that they read is one constant."""
ORDER_KEPT = frozenset({"Cast", "DequantizeLinear", "QuantizeLinear"})
"""What may stand behind a class that is told."""
SOFTMAX_OF_AXIS = 13
"""Opset from which a Softmax is over one axis."""
BYTES = np.arange(256).astype(np.uint8)
PLACES = 1 << 32
"""More than elements of a tensor: above it, a code has the numbers of source and table."""


class NoMovesError(Exception):
    """A piece that computes more than moves; what it says is the operator."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """What becomes of an element.

    quantizer: scale, zero point and type of what makes a byte of a real number first; None: it is
        a byte, or nothing is done
    values: for each byte as it is stored; None: elements stay as they are
    """

    quantizer: tuple[float, int, str] | None = None
    values: NDArray[Any] | None = None

    def of(self, given: NDArray[Any]) -> NDArray[Any]:
        """Return what becomes of elements."""
        if self.quantizer is not None:
            scale, zero, kind = self.quantizer
            limits = np.iinfo(kind)
            whole = np.rint(given / np.float32(scale)) + zero
            given = np.clip(whole, limits.min, limits.max).astype(kind)
        return (
            given
            if self.values is None
            else self.values[np.ascontiguousarray(given).view(np.uint8)]
        )


@dataclass(frozen=True, kw_only=True)
class Moved:
    """How an output of a piece comes about.

    places: of each of its elements in order: numbers of the table and of the tensor that the piece
        reads, and of the element there, (elements, 3)
    row: 0, or of so many elements each the number of the first largest is told
    """

    tables: tuple[Table, ...]
    places: NDArray[np.int64]
    row: int = 0

    @property
    def elements(self) -> int:
        """Number of elements of the output."""
        return len(self.places) // (self.row or 1)

    def of(self, inputs: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Return the flat output of the tensors that the piece reads."""
        found: NDArray[Any] | None = None
        for table, source in np.unique(self.places[:, :2], axis=0):
            here = (self.places[:, :2] == (table, source)).all(1)
            values = self.tables[table].of(inputs[source].reshape(-1)[self.places[here, 2]])
            found = np.zeros(len(self.places), values.dtype) if found is None else found
            found[here] = values
        assert found is not None
        return found.reshape(-1, self.row).argmax(1) if self.row else found


def moves_of(
    step: PlanStep, model: onnx.ModelProto, tensors: Mapping[str, PlanTensor]
) -> dict[str, Moved]:
    """Return how each output of a piece of the host comes about.

    Raises NoMovesError where the piece computes more.
    """
    tracing = Tracing(model, step, tensors)
    return {name: tracing.moved(name) for name in step.outputs}


class Tracing:
    """The nodes of a piece on codes: an element, its source, its table in one integer."""

    def __init__(
        self, model: onnx.ModelProto, step: PlanStep, tensors: Mapping[str, PlanTensor]
    ) -> None:
        """Trace the nodes; tensors: of the plan, by name."""
        self._model, self._step, self._tensors = model, step, tensors
        self._tables = [Table()]
        self._sources = len(step.inputs) + 1  # the last are the classes
        self._constants = {
            each.name: numpy_helper.to_array(each) for each in model.graph.initializer
        }
        self._found: dict[str, NDArray[np.int64]] = {}
        self._rows: NDArray[np.int64] | None = None
        self._softmax = ""
        for number, name in enumerate(step.inputs):
            codes = self._first(name, number)
            self._found |= {name: codes, f"{name}{REAL}": codes}
            if name in step.real:
                del self._found[name]
        for node in model.graph.node:
            self._trace(node)

    def _first(self, name: str, number: int) -> NDArray[np.int64]:
        """Return the codes of an input: bytes as they are stored, or what they stand for."""
        tensor, table = self._tensors[name], 0
        if np.dtype(tensor.type).itemsize == 1:
            values: NDArray[Any] = BYTES.view(tensor.type)
            if name in self._step.real:
                scale, zero = numbers_of(tensor)
                values = (values.astype(np.int32) - zero).astype(np.float32) * scale
            table = self._number(Table(values=values))
        codes = self._coded(table, number, np.arange(math.prod(tensor.sides)))
        return codes.reshape(tensor.sides)

    def _number(self, table: Table) -> int:
        """Return the number of a table that is new."""
        self._tables.append(table)
        return len(self._tables) - 1

    def _coded(self, table: Any, source: Any, element: Any) -> NDArray[np.int64]:
        """Return codes."""
        return np.asarray((table * self._sources + source) * PLACES + element)

    def _apart(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return table, source and element of flat codes, (3, codes)."""
        upper = codes // PLACES
        return np.stack([upper // self._sources, upper % self._sources, codes % PLACES])

    def _trace(self, node: onnx.NodeProto) -> None:
        """Let a node write codes, or constants where it reads nothing else."""
        read = [name for name in node.input if name in self._found]
        data = list(node.input) if node.op_type == "Concat" else list(node.input[:1])
        if not read:
            self._constants |= ran(self._model, node, self._constants)
        elif node.op_type == "Shape":
            self._constants[node.output[0]] = np.array(self._found[read[0]].shape)
        elif node.op_type in MOVES and read == data and read[0] != self._softmax:
            self._found |= ran(self._model, node, self._constants | self._found)
        elif node.op_type in ("ArgMax", "Softmax") and self._rows is None:
            self._found[node.output[0]] = self._ordered(node, self._found[read[0]])
        elif node.op_type in FUNCTIONS and len(read) == 1:
            self._found[node.output[0]] = self._mapped(node, read[0])
        else:
            raise NoMovesError(node.op_type)

    def _ordered(self, node: onnx.NodeProto, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the codes of the classes, each of a row of what is read."""
        given = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        softmax = node.op_type == "Softmax"
        if given.get("select_last_index") or (softmax and opset_of(self._model) < SOFTMAX_OF_AXIS):
            raise NoMovesError(node.op_type)
        axis = given.get("axis", -1 if softmax else 0)
        self._rows = np.moveaxis(codes, axis, -1)
        if softmax:
            self._softmax = node.output[0]
            if not np.array_equal(self._rows.reshape(-1), codes.reshape(-1)):
                raise NoMovesError(node.op_type)
        sides: list[int] = list(self._rows.shape[:-1])
        if softmax or given.get("keepdims", 1):
            sides.insert(axis % codes.ndim, 1)
        return self._coded(0, self._sources - 1, np.arange(math.prod(sides))).reshape(sides)

    def _mapped(self, node: onnx.NodeProto, name: str) -> NDArray[np.int64]:
        """Return the codes behind a function: of a table that is new for each that was."""
        codes = self._found[name]
        table, source, element = self._apart(codes.reshape(-1))
        constants = {each: self._constants[each] for each in node.input if each and each != name}
        if any(each.size != 1 for each in constants.values()):
            raise NoMovesError(node.op_type)
        if (source == self._sources - 1).any():
            if node.op_type not in ORDER_KEPT:
                raise NoMovesError(node.op_type)
            if name == self._softmax:
                self._softmax = node.output[0]
            return codes
        constants = {each: value.reshape(()) for each, value in constants.items()}
        before, places = np.unique(table, return_inverse=True)
        behind = [self._behind(self._tables[each], node, name, constants) for each in before]
        return self._coded(np.array(behind)[places], source, element).reshape(codes.shape)

    def _behind(
        self, table: Table, node: onnx.NodeProto, name: str, constants: Mapping[str, NDArray[Any]]
    ) -> int:
        """Return the number of the table behind a function."""
        if table.values is not None:
            values = ran(self._model, node, {name: table.values, **constants})[node.output[0]]
            return self._number(replace(table, values=values))
        zero = constants.get("".join(node.input[2:3]), np.zeros((), np.uint8))
        if node.op_type != "QuantizeLinear" or zero.itemsize != 1:
            raise NoMovesError(node.op_type)
        kind = zero.dtype.name
        quantizer = float(constants[node.input[1]]), int(zero), kind
        return self._number(Table(quantizer=quantizer, values=BYTES.view(kind)))

    def moved(self, name: str) -> Moved:
        """Return how an output of the piece comes about."""
        real, tensor = name in self._step.real, self._tensors[name]
        codes = self._found.get(f"{name}{REAL}" if real else name)
        if codes is None:
            raise NoMovesError(name)
        places, row = self._apart(codes.reshape(-1)), 0
        if (places[1] == self._sources - 1).any():
            if not np.array_equal(places[2], np.arange(codes.size)):
                raise NoMovesError(name)
            assert self._rows is not None
            places, row = self._apart(self._rows.reshape(-1)), self._rows.shape[-1]
        used, numbers = np.unique(places[0], return_inverse=True)
        tables = [self._tables[each] for each in used]
        made = ranked(tables, name) if row else [stored(each, tensor, real=real) for each in tables]
        return Moved(tables=tuple(made), places=np.stack([numbers, *places[1:]], 1), row=row)


def ran(model: onnx.ModelProto, node: onnx.NodeProto, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what one node of a model writes; codes are moved without the runtime."""
    inputs = {name: np.asarray(given[name]) for name in node.input if name}
    declared = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
        )
        for name, value in inputs.items()
    ]
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
    alone = helper.make_model(
        helper.make_graph([node], "a node", declared, outputs),
        opset_imports=model.opset_import,
        ir_version=model.ir_version,
    )
    run: Any = runner_of(alone) if node.op_type in FUNCTIONS else ReferenceEvaluator(alone).run
    names = [each.name for each in outputs]
    return dict(zip(names, run(names, inputs), strict=True))


def numbers_of(tensor: PlanTensor) -> tuple[np.float32, int]:
    """Return scale and zero point of a border."""
    assert tensor.scale is not None and tensor.zero_point is not None
    return np.float32(tensor.scale), tensor.zero_point


def stored(table: Table, tensor: PlanTensor, *, real: bool) -> Table:
    """Return a table whose values are those of an output as the file stores it."""
    values = table.values
    if values is not None and real:
        scale, zero = numbers_of(tensor)
        values = np.rint(values / scale).astype(np.int64) + zero
    if values is None:
        return table
    if table.quantizer is None and np.array_equal(values.astype(tensor.type).view(np.uint8), BYTES):
        return Table()
    return replace(table, values=values.astype(tensor.type))


def ranked(tables: Sequence[Table], name: str) -> list[Table]:
    """Return tables of ranks, by which elements of all of them compare."""
    values = [table.values for table in tables if table.values is not None]
    if len(values) < len(tables):
        raise NoMovesError(name)
    whole = np.unique(np.concatenate(values))
    ranks = [np.searchsorted(whole, each).astype(np.uint16) for each in values]
    return [replace(table, values=rank) for table, rank in zip(tables, ranks, strict=True)]
