"""Abstracts of memories: outline, pins and times as tools of layout read them."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from hwgen.physical.abstracts import Abstract, black_box, gds, lef, liberty
from hwgen.physical.macros import liberty_figures

CLOCKED = (
    ("clk", "input", 1),
    ("write_en", "input", 4),
    ("write_address", "input", 6),
    ("write_data", "input", 32),
    ("read_en", "input", 1),
    ("read_address", "input", 6),
    ("read_data", "output", 32),
)
TWO_READS = (
    ("clk", "input", 1),
    ("write_en", "input", 1),
    ("write_row", "input", 6),
    ("write_data", "input", 8),
    ("row_0", "input", 6),
    ("row_1", "input", 6),
    ("data_0", "output", 8),
    ("data_1", "output", 8),
)
RECT = re.compile(r"RECT ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) ;")


def abstract(*, clocked: bool, um2: float = 50_000.0) -> Abstract:
    return Abstract(
        name="memory",
        ports=CLOCKED if clocked else TWO_READS,
        words=64,
        bits=2048,
        um2=um2,
        layer="Metal3",
        power_layer="Metal4",
        access_ns=1.5,
        setup_ns=0.1,
        pin_pf=0.01,
        clocked=clocked,
    )


@pytest.mark.parametrize("um2", [1.0, 50_000.0])
def test_every_bit_has_a_pin_on_the_edge(um2: float) -> None:
    given = abstract(clocked=True, um2=um2)
    text, (width, height) = lef(given), given.size_um
    assert width * height >= um2
    assert [*re.findall(r"^  PIN (\S+)$", text, re.M)] == [
        *(pin for pin, _ in given.pins),
        "VDD",
        "VSS",
    ]
    boxes = [tuple(map(float, box)) for box in RECT.findall(text)]
    assert len(boxes) == len(given.pins) + 3
    for left, low, right, high in boxes:
        assert 0 <= left < right <= width and 0 <= low < high <= height
    pins = sorted(box[1] for box in boxes[:-3])
    assert all(after - before > 0.4 for before, after in pairwise(pins))
    assert f"SIZE {width:.3f} BY {height:.3f} ;" in text


@pytest.mark.parametrize("clocked", [True, False])
def test_times_are_read_back(clocked: bool, tmp_path: Path) -> None:
    file = tmp_path / "memory.lib"
    file.write_text(liberty(abstract(clocked=clocked)))
    found = liberty_figures(file, "memory")
    assert found is not None and (found.area_um2, found.access_ns) == (50_000.0, 1.5)
    related = re.findall(r'related_pin : "([^"]*)"; timing_type : (\w+)', file.read_text())
    outputs = {each for each in related if each[1] in ("rising_edge", "combinational")}
    wanted = ("clk", "rising_edge") if clocked else ("row_0 row_1", "combinational")
    assert outputs == {wanted}


def test_the_outline_is_a_rectangle_in_gds() -> None:
    given = abstract(clocked=True)
    data, found = gds(given), []
    while data:
        length, kind = int.from_bytes(data[:2]), int.from_bytes(data[2:4])
        found.append((kind, data[4:length]))
        data = data[length:]
    kinds = [kind for kind, _ in found]
    assert kinds[0] == 0x0002 and kinds[-1] == 0x0400 and kinds.count(0x0800) == 1
    assert dict(found)[0x0606].rstrip(b"\0") == b"memory"
    points = dict(found)[0x1003]
    numbers = [int.from_bytes(points[at : at + 4], signed=True) for at in range(0, 40, 4)]
    width, height = (round(1000 * side) for side in given.size_um)
    assert numbers == [0, 0, width, 0, width, height, 0, height, 0, 0]


def test_a_black_box_has_the_ports() -> None:
    text = black_box(abstract(clocked=False))
    assert "  input [5:0] write_row,\n" in text and "  output [7:0] data_1\n" in text
