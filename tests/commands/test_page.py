"""A page holds what its report has, and opens from disk; the simulations are made up."""

import re
from pathlib import Path
from typing import Any

import pytest

from golden.network import infer
from hwgen import api
from hwgen.chip.family import Family
from hwgen.chip.step import Step
from hwgen.chip.timeline import Interval
from hwgen.commands.families import InstalledFamily
from hwgen.commands.run import Simulate
from hwgen.commands.subject import load_subject
from hwgen.dbpim.model import CycleModel
from hwgen.network.file import load_network
from hwgen.report.bars import FINEST, lanes
from hwgen.report.page import largest, step_intervals
from tests.cli.given import ROOT, TINY
from tests.commands.made_up import chip_with_modes, made_up_run, simulation
from tests.commands.test_plans import CHIP, cut

DIGITS, WIDTHS = (
    ROOT / f"configs/networks/{name}.npz" for name in ("digits_small_cnn", "cadnn_digits")
)
SMALL, MRAM, CROSSBAR = "dbpim/small", ROOT / "configs/mram/small.yaml", "crossbar/digits_small_cnn"


def written(folder: Path, call: Any, *given: Any, **named: Any) -> tuple[Any, str]:
    """Return the report of a call, and its page."""
    file = folder / "page.html"
    context = api.Context(work=folder / "work", console=None)
    report = call(*given, page=file, context=context, **named)
    page = file.read_text(encoding="utf-8")
    assert "http" not in page and "<script" not in page and "src=" not in page
    return report, page


def cells_of(page: str, title: str) -> list[list[str]]:
    """Return the cells of the table of a section."""
    section = page.partition(f"<h2>{title}</h2>")[2].partition("</section>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", section, re.S)[1:]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]


@pytest.mark.promise(
    "a run and a prediction leave a page with cycles by layer, their causes, the schedule, energy"
    " and area"
)
def test_the_page_of_a_prediction(tmp_path: Path) -> None:
    report, page = written(tmp_path, api.model, DIGITS, SMALL, speedup=True)
    rows = cells_of(page, "Cycles by layer")
    assert [row[0] for row in rows] == [layer.name for layer in report.layers]
    assert [row[2] for row in rows] == [f"{layer.cycles_model:,}" for layer in report.layers]
    causes = cells_of(page, "Where the cycles go")
    assert {row[0] for row in causes} == set(report.where)
    assert "Dense against sparse" in page and f"{report.speedup.end_to_end['all']:.2f}x" in page
    assert report.setting.network.digest[:16] in page
    assert re.search(r"<dd>hwgen model \S+digits_small_cnn.npz dbpim/small --speedup --page", page)
    energy = page.partition("<h2>Energy of an image</h2>")[2].partition("</section>")[0]
    nanojoules = [float(each.replace(",", "")) for each in re.findall(r">([\d.,e-]+) nJ,", energy)]
    assert sum(nanojoules) == pytest.approx(report.energy.image_nj, rel=1e-3)
    assert "<h2>Area</h2>" in page


@pytest.mark.promise(
    "a run and a prediction leave a page with cycles by layer, their causes, the schedule, energy"
    " and area"
)
def test_the_page_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = [0]

    def simulate(arch: Any, program: Any, images: Any, **_: object) -> Any:
        maps, model = infer(load_network(DIGITS), images), CycleModel(program, arch)
        runs = [made_up_run(maps, model, image) for image in range(len(images))]
        runs[0].cycles += wrong[0]
        return runs

    monkeypatch.setattr(simulation(), "simulate", simulate)
    report, page = written(tmp_path, api.simulate, DIGITS, SMALL, images=2)
    assert report.equal is True and ">all equal<" in page
    assert f">{report.cycles_rtl / 2:,.0f}<" in page and "every element, every cycle" in page
    rows = cells_of(page, "Cycles by layer")
    assert [row[0] for row in rows] == [layer.name for layer in report.layers]
    assert {row[-1] for row in rows} <= {"equal", "equal, fused", "fused", "-"}
    assert len(cells_of(page, "Images")) == 2
    wrong[0] = 1
    report, page = written(tmp_path, api.simulate, DIGITS, SMALL, images=2)
    assert report.equal is False and ">not equal<" in page and "counter cycles" in page


def test_the_page_of_golden_has_answers_alone(tmp_path: Path) -> None:
    _, page = written(tmp_path, api.simulate, DIGITS, SMALL, engine="golden", images=1)
    assert ">not compared<" in page and "The schedule" not in page


def test_the_page_of_widths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chip_with_modes(monkeypatch, load_subject(WIDTHS, MRAM))
    report, page = written(tmp_path, api.simulate, WIDTHS, MRAM, modes=["1.0x", "0.25x"])
    assert [row[1] for row in cells_of(page, "Images")] == ["1.0x", "0.25x"]
    assert "memory port" in page and "sub-arrays" in page
    report, page = written(tmp_path, api.model, WIDTHS, MRAM)
    assert f"One network in {len(report.modes)} widths" in page


def test_the_page_of_a_crossbar_chip(tmp_path: Path) -> None:
    _, page = written(tmp_path, api.simulate, DIGITS, CROSSBAR, engine="model")
    assert "The schedule of the first run" in page and "held clocks: 0" in page


def test_a_family_without_a_timeline_shows_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers = InstalledFamily.offers
    monkeypatch.setattr(
        InstalledFamily,
        "offers",
        lambda self, what: what is not Family.timeline and offers(self, what),
    )
    _, page = written(tmp_path, api.model, WIDTHS, MRAM, modes=["0.25x"])
    lanes_shown = page.partition('<div class="lanes">')[2].partition("</ul>")[0]
    assert re.findall("<li>(.*?)</li>", lanes_shown) == ["steps"]


def test_the_page_of_a_plan(tmp_path: Path) -> None:
    report = cut(tmp_path)
    file = tmp_path / "page.html"
    report = Simulate(tmp_path / "net.npz", CHIP, engine="golden", images=1, page=file).run()
    page = file.read_text(encoding="utf-8")
    assert [row[0] for row in cells_of(page, "Pieces")] == [each.name for each in report.pieces]
    assert "on the host: LRN" in page


@pytest.mark.promise("the schedule of a page holds the named steps of the first run and its units")
def test_a_schedule_holds_all_cycles(files: tuple[Path, Path], tmp_path: Path) -> None:
    report, page = written(tmp_path, api.model, files[0], TINY, data=files[1], images=1)
    chart = page.partition('<div class="lanes">')[2]
    assert re.findall("<li>(.*?)</li>", chart)[:2] == ["steps", "core 0"]
    lane = re.findall(
        r'y="2" width="[\d.]+" height="16"><title>([^<:]+): ([\d,]+) to ([\d,]+)', chart
    )
    ends = [(int(begin.replace(",", "")), int(end.replace(",", ""))) for _, begin, end in lane]
    assert ends[0][0] == 0 and ends[-1][1] == report.cycles_model
    core = re.findall(
        r'y="22" width="[\d.]+" height="16"><title>[^<:]+: ([\d,]+) to ([\d,]+)', chart
    )
    assert core[0][0] == "0"


def test_lanes_leave_out_what_nobody_sees() -> None:
    """Of blocks narrower than a hair one is drawn; none that is wider is lost."""
    narrow = [Interval(begin=at, end=at + 1, what="a", fraction=1.0) for at in range(0, 40_000, 1)]
    drawn = lanes([("steps", []), ("unit", narrow)], 40_000, ["a"])
    assert FINEST / 2 <= drawn.count("<rect") <= FINEST
    wide = [Interval(begin=at, end=at + 100, what="a", fraction=0.5) for at in (0, 200)]
    drawn = lanes([("steps", []), ("a < b", wide)], 400, ["a"])
    assert drawn.count("<rect") == 2 and "50% of the time" in drawn and "a &lt; b" in drawn


def test_small_causes_are_one_in_the_picture() -> None:
    shares = {
        f"c{place}": share / 100 for place, share in enumerate((50, 20, 10, 8, 5, 3, 2, 1, 1))
    }
    found = largest(shares)
    assert list(found) == [*(f"c{place}" for place in range(7)), "all others"]
    assert found["all others"] == pytest.approx(0.02)
    assert sum(found.values()) == pytest.approx(1)


def test_steps_without_cycles_are_not_drawn() -> None:
    steps = [Step(name="a", layer="a", begin=0, end=0), Step(name="b", layer="b", begin=0, end=3)]
    assert [each.what for each in step_intervals(steps)] == ["b"]
