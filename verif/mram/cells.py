"""Rows of weights that the loader would write for a convolution."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hwgen.mram.facts.records import enabled_arrays
from verif.common.packing import pack
from verif.mram.conv_case import ConvCase
from verif.reference.mram.segments import Elements, columns


def weight_rows(case: ConvCase, rng: np.random.Generator) -> Iterator[tuple[int, int, int]]:
    """Yield sub-array, row and content of each weight row that the convolution uses.

    Columns of segments without inputs hold garbage, as do sub-arrays without a kernel.
    """
    arch, placement = case.arch, case.placement
    group = arch.block << placement.octets_log
    kernels = enabled_arrays(case.fields, arch)
    for sub_array in range(arch.sub_arrays):
        kernel = sub_array % group
        has_kernel = kernel < kernels
        for row_set, first_row in enumerate(placement.weight_rows):
            used = [entry is not None and has_kernel for entry in placement.entries[row_set]]
            known = np.flatnonzero(np.repeat(used, arch.segment_columns))
            for plane in range(case.shape.weight_planes):
                bits = rng.integers(0, 2, arch.array.columns)
                if has_kernel:
                    bits[known] = plane_of(case, kernel, row_set, plane)[known]
                yield sub_array, first_row + plane, pack(bits.tolist(), bits=1)


def plane_of(case: ConvCase, kernel: int, row_set: int, plane: int) -> Elements:
    """Return a weight plane of all columns; twins have the one above, but never the highest."""
    entries, highest = case.placement.entries[row_set], case.shape.weight_planes - 1
    weights = column_weights(case, kernel, row_set)
    twin = np.repeat(
        [each is not None and each.twin for each in entries], case.arch.segment_columns
    )
    above = weights >> plane + 1 & 1 if plane + 1 < highest else np.zeros_like(weights)
    return np.where(twin, above, weights >> plane & 1)


def column_weights(case: ConvCase, kernel: int, row_set: int) -> Elements:
    """Return the weight of each column of all segments; 0 where the segment has no inputs."""
    entries = [each and replace(each, twin=False) for each in case.placement.entries[row_set]]
    group, placement = case.arch.block << case.placement.octets_log, case.placement
    each = []
    for chain in range(placement.chains):
        # Kernels of one chain stand in the sub-arrays of a group, those of the next behind them.
        own = case.weights[kernel + chain * group :][:1]
        weights = own if len(own) else np.zeros_like(case.weights[:1])
        copies = np.repeat(weights, placement.positions, axis=0)
        each.append(columns(copies, entries, block=case.arch.block, channels=case.width))
    chains = [placement.chain_of(segment) for segment in range(case.arch.segments)]
    return np.choose(np.repeat(chains, case.arch.segment_columns), each)
