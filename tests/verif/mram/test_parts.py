"""Parts alone, each in the executable that its neighbours share, under both simulators."""

from pathlib import Path
from typing import Any

import pytest

from tests.verif.neighbours import modules_beside
from verif.mram import array_parts, chip_parts
from verif.runner import Waves

ARRAY_SIDE = """
    adder bit_counter cell_array compute_array former input_tree octet octet_control output_tree
    ring sense_amplifier sub_array"""
CHIP_SIDE = "answer_buffer banks control counters dpu loader pool record_table"
SIDES = {array_parts: ARRAY_SIDE.split(), chip_parts: CHIP_SIDE.split()}
SIDE_OF = {part: side for side, parts in SIDES.items() for part in parts}
OPTIONS = ("input_tree", "octet_control", "ring", "compute_array", "former")
SIZES = {
    "dpu": ["floats"],
    **{part: ["twins"] for part in OPTIONS},
    "former": ["twins", "any"],
    "ring": ["twins", "any"],
}
"""Of parts that Verilator runs at another size than the tiny one, too."""
ICARUS = {
    "answer_buffer": ["wide answers", "wide port"],
    "dpu": ["wide answers"],
    "loader": ["wide rows", "wide port"],
    "record_table": ["wide port"],
}
"""Of parts that Icarus runs at another size than a single octet, too."""
ALWAYS = {("answer_buffer", "wide port"), ("loader", "wide rows")}
"""What Icarus runs by default: faults of these show at no size that Verilator runs by default."""


PROMISES = {
    "dpu": (
        "parts with requantizers that round as float32 compute what golden does",
        (
            "results of the DPU are golden's, masked, in their place and cycle; so are totals"
            " of the pool unit"
        ),
    ),
    "sense_amplifier": (
        (
            "sense amplifiers of an MRAM sub-array tell ones of one to three rows apart, and"
            " give sum and carry of three bits"
        ),
    ),
    "cell_array": (
        (
            "cells of an MRAM sub-array start as garbage, hold what was written, also through a"
            " reset, and are read in three rows at once"
        ),
    ),
    "sub_array": (
        (
            "cells of an MRAM sub-array start as garbage, hold what was written, also through a"
            " reset, and are read in three rows at once"
        ),
    ),
    "bit_counter": (
        (
            "counts, joins and accumulators of a sub-array give integer products, with the"
            " highest plane of weights negative and inactive segments silent"
        ),
    ),
    "compute_array": (
        (
            "counts, joins and accumulators of a sub-array give integer products, with the"
            " highest plane of weights negative and inactive segments silent"
        ),
    ),
    "octet_control": (
        (
            "an octet computes a load in weight planes x input planes cycles without gaps, in"
            " the sub-arrays that have a kernel alone"
        ),
    ),
    "octet": (
        (
            "an octet computes a load in weight planes x input planes cycles without gaps, in"
            " the sub-arrays that have a kernel alone"
        ),
        "locked rows of weights stay, whoever writes, and every refusal is counted",
        "rows are added in memory, bit by bit in three cycles, and the sums are read like weights",
    ),
    "adder": (
        "rows are added in memory, bit by bit in three cycles, and the sums are read like weights",
    ),
    "input_tree": ("trees take planes, rows of weights and sums to their places in one cycle",),
    "output_tree": ("trees take planes, rows of weights and sums to their places in one cycle",),
    "former": (
        (
            "planes of a load are those of its windows, with padding, strides, pruned channels,"
            " garbage, last loads and two row sets"
        ),
    ),
    "ring": (
        (
            "a ring of groups sends planes and issues sums in the cycles of the rule, whatever"
            " the pace of the former"
        ),
    ),
    "pool": (
        (
            "results of the DPU are golden's, masked, in their place and cycle; so are totals"
            " of the pool unit"
        ),
    ),
    "loader": (
        (
            "programs and images reach their places beat by beat, and records run in order,"
            " each signal in its cycle"
        ),
    ),
    "control": (
        (
            "programs and images reach their places beat by beat, and records run in order,"
            " each signal in its cycle"
        ),
    ),
    "banks": ("image banks, tables, answers and counters hold what was written last",),
    "record_table": ("image banks, tables, answers and counters hold what was written last",),
    "answer_buffer": ("image banks, tables, answers and counters hold what was written last",),
    "counters": ("image banks, tables, answers and counters hold what was written last",),
}
"""What each part keeps, by the first word of its parameters."""


def rows(more: dict[str, list[str]], size: str, *, icarus: bool = False) -> list[Any]:
    """Return part and size of each bench, with an id of both."""
    return [
        pytest.param(
            part,
            each,
            id=f"{part}-{each.replace(' ', '_')}",
            marks=pytest.mark.long if icarus and (part, each) not in ALWAYS else (),
        )
        for part in SIDE_OF
        for each in (size, *more.get(part, []))
    ]


@pytest.mark.dear(
    "adder-tiny",
    "answer_buffer-tiny",
    "banks-tiny",
    "bit_counter-tiny",
    "cell_array-tiny",
    "compute_array-tiny",
    "control-tiny",
    "counters-tiny",
    "dpu-tiny",
    "former-tiny",
    "input_tree-tiny",
    "loader-tiny",
    "octet-tiny",
    "octet_control-tiny",
    "output_tree-tiny",
    "pool-tiny",
    "record_table-tiny",
    "ring-tiny",
    "sense_amplifier-tiny",
    "sub_array-tiny",
)
@pytest.mark.parametrize(("part", "size"), rows(SIZES, "tiny"))
def test_part(
    part: str, size: str, request: pytest.FixtureRequest, tmp_path: Path, waves: Waves | None
) -> None:
    def bench(other: pytest.Function) -> str | None:
        its = other.callspec.params
        same = its["size"] == size and SIDE_OF[its["part"]] is SIDE_OF[part]
        return f"verif.mram.bench_{its['part']}" if same else None

    beside = modules_beside(request, bench)
    SIDE_OF[part].run_part(part, size, tmp_path, waves=waves, beside=beside)


@pytest.mark.parametrize(("part", "size"), rows(ICARUS, "single", icarus=True))
def test_part_under_icarus(part: str, size: str, icarus: str, tmp_path: Path) -> None:
    SIDE_OF[part].run_part(part, size, tmp_path, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("part", SIDE_OF)
def test_part_of_one_octet(part: str, tmp_path: Path) -> None:
    SIDE_OF[part].run_part(part, "single", tmp_path)
