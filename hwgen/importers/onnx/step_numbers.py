"""Numbers of sums, and of products of steps, for which golden gives onnxruntime's integers.

Golden and onnxruntime give the same element for nearly all pairs of bytes: products differ in
halves where the zero point is odd, and both in a few pairs where scales meet badly. A step of a
sequence feeds the next, and a sum of a transformer all blocks behind it, so the numbers that a
calibration found are moved a little until all 65,536 pairs are equal: the scale by less than a
thousandth, of products of steps also the zero point by one.

Tests: `tests/importers/onnx/test_recurrent.py`.
"""

from collections.abc import Collection, Iterator

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from hwgen.importers.integer.arithmetic import f32
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.pairs import best_sum, different_products
from hwgen.importers.onnx.qdq.values import Numbers
from hwgen.importers.onnx.recurrent import IN_STEP

MOVES = 24
MOVE = 4e-5
"""Of a scale, relative; all moves stay below what a bias may differ from the scale of its sums."""
MIDDLE = 128


def with_pairs_equal(model: onnx.ModelProto, products: Collection[str] = ()) -> None:
    """Move the numbers of all sums of two maps, and of steps' products, until pairs are equal.

    products: names of further nodes; those of a rotary embedding feed sums, too.
    Only of unsigned bytes; where no move helps, the first numbers stay, and the import says it.
    """
    stored = {each.name: each for each in model.graph.initializer}
    makers = {node.output[0]: node for node in model.graph.node}
    readers = {node.input[0]: node for node in model.graph.node if node.op_type == "QuantizeLinear"}
    for node in model.graph.node:
        behind = readers.get(node.output[0])
        product = node.op_type == "Mul"
        kept = node.op_type != "Add" and not (
            product and (IN_STEP in node.output[0] or node.name in products)
        )
        if kept or behind is None:
            continue
        pairs = [behind, *(makers[name] for name in node.input if name in makers)]
        found = [map_of(each, stored) for each in pairs]
        output, *sources = (each for each in found if each is not None)
        if len(sources) != 2 or len(found) != 3:
            continue
        moved = next(
            (each for each in nearby(output, product) if not different(product, sources, each)),
            output,
        )
        numbers = (np.float32(moved.scale), np.uint8(moved.zero_point))
        for name, number in zip(behind.input[1:3], numbers, strict=True):
            stored[name].CopyFrom(numpy_helper.from_array(np.array(number), name))


def map_of(node: onnx.NodeProto, stored: dict[str, onnx.TensorProto]) -> QuantizedMap | None:
    """Return the map that a pair quantizes; None of another type or another node."""
    if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
        return None
    parts: list[NDArray[np.generic]] = [
        numpy_helper.to_array(stored[name]) for name in node.input[1:3] if name in stored
    ]
    if len(parts) != 2 or parts[0].size != 1 or parts[1].dtype != np.uint8:
        return None
    scale, zero = float(parts[0].item()), int(parts[1].item())
    return Numbers(bits=8, signed=False, scale=scale, zero_point=zero).map((1, 1, 1))


def nearby(output: QuantizedMap, product: bool) -> Iterator[QuantizedMap]:
    """Yield maps of other numbers, the nearest first; those of products have even zero points."""
    zero = output.zero_point
    if product and zero % 2:
        zero += 1 if zero < MIDDLE else -1
    numbers = Numbers(bits=8, signed=False, scale=output.scale, zero_point=zero)
    for move in range(MOVES):
        scale = f32(output.scale * (1 + move * MOVE))
        yield Numbers(**{**vars(numbers), "scale": scale}).map((1, 1, 1))


def different(product: bool, sources: list[QuantizedMap], output: QuantizedMap) -> int:
    """Return how many pairs are not onnxruntime's."""
    if not product:
        return best_sum(sources, output).different
    factor = f32(f32(f32(sources[0].scale) * sources[1].scale) / output.scale)
    return different_products(factor, sources, output)
