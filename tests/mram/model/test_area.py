"""Area of an MRAM chip: the measured one as the table has it, others by size."""

from dataclasses import replace

import pytest

from hwgen.chip.family import Family
from hwgen.commands.families import families
from hwgen.mram.model import area_um2
from hwgen.mram.model.energy import default_table
from tests.mram.compiler.archs import arch_of

PAPER = arch_of("paper")
MEASURED = default_table().area


@pytest.mark.promise(
    "the area of an mram chip is that of the table, and grows with what each part holds"
)
def test_the_measured_chip_has_the_areas_of_the_table() -> None:
    assert families()["mram"].need(Family.area).area_um2 is area_um2
    found = area_um2(PAPER)
    arrays = PAPER.sub_arrays
    assert found == pytest.approx(
        {
            "sub_arrays": arrays * MEASURED.sub_array_um2,
            "image_banks": 4 * MEASURED.sub_array_um2,
            "counters": arrays * MEASURED.counting_um2,
            "adder": arrays * MEASURED.adding_um2,
            "around": 146_600 + 8 * 8_665 + 8 * 1_717 + 20_990,
            "memories": (196_608 + 524_288 + 8_192 + 16_384) * 0.43945,
        }
    )


def test_each_part_grows_with_what_it_holds() -> None:
    paper = area_um2(PAPER)
    rows = area_um2(replace(PAPER, array=replace(PAPER.array, rows=2 * PAPER.array.rows)))
    assert rows["sub_arrays"] == 2 * paper["sub_arrays"]
    assert (rows["counters"], rows["adder"]) == (paper["counters"], paper["adder"])
    many = area_um2(replace(PAPER, sub_arrays=2 * PAPER.sub_arrays))
    doubled = {part for part in paper if many[part] == 2 * paper[part]}
    assert doubled == {"sub_arrays", "counters", "adder"}
    assert many["around"] - paper["around"] == 8 * MEASURED.octet_um2
    wide = area_um2(replace(PAPER, accumulator_bits=48))
    assert wide["counters"] / paper["counters"] == pytest.approx((72 + 48) / (72 + 32))


def test_kernels_of_any_size_take_at_most_a_tenth_more() -> None:
    paper, found = area_um2(PAPER), area_um2(replace(PAPER, kernels="any"))
    assert found["around"] - paper["around"] == MEASURED.walking_um2
    assert sum(found.values()) < 1.1 * sum(paper.values())
