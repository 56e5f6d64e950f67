"""Which layers of a network run on a DB-PIM chip, whatever its size.

Tests: `tests/importers/tflite/test_constants.py`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from hwgen.dbpim.compiler.folding import folded
from hwgen.dbpim.compiler.supported import (
    COUNTED_TAPS,
    GROWTH,
    ROW_UNIT_OPS,
    TFLITE_OPS,
    layer_refusals,
)
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, WEIGHT_BITS
from hwgen.dbpim.facts.instructions import Opcode, field_limit
from hwgen.dbpim.facts.timing import TAP_WORDS
from hwgen.network import Layer, QuantizedNetwork

WORD = 16
"""Channels of a word of the larger chips, which choose the shapes of sequences by it."""
SIDE = field_limit(Opcode.CONV, "kernel_height")
BYTES = f"maps of {ACTIVATION_BITS} bits"
WEIGHTED = f"{BYTES}; weights of at most {WEIGHT_BITS} bits"
WITH_ROW_UNIT = "on chips with a `row_unit`, such as paper_rows"
WITH_TFLITE = "on chips with `simd_tflite`, such as small_rows_tflite"
WINDOW = (
    f"kernel at most {field_limit(Opcode.CONV, 'kernel_height')} x"
    f" {field_limit(Opcode.CONV, 'kernel_width')}; stride at most"
    f" {field_limit(Opcode.CONV, 'stride_y')}; padding above and on the left at most"
    f" {field_limit(Opcode.CONV, 'padding_top')}"
)
LAYER_LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "conv": f"{WEIGHTED}; any groups; {WINDOW}; depthwise of more than {TAP_WORDS} taps as any"
        " groups, by the macros",
        "linear": f"{WEIGHTED}; of a map of at most {SIDE} x {SIDE} pixels",
        "max_pool": f"{BYTES}; {WINDOW}",
        "average_pool": f"{BYTES}; {WINDOW}; at most {COUNTED_TAPS} pixels without padding",
        **dict.fromkeys(("add", "multiply", "rescale", "concatenate", "table"), BYTES),
        "shortcut": f"{BYTES}; stride at most {field_limit(Opcode.CONV, 'stride_y')}",
        "upsample": f"{BYTES}; factors 1, 2, 4 and {GROWTH}",
        **dict.fromkeys((*ROW_UNIT_OPS, "state"), f"{BYTES}; {WITH_ROW_UNIT}"),
        **dict.fromkeys(TFLITE_OPS, f"{BYTES}; {WITH_TFLITE}"),
    }
)
"""Limits of each kind of layer on chips of any size, for people."""


def layer_remarks(network: QuantizedNetwork) -> dict[str, str]:
    """Return by layer why no chip runs it, or under which condition one does; empty: it runs."""
    shaped = folded(network, WORD)
    return {layer.name: layer_remark(shaped, layer) for layer in shaped.layers}


def layer_remark(network: QuantizedNetwork, layer: Layer) -> str:
    """Return the remark on one layer."""
    for what, allowed, given in layer_refusals(network, layer):
        return f"no: {what.partition(': ')[2]} must be {allowed}, got {given}"
    if not layer.output.raw and layer.output.bits != ACTIVATION_BITS:
        return f"no: the output's bits must be {ACTIVATION_BITS}, got {layer.output.bits}"
    if getattr(layer, "rounding", None) == "tflite":
        return WITH_TFLITE
    return WITH_ROW_UNIT if layer.op in (*ROW_UNIT_OPS, "state") else ""
