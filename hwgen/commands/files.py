"""Files of networks that are imported: their kind by content, and the readers of each kind.

Tests: `tests/commands/test_fit.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import FormatError
from hwgen.files.given import check_given
from hwgen.importers.integer import IntegerGraph
from hwgen.importers.integer.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file, and what imports its packages when a file is at hand.

    read: returns the integers of a file; runtime_of: of a file and its graph returns a `Runtime`
    as_given: returns the file as `judge` runs it; ends: of a file, its graph and its states, inputs
        and outputs by images and maps of the network
    """

    read: Callable[[Path], IntegerGraph]
    runtime_of: Callable[..., Runtime]
    as_given: Callable[..., Any]
    ends: Callable[..., Any]


def read_onnx(path: Path) -> IntegerGraph:
    """Return the integers of an ONNX file."""
    from hwgen.importers.onnx.quantized import read_integer_graph

    return read_integer_graph(path)


def read_tflite(path: Path) -> IntegerGraph:
    """Return the integers of a TFLite file."""
    from hwgen.importers.tflite import read_integer_graph

    return read_integer_graph(path)


def in_onnxruntime(path: Path, graph: IntegerGraph, **chosen: Any) -> Runtime:
    """Return an ONNX file in its runtime."""
    from hwgen.importers.onnx.runtime import runtime_of

    return runtime_of(path, graph, **chosen)


def in_litert(path: Path, graph: IntegerGraph, **chosen: Any) -> Runtime:
    """Return a TFLite file in its runtime."""
    from hwgen.importers.tflite.runtime import runtime_of

    return runtime_of(path, graph, **chosen)


def onnx_as_given(content: Any, *, default: bool, **chosen: Any) -> Any:
    """Return an ONNX file, or a model, in a default session."""
    from hwgen.importers.onnx.as_given import as_given

    return as_given(content, **chosen)


def onnx_ends(content: Any, graph: IntegerGraph, states: Any) -> Any:
    """Return both ends of an ONNX file, or of a model."""
    from hwgen.importers.onnx.ends import OnnxEnds
    from hwgen.importers.onnx.external import read_whole_model

    model = read_whole_model(content) if isinstance(content, Path) else content
    return OnnxEnds(model, graph, states)


def tflite_as_given(content: Path, *, default: bool, states: Any) -> Any:
    """Return a TFLite file by LiteRT's default or reference kernels."""
    from hwgen.importers.tflite.as_given import as_given

    return as_given(content, default=default)


def tflite_ends(content: Path, graph: IntegerGraph, states: Any) -> Any:
    """Return both ends of a TFLite file."""
    from hwgen.importers.tflite.ends import TFLiteEnds

    return TFLiteEnds(content, graph)


KINDS = {
    "ONNX": Kind(read=read_onnx, runtime_of=in_onnxruntime, as_given=onnx_as_given, ends=onnx_ends),
    "TFLite": Kind(
        read=read_tflite, runtime_of=in_litert, as_given=tflite_as_given, ends=tflite_ends
    ),
}
"""By name."""

HEAD_BYTES = 8
TFLITE = b"TFL3"
"""Bytes 4 to 7 of every TFLite file."""
ONNX_FIELDS = (0x08, 0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72)
"""First bytes of an ONNX file: the fields of its outermost message."""
QUANTIZED_ONNX = (b"QuantizeLinear", b"custom_op.general", b"onnx.brevitas")
"""In every ONNX file with QDQ, or of QONNX; a float one is a graph for synthesis."""
ARCHIVE = b"PK"
MOST_BYTES = (1 << 31) - 1
"""Of a file; neither format has larger ones."""


def kind_of(file: Path) -> str:
    """Return the kind of a file by its first bytes; its name does not matter."""
    head = head_of(file)
    if head[4:] == TFLITE:
        return "TFLite"
    if head and head[0] in ONNX_FIELDS:
        return "ONNX"
    raise FormatError(
        field="the network",
        allowed=f"a whole {' or '.join(KINDS)} file",
        given=given_by(head),
        source=str(file),
    )


def given_by(head: bytes) -> str:
    """Return what a file of another kind is."""
    if not head:
        return "an empty file"
    return "an archive" if head.startswith(ARCHIVE) else "something else"


def head_of(file: Path) -> bytes:
    """Return the first bytes of a file."""
    try:
        check_given(file, what="the network", allowed="a readable file", most_bytes=MOST_BYTES)
        with file.open("rb") as handle:
            return handle.read(HEAD_BYTES)
    except FileNotFoundError:
        given = "no file"
    except OSError as error:
        given = error.strerror or type(error).__name__
    raise FormatError(field="the network", allowed="a readable file", given=given, source=str(file))


def is_quantized(file: Path) -> bool:
    """Return whether a file is of a kind that can be imported and holds integers."""
    try:
        kind = kind_of(file)
    except FormatError:
        return False
    content = file.read_bytes()
    return kind == "TFLite" or any(word in content for word in QUANTIZED_ONNX)


def read_graph(file: Path) -> IntegerGraph:
    """Return the integer graph of a file of any kind."""
    return KINDS[kind_of(file)].read(file)
