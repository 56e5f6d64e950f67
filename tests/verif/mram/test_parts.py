"""Parts alone, each in the executable that its neighbours share, under both simulators."""

from pathlib import Path
from typing import Any

import pytest

from verif.mram import array_parts, chip_parts
from verif.runner import Waves

ARRAY_SIDE = """
    adder bit_counter cell_array compute_array former input_tree octet octet_control output_tree
    ring sense_amplifier sub_array"""
CHIP_SIDE = "answer_buffer banks control counters dpu loader pool record_table"
SIDES = {array_parts: ARRAY_SIDE.split(), chip_parts: CHIP_SIDE.split()}
SIDE_OF = {part: side for side, parts in SIDES.items() for part in parts}
OPTIONS = ("input_tree", "octet_control", "ring", "compute_array", "former")
SIZES = {"dpu": ["floats"], **{part: ["twins"] for part in OPTIONS}}
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


@pytest.mark.parametrize(("part", "size"), rows(SIZES, "tiny"))
def test_part(part: str, size: str, tmp_path: Path, waves: Waves | None) -> None:
    SIDE_OF[part].run_part(part, size, tmp_path, waves=waves)


@pytest.mark.parametrize(("part", "size"), rows(ICARUS, "single", icarus=True))
def test_part_under_icarus(part: str, size: str, icarus: str, tmp_path: Path) -> None:
    SIDE_OF[part].run_part(part, size, tmp_path, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("part", SIDE_OF)
def test_part_of_one_octet(part: str, tmp_path: Path) -> None:
    SIDE_OF[part].run_part(part, "single", tmp_path)
