"""Rows for sums and counts, and what adding them takes: each AND for itself, added up."""

from dataclasses import replace
from itertools import product

import pytest

from hwgen.mram.facts.accumulation import and_steps, count_row, load_accumulation, sum_row
from hwgen.mram.facts.arch import Arch
from tests.verif.mram.chips import chip_arch

SMALL = chip_arch("small_in_array")
PAPER = replace(chip_arch("paper"), write_back=True, accumulate="in_array", input_rows=53)


@pytest.mark.parametrize("arch", [SMALL, PAPER], ids=["small", "paper"])
def test_rows_lie_below_each_other(arch: Arch) -> None:
    planes, sums, counts = arch.plane_rows, arch.sum_rows, arch.count_rows
    assert sum_row(arch) == arch.weight_rows + planes
    assert count_row(arch) == sum_row(arch) + sums
    assert count_row(arch) + counts == arch.array.rows - 1


def test_the_rows_of_the_paper_hold_every_sum_of_eight_bits() -> None:
    """255 * -128 in each of the 2 * 504 columns of two row sets, and a count of 504 with a sign."""
    largest = 255 * 128 * 2 * 504
    assert 1 << PAPER.sum_rows - 2 <= largest <= 1 << PAPER.sum_rows - 1
    assert 504 < 1 << PAPER.count_rows - 1 <= 2 * 504


@pytest.mark.parametrize(("weights", "inputs", "two"), [(1, 1, 0), (8, 8, 1), (2, 5, 0), (7, 1, 1)])
def test_a_load_takes_what_its_ands_take(weights: int, inputs: int, two: int) -> None:
    fields = {"weight_planes": weights, "input_planes": inputs, "two_rows": two}
    arch, cycles, bits = SMALL, 0, 0
    for n, m, _ in product(range(weights), range(inputs), range(1 + two)):
        added = arch.sum_rows - (n + m)
        bits += added
        # Sense, write, read; rows of the count; carries, three cycles a bit, the adder is idle.
        cycles += 3 + arch.count_rows + 1 + 3 * added + 1
    ands = weights * inputs * (1 + two)
    found = load_accumulation(fields, arch)
    assert found.additions == bits
    assert found.adder_writes == ands + 2 * bits
    assert found.count_writes == ands * arch.count_rows + arch.sum_rows
    assert found.sum_reads == arch.sum_rows
    whole = and_steps(fields, arch, write_back=True, in_array=True)
    assert whole == cycles + 2 * arch.sum_rows
    assert and_steps(fields, arch, write_back=True) == 3 * ands
    assert and_steps(fields, arch, write_back=False) == ands
