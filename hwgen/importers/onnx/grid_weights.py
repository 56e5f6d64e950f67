"""Float weights that stand on a grid, as training with few digits leaves them, keep their integers.

A quantizer that gives the largest weight of a filter 127 rounds all others anew where the training
gave it 64. Here the step of each filter is found that makes all its weights whole.

Tests: `tests/importers/onnx/test_grid_weights.py`.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from hwgen.network.csd import phi
from hwgen.network.whole_weights import whole_weights

EVIDENCE = 16
"""Weights beside one a filter that a tensor needs: any single one is a multiple of itself."""
TOLD = "hwgen.told"
"""Key of metadata: a sentence about a file that was made of another one."""


def matrices_of(
    graph: onnx.GraphProto,
) -> Iterator[tuple[onnx.TensorProto, int, NDArray[np.float32]]]:
    """Yield constant weights, the axis of their filters, and the weights as (filters, weights)."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        tensor = constants.get(node.input[1]) if len(node.input) > 1 else None
        if tensor is None or tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        given = {each.name: each for each in node.attribute}
        if node.op_type == "Conv":
            axis = 0
        elif node.op_type == "Gemm":
            axis = 0 if "transB" in given and given["transB"].i else 1
        elif node.op_type == "MatMul" and len(tensor.dims) == 2:
            axis = 1
        else:
            continue
        array = np.moveaxis(numpy_helper.to_array(tensor), axis, 0)
        yield tensor, axis, array.reshape(len(array), -1)


def scales_on_grid(graph: onnx.GraphProto) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """Return the scale of each filter for the weights on a grid, by name, and what to tell of them.

    Told: an empty sentence where no weights are
    """
    overrides: dict[str, list[dict[str, Any]]] = {}
    digits = 0
    for tensor, axis, weights in matrices_of(graph):
        integers = whole_weights(weights) if evidence(weights) >= EVIDENCE else None
        if integers is None:
            continue
        magnitudes, tops = np.abs(weights).max(axis=1), np.abs(integers).max(axis=1)
        # A filter of zeros has any scale; its sums are as fine as those of the others.
        used = tops > 0
        scales = np.full(len(tops), (magnitudes[used] / tops[used]).mean())
        scales[used] = magnitudes[used] / tops[used]
        digits = max([digits, *(phi(int(value)) for value in np.unique(integers))])
        zero = np.array(0, np.int8)
        overrides[tensor.name] = [
            {"scale": np.array(scale, np.float32), "zero_point": zero, "axis": axis}
            for scale in scales
        ]
    if not overrides:
        return overrides, ""
    return overrides, (
        f"weights of {len(overrides)} layers are whole multiples of a step of their filter: they"
        f" keep these integers, of at most {digits} signed digits"
    )


def evidence(weights: NDArray[np.float32]) -> int:
    """Return how many weights there are beside one a filter, zeros left out."""
    counts = np.count_nonzero(weights, axis=1)
    return int(np.maximum(counts - 1, 0).sum())


def tell(model: onnx.ModelProto, sentence: str) -> None:
    """Let a model that was made of a file say what its reader should know."""
    if sentence:
        model.metadata_props.add(key=TOLD, value=sentence)


def told_in(model: onnx.ModelProto) -> list[str]:
    """Return what a model says that its reader should know."""
    return [each.value for each in model.metadata_props if each.key == TOLD]
