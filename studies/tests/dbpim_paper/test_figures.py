"""Figures over sparsity on a tiny chip: each follows from the model, worked out another way."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hwgen_studies.comparison import PaperRow
from hwgen_studies.dbpim_paper import figures, published, race_networks
from hwgen_studies.dbpim_paper.accuracy import AccuracyRow
from hwgen_studies.dbpim_paper.command import DbpimPaper
from hwgen_studies.dbpim_paper.figures_page import NAME, curves, figures_files
from hwgen_studies.dbpim_paper.figures_rows import KINDS, accuracy_rows, figure_rows
from hwgen_studies.dbpim_paper.report import FiguresReport

from golden.network import infer
from hwgen import api
from hwgen.commands.images import drawn_images
from hwgen.commands.subject import load_chip
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.model import Assumptions, CycleModel, energy_pj, leakage_pj
from hwgen.files.load import validate_spec
from hwgen.jobs.executors import SerialExecutor
from hwgen.network.file import load_network, save_network
from hwgen.report.files import report_text
from hwgen.report.svg import MUTED, SERIES
from tests.cli.given import ROOT, TINY
from tests.schemas import follows
from verif.dbpim.directed_network import directed

COMMITTED = ROOT / "studies/results/dbpim-figures-2026-11-27.json"
CURVES = f"{NAME}-sparsity.svg"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network under the name of a large one."""
    made = tmp_path_factory.mktemp("figures")
    network = directed("narrow")
    known = replace(network, graph=replace(network.graph, dataset="somewhere"))
    save_network(known, made / "mobilenetv2.npz")
    return made


@pytest.fixture(scope="module")
def report(folder: Path) -> FiguresReport:
    """Every network of the sweep is the tiny one, whatever is pruned."""
    context = api.Context(work=folder / "work", console=None)
    file = folder / "mobilenetv2.npz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hwgen.jobs.executors.make_executor", lambda workers: SerialExecutor())
        patch.setattr(race_networks, "ALL", ("mobilenetv2",))
        patch.setattr(figures, "SWEPT", ("resnet18",))
        patch.setattr(figures, "SHARES", (0.0, 0.6))
        patch.setattr(figures, "drawn_file", lambda *_, **__: file)
        found = figures.figures(DbpimPaper(TINY, networks=folder, context=context))
    assert isinstance(found, FiguresReport)
    return found


def modelled(folder: Path, switches: str) -> Any:
    """Return what `hwgen model` says of one image."""
    images = drawn_images(directed("narrow"), count=1).images
    np.savez(folder / "images.npz", images=images)
    chip = api.load_architecture(TINY, sparsity=switches)
    context = api.Context(work=folder / "work", console=None)
    file = folder / "mobilenetv2.npz"
    return api.model(file, chip, data=folder / "images.npz", images=1, context=context)


def chip_with(switches: str) -> Any:
    """Return the tiny chip with some switches on."""
    return load_chip(Path(TINY), switches)[1]


def predicted(switches: str) -> Any:
    """Return the prediction of one image by the cycle model itself."""
    network, chip = directed("narrow"), chip_with(switches)
    maps = infer(network, drawn_images(network, count=1).images)
    return CycleModel(compile_network(network, chip), chip).predict(maps)


def conv_fc(found: Any) -> int:
    """Return the cycles of convolutions and linear layers of a report of `hwgen model`."""
    return sum(layer.cycles_model for layer in found.layers if layer.kind in ("conv", "linear"))


def rows_of(report: FiguresReport, figure: str, what: str = "") -> list[PaperRow]:
    """Return the rows of a figure with some words."""
    return [row for row in report.rows if row.figure == figure and what in row.what]


@pytest.mark.promise(
    "speed and energy over sparsity, time by kind of layer and power are the model's, and"
    " follow from its parts"
)
def test_the_sweep_is_what_the_model_says(report: FiguresReport, folder: Path) -> None:
    """Speed-up by layers of `hwgen model`; less than the digits and blocks that are left."""
    dense, sparse = modelled(folder, "none"), modelled(folder, "weight_values,weight_bits")
    assert [point.pruned for point in report.sweep] == [0.0, 0.6]
    for point in report.sweep:
        assert point.sparsity == pytest.approx(1 - 0.25 * (1 - point.pruned))
        assert point.dense_cycles == pytest.approx(conv_fc(dense))
        assert point.cycles == pytest.approx(conv_fc(sparse))
        assert point.speedup == pytest.approx(conv_fc(dense) / conv_fc(sparse))
        assert point.energy_uj > 0 < point.dense_uj
    speeds = rows_of(report, "Fig. 11", "speed-up")
    assert [row.ours for row in speeds] == [point.speedup for point in report.sweep]


def test_energy_of_some_layers_is_part_of_the_whole(report: FiguresReport) -> None:
    whole = predicted("none")
    assume, chip = Assumptions(logic_leaks=False), chip_with("none")
    every = energy_pj(whole.events, chip, assume=assume)
    leaks = leakage_pj(whole.cycles, chip, assume=assume)
    assert 0.5 < report.sweep[0].dense_uj * 1e6 / (sum(every.values()) + leaks) < 1


def test_time_by_kind_adds_up(report: FiguresReport, folder: Path) -> None:
    found = modelled(folder, "all")
    shares = {row.what.split(", ", 1)[1]: row.ours or 0.0 for row in rows_of(report, "Fig. 13")}
    assert set(shares) == set(KINDS.values())
    assert sum(shares.values()) == pytest.approx(100)
    whole = 100 * conv_fc(found) / found.cycles_model
    assert shares["std/pw-conv and FC"] == pytest.approx(whole)
    assert all("no numbers of the bars" in row.reason for row in rows_of(report, "Fig. 13"))


def test_power_is_energy_over_time(report: FiguresReport, folder: Path) -> None:
    """Operations by the layers' shapes; time and energy by the model's events."""
    found, (power,) = predicted("all"), report.power
    chip = chip_with("all")
    joules = sum(energy_pj(found.events, chip).values()) + leakage_pj(found.cycles, chip)
    nanoseconds = found.cycles * 1000 / chip.clock_mhz
    assert power.power_mw == pytest.approx(joules / nanoseconds)
    assert power.power_memories_mw < power.power_mw
    network, total = load_network(folder / "mobilenetv2.npz"), 0
    for layer in network.layers:
        if layer.op in ("conv", "linear"):
            taps = int(np.prod(network.parameters[layer.name].weights.shape[1:]))
            total += taps * int(np.prod(layer.output.shape))
    assert power.multiplications == total
    assert power.tops_per_w == pytest.approx(2 * total / joules)
    (least,) = rows_of(report, "Table II", "power, least")
    assert (least.published, least.ours) == (28.92, power.power_mw)
    (peak,) = rows_of(report, "Table II", "peak over")
    assert peak.published == pytest.approx(2.48 / 0.28126)
    assert peak.ours == pytest.approx(report.peak_tops / power.power_mw * 1000)
    paper = load_arch(ROOT / "configs/dbpim/paper.yaml")
    # 512 products of 8 bits end in 8 cycles, and each is two operations.
    assert figures.peak_tops(paper) == pytest.approx(0.512 * paper.clock_mhz / 500)
    assert all(row.reason for row in report.rows)


def trained(method: str, pruned: float, accuracy: float, *, seed: int = 1, **more: Any) -> Any:
    """Return a row of a table of trainings."""
    committed = json.loads((ROOT / "studies/results/dbpim-accuracy.json").read_text("utf-8"))
    plain = committed["rows"][0] | {"method": method, "pruned": pruned, "accuracy": accuracy}
    return validate_spec(AccuracyRow, plain | {"seed": seed} | more, source="test")


@pytest.mark.promise(
    "accuracy over sparsity is that of trainings, each made once, none with more digits than"
    " its method leaves"
)
def test_what_a_sparsity_costs() -> None:
    """Losses are those of means over seeds, against the unpruned network of the same data."""
    rows = [
        trained("blocks", 0.0, 0.9),
        trained("blocks", 0.0, 0.8, seed=2),
        trained("two digits", 0.6, 0.7, sparsity=0.9),
        trained("two digits", 0.6, 0.8, seed=2, sparsity=0.9),
        trained("blocks", 0.9, 0.1, dataset="cifar10", short=True),
    ]
    lost, *others = accuracy_rows(rows)
    assert lost.ours == pytest.approx(10) and "at 90.0% sparsity" in lost.what
    assert "2 seeds" in lost.reason and lost.published is None
    assert [row.ours for row in others] == [None] * len(published.NETWORKS)
    assert all("not trained" in row.reason and "`python -m" in row.reason for row in others)
    (short, *_) = accuracy_rows([*rows[4:], trained("blocks", 0.0, 0.9, dataset="cifar10")])
    assert short.what.endswith(", short training") and short.ours == pytest.approx(80)


def test_page_and_report_hold_all(report: FiguresReport) -> None:
    follows(json.loads(report_text(report)), "paper_dbpim_figures")
    assert set(figures_files(report)) == {f"{NAME}.md", f"{NAME}.json", f"{NAME}-sparsity.svg"}
    with_rows = replace(report, accuracy=[trained("blocks", 0.0, 0.9)], refused=["x: y must be z"])
    files = figures_files(with_rows)
    assert f"{NAME}-accuracy.svg" in files and f"({NAME}-accuracy.svg)" in files[f"{NAME}.md"]
    page = files[f"{NAME}.md"]
    for words in ("(Fig. 10)", "(Fig. 11)", "(Fig. 13)", "(Table II)", "- refused: x: y must be z"):
        assert words in page
    assert files == figures_files(with_rows)


def test_rows_of_the_dated_page_follow_from_its_report() -> None:
    """Rows are those that today's code makes of the measured figures; the page stays as it was."""
    content = json.loads(COMMITTED.read_text(encoding="utf-8"))
    found = validate_spec(FiguresReport, content, source=str(COMMITTED))
    assert list(figure_rows(found)) == list(found.rows)
    picture = figures_files(found)[CURVES]
    dashed = re.findall(r"stroke-dasharray: [^\"]*?stroke: (#\w+)", picture)
    assert set(dashed) == {MUTED} and MUTED not in SERIES


def test_points_of_a_curve_are_sorted() -> None:
    """A curve in any order is the curve from left to right."""
    points = [(90.0, 4.0), (75.0, 2.0), (80.0, 3.0)]
    assert curves({"net": points}, "x") == curves({"net": sorted(points)}, "x")
