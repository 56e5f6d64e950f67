"""Sums of a layer must fit the accumulators, whatever the inputs are.

Tests: `tests/mram/compiler/test_refused.py`.
"""

from collections.abc import Mapping

import numpy as np

from hwgen.errors import CompileError, Reasons
from hwgen.mram.compiler.tasks import segments_of
from hwgen.mram.compiler.views import View
from hwgen.mram.facts.arch import MOST_ROW_SETS, Arch
from hwgen.network import QuantizedNetwork


def check_sums(
    network: QuantizedNetwork, views: Mapping[str, View], arch: Arch, reasons: Reasons
) -> None:
    """Keep every layer whose sums overflow, or whose inputs take more rows than there are."""
    for view in views.values():
        with reasons.among():
            check_rows(view, arch)
        for mode in range(len(network.graph.modes)):
            with reasons.among():
                check_sum(view, mode, arch)


def check_rows(view: View, arch: Arch) -> None:
    """Refuse more blocks of channels than two rows have, and bit planes beyond the input rows."""
    name, channels = view.layer.name, max(view.channels)
    if view.depthwise:
        return
    most = MOST_ROW_SETS * arch.segments * arch.block
    if view.walk is None and channels > most:
        raise CompileError(
            f"layer {name}: the channels must be at most {most} on an mram chip, got {channels}"
        )
    widest = view.channels.index(channels)
    rows = 1 + (segments_of(view, max(view.kernels), widest, arch) > arch.segments)
    if rows * view.input_planes > arch.plane_rows:
        raise CompileError(
            f"layer {name}: the bit planes of an input must be at most {arch.plane_rows} on an mram"
            f" chip, got {rows * view.input_planes} ({rows} rows of {view.input_planes})"
        )


def check_sum(view: View, mode: int, arch: Arch) -> None:
    """Refuse sums that a mode's accumulators or the bias adder cannot hold."""
    kernels, name = view.kernels[mode], view.layer.name
    weights = view.layer.active(view.parameters.weights, view.source, mode).astype(np.int64)
    bias = view.parameters.bias[mode, :kernels]
    largest = (1 << view.source.bits) - 1
    high = largest * np.where(weights > 0, weights, 0).sum(axis=1)
    low = largest * np.where(weights < 0, weights, 0).sum(axis=1)
    top = int(max(high.max(), (high + bias).max()))
    bottom = int(min(low.min(), (low + bias).min()))
    limit = 1 << (arch.sum_bits - 1)
    if top >= limit or bottom < -limit:
        given = max(top, -bottom)
        raise CompileError(
            f"layer {name}: the sums must be below 2**{arch.sum_bits - 1} on an mram chip,"
            f" got {given}"
        )
