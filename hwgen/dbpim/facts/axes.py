"""What `hwgen explore` varies of a DB-PIM chip, and which values go together.

Tests: `tests/dbpim/facts/test_axes.py`.
"""

from collections.abc import Mapping
from typing import Any

from hwgen.dbpim.facts.arch import WEIGHT_BITS
from hwgen.dbpim.facts.instructions import MOST_PAIRED_COLUMNS
from hwgen.network.sparsity import PHI_LIMIT

START = "dbpim/paper"
"""The chip that keys which do not vary are taken from."""

AXES: dict[str, tuple[int, ...]] = {
    "cores": (1, 2, 4, 8, 16),
    "macros_per_core": (2, 4, 8, 16),
    "macro.compartments": (8, 16, 32, 64),
    "macro.columns": (8, 16, 32, 64, 128),
    "macro.rows": (2, 4, 8, 16, 32, 64),
    "tile_rows": (1, 2, 4, 8, 16, 32),
    "word_channels": (8, 16, 32, 64),
    "buffer_bytes": (8192, 16384, 32768, 65536),
    "psum_entries": (32, 64, 128, 256),
    "mask_bytes": (64, 128, 256, 1024, 4096),
    "queue_depth": (2, 4, 8, 16),
    "switch_rate": (4, 8, 16),
    "simd_lanes": (8, 16, 32, 64, 128),
    "lanes_per_requantizer": (1, 2, 4, 8, 16),
    "bus_words": (1, 2, 4, 8, 16),
    "port_bits": (64, 128, 256, 512),
}
"""Keys and their values."""


def fitting(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration whose sizes go together: one that is too large is the largest allowed.

    A word has at most the compartments of a macro; `word_channels` is left out where it has all,
    and where a chip can have no shorter one. A macro has at most as many filters as a word has
    channels. Partial sums, masks and buffers are at least what the macros of a core need.
    """
    fitted = dict(configuration)
    macro = dict(configuration["macro"])
    compartments, macros = macro["compartments"], configuration["macros_per_core"]
    word = min(configuration.get("word_channels") or compartments, compartments)
    if has_whole_words(configuration):
        word = compartments
    fitted.pop("word_channels", None)
    if word < compartments:
        fitted["word_channels"] = word
    digits = configuration["sparsity"]["weight_bits"]
    of_filter = PHI_LIMIT if digits else macro.get("weight_bits", WEIGHT_BITS)
    paired = configuration.get("one_digit") == "paired"
    most_columns = MOST_PAIRED_COLUMNS if paired else of_filter * word
    macro["columns"] = min(macro["columns"], of_filter * word, most_columns)
    lanes = min(configuration["simd_lanes"], macros * word)
    tile_rows = min(configuration["tile_rows"], macro["rows"] // 2)
    return fitted | {
        "macro": macro,
        "tile_rows": tile_rows,
        "switch_rate": min(configuration["switch_rate"], word),
        "simd_lanes": lanes,
        "lanes_per_requantizer": min(configuration["lanes_per_requantizer"], lanes),
        "bus_words": min(configuration["bus_words"], macros),
        "psum_entries": max(configuration["psum_entries"], (1 + paired) * macros),
        "mask_bytes": max(configuration["mask_bytes"], compartments * tile_rows // 2),
        "buffer_bytes": max(configuration["buffer_bytes"], 2 * macros * word),
    }


def has_whole_words(configuration: Mapping[str, Any]) -> bool:
    """Return whether a word of the buffers must have all compartments: see `Arch.word_channels`."""
    return (
        configuration["input_streams"] == "shared"
        or configuration.get("row_unit") is not None
        or not configuration.get("sparse_parts", True)
    )
