"""The content of a TFLite file as plain values; nothing in the file is executed.

The `tflite` package holds the classes that flatc makes from TensorFlow's schema; it follows offsets
of the file without checking them. Every count is therefore compared with the size of the file, and
an offset that leads outside is a damaged file.

Tests: `tests/importers/tflite/test_damaged.py`.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from flatbuffers.table import Table
from numpy.typing import NDArray

from hwgen.errors import FormatError
from hwgen.files.given import read_given

IDENTIFIER = b"TFL3"
"""Bytes 4 to 7 of every TFLite file."""
VERSION = 3
LONGEST_FILE = 1 << 31
WHOLE = "a whole TFLite file"
MOST_DIMENSIONS = 8

DAMAGED = (
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    ValueError,
    struct.error,
)
"""What following a damaged offset may raise."""

TYPES: dict[int, tuple[str, Any]] = {
    tflite.TensorType.FLOAT32: ("float32", np.float32),
    tflite.TensorType.INT32: ("int32", np.int32),
    tflite.TensorType.UINT8: ("uint8", np.uint8),
    tflite.TensorType.INT64: ("int64", np.int64),
    tflite.TensorType.INT16: ("int16", np.int16),
    tflite.TensorType.INT8: ("int8", np.int8),
    tflite.TensorType.INT4: ("int4", np.int8),
}
"""Types that are read, by number: name, NumPy's type; two int4 share a byte."""

OPERATORS = {
    number: name for name, number in vars(tflite.BuiltinOperator).items() if name.isupper()
}
OPTIONS = {
    number: name
    for name, number in vars(tflite.BuiltinOptions).items()
    if not name.startswith("_") and name != "NONE"
}


@dataclass(frozen=True, kw_only=True)
class TensorFacts:
    """One tensor.

    shape: as stored, batch included; type: name of the type, or its number where it is not read
    scales, zero_points: of its quantization, empty without one; axis: of a scale a channel
    data: values of a constant, of `shape`; None otherwise
    """

    name: str
    shape: tuple[int, ...]
    type: str
    scales: NDArray[np.float64]
    zero_points: NDArray[np.int64]
    axis: int
    data: NDArray[Any] | None


@dataclass(frozen=True, kw_only=True)
class OperatorFacts:
    """One operator: its name, tensors by number (-1: absent), and its options or None."""

    operator: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any


@dataclass(frozen=True, kw_only=True)
class TFLiteFile:
    """The main subgraph of a file; inputs, outputs: tensors by number."""

    source: str
    tensors: tuple[TensorFacts, ...]
    operators: tuple[OperatorFacts, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def is_tflite(content: bytes) -> bool:
    """Return whether the first bytes of a file are those of a TFLite file."""
    return content[4:8] == IDENTIFIER


def read_file(path: Path) -> TFLiteFile:
    """Return the content of a file; FormatError for what is no whole TFLite file."""
    source = str(path)
    content = read_given(path, what="the network", allowed=WHOLE, most_bytes=LONGEST_FILE - 1)
    if not is_tflite(content):
        raise damaged("something else", source)
    try:
        return file_of(content, source)
    except DAMAGED:
        raise damaged("a damaged one, or a part of one", source) from None


def damaged(given: str, source: str) -> FormatError:
    """Return the error for a file that is not a whole TFLite file."""
    return FormatError(field="the network", allowed=WHOLE, given=given, source=source)


def file_of(content: bytes, source: str) -> TFLiteFile:
    """Return the content of the first subgraph."""
    model = tflite.Model.GetRootAs(content, 0)
    limit = len(content)
    if model.Version() != VERSION:
        raise FormatError(
            field="the version of the schema", allowed=VERSION, given=model.Version(), source=source
        )
    checked(model.SubgraphsLength(), limit)
    checked(model.BuffersLength(), limit)
    codes = listed(model.OperatorCodes, model.OperatorCodesLength(), limit)
    graph = model.Subgraphs(0)
    tensors = listed(graph.Tensors, graph.TensorsLength(), limit)
    operators = listed(graph.Operators, graph.OperatorsLength(), limit)
    facts = tuple(tensor_facts(model, each, limit) for each in tensors)
    count = len(facts)
    return TFLiteFile(
        source=source,
        tensors=named_apart(facts),
        operators=tuple(operator_facts(each, codes, count, limit) for each in operators),
        inputs=numbers(graph.InputsAsNumpy(), graph.InputsLength(), count, limit),
        outputs=numbers(graph.OutputsAsNumpy(), graph.OutputsLength(), count, limit),
    )


def checked(count: int, limit: int) -> int:
    """Return a count of entries; ValueError if the file is too small for them."""
    if count * 4 > limit:
        raise ValueError(count)
    return count


def listed(entry: Callable[[int], Any], count: int, limit: int) -> list[Any]:
    """Return all tables of a vector."""
    return [entry(index) for index in range(checked(count, limit))]


def numbers(values: Any, count: int, tensors: int, limit: int) -> tuple[int, ...]:
    """Return numbers of tensors, each -1 or of one that exists."""
    found = tuple(int(value) for value in values) if checked(count, limit) else ()
    if any(not -1 <= value < tensors for value in found):
        raise ValueError(found)
    return found


def tensor_facts(model: Any, tensor: Any, limit: int) -> TensorFacts:
    """Return the facts of one tensor."""
    rank = tensor.ShapeLength()
    if rank > MOST_DIMENSIONS:
        raise ValueError(rank)
    shape = tuple(int(side) for side in tensor.ShapeAsNumpy()) if rank else ()
    name, _ = TYPES.get(tensor.Type(), (f"type {tensor.Type()}", None))
    scales, zero_points, axis = quantization_facts(tensor.Quantization(), limit)
    text = (tensor.Name() or b"").decode(errors="replace")
    return TensorFacts(
        name=text if text.isprintable() else "",
        shape=shape,
        type=name,
        scales=scales,
        zero_points=zero_points,
        axis=axis,
        data=None if tensor.Sparsity() else constant_of(model, tensor, shape),
    )


def quantization_facts(
    given: Any, limit: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """Return scales, zero points and their axis."""
    if given is None or not checked(given.ScaleLength(), limit):
        return np.zeros(0), np.zeros(0, np.int64), 0
    count = given.ScaleLength()
    zero_points = np.zeros(count, np.int64)
    if checked(given.ZeroPointLength(), limit):
        zero_points = given.ZeroPointAsNumpy().astype(np.int64)
    if len(zero_points) != count:
        raise ValueError(count)
    with np.errstate(invalid="ignore"):
        # A signalling NaN stays one, and is refused as a scale.
        scales = given.ScaleAsNumpy().astype(np.float64)
    return scales, zero_points, int(given.QuantizedDimension())


def constant_of(model: Any, tensor: Any, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """Return the values of a constant; None for a map, or for a type that is not read."""
    number = tensor.Buffer()
    if number >= model.BuffersLength():
        raise IndexError(number)
    buffer = model.Buffers(number)
    if not buffer.DataLength() or tensor.Type() not in TYPES:
        return None
    raw = buffer.DataAsNumpy()
    name, dtype = TYPES[tensor.Type()]
    if name == "int4":
        raw = np.stack([(raw << 4).view(np.int8) >> 4, raw.view(np.int8) >> 4], axis=1)
        elements = int(np.prod(shape, dtype=np.int64))
        return np.asarray(raw.reshape(-1)[:elements].reshape(shape))
    values: NDArray[Any] = raw.view(dtype).reshape(shape)
    return values


def named_apart(tensors: tuple[TensorFacts, ...]) -> tuple[TensorFacts, ...]:
    """Return tensors whose names differ: a name that is empty or repeated gets its number."""
    seen: set[str] = set()
    apart = []
    for number, each in enumerate(tensors):
        name = each.name if each.name and each.name not in seen else f"{each.name}#{number}"
        seen.add(name)
        apart.append(TensorFacts(**{**vars(each), "name": name}))
    return tuple(apart)


def operator_facts(operator: Any, codes: list[Any], tensors: int, limit: int) -> OperatorFacts:
    """Return the facts of one operator."""
    code = codes[operator.OpcodeIndex()]
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    name = OPERATORS.get(builtin, f"operator {builtin}")
    if name == "CUSTOM":
        custom = (code.CustomCode() or b"").decode(errors="replace")
        name = f"custom {custom if custom.isprintable() else '?'}"
    return OperatorFacts(
        operator=name,
        inputs=numbers(operator.InputsAsNumpy(), operator.InputsLength(), tensors, limit),
        outputs=numbers(operator.OutputsAsNumpy(), operator.OutputsLength(), tensors, limit),
        options=options_of(operator),
    )


def options_of(operator: Any) -> Any:
    """Return the options as an object of their class in the schema; None without any."""
    table: Table | None = operator.BuiltinOptions()
    kind = OPTIONS.get(operator.BuiltinOptionsType())
    if table is None or kind is None:
        return None
    options = getattr(tflite, kind)()
    options.Init(table.Bytes, table.Pos)
    return options
