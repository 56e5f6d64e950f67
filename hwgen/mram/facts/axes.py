"""What `hwgen explore` varies of an mram chip, and which values go together.

Tests: `tests/mram/facts/test_axes.py`.
"""

from collections.abc import Mapping
from typing import Any

from hwgen.mram.facts.arch import MOST_ENTRIES, TAPS

START = "mram/paper"
"""The chip that keys which do not vary are taken from."""

LEAST_BLOCK = 2
"""Of any chip."""

AXES: dict[str, tuple[int | bool, ...]] = {
    "sub_arrays": (4, 8, 16, 32, 64, 128, 256),
    "block": (4, 8, 16),
    "array.rows": (64, 128, 256, 512, 1024),
    "array.columns": (64, 128, 256, 512, 1024, 2048),
    "input_rows": (8, 16, 32, 64),
    "port_bits": (64, 128, 256, 512),
    "overlap": (False, True),
    "twins": (False, True),
}
"""Keys and their values."""


def fitting(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration whose sizes go together: one that is too large is the largest allowed.

    A block is at most the sub-arrays, and its window fits a row; a row has at most as many blocks
    as records can number, and at least a beat of the memory port; input rows are at most half of
    the rows, and at least the bits of an element.
    """
    array = dict(configuration["array"])
    block = min(configuration["block"], configuration["sub_arrays"])
    while block > LEAST_BLOCK and TAPS * block > array["columns"]:
        block //= 2
    array["columns"] = min(array["columns"], MOST_ENTRIES * block * configuration["element_bits"])
    rows = min(configuration["input_rows"], array["rows"] // 2)
    planes = configuration["element_bits"] + configuration.get("write_back", False)
    return dict(configuration) | {
        "array": array,
        "block": block,
        "input_rows": max(rows, planes),
        "port_bits": min(configuration["port_bits"], array["columns"]),
    }
