"""The race on a tiny chip: every figure follows from the runs, and from the model."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hwgen_studies.dbpim_paper import published, race, race_networks, race_points
from hwgen_studies.dbpim_paper.clock import Clock, clock_of
from hwgen_studies.dbpim_paper.command import DbpimPaper
from hwgen_studies.dbpim_paper.page import stacked
from hwgen_studies.dbpim_paper.race_rows import race_rows
from hwgen_studies.dbpim_paper.race_runs import waits
from hwgen_studies.dbpim_paper.report import DbpimReport, RaceReport, RaceRun
from hwgen_studies.dbpim_paper.table import columns_of, race_page, run_cells

from hwgen import api
from hwgen.cli import main
from hwgen.commands.points import Point, Result
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.facts.events import EVENTS
from hwgen.dbpim.model import Assumptions, energy_pj, leakage_pj
from hwgen.errors import ConfigError, FormatError
from hwgen.jobs.executors import SerialExecutor
from hwgen.network.file import load_network, save_network
from hwgen.report.files import report_text
from tests.cli.given import ROOT, TINY
from tests.schemas import follows
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import Recipe, random_network

BATCH, MHZ = 2, load_arch(TINY).clock_mhz
TRAINED: dict[str, Any] = {
    "format": "hwgen.training",
    "version": 2,
    "accuracy": {"integer": 0.9},
    "start_sha256": None,
    "recipe": {"start": None, "pruning": {"share": 0.5}},
    "history": [{"phase": "quantized"}] * 30,
}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started, which would import everything again."""
    monkeypatch.setattr("hwgen.jobs.executors.make_executor", lambda workers: SerialExecutor())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network under the name of a large one, and a record that it was trained."""
    made = tmp_path_factory.mktemp("race")
    network = directed("narrow")
    known = replace(network, graph=replace(network.graph, dataset="somewhere"))
    save_network(known, made / "resnet18.npz")
    record = TRAINED | {"network_digest": load_network(made / "resnet18.npz").digest}
    (made / "resnet18.training.json").write_text(json.dumps(record), encoding="utf-8")
    return made


@pytest.fixture
def few(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One network, and few choices of switches."""
    monkeypatch.setattr(race_networks, "ALL", ("resnet18",))
    monkeypatch.setattr(race, "SWITCHES", ("none", "weight_values,weight_bits", "all"))


def made_up(context: api.Context, points: Sequence[Point], **options: Any) -> list[Result]:
    """Return results without a model: the dense chip takes 1000 cycles, a sparse one 120 or so."""
    found = []
    for index, point in enumerate(points):
        arch: Any = point.subject.arch
        cycles = point.subject.run_images * (120 - index if arch.sparsity.weight_values else 1000)
        conv = {"busy": 0.6 * cycles, "load": 0.1 * cycles, "imbalance": 0.1 * cycles}
        found.append(
            {
                "cycles": cycles,
                "load": cycles / 10,
                "causes": {"conv_fc": conv, "around": {"image": 0.2 * cycles}},
                "utilization": 0.75,
                "events": {**dict.fromkeys(EVENTS, cycles), "groups": cycles // 5},
                "program_bytes": 10,
                "steps": 3,
            }
        )
        options["on_done"](index, found[-1], True)
    return found


@pytest.fixture
def quick(few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is predicted."""
    monkeypatch.setattr(race, "run_points", made_up)


@pytest.fixture
def report(quick: None, folder: Path) -> RaceReport:
    return raced(folder)


def raced(folder: Path) -> RaceReport:
    """Return the race of the networks of a folder."""
    context = api.Context(work=folder / "work", console=None)
    return race.race(DbpimPaper(TINY, networks=folder, images=BATCH, context=context))


def race_html(report: RaceReport) -> str:
    """Return the page of a race alone."""
    whole = DbpimReport(
        format="hwgen.report.paper_dbpim_parts", version=1, race=report, figures=None, zeros=None
    )
    return DbpimPaper(context=api.Context(console=None)).html(whole)


def run_of(report: RaceReport, batch: int, switches: str) -> RaceRun:
    (found,) = [r for r in report.runs if (r.batch, r.switches) == (batch, switches)]
    return found


def value(report: RaceReport, figure: str) -> float | None:
    (found,) = [row for row in report.rows if row.figure == figure]
    return found.ours


@pytest.mark.promise("the race has cycles, time, utilization and energy of the model, of one image")
@pytest.mark.usefixtures("few")
def test_runs_are_what_the_model_says(folder: Path) -> None:
    report = raced(folder)
    follows(json.loads(report_text(report)), "paper_dbpim")
    network = directed("narrow")
    images = race_networks.drawn_images(network, count=BATCH).images
    np.savez(folder / "images.npz", images=images)
    context = api.Context(work=folder / "work", console=None)
    assert [(run.batch, run.switches) for run in report.runs] == [
        (batch, switches)
        for batch in (1, BATCH)
        for switches in ("none", "weight_values,weight_bits", "all")
    ]
    for batch, switches in ((1, "none"), (BATCH, "all")):
        chip = api.load_architecture(TINY, sparsity=switches)
        given: dict[str, Any] = {"data": folder / "images.npz", "images": batch, "batch": batch}
        found = api.model(folder / "resnet18.npz", chip, **given, context=context)
        run = run_of(report, batch, switches)
        assert run.cycles == found.cycles_model / batch
        assert run.compute_cycles == found.cycles_compute_model / batch
        mhz = chip.parameters.clock_mhz
        assert run.time_ms == pytest.approx(found.cycles_model / batch / mhz / 1000)
        assert run.utilization == found.utilization
        shares = {name: cycles / run.cycles for name, cycles in run.causes.items()}
        assert shares == pytest.approx(found.where)
        assert sum(run.kinds.values()) == pytest.approx(run.cycles)
        conv = sum(layer.cycles_model for layer in found.layers if layer.kind in ("conv", "linear"))
        assert run.conv_fc_cycles == pytest.approx(conv / batch)
        assert 0 < run.bound_cycles < run.conv_fc_without_load_cycles < run.conv_fc_cycles


@pytest.mark.usefixtures("quick")
def test_a_large_network_runs_many_images_only_where_it_is_asked_to(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prediction of many images of a large network takes half an hour."""
    unasked = DbpimPaper(TINY, networks=folder, context=api.Context(work=folder, console=None))
    assert {run.batch for run in race.race(unasked).runs} == {1, 16}
    monkeypatch.setattr(race, "MOST_BATCHED", 0)
    assert {run.batch for run in race.race(unasked).runs} == {1}
    assert {run.batch for run in raced(folder).runs} == {1, BATCH}


def test_a_run_is_of_one_image(report: RaceReport) -> None:
    for batch, cycles in ((1, 118), (BATCH, 115)):
        run = run_of(report, batch, "all")
        assert (run.cycles, run.compute_cycles) == (cycles, pytest.approx(0.9 * cycles))
        assert run.conv_fc_cycles == pytest.approx(0.8 * cycles)
        assert run.conv_fc_without_load_cycles == pytest.approx(0.7 * cycles)
        assert run.bound_cycles == pytest.approx(0.6 * cycles)
        assert run.kinds == pytest.approx({"conv_fc": 0.8 * cycles, "around": 0.2 * cycles})
        assert run.causes["image"] == pytest.approx(0.2 * cycles)
        assert run.time_ms == pytest.approx(cycles / MHZ / 1000)
    assert report.networks[0].bit_planes == 8


def test_figures_follow_from_the_runs(report: RaceReport) -> None:
    names = [row.figure for row in report.rows]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() and name.isidentifier() for name in names)
    gains = {
        batch: run_of(report, batch, "none").cycles / run_of(report, batch, "all").cycles
        for batch in (1, BATCH)
    }
    assert value(report, "speedup_end_to_end_best") == max(gains.values())
    assert value(report, "speedup_end_to_end_best_batch_1") == gains[1]
    assert value(report, f"speedup_end_to_end_resnet18_batch_{BATCH}_all") == gains[BATCH]
    sparse, dense = run_of(report, 1, "all"), run_of(report, 1, "none")
    assert value(report, "conv_fc_ms_resnet18_batch_1_hybrid") == sparse.conv_fc_ms
    assert sparse.conv_fc_ms == pytest.approx(sparse.conv_fc_cycles / MHZ / 1000)
    assert value(report, "utilization_percent_resnet18_all") == 100 * (sparse.utilization or 0)
    bound = sparse.conv_fc_without_load_cycles / sparse.bound_cycles
    assert value(report, "conv_fc_over_bound_resnet18_batch_1") == bound
    assert value(report, "energy_uj_resnet18_sparse") == sparse.total_uj
    assert sparse.total_uj and dense.total_uj and dense.strict_energy_uj
    saved = 100 * (1 - sparse.total_uj / dense.total_uj)
    assert value(report, "energy_saving_percent_resnet18_batch_1") == saved
    strict = 100 * (1 - sparse.total_uj / dense.strict_energy_uj)
    assert value(report, "energy_saving_percent_strict_resnet18_batch_1") == strict < saved
    assert sparse.strict_energy_uj is None
    low, high = sparse.energy_range_uj or (0, 0)
    assert low < sparse.total_uj < high
    row = report.rows[0]
    assert row.published == published.SPEEDUP_BEST
    assert row.deviation_percent == pytest.approx(100 * ((row.ours or 0) / 8.01 - 1))


def test_energy_is_of_one_image() -> None:
    arch = load_arch(TINY)
    events = dict.fromkeys(EVENTS, 1000)
    one, four = (race.energy_of(events, 5000, arch, images) for images in (1, 4))
    for part, energy in one["energy_uj"].items():
        assert energy == pytest.approx(4 * four["energy_uj"][part])
    assert sum(one["energy_uj"].values()) * 1e6 == pytest.approx(
        sum(energy_pj(events, arch).values())
        + leakage_pj(5000, arch, assume=Assumptions(logic_leaks=False))
    )
    assert one["memory_bytes"] == 4 * four["memory_bytes"] == 2000 * arch.port_bytes


def test_kinds_of_layers_are_those_of_the_paper() -> None:
    network = random_network(Recipe(kinds=("conv", "depthwise", "product", "residual")), seed=1)
    kinds = race_points.kinds_of(network)
    assert set(kinds.values()) == {"conv_fc", "depthwise", "multiply", "other"}
    ops = {layer.name: layer.op for layer in network.layers}
    assert all(kind == "conv_fc" for name, kind in kinds.items() if ops[name] == "linear")


@pytest.mark.promise(
    "a published figure that is not reached says why, every row what ran, a refused run its reason"
)
def test_what_is_not_reached_says_why(report: RaceReport) -> None:
    (row,) = [row for row in report.rows if row.figure == "energy_saving_percent_best"]
    assert row.published == 85.28
    assert "not reached: work falls less than cycles" in row.reason
    lucky = [
        replace(run, energy_uj={"trees": 1.0 if run.switches == "all" else 99.0})
        for run in report.runs
    ]
    rows = race_rows(lucky, report.networks, load_arch(TINY), None, None)
    (row,) = [row for row in rows if row.figure == "energy_saving_percent_best"]
    assert row.ours == pytest.approx(100 * 98 / 99) and "not reached" not in row.reason
    slow = [replace(run, conv_fc_ms=3.0) for run in report.runs]
    rows = race_rows(slow, report.networks, load_arch(TINY), None, None)
    (row,) = [row for row in rows if row.figure == "conv_fc_ms_resnet18_batch_1_hybrid"]
    assert row.reason.startswith("above the published time: ")


def test_without_energy_and_without_runs_rows_say_so(report: RaceReport) -> None:
    runs = [replace(run, energy_uj=None, energy_range_uj=None) for run in report.runs]
    rows = {
        row.figure: row for row in race_rows(runs, report.networks, load_arch(TINY), None, None)
    }
    for name in ("energy_saving_percent_best", "energy_uj_resnet18_sparse"):
        assert (rows[name].ours, rows[name].reason) == (None, "without an energy model")
    nothing = race_rows([], report.networks, load_arch(TINY), None, None)
    assert nothing[0].ours is None and nothing[0].reason == "no trained network ran"


def test_headlines_are_of_trained_networks(report: RaceReport) -> None:
    untrained = [replace(each, trained=False) for each in report.networks]
    rows = race_rows(report.runs, untrained, load_arch(TINY), None, None)
    for row in rows:
        if row.figure.startswith(("speedup_end_to_end_best", "energy_saving_percent_best")):
            assert (row.ours, row.reason) == (None, "no trained network ran")
        elif "resnet18" in row.figure:
            assert ", not trained" in row.label


def test_a_short_training_is_none(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "resnet18.npz"
    shutil.copy(folder / "resnet18.npz", copy)
    network = load_network(copy)
    assert race_networks.training_of(copy, network) == ("not recorded", False)
    about = {"recipe": {"pruning": {"share": 0.5}}, "accuracy": {"integer": 0.009}}
    monkeypatch.setattr(race_networks, "read_record", lambda file, digest: about)
    monkeypatch.setattr(race_networks, "training_state", lambda about: "1 epoch")
    for word in ("short training", "not recorded", "trained"):
        monkeypatch.setattr(race_networks, "weights_of", lambda *_, word=word: word)
        told, trained = race_networks.training_of(folder / "resnet18.npz", network)
        assert trained is (word == "trained")
        assert told.startswith(f"{word}: ") and told.endswith("0.90% accurate")


def test_the_largest_waits_are_named(report: RaceReport) -> None:
    run = replace(report.runs[0], cycles=1000.0, causes={"busy": 600.0, "load": 300.0, "simd": 9.0})
    assert waits(run) == "cells wait for load 30.0 %, simd 0.9 %"


def test_every_row_says_what_ran(report: RaceReport) -> None:
    (about,) = report.networks
    assert (about.weights.split(":")[0], about.images) == ("trained", "drawn images")
    reasons = [r.reason for r in report.rows if r.figure.startswith(("speedup_end_to_end_r", "ut"))]
    assert reasons and all("accurate; drawn images" in reason for reason in reasons)


def test_rows_have_names_for_people(report: RaceReport) -> None:
    labels = {row.figure: row.label for row in report.rows}
    assert len(set(labels.values())) == len(labels)
    assert labels["conv_fc_over_bound_resnet18_batch_1"] == (
        "ResNet18, batch 1, all three: conv+FC over bound"
    )
    page = race_page(report)
    assert "conv_fc_ms_" not in page and "| resnet18 |" not in page
    area = next(row for row in report.rows if row.figure == "area_mm2")
    assert "without wires, clock tree" in area.reason
    assert "that of logic is left out" in " ".join(page.split())
    assert "that of logic is left out" in " ".join(race_html(report).split())


def test_a_refused_run_is_said(
    report: RaceReport, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = race_points.predict({"family": "dbpim", "inputs": ["nowhere.npz", ""]})
    assert nowhere["refused"].endswith("got no file (nowhere.npz)")
    refused = [{"refused": "x must be y"}] * 6
    monkeypatch.setattr(race, "run_points", lambda *_, **__: refused)
    found = raced(folder)
    assert found.runs == [] and len(found.refused) == 6
    assert found.refused[0].startswith("resnet18, none, batch 1: x must be")
    assert "refused: resnet18" in race_page(found) and "refused: resnet18" in race_html(found)


@pytest.mark.promise(
    "one page shows where time and energy go, as tables and pictures, and asks no server"
)
def test_the_page_holds_tables_and_pictures(report: RaceReport) -> None:
    page = race_html(report)
    assert page == race_html(report)
    for words in ("Where time goes, batch 1", "Where energy goes", "Fig. 11", "Fig. 12", "Fig. 13"):
        assert words in page
    assert "prefers-color-scheme: dark" in page
    assert "http" not in page and "<script" not in page
    assert "best speed-up, end to end" in page and "85.28" in page
    for run in report.runs:
        assert f"{run.cycles:,.0f}" in page


def test_the_longest_bar_fills_its_picture(report: RaceReport) -> None:
    one, two = report.runs[:2]
    picture = stacked(
        "name", "about", "x", [(one, {"a_b": 3.0, "c": 1.0}), (two, {"c": 2.0})], texts=["", ""]
    )
    sizes = [[(piece.name, piece.percent) for piece in bar.pieces] for bar in picture.bars]
    assert sizes == [[("a b", 75.0), ("c", 25.0)], [("c", 50.0)]]
    assert picture.bars[0].pieces[1].colour == picture.bars[1].pieces[0].colour
    assert [bar.first for bar in picture.bars] == [True, False]


def test_networks_of_a_folder_and_words_for_others(folder: Path, tmp_path: Path) -> None:
    assert race_networks.file_in(folder, "resnet18") == folder / "resnet18.npz"
    assert race_networks.file_in(folder, "vgg19") is None
    with pytest.raises(ConfigError, match="--networks must be a folder with NAME"):
        race_networks.entries(api.Context(console=None), tmp_path, None, images=1)
    with pytest.raises(ConfigError, match="--networks must be a folder"):
        race.folder_of(DbpimPaper(networks=tmp_path / "nowhere"))


def test_the_command_writes_page_and_report(
    quick: None, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = ["paper", "dbpim", TINY, "--parts", "race", "--networks", folder, "--images", BATCH]
    written = ["--page", tmp_path / "race.html", "--json", tmp_path / "r.json", "--out", tmp_path]
    assert main([str(each) for each in [*given, *written, "--work", folder / "work"]]) == 0
    out, err = capfd.readouterr()
    assert "best speed-up, end to end" in out and "6 predictions" in err
    rows = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["race"]["rows"]
    assert {
        "figure",
        "label",
        "where",
        "published",
        "ours",
        "unit",
        "deviation_percent",
        "reason",
    } == set(rows[0])
    page = (tmp_path / "race.html").read_text(encoding="utf-8")
    assert "best speed-up over the dense chip</td><td>8.01" in page
    assert "rivals&#39; chips" in page and "106 printed" in page
    assert (tmp_path / "dbpim-paper.md").read_text(encoding="utf-8").startswith("# DB-PIM")


def test_times_stand_at_the_clock_of_the_netlist_too(report: RaceReport) -> None:
    """500 MHz as the architecture has it, and half of it: twice the time."""
    netlist = Clock(
        report="cost.json", library="cells", library_digest="0" * 64, slowest_ns=4.0, mhz=250.0
    )
    slower = replace(report, clock=netlist, clock_mhz=500.0)
    assert columns_of(slower)[5:9] == ["conv+FC ms", "at 250 MHz", "ms", "at 250 MHz"]
    for run, cells in zip(slower.runs, run_cells(slower), strict=True):
        assert len(cells) == len(columns_of(slower))
        assert cells[7:9] == [f"{run.time_ms:.3f}", f"{2 * run.time_ms:.3f}"]
    assert "at 250 MHz, that of its netlist: its slowest path takes 4.00 ns" in race_page(slower)
    assert "netlist:" not in race_page(replace(report, clock=None))


def test_the_clock_of_another_chip_is_refused() -> None:
    """The report beside this file is of the paper's chip."""
    cost = Path(__file__).with_name("cost_of_paper.json")
    arch = load_arch(ROOT / "configs/dbpim/paper.yaml")
    assert clock_of(cost, arch).mhz == json.loads(cost.read_text(encoding="utf-8"))["mhz"]
    with pytest.raises(FormatError, match="architecture must be that of tiny"):
        clock_of(cost, load_arch(ROOT / "configs/dbpim/tiny.yaml"))


@pytest.mark.promise("a paper refuses the options of other papers")
@pytest.mark.parametrize("option", [("--power-w", "1"), ("--seed", "2"), ("--engine", "model")])
def test_options_of_other_papers_are_refused(
    option: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["paper", "dbpim", *option]) == 2
    assert f"No such option: {option[0]}" in capfd.readouterr().err
