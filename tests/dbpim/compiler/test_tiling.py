"""The tiling that is read from a program follows from weights and sizes."""

import math
from pathlib import Path

import numpy as np
import pytest

from hwgen.dbpim.compiler import compile_network, tiling
from hwgen.dbpim.facts import load_arch, with_sparsity
from hwgen.network import Add
from hwgen.network.file import load_network

ROOT = Path(__file__).parents[3]
NETWORK = load_network(ROOT / "configs/networks/digits_small_cnn.npz")
SMALL = load_arch(ROOT / "configs/dbpim/small.yaml")
MASK_GROUP = 8
FUSED = {"conv3": "residual"}
"""A convolution with a fused addition has the name of the addition."""


def selected_inputs(name: str, switches: str) -> list[int]:
    """Return the number of inputs of each group of filters."""
    weights = NETWORK.parameters[name].weights
    flat = weights.reshape(len(weights), -1)
    if switches == "none":
        return [flat.shape[1]] * math.ceil(len(flat) / (SMALL.macro.columns // 8))
    starts = range(0, len(flat), MASK_GROUP)
    return [int(np.any(flat[start : start + MASK_GROUP], axis=0).sum()) for start in starts]


@pytest.mark.parametrize(("switches", "filters"), [("all", 8), ("none", 2)])
def test_tiling_follows_from_the_network(switches: str, filters: int) -> None:
    arch = with_sparsity(SMALL, switches)
    found = tiling(compile_network(NETWORK, arch), arch)
    layers = [layer for layer in NETWORK.layers if not isinstance(layer, Add)]
    assert [(layer.name, layer.kind) for layer in found] == [
        (FUSED.get(layer.name, layer.name), layer.op) for layer in layers
    ]
    for layer, tiled in zip(layers, found, strict=True):
        assert tiled.shape == layer.output.shape
        assert tiled.stride == getattr(layer, "stride", (1, 1))[0]
        if layer.op not in {"conv", "linear"}:
            assert (tiled.rows, tiled.rows_reloaded, tiled.weights_kept) == (0, None, None)
            continue
        selected = selected_inputs(layer.name, switches)
        assert tiled.tiles_n == len(selected)
        assert tiled.tail_n == layer.output.channels % filters
        assert tiled.tail_m == tiled.positions % arch.macros_per_core
        assert tiled.rows == sum(math.ceil(inputs / 8) for inputs in selected)
        # Every row but a group's last is full where no tile is halved, as here.
        assert tiled.tail_k == min((inputs % 8 for inputs in selected if inputs % 8), default=0)
        assert tiled.tiles_k == math.ceil(math.ceil(max(selected) / 8) / arch.tile_rows)
        assert tiled.rows_reloaded == tiled.tiles_m
        assert tiled.rows_loaded == tiled.rows * tiled.tiles_m
