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
    """

    read: Callable[[Path], IntegerGraph]
    runtime_of: Callable[..., Runtime]


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


KINDS = {
    "ONNX": Kind(read=read_onnx, runtime_of=in_onnxruntime),
    "TFLite": Kind(read=read_tflite, runtime_of=in_litert),
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
