"""Files of networks that are imported: their kind by content, and the readers of each kind."""

from dataclasses import dataclass
from pathlib import Path

from hwgen.commands.load import load
from hwgen.errors import FormatError
from hwgen.files.given import check_given
from hwgen.importers.integer import IntegerGraph


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file; reader, runtime: modules that are imported when a file is at hand.

    reader: has `read_integer_graph(path)`; runtime: has `runtime_of(path, graph)`
    """

    reader: str
    runtime: str


KINDS = {
    "ONNX": Kind(reader="hwgen.importers.onnx.quantized", runtime="hwgen.importers.onnx.runtime"),
    "TFLite": Kind(reader="hwgen.importers.tflite", runtime="hwgen.importers.tflite.runtime"),
}
"""By name."""

HEAD_BYTES = 8
TFLITE = b"TFL3"
"""Bytes 4 to 7 of every TFLite file."""
ONNX_FIELDS = (0x08, 0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72)
"""First bytes of an ONNX file: the fields of its outermost message."""
QUANTIZED_ONNX = b"QuantizeLinear"
"""An operator of every ONNX file with QDQ; a float one is a graph for synthesis."""
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
    return kind == "TFLite" or QUANTIZED_ONNX in file.read_bytes()


def read_graph(file: Path) -> IntegerGraph:
    """Return the integer graph of a file of any kind."""
    graph: IntegerGraph = load(KINDS[kind_of(file)].reader).read_integer_graph(file)
    return graph
