"""A message is one bounded line that any terminal may show, whatever a file says."""

import pickle

import pytest

from hwgen.errors import (
    FEW,
    LONGEST_LINE,
    MOST_LINES,
    FormatError,
    HwgenError,
    Refusal,
    RefusedNetworkError,
    RefusedNodesError,
    counted,
)
from hwgen.errors import plain_line as plain

RED = "\x1b[31m\u202e\ud800\n\x07"


@pytest.mark.promise("text from files is data, and every message is bounded and safe to print")
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


@pytest.mark.promise(
    "all nodes that cannot be imported are listed at once, one sentence each, before anything"
    " is computed"
)
def test_lines_of_one_cause_are_one_with_a_count() -> None:
    rounding = "rounding must be half_up, got float32"
    sentences = [f"layer conv_{n}: {rounding}" for n in range(88)]
    sentences[40:40] = [f"layer add_{n}: weight_bits must be 8, got {n}" for n in range(2)]
    lines = str(RefusedNodesError(sentences=sentences, source="net.npz")).split("\n")
    assert lines == [
        "90 things stand in the way (net.npz):",
        f"layer conv_0: {rounding} (and 87 more of this cause)",
        "layer add_0: weight_bits must be 8, got 0",
        "layer add_1: weight_bits must be 8, got 1",
    ]
    refusals = [
        Refusal(node=f"a {n}", operator="Sin", what="the operator", allowed="known", given=given)
        for n, given in enumerate(f"Sin as node {place} of 40" for place in range(3, 10))
    ]
    _, *lines = str(RefusedNetworkError(source="net.onnx", refusals=refusals)).split("\n")
    first = "node a 0 (Sin): the operator must be known, got Sin as node 3 of 40"
    assert lines == [f"{first} (and 6 more of this cause)"]
    few = [f"node {n} (Sin): the operator must be known, got Sin" for n in range(FEW)]
    assert counted(few) == few


def test_many_nodes_are_counted() -> None:
    error = RefusedNodesError(sentences=[f"{RED} {n}" for n in range(5_000)], source="net.onnx")
    lines = str(error).split("\n")
    assert len(lines) == MOST_LINES + 1
    assert lines[0] == "5000 things stand in the way (net.onnx):"
    assert lines[-1] == f"... and {5_001 - MOST_LINES} more"
    assert all(line.isprintable() for line in lines)
