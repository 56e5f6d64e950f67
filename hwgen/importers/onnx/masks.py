"""Masks of attention in a float model, before its maps are quantized.

A mask is a constant in front of a Softmax that leaves some places no share: -10,000, the lowest
float, minus infinity. It is added to the scores, or chosen instead of them. As a map it would have
the range of all of these, in which the scores are one integer. Any number that is low enough leaves
a place no share of a byte: with scores in a range of R and n of them, a place that is
R + ln(512 n) below the largest addend of its row has at most 1 / (512 n) of the sum.

Tests: `tests/importers/onnx/test_masks.py`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Array = NDArray[np.float32]
Ranges = Callable[[list[str]], Mapping[str, tuple[float, float, tuple[int, ...]]]]
"""Takes names of tensors; gives the least and the largest element of each, and its shape."""

STEPS_OF_A_SHARE = 512
"""Twice the steps of a share in a byte: half a step is rounded to none."""
HOPELESS = -1e4
"""An addend that low, or lower, is meant to leave no share."""
SHARE = 1 / 256
"""One step of a share, as onnxruntime's own softmax of bytes has it."""
LOWEST = -1e9
"""What a mask adds that no quantizer sees: exp of it is zero."""
PASSED = frozenset({"Cast", "Dropout", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators between a mask and its Softmax."""


@dataclass(frozen=True)
class Masked:
    """A node that masks scores.

    scores: the tensor; axis: of the Softmax behind; places, values: where a Where has constants,
    and which
    addend: of an Add; None: of a Where
    """

    node: onnx.NodeProto
    scores: str
    axis: int
    addend: Array | None = None
    places: NDArray[np.bool_] | None = None
    values: Array | None = None

    def added(self, low: float, high: float, shape: tuple[int, ...]) -> Array | None:
        """Return what is added to scores instead; None for what masks nothing.

        low, high, shape: of the scores
        """
        if self.axis not in (-1, len(shape) - 1):
            return None
        spare = fall_of(0, 0, keys=shape[-1])
        if self.addend is not None:
            addend = self.addend
        else:
            assert self.places is not None and self.values is not None
            values, places = np.broadcast_arrays(self.values, self.places)
            if not places.any() or (values[places] > low - spare).any():
                return None
            addend = np.where(places, -np.inf, 0).astype(np.float32)
        most = addend.max(axis=-1, keepdims=True) if addend.ndim else addend
        least = np.where(np.isfinite(most), most, 0) - fall_of(low, high, keys=shape[-1])
        return np.maximum(addend, least).astype(np.float32) if (addend < least).any() else None

    @property
    def causal(self) -> bool:
        """Whether row i leaves exactly its first i + 1 places a share."""
        if self.addend is not None:
            return is_causal(self.addend)
        assert self.places is not None and self.values is not None
        values, places = np.broadcast_arrays(self.values, self.places)
        return is_causal(np.where(places, values, np.float32(0)))


def is_causal(addend: Array) -> bool:
    """Return whether an addend is zero up to the diagonal, and hopeless above it."""
    if addend.ndim < 2 or addend.shape[-1] != addend.shape[-2] or addend.shape[-1] < 2:
        return False
    above = np.triu(np.ones(addend.shape[-2:], np.bool_), 1)
    return bool((addend[..., above] <= HOPELESS).all() and (addend[..., ~above] == 0).all())


def fall_of(low: float, high: float, *, keys: int) -> float:
    """Return how far below the others a place must be to have no share; low, high: of scores."""
    return high - low + math.log(STEPS_OF_A_SHARE * keys)


def bound_masks(graph: onnx.GraphProto, ranges: Ranges) -> set[str]:
    """Replace each constant mask in front of a Softmax by one as low as needed, and no lower.

    Returns the names of the nodes whose masks are causal: no quantizer needs to see them.
    """
    found, causal = list(masked(graph)), set[str]()
    known = ranges([each.scores for each in found]) if found else {}
    for each in found:
        added = each.added(*known[each.scores])
        if added is not None:
            name = f"{each.node.output[0]}/mask"
            graph.initializer.append(numpy_helper.from_array(added, name))
            names = [each.scores, name], list(each.node.output)
            before = each.causal
            each.node.CopyFrom(helper.make_node("Add", *names, each.node.name or name))
            if before:
                causal.add(each.node.name)
    return causal


def scales_of_shares(graph: onnx.GraphProto, causal: set[str]) -> dict[str, list[dict[str, Any]]]:
    """Return a step of 1/256 for the shares behind causal masks: half a share is no half step."""
    scores = {node.output[0] for node in graph.node if node.name in causal}
    step = {"scale": np.array(SHARE, np.float32), "zero_point": np.array(0, np.uint8)}
    return {
        node.output[0]: [step]
        for node in graph.node
        if node.op_type == "Softmax" and node.input[0] in scores
    }


def put_behind_quantizers(graph: onnx.GraphProto, causal: set[str]) -> None:
    """Take the quantizer behind each of some masks away; a mask then leaves exactly no share."""
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    gone: list[str] = []
    for node in [each for each in graph.node if each.name in causal]:
        for quantizer in readers.get(node.output[0], []):
            if quantizer.op_type != "QuantizeLinear":
                continue
            (back,) = readers[quantizer.output[0]]
            for reader in readers[back.output[0]]:
                reader.input[:] = [
                    node.output[0] if name == back.output[0] else name for name in reader.input
                ]
            gone += [quantizer.output[0], back.output[0]]
        for tensor in graph.initializer:
            if tensor.name == node.input[1]:
                low = numpy_helper.to_array(tensor)
                lowest = np.where(low < 0, np.float32(LOWEST), np.float32(0))
                tensor.CopyFrom(numpy_helper.from_array(lowest, tensor.name))
    kept = [each for each in graph.node if each.output[0] not in gone]
    del graph.node[:]
    graph.node.extend(kept)


def without_causal_masks(graph: onnx.GraphProto) -> set[str]:
    """Take causal masks that no quantizer sees out; return what the softmaxes behind them write."""
    found = set()
    for mask in masked(graph):
        (reader,) = [each for each in graph.node if mask.node.output[0] in each.input] or [None]
        if reader is not None and reader.op_type == "Softmax" and mask.causal:
            reader.input[0] = mask.scores
            found.add(reader.output[0])
    return found


def masked(graph: onnx.GraphProto) -> Iterator[Masked]:
    """Yield the nodes whose constants may mask the scores of a Softmax."""
    constants = {each.name: each for each in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = node.attribute[0].t
    writers = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        if node.op_type != "Softmax":
            continue
        axis = next((int(each.i) for each in node.attribute if each.name == "axis"), -1)
        writer = writers.pop(node.input[0], None)
        while writer is not None:
            name = writer.input[0] if writer.op_type in PASSED else ""
            mask = mask_of(writer, axis, constants)
            if mask is not None:
                yield mask
                name = mask.scores
            writer = writers.pop(name, None)


def mask_of(
    node: onnx.NodeProto, axis: int, constants: Mapping[str, onnx.TensorProto]
) -> Masked | None:
    """Return what a node masks; None for another node."""
    known = [name in constants for name in node.input]
    if node.op_type == "Add" and sum(known) == 1:
        place = known.index(True)
        addend = numpy_helper.to_array(constants[node.input[place]]).astype(np.float32)
        return Masked(node, node.input[1 - place], axis, addend=addend)
    if node.op_type == "Where" and known[0] and sum(known[1:]) == 1:
        place = 1 if known[1] else 2
        chosen = numpy_helper.to_array(constants[node.input[0]]).astype(bool)
        values = numpy_helper.to_array(constants[node.input[place]]).astype(np.float32)
        places = chosen if place == 1 else ~chosen
        return Masked(node, node.input[3 - place], axis, places=places, values=values)
    return None
