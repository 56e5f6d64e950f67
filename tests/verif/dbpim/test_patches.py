"""Attention inside groups of pixels, as MobileViT has it: imported, exact, and whole on RTL."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.commands.described import describe_import
from hwgen.importers.integer import lower
from hwgen.importers.onnx.qdq import joining
from hwgen.importers.onnx.quantized import read_integer_graph
from tests.quantized_onnx import Model, differing, judged_on, saved
from tests.verif.dbpim.chips import check_chip, chip_arch
from verif.common.drawing import draw_images

CHANNELS = 8
PATCH = 2
SHARE = 1 / 256
"""Step of a softmax."""


def among_patches(side: int, heads: int, *, folded: bool = True) -> onnx.ModelProto:
    """Return a block whose pixels at one place of their patch of 2 x 2 read each other.

    folded: as torch unfolds patches; else pixels of one patch read each other
    """
    model = Model((1, 3, side, side), seed=side + heads)
    count, groups = side // PATCH, PATCH * PATCH
    order = (0, 3, 5, 2, 4, 1) if folded else (0, 2, 4, 3, 5, 1)
    sequences = (groups, count * count) if folded else (count * count, groups)

    def moved(tensor: str, operator: str, **how: tuple[int, ...]) -> str:
        inputs = [model.constant(how.pop("shape"), np.int64)] if "shape" in how else []
        return model.quantized(model.node(operator, tensor, *inputs, **how), 0.05, 128)

    def product(tensor: str, scale: float) -> str:
        weights = model.weights(CHANNELS, CHANNELS, axis=1)
        return model.quantized(model.node("MatMul", tensor, weights), scale, 120)

    def by_head(tensor: str, *last: int) -> str:
        shape = (*sequences, heads, CHANNELS // heads)
        apart = model.node("Reshape", tensor, model.constant(shape, np.int64))
        return model.node("Transpose", apart, perm=(0, 2, *last))

    now = model.quantized(model.conv(model.image(scale=0.02), CHANNELS, 3, 1, 1), 0.05, 128)
    for operator, how in (
        ("Reshape", {"shape": (1, CHANNELS, count, PATCH, count, PATCH)}),
        ("Transpose", {"perm": order}),
        ("Reshape", {"shape": (*sequences, CHANNELS)}),
    ):
        now = moved(now, operator, **how)
    gains = [model.constant(model.rng.normal(size=CHANNELS)) for _ in range(2)]
    norm = model.quantized(model.node("LayerNormalization", now, *gains, axis=-1), 0.03, 128)
    query, key, value = (product(norm, 0.04) for _ in range(3))
    scores = model.node("MatMul", by_head(query, 1, 3), by_head(key, 3, 1))
    share = model.node("Softmax", model.quantized(scores, 0.06, 128), axis=-1)
    read = model.node("MatMul", model.quantized(share, SHARE, 0), by_head(value, 1, 3))
    read = model.node("Transpose", model.quantized(read, 0.02, 128), perm=(0, 2, 1, 3))
    read = model.node("Reshape", read, model.constant((*sequences, CHANNELS), np.int64))
    now = model.quantized(model.node("Add", now, product(read, 0.02171)), 0.06137, 128)
    back = [order.index(axis) for axis in range(6)]
    shape = tuple((1, CHANNELS, count, PATCH, count, PATCH)[axis] for axis in order)
    now = model.node("Reshape", now, model.constant(shape, np.int64))
    now = model.node("Transpose", now, perm=back)
    now = model.node("Reshape", now, model.constant((1, CHANNELS, side, side), np.int64))
    now = model.conv(now, CHANNELS, CHANNELS, 3, 3, pads=[1, 1, 1, 1])
    return model.build(model.quantized(now, 0.05, 128))


@pytest.mark.promise(
    "attention among the patches of MobileViT is onnxruntime's in every element, and exact on RTL"
)
def test_pixels_of_a_group_read_each_other(tmp_path: Path) -> None:
    path = saved(among_patches(8, 1), tmp_path)
    graph = read_integer_graph(path)
    network = lower(graph, kernels="onnxruntime").network
    images = draw_images(network, 20, seed=3)
    assert judged_on(path, network, images)[0].equal
    kinds = [layer.op for layer in network.layers]
    assert kinds.count("layer_norm") == 1
    assert kinds.count("softmax") == kinds.count("matmul") / 2 == 4
    check_chip(network, chip_arch("small_rows"), images[:1], tmp_path)


@pytest.mark.promise("attention within windows of neighbours is onnxruntime's, and exact on RTL")
def test_windows_of_neighbours_read_each_other(tmp_path: Path) -> None:
    path = saved(among_patches(4, 1, folded=False), tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    assert differing(path) == 0
    images = draw_images(network, 1, seed=3)
    check_chip(network, chip_arch("small_rows"), images, tmp_path)


def test_windows_of_many_pixels_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(among_patches(4, 1, folded=False), tmp_path)
    monkeypatch.setattr(joining, "MOST_PIXELS", 15)
    (found,) = describe_import(path).refused
    assert found.reason == (
        "node matmul_85 (MatMul): the pixels of its sequences must be at most 15 in all, or of the"
        " pixels at one place of their patches, as in MobileViT, got others, such as windows, 16 in"
        " all"
    )
