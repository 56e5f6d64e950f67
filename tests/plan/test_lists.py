"""What ends a file behind its maps is the host's: lists of boxes, indices, lengths, distances."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest

from tests.plan.test_cut import cut_of, places
from tests.quantized_onnx import Model

GRID = (0.05, 120)


def heads(
    model: Model, channels: int = 10, *, grids: tuple[tuple[float, int], ...] = (GRID, GRID)
) -> list[str]:
    """Append two heads, of 6 x 6 and 3 x 3 pixels: quantized maps."""
    body = model.quantized(model.conv(model.image(), 8, 3, 3, 3, pads=[1, 1, 1, 1]), 0.06, 0)
    small = model.node("MaxPool", body, kernel_shape=[2, 2], strides=[2, 2])
    sums = [model.conv(each, channels, 8, 1, 1) for each in (body, model.quantized(small, 0.06, 0))]
    return [model.quantized(each, *grid) for each, grid in zip(sums, grids, strict=True)]


def rows(model: Model, tensor: str, last: int = 5) -> str:
    """Append rows of `last` elements of a map: of each pixel one for each anchor."""
    moved = model.node("Transpose", tensor, perm=[0, 2, 3, 1])
    return model.node("Reshape", moved, model.constant([1, -1, last], np.int64))


def planes(model: Model, tensor: str, channels: int = 10) -> str:
    """Append (1, channels, pixels) of a map."""
    return model.node("Reshape", tensor, model.constant([1, channels, -1], np.int64))


def part(model: Model, tensor: str, first: int, end: int, axis: int = 2) -> str:
    bounds = (first, end, axis)
    return model.node("Slice", tensor, *(model.constant([each], np.int64) for each in bounds))


def by_rows(model: Model) -> list[str]:
    return [model.node("Concat", *(rows(model, each) for each in heads(model)), axis=1)]


def by_planes(model: Model) -> list[str]:
    """A list with its elements in front, turned behind: as YOLO's exporters write it."""
    listed = model.node("Concat", *(planes(model, each) for each in heads(model)), axis=2)
    return [model.node("Transpose", listed, perm=[0, 2, 1])]


def quantized_rows(model: Model) -> list[str]:
    """The list has a scale of its own, and so has each head."""
    made = heads(model, grids=((0.05, 120), (0.031, 100)))
    listed = model.node("Concat", *(rows(model, each) for each in made), axis=1)
    return [model.quantized(listed, 0.045, 110)]


def of_two_scales(model: Model) -> list[str]:
    made = heads(model, grids=((0.05, 120), (0.031, 100)))
    return [model.node("Concat", *(rows(model, each) for each in made), axis=1)]


def sigmoid_of_a_part(model: Model) -> list[str]:
    """Boxes as they are, scores through a sigmoid, in one list again."""
    listed = model.quantized(by_rows(model)[0], *GRID)
    scores = model.node("Sigmoid", part(model, listed, 4, 5))
    both = (part(model, listed, 0, 4), model.quantized(scores, 1 / 256, 0))
    return [model.quantized(model.node("Concat", *both, axis=2), 0.04, 100)]


def two_lists(model: Model) -> list[str]:
    """Boxes and scores of the same maps, each an output."""
    (listed,) = by_rows(model)
    return [part(model, listed, 0, 4), part(model, listed, 4, 5)]


def list_and_map(model: Model) -> list[str]:
    made = heads(model)
    listed = model.node("Concat", *(rows(model, each) for each in made), axis=1)
    return [made[1], listed]


def detector(model: Model) -> list[str]:
    """Boxes that are decoded, and the double ones dropped, behind the list in real numbers."""
    listed = model.quantized(by_rows(model)[0], *GRID)
    scores = model.node(
        "Transpose", model.node("Sigmoid", part(model, listed, 4, 5)), perm=[0, 2, 1]
    )
    anchors = model.constant(np.arange(90 * 4).reshape(90, 4) / 90)
    boxes = model.node("Add", model.node("Exp", part(model, listed, 0, 4)), anchors)
    most = model.constant([10], np.int64)
    return [boxes, model.node("NonMaxSuppression", boxes, scores, most)]


def real_sigmoids(model: Model) -> list[str]:
    """A sigmoid of each part, which nothing quantizes."""
    made = [model.node("Sigmoid", rows(model, each)) for each in heads(model)]
    return [model.node("Concat", *made, axis=1)]


LISTS: dict[str, Callable[[Model], list[str]]] = {
    "rows": by_rows,
    "planes": by_planes,
    "quantized": quantized_rows,
    "two scales": of_two_scales,
    "sigmoid of a part": sigmoid_of_a_part,
    "two lists": two_lists,
    "list and map": list_and_map,
    "detector": detector,
    "real sigmoids": real_sigmoids,
}


def of_integers(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose outputs of indices are declared so."""
    written = {name: node.op_type for node in model.graph.node for name in node.output}
    for each in model.graph.output:
        if written[each.name] in ("ArgMax", "NonMaxSuppression"):
            each.type.tensor_type.elem_type = onnx.TensorProto.INT64
    return model


@pytest.mark.promise(
    "lists of rows of several maps, and what a file computes of them, are the host's, and equal;"
    " all products in front of them are on the chip"
)
@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_the_hosts(name: str) -> None:
    model = Model()
    plan = cut_of(of_integers(model.build(*LISTS[name](model))))
    assert places(plan) == ["host", "chip", "host"]
    assert plan.graph.chip_products == plan.graph.products == 11376
    assert plan.graph.seen is not None
    assert plan.graph.seen.equal == plan.graph.seen.elements > 0


def decoded(bins: int) -> onnx.ModelProto:
    """Return the head of YOLOv8: boxes of two maps are means over bins, classes are sigmoids."""
    model = Model((1, 3, 8, 8))
    image, flat = model.image(), []
    for side, stride in ((4, 2), (2, 4)):
        conv = model.conv(image, 4 * bins + 2, 3, stride, stride, strides=[stride, stride])
        sides = model.constant([1, 4 * bins + 2, side * side], np.int64)
        flat.append(model.node("Reshape", model.quantized(conv), sides))
    rows = model.quantized(model.node("Concat", *flat, axis=2))
    sizes = model.constant([4 * bins, 2], np.int64)
    boxes, classes = model.node("Split", rows, sizes, axis=1, outputs=2).split()
    apart = model.node("Reshape", boxes, model.constant([1, 4, bins, 20], np.int64))
    turned = model.quantized(model.node("Transpose", apart, perm=[0, 2, 1, 3]))
    shares = model.quantized(model.node("Softmax", turned, axis=1), 1 / 255, 0)
    means = model.node("Conv", shares, model.weights(1, bins, 1, 1))
    sides = model.quantized(model.node("Reshape", means, model.constant([1, 4, 20], np.int64)))
    sure = model.quantized(model.node("Sigmoid", model.quantized(classes)), 1 / 255, 0)
    return model.build(model.quantized(model.node("Concat", sides, sure, axis=1)))


@pytest.mark.promise("YOLOv8's boxes of bins are a piece of the chip between two of the host")
@pytest.mark.parametrize("bins", [8, 80])
def test_boxes_of_bins_are_cut(bins: int) -> None:
    graph = cut_of(decoded(bins)).graph
    assert graph.chip_products == graph.products
    assert graph.seen is not None
    assert graph.seen.equal == graph.seen.elements


def scores_of(model: Model) -> str:
    """Append ten quantized scores."""
    sums = model.node("Gemm", model.image(), model.weights(10, 16), transB=1)
    return model.quantized(sums, 0.2, 128)


def length_one(model: Model) -> str:
    """Scores over their L2 length, as embeddings are compared."""
    scores = scores_of(model)
    return model.node("Div", scores, model.node("ReduceL2", scores, axes=[1]))


def distance(model: Model) -> str:
    """The length of the difference of two maps, which nothing quantizes."""
    return model.node("ReduceL2", model.node("Sub", scores_of(model), scores_of(model)), axes=[1])


def best_three(model: Model) -> str:
    three = model.constant([3], np.int64)
    return model.node("TopK", scores_of(model), three, outputs=2).split()[0]


def halved(model: Model) -> str:
    """The mean of two heads, of whose sum alone a pair stands (DeiT with two class tokens)."""
    both = model.quantized(model.node("Add", scores_of(model), scores_of(model)), 0.4, 128)
    return model.node("Div", both, model.constant(2.0))


ENDS: dict[str, Callable[[Model], str]] = {
    "ArgMax": lambda model: model.node("ArgMax", scores_of(model), axis=1),
    "TopK": best_three,
    "Abs": lambda model: model.node("Abs", scores_of(model)),
    "LpNormalization": lambda model: model.node("LpNormalization", scores_of(model)),
    "length": length_one,
    "distance": distance,
    "mean of two": halved,
}


@pytest.mark.promise(
    "indices, lengths and distances that end a file are the host's, equal to the runtime"
)
@pytest.mark.parametrize("name", ENDS)
def test_what_ends_a_file_behind_its_maps_is_the_hosts(name: str) -> None:
    model = Model((1, 16))
    graph = cut_of(of_integers(model.build(ENDS[name](model)))).graph
    assert graph.chip_products == graph.products > 0
    assert graph.seen is not None
    assert graph.seen.equal == graph.seen.elements > 0
