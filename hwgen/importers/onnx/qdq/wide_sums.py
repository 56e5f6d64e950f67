"""A product of weights plus a map, rounded once: one layer whose input holds the map, too.

A session computes such a Gemm in float32. In integers, out[j] = round(sum over k of w[j, k] *
(h[k] - zh) + r[j] * (c[j] - zc)) in steps of the sums of filter j, with r[j] the steps of the sums
in a step of c. r[j] has more bits than a weight, so that c stands in the input several times, and
what is left of r[j] times c, rounded to steps of the sums, once.

Tests: `tests/importers/onnx/test_written_out.py`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer import Node, Note, QuantizedMap
from hwgen.importers.integer import nodes as ir
from hwgen.importers.onnx.qdq.values import Numbers, Operation
from hwgen.importers.onnx.qdq.weights import Stored

Emit = Callable[[Node, QuantizedMap], str]

WHOLE = 127
"""Of the steps in a step of the map, what one weight holds at most."""
MOST_ROWS = 64
"""Times that the map stands in the input at most."""
MOST_GROWTH = 8
"""Times that one layer repeats a row."""
STEPS = Numbers(bits=8, signed=False, scale=1.0, zero_point=128)
"""Of the input of the layer: its integers count, whatever they stand for."""


def wide_sum(
    operation: Operation,
    sums: Operation,
    weights: ir.Weights,
    maps: dict[str, QuantizedMap],
    emit: Emit,
) -> tuple[Operation, Note] | None:
    """Return a sum of a fully connected layer and a map as one layer; None where it is too long.

    operation: the addition, of the map `inputs[0]`; sums: the product; weights: of it
    """
    gain, other_gain = operation.keys["gains"]
    product, added = sums.inputs[0], operation.inputs[0]
    steps = weights.scales * maps[product].scale * abs(gain)
    ratios = maps[added].scale * other_gain / steps
    whole = np.rint(ratios).astype(np.int64)
    centred = weights.centred if gain > 0 else -weights.centred
    rows = 1 << int(np.ceil(np.log2(max(1, -(-np.abs(whole).max() // WHOLE)))))
    if rows > MOST_ROWS or np.abs(centred).max() > WHOLE + 1:
        return None
    name = operation.tensor
    about: dict[str, Any] = {"name": operation.name, "operator": operation.operator}
    rest = ir.PerChannel(
        **about,
        inputs=(added,),
        output=f"{name}/rest",
        factor=(ratios - whole) / maps[added].scale,
        offset=np.zeros(len(whole)),
    )
    parts = [as_steps(about, emit, each, maps[each], f"{name}/{each}") for each in (product, added)]
    parts.append(emit(rest, STEPS.map(maps[added].shape)))
    channels = sum(maps[each].shape[2] for each in parts)
    row = ir.Concatenation(**about, inputs=tuple(parts), output=f"{name}/row")
    source = emit(row, STEPS.map((1, 1, channels)))
    made = 1
    while made < rows:
        factor = min(rows // made, MOST_GROWTH)
        made *= factor
        grown = ir.Upsampling(
            **about,
            inputs=(source,),
            output=f"{name}/rows{made}",
            factor=(factor, 1),
            zeros=False,
        )
        source = emit(grown, STEPS.map((made, 1, channels)))
    bias = weights.bias if gain > 0 else -weights.bias
    bias = bias - centred.sum(axis=1) * moved_zero(maps[product]) - whole * moved_zero(maps[added])
    stored = Stored(
        integers=in_rows(centred, whole, rows),
        scales=steps,
        zero_points=np.zeros(len(steps), np.int64),
        bits=weights.bits,
        bias=bias * steps,
        bias_integers=bias,
        bias_scales=steps,
    )
    layer = replace(operation, kind=ir.FullyConnected, inputs=(source,), keys={"stored": stored})
    what = "the map that it adds is rounded to steps of its sums"
    return layer, Note(
        node=operation.name, what=what, steps=float(steps.max()) / 2, operator=operation.operator
    )


def as_steps(
    about: dict[str, Any], emit: Emit, source: str, values: QuantizedMap, name: str
) -> str:
    """Append a map with the unsigned integers of another, and return its name."""
    scale, shift = values.scale, moved_zero(values)
    node = ir.Lookup(
        **about, inputs=(source,), output=name, function=lambda real: real / scale + shift
    )
    return emit(node, STEPS.map(values.shape))


def moved_zero(values: QuantizedMap) -> int:
    """Return the unsigned zero point of a map minus that of the input of the layer."""
    return values.zero_point + values.offset - STEPS.zero_point


def in_rows(weights: NDArray[np.int64], whole: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Return weights (out, rows * (inputs + 2 * out)): of the product, the map and its rest.

    weights: (out, inputs), in the first row, as is the rest; whole: (out,), divided over the rows
    """
    outputs, inputs = weights.shape
    found = np.zeros((outputs, rows, inputs + 2 * outputs), np.int64)
    found[:, 0, :inputs] = weights
    own = np.arange(outputs)
    found[own, 0, inputs + outputs + own] = 1
    left = np.abs(whole)
    for each in range(rows):
        taken = np.minimum(left, WHOLE)
        found[own, each, inputs + own] = np.sign(whole) * taken
        left = left - taken
    return found.reshape(outputs, -1)
