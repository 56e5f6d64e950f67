"""Sums that are kept in rows of a sub-array: which rows, and what an addition of a count takes.

On a chip with ``accumulate: in_array`` a sum stands in a column, bit k in row ``sum_row + k``: that
of a segment in its first column. A count is written to rows below each other, its sign above it;
the in-memory adder adds these rows to those of the sum from bit n + m on. So the count is shifted
by where its rows meet the sum. From ``weight_rows`` up a sub-array has rows of input planes, of a
sum, of a count, and one that takes ANDs, and carries while counts are added.

Tests: `tests/mram/facts/test_accumulation.py`.
"""

from collections.abc import Mapping
from typing import NamedTuple

from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.records import and_counts
from hwgen.mram.facts.timing import (
    ADD_CYCLES_PER_BIT,
    ADDED_CYCLES,
    WRITE_BACK_CYCLES,
)

ADDER_WRITES_PER_BIT = 2
"""Rows that the adder writes for a bit: a sum and a carry."""


class Accumulation(NamedTuple):
    """What the sums of a load take in one sub-array beside its ANDs.

    count_writes: rows of counts, and of zeros before the first one; adder_writes: of carries and
    sums; additions: three rows sensed by the adder; sum_reads: rows of sums read
    """

    count_writes: int
    adder_writes: int
    additions: int
    sum_reads: int


def sum_row(arch: Arch) -> int:
    """Return the row of the lowest bit of a sum."""
    return count_row(arch) - arch.sum_rows


def count_row(arch: Arch) -> int:
    """Return the row of the lowest bit of a count."""
    return arch.array.rows - 1 - arch.count_rows


def load_accumulation(fields: Mapping[str, int], arch: Arch) -> Accumulation:
    """Return what a load of a CONV takes.

    Counts of weight plane n and input plane m are added from bit n + m on to the highest bit.
    """
    weights, inputs = fields["weight_planes"], fields["input_planes"]
    ands = sum(and_counts(fields))
    # The mean of n + m over all pairs is half of the highest one.
    skipped = ands * (weights + inputs - 2) // 2
    additions = ands * arch.sum_rows - skipped
    return Accumulation(
        count_writes=arch.sum_rows + ands * arch.count_rows,
        adder_writes=ands + ADDER_WRITES_PER_BIT * additions,
        additions=additions,
        sum_reads=arch.sum_rows,
    )


def and_steps(
    fields: Mapping[str, int], arch: Arch, *, write_back: bool, in_array: bool = False
) -> int:
    """Return the cycles of a load's ANDs, with what is done between them.

    write_back: each AND is written to a row and read again; in_array: counts are added in rows
    """
    ands = sum(and_counts(fields))
    if not write_back:
        return ands
    if not in_array:
        return ands * WRITE_BACK_CYCLES
    one = load_accumulation(fields, arch)
    return (
        ands * (WRITE_BACK_CYCLES + ADDED_CYCLES)
        + one.count_writes
        + ADD_CYCLES_PER_BIT * one.additions
        + one.sum_reads
    )
