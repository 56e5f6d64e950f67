"""The table of a network in every width: what is measured on a small chip, and what it says."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hwgen_studies.cadnn_paper.widths import main, measure
from hwgen_studies.cadnn_paper.widths_report import LoadRow, WidthsReport, widths_page

import hwgen.mram.sim
from hwgen.commands.context import Context
from hwgen.mram.sim import SimulatedRun
from hwgen.network.file import save_network
from verif.common.drawing import draw_images
from verif.mram.random_network import draw_adaptive

TINY = Path(__file__).parents[3] / "configs" / "mram" / "tiny.yaml"
IMAGES = 2


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the files of a network of two widths and of its images."""
    folder = tmp_path_factory.mktemp("given")
    network = draw_adaptive(4, 4, seed=5, channels=4, modes=2)
    save_network(network, folder / "network.npz")
    np.savez(folder / "images.npz", images=draw_images(network, IMAGES, seed=1))
    return folder / "network.npz", folder / "images.npz"


@pytest.fixture(scope="module")
def report(given: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> WidthsReport:
    context = Context(work=tmp_path_factory.mktemp("work"), console=None)
    return measure(context, given[0], TINY, data=str(given[1]), images=IMAGES)


@pytest.mark.promise(
    "the table of a network in every width holds what was measured, the load apart, and tells"
    " what differs"
)
def test_a_row_a_mapping_and_width(report: WidthsReport) -> None:
    names = [(row.mapping, row.mode) for row in report.rows]
    assert names == [(m, w) for m in ("positions", "seed") for w in ("1.0x", "0.75x")]
    assert report.sound
    for row in report.rows:
        assert (row.outcome, row.images, row.mismatches) == ("equal", IMAGES, 0)
        assert row.cycles_rtl == row.cycles_model > 0
        assert row.maps_compared > row.maps_fused > 0
        assert (row.weight_row_writes, row.events["weight_row_writes"]) == (0, 0)
        widest = next(one for one in report.rows if one.mapping == row.mapping)
        assert row.ratio == round(row.cycles_rtl / widest.cycles_rtl, 4)
    assert report.rows[0].cycles_rtl < report.rows[2].cycles_rtl


def test_causes_add_up(report: WidthsReport) -> None:
    """Every cycle has a cause, none is counted twice; the bound is the same for all mappings."""
    for row in report.rows:
        assert sum(row.parts.values()) == pytest.approx(row.cycles_rtl)
        assert all(cycles >= 0 for cycles in row.parts.values())
        first = next(one for one in report.rows if one.mode == row.mode)
        assert row.parts["bound"] == pytest.approx(first.parts["bound"])
    page = widths_page(report)
    (line,) = [line for line in page.splitlines() if line.startswith("| all |")]
    assert line == f"| all | {' | '.join(f'{row.cycles_rtl:,}' for row in report.rows)} |"


def test_the_load_stands_apart(report: WidthsReport) -> None:
    assert [load.mapping for load in report.loads] == ["positions", "seed"]
    for load in report.loads:
        assert load.cycles_rtl == load.cycles_model > load.bytes // 8
        assert load.weight_row_writes > 0 and load.weight_row_writes % 8 == 0


def test_the_page_has_every_row(report: WidthsReport) -> None:
    page = widths_page(report)
    for row in report.rows:
        start = f"| {row.mapping} | {row.mode} | {IMAGES} | {row.cycles_model:,} |"
        (line,) = [line for line in page.splitlines() if line.startswith(start)]
        assert line.count("|") == 10 and "| equal |" in line
    wrong = replace(report, rows=[replace(report.rows[0], outcome="differs")])
    assert not wrong.sound and "| **differs** |" in widths_page(wrong)
    late: LoadRow = replace(report.loads[0], cycles_rtl=1)
    assert not replace(report, loads=[late]).sound


def one_element(run: SimulatedRun) -> SimulatedRun:
    wrong = {name: data.copy() for name, data in run.maps[0].items()}
    wrong["conv_0"][0, 0, 0] ^= 1
    return replace(run, maps=[wrong])


def one_event(run: SimulatedRun) -> SimulatedRun:
    events = [{**step, "sums": step["sums"] + 1} for step in run.step_events]
    return replace(run, step_events=events)


@pytest.mark.parametrize("fault", [one_element, one_event])
def test_what_differs_is_told(
    fault: Callable[[SimulatedRun], SimulatedRun],
    given: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last run differs: one element of a map, or the number of an event."""
    real = hwgen.mram.sim.simulate

    def simulate(*arguments: Any, **options: Any) -> list[SimulatedRun]:
        *runs, last = real(*arguments, **options)
        return [*runs, fault(last)]

    monkeypatch.setattr(hwgen.mram.sim, "simulate", simulate)
    page, record = tmp_path / "page.md", tmp_path / "report.json"
    arguments = [str(given[0]), str(TINY), "--data", str(given[1]), "--images", str(IMAGES)]
    arguments += ["--work", str(tmp_path), "--out", str(page), "--json", str(record)]
    assert main(arguments) == 1
    rows = json.loads(record.read_text())["rows"]
    assert {row["outcome"] for row in rows} == {"differs"}
    assert "**differs**" in page.read_text()


def test_a_missing_network_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--out", str(tmp_path / "a"), "--json", str(tmp_path / "b")]
    assert main([str(tmp_path / "none.npz"), str(TINY), *files]) == 2
    assert capsys.readouterr().err.startswith("mram-results: ")
