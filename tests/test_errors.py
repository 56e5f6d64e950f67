"""A message is one bounded line that any terminal may show, whatever a file says."""

import pickle

from hwgen.errors import LONGEST_LINE, MOST_LINES, FormatError, HwgenError, RefusedNodesError
from hwgen.errors import plain_line as plain

RED = "\x1b[31m\u202e\ud800\n\x07"


def test_control_characters_are_escaped() -> None:
    error = FormatError(field=RED, allowed="a name", given=RED, source="net.npz")
    shown = "\\x1b[31m\\u202e\\ud800\\n\\x07"
    assert str(error) == f"{shown} must be a name, got {shown} (net.npz)"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert plain("Größe") == "Größe"


def test_a_long_message_keeps_field_and_file() -> None:
    error = str(FormatError(field="name", allowed="short", given="x" * 10**6, source="net.npz"))
    assert len(error) < LONGEST_LINE + 10
    assert error.startswith("name must be short, got xxx") and error.endswith("xxx (net.npz)")
    assert str(HwgenError("short")) == "short"


def test_many_nodes_are_counted() -> None:
    error = RefusedNodesError(sentences=[f"{RED} {n}" for n in range(5_000)], source="net.onnx")
    lines = str(error).split("\n")
    assert len(lines) == MOST_LINES + 1
    assert lines[0] == "5000 things stand in the way (net.onnx):"
    assert lines[-1] == f"... and {5_001 - MOST_LINES} more"
    assert all(line.isprintable() for line in lines)
