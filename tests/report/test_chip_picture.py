"""A chip as blocks: each as large as its area, and no text over another or out of its block."""

import re
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from hwgen.cli import main
from hwgen.commands.families import load_architecture
from hwgen.commands.prices import Prices
from hwgen.report.chip_picture import HEIGHT, WIDE, WIDTH, chip_picture

SVG = "{http://www.w3.org/2000/svg}"
CHIPS = ["dbpim/tiny", "dbpim/paper", "mram/small", "mram/paper", "crossbar/digits_small_cnn"]
LEAST_PX = 9
Box = tuple[float, float, float, float]


def box(element: ET.Element) -> Box:
    x, y, width, height = (float(element.get(key, 0)) for key in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def text_box(element: ET.Element) -> Box:
    """Return the space of a text: as wide as it can be, down to the tails of its letters."""
    size, x, y = (float(element.get(key, 0)) for key in ("font-size", "x", "y"))
    return x, y - 0.8 * size, x + WIDE * size * len(element.text or ""), y + 0.2 * size


def overlap(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0) * max(high, 0)


def check(svg: str, area: Mapping[str, float]) -> None:
    """Check the geometry of a picture by what it shows alone."""
    root = ET.fromstring(svg)
    blocks = [each for each in root.iter(f"{SVG}rect") if each.find(f"{SVG}title") is not None]
    titles = {(each.findtext(f"{SVG}title") or "").rsplit(": ", 1)[0]: each for each in blocks}
    assert set(titles) == {name for name, um2 in area.items() if um2}
    total = sum(area.values())
    for name, block in titles.items():
        x, y, right, bottom = box(block)
        drawn = (right - x) * (bottom - y)
        assert drawn == pytest.approx(WIDTH * HEIGHT * area[name] / total, rel=0.02, abs=20)
    for one, other in combinations(blocks, 2):
        assert overlap(box(one), box(other)) < 0.02 * WIDTH  # coordinates have two digits
    texts = list(root.iter(f"{SVG}text"))
    assert all(float(each.get("font-size", 0)) >= LEAST_PX for each in texts)
    for one, other in combinations(texts, 2):
        assert overlap(text_box(one), text_box(other)) == 0, (one.text, other.text)
    for each in texts:
        inside = text_box(each)
        holding = [block for block in blocks if overlap(box(block), inside)]
        assert len(holding) <= 1, each.text
        if holding:
            x, y, right, bottom = box(holding[0])
            assert x <= inside[0] and inside[2] <= right and y <= inside[1] and inside[3] <= bottom
    shown = " ".join(each.text or "" for each in texts)
    assert all(name in shown for name in area)
    whole = [float(each) for each in root.get("viewBox", "").split()]
    assert all(text_box(each)[2] <= whole[2] and text_box(each)[3] <= whole[3] for each in texts)


@pytest.mark.promise(
    "hwgen info CHIP --plot draws the parts of a chip of each family to scale by area, with names"
    " and shares, and no text over another"
)
@pytest.mark.parametrize("chip", CHIPS)
def test_the_picture_of_a_chip(chip: str, tmp_path: Path) -> None:
    out = tmp_path / "chip.svg"
    assert main(["info", chip, "--plot", str(out)]) == 0
    family, arch = load_architecture(Path(chip))
    area = Prices(family).area_um2(arch)
    svg = out.read_text(encoding="utf-8")
    check(svg, area)
    assert f"{arch.name}: {sum(area.values()) / 1e6:,.3f} mm2, {family.name}" in svg
    for name, um2 in area.items():
        assert not um2 or f"{name}: {um2 / sum(area.values()):.1%}, {um2 / 1e6:,.4f} mm2" in svg
    before = out.read_bytes()
    assert main(["info", chip, "--plot", str(out)]) == 0  # it may replace its own picture
    assert out.read_bytes() == before


def test_every_colour_has_a_dark_one() -> None:
    svg = chip_picture("chip", "family", {f"part_{n}": 1.0 for n in range(20)})
    light, dark = svg.split("@media (prefers-color-scheme: dark)", 1)
    used = set(re.findall(r'class="(\w+)"', svg))
    assert {"page", "ink", "edge", "b0", "b7"} <= used
    for name in used:
        assert f".{name} {{" in light and f".{name} {{" in dark.split("</style>")[0]


@pytest.mark.parametrize("seed", range(8))
def test_blocks_of_any_areas(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 40))
    names = [f"p{n}" + "x" * int(rng.integers(0, 12)) for n in range(count)]
    sizes = 10.0 ** rng.uniform(0, rng.integers(1, 5), count)
    check(
        chip_picture("chip", "family", dict(zip(names, sizes, strict=True))),
        dict(zip(names, sizes, strict=True)),
    )


def test_parts_of_no_area_and_names_of_any_kind() -> None:
    area = {"<b> & co": 1e6, "none": 0.0, "small": 1.0}
    svg = chip_picture('a "chip" <1>', "family", area)
    check(svg, area)
    assert "none 0 %" in svg


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["digits_small_cnn", "--plot", "a.svg"], "left out for a file that is no architecture"),
        (["effects/exact", "--plot", "a.svg"], "left out for a file that is no architecture"),
        (["dbpim/tiny", "--plot", "a.png"], "--plot must be a file that ends with .svg, got a.png"),
        (["dbpim/tiny", "--plot", "no/../../x.svg/"], "--plot must be"),
    ],
)
def test_what_is_not_drawn(
    given: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if given[-1].endswith("/"):
        (tmp_path / "x.svg").mkdir()
        given = [*given[:-1], "x.svg"]
        said = "x.svg"
    assert main(["info", *given]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert [each.name for each in tmp_path.iterdir()] in ([], ["x.svg"])
