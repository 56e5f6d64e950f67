"""The race of equal areas: the best dense chip of at most the area of the sparse one."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hwgen_studies.dbpim_paper import area_race
from hwgen_studies.dbpim_paper.area_race import main
from hwgen_studies.dbpim_paper.area_race_page import (
    AreaChip,
    AreaRaceReport,
    area_race_page,
    area_race_picture,
)

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.cli import main as hwgen
from hwgen.commands.subject import configuration_of
from hwgen.commands.sweep import changed_keys, leaves
from hwgen.dbpim import model
from hwgen.dbpim.facts.arch import Arch, load_arch, with_sparsity
from hwgen.dbpim.facts.axes import AXES
from hwgen.dbpim.rtl import make_chip
from hwgen.files.load import validate_spec
from hwgen.jobs.executors import SerialExecutor

ROOT = Path(__file__).parents[3]
PAGES, RESULTS = ROOT / "docs/results", ROOT / "studies/results"
COST = RESULTS / "dbpim-race-cost.json"


def committed() -> AreaRaceReport:
    content = json.loads((RESULTS / "dbpim-race.json").read_text(encoding="utf-8"))
    report: AreaRaceReport = validate_spec(AreaRaceReport, content, source="dbpim-race.json")
    return report


def chip(kind: Any, cycles: int, mm2: float) -> AreaChip:
    return AreaChip(
        kind=kind,
        values=committed().sparse.values,
        cycles=cycles,
        area_mm2=mm2,
        energy_uj=10.0,
        with_outside_uj=20.0,
    )


def test_the_best_chips_by_hand() -> None:
    """The sparse chip has 4 mm2: what is larger is not the fastest, whatever it takes."""
    report = replace(
        committed(),
        sparse=chip("sparse", 100, 4.0),
        same_macros=chip("dense", 1000, 3.0),
        chips=[
            chip("dense", 300, 4.5),
            chip("dense", 400, 4.0),
            chip("dense", 400, 3.5),
            chip("dense", 700, 1.5),
            chip("sparse", 90, 5.0),
            chip("sparse", 120, 2.0),
        ],
    )
    assert report.fastest("dense") == chip("dense", 400, 3.5)
    assert report.least_area_time("dense") == chip("dense", 700, 1.5)
    assert report.fastest("sparse") == report.sparse
    assert report.least_area_time("sparse") == chip("sparse", 120, 2.0)
    page = area_race_page(report, "race.svg")
    assert "the best sparse chip found is **4.38 times** as fast" in page
    assert "`paper` 2.62 times" in page and "`paper` 4.00 times" in page
    assert "`paper` is 10.00 times as fast" in page
    cells = "| sparse, least cycles times area | dense, least cycles times area | 5.83 | 4.38 |"
    assert cells in page


def test_a_step_is_to_the_values_beside_one() -> None:
    assert area_race.near_values((2, 4, 8, 16), 4) == [2, 4, 8]
    assert area_race.near_values((2, 4, 8, 16), 16) == [8, 16]
    assert area_race.near_values((64,), 64) == [64]


def test_each_key_of_a_chip_varies() -> None:
    """Keys that no chip of the race has, or that change no cycle and no area, are told here."""
    keys = leaves(configuration_of(load_arch(ROOT / "configs/dbpim/paper.yaml")))
    fixed = {"clock_mhz", "logit_entries", "memory_latency_cycles", "read_ahead_beats"}
    fixed |= {"packed_weights", "input_streams"} | {key for key in keys if "sparsity" in key}
    for kind, sizes in area_race.SIZES.items():
        assert set(keys) - fixed <= set(sizes), kind
        for start in area_race.START[kind]:
            assert all(value in sizes[key] for key, value in start.items())


@pytest.fixture
def small_race(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the race be one of small chips; return the network and both chips of its command."""
    monkeypatch.setattr("hwgen.jobs.executors.make_executor", lambda workers: SerialExecutor())
    arch = load_arch(ROOT / "configs/dbpim/small.yaml")
    values = leaves(configuration_of(arch))
    own = {key: (int(value),) for key, value in values.items() if key in AXES}
    sizes = {**own, "word_channels": (64,), "cores": (1, 2), "simd_lanes": (4, 8, 16)}
    monkeypatch.setattr(area_race, "SIZES", {"dense": sizes, "sparse": sizes})
    monkeypatch.setattr(area_race, "START", {"dense": ({"cores": 1},), "sparse": ({"cores": 2},)})
    netlist = area_race.Netlist(ns=3.0, area_mm2=0.5)
    monkeypatch.setattr(area_race.Race, "netlist", lambda *_: netlist)
    off = {"sparse_parts": False, "packed_weights": False}
    dense = changed_keys(configuration_of(with_sparsity(arch, "none")), off)
    file = tmp_path / "dense.yaml"
    file.write_text(yaml.safe_dump(json.loads(json.dumps(dense))))
    network, small = "configs/networks/digits_small_cnn.npz", "configs/dbpim/small.yaml"
    return [str(ROOT / network), str(ROOT / small), str(file)]


def test_from_a_search_to_the_page(
    tmp_path: Path, small_race: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    chips, small = small_race, "configs/dbpim/small.yaml"
    arch = load_arch(ROOT / small)
    out, report = tmp_path / "race.md", tmp_path / "race.json"
    options = ["--data", "digits", "--work", str(tmp_path), "--out", str(out), "--points", "2"]
    options += ["--images", "3", "--area", "1", "--workers", "1"]
    options += ["--json", str(report), "--results", str(RESULTS / "dbpim-networks-2026-11-27.json")]
    cost = json.loads(COST.read_text())
    cost["architecture"]["digest"] = arch.digest
    (tmp_path / "cost.json").write_text(json.dumps(cost))
    costs = ["--cost", str(tmp_path / "cost.json")]
    run = tmp_path / "run.json"
    given = ["digits_small_cnn", small, "--data", "digits", "--engine", "model"]
    assert hwgen(["run", *given, "--work", str(tmp_path), "--json", str(run)]) == 0
    assert main([*chips, *options, *costs, "--run", str(run)]) == 2
    assert "must be one image of digits_small_cnn on small in Verilog" in capsys.readouterr().err
    seen = json.loads(run.read_text()) | {"equal": True, "cycles_rtl": 4321}
    run.write_text(json.dumps(seen))
    other = [*options, "--cost", str(COST), "--run", str(run)]
    options += [*costs, "--run", str(run)]
    assert main([*chips, *options]) == 0
    found = validate_spec(AreaRaceReport, json.loads(report.read_text()), source="race.json")
    assert found.cycles_rtl == 4321
    for kind in ("dense", "sparse"):
        ran = {(c.values["cores"], c.values["simd_lanes"]) for c in found.chips if c.kind == kind}
        best = found.least_area_time(kind).values
        assert len(ran) >= 4 and (best["cores"], best["simd_lanes"]) in ran
    assert found.sparse.area_mm2 == sum(model.area_um2(arch).values()) / 1e6
    assert found.same_macros.area_mm2 == pytest.approx(
        sum(model.area_um2(with_sparsity(arch, "none")).values()) / 1e6
    )
    for each in (found.sparse, found.same_macros, *found.chips):
        assert each.energy_uj < each.with_outside_uj
    assert found.unpruned["paper"] >= found.sparse.cycles
    for spread in found.images.values():
        assert spread.images == 3 and spread.least <= spread.mean <= spread.most
    assert found.batch_cycles["paper"] < found.sparse.cycles
    assert out.with_suffix(".svg").read_text().startswith("<svg")
    assert main([chips[0], "none.yaml", chips[2], *options]) == 2
    assert main([*chips, *other]) == 2
    assert "architecture must be that of small" in capsys.readouterr().err


def test_the_committed_page_is_what_its_report_says() -> None:
    report, page = committed(), (PAGES / "dbpim-race.md").read_text(encoding="utf-8")
    assert page.endswith(area_race_page(report, "dbpim-race.svg"))
    assert (PAGES / "dbpim-race.svg").read_text(encoding="utf-8") == area_race_picture(report)


def test_the_clock_of_the_page_is_that_of_the_report() -> None:
    clock, cost = committed().clock, json.loads(COST.read_text(encoding="utf-8"))
    assert cost["architecture"]["digest"] == load_arch(ROOT / "configs/dbpim/paper.yaml").digest
    assert (clock.slowest_ns, clock.mhz) == (cost["slowest_ns"], cost["mhz"])
    assert (clock.library, clock.report) == (cost["library"]["name"], COST.name)
    page = (PAGES / "dbpim-race.md").read_text(encoding="utf-8")
    assert f"| us at {cost['mhz']:.0f} MHz |" in page


@pytest.mark.long
def test_the_table_is_within_five_percent_of_the_netlist_of_each_part() -> None:
    """What stands for the buffers of large nets, the table leaves out."""
    cost = json.loads(COST.read_text(encoding="utf-8"))
    table = model.area_um2(load_arch(ROOT / "configs/dbpim/paper.yaml"))
    found = {part["part"]: part["logic_um2"] + part["memory_um2"] for part in cost["parts"]}
    assert found.keys() == table.keys()
    for part, netlist in found.items():
        assert table[part] == pytest.approx(netlist, rel=0.05), part


def test_readme_and_index_lead_with_the_fair_figure() -> None:
    """Best beside best, per area; the paper's chip and the paper's comparison behind it."""
    report = committed()
    sparse, dense = report.sparse, report.least_area_time("dense")
    fair = f"{report.best_per_area:.2f}"
    own = f"{dense.spent / sparse.spent:.2f}"
    same = f"{report.same_macros.cycles / sparse.cycles:.2f}"
    for name in ("README.md", "docs/figures.md", "docs/index.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        if name != "README.md":
            first = text.index(fair)
            assert first < text.index(own, first) < text.index(same, first), name
        assert re.search(r"none of the paper's\s+(five )?networks", text), name
    best = (ROOT / "docs/dbpim-best-chips.md").read_text(encoding="utf-8")
    by_time = re.findall(r"^\| `best_(?!dense`).* \| ([\d.]+) \|$", best, re.M)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(by_time) == 5 and sum(f" {ratio}" in readme for ratio in by_time) >= 4
    assert report.cycles_rtl == sparse.cycles
    # README prints the cycles of images that ship; the race's image is the first of the test set.
    assert f"{sparse.cycles:,}" in (ROOT / "docs/figures.md").read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.promise(
    "each dense chip of the race of equal areas can be emitted without the parts for sparsity, and"
    " the best one is: its netlist gives its own clock and area"
)
def test_the_dense_chips_of_the_race_are_emitted() -> None:
    report = committed()
    paper = configuration_of(load_arch(ROOT / "configs/dbpim/paper_dense.yaml"))

    def emitted(chip: AreaChip) -> Any:
        sizes = {key: value for key, value in chip.values.items() if key != "word_channels"}
        return validate_spec(Arch, changed_keys(paper, sizes), source="race")

    dense = [chip for chip in report.chips if chip.kind == "dense"]
    assert len(dense) > 10
    for chip in dense:
        arch = emitted(chip)
        assert not arch.sparse_parts
        assert chip.area_mm2 == pytest.approx(sum(model.area_um2(arch).values()) / 1e6, rel=0.02)
    smallest = min(dense, key=lambda chip: chip.area_mm2)
    modules = verilog_modules(make_chip(emitted(smallest)))
    absent = {"dbpim_switch", "dbpim_mask_array", "dbpim_group_queue", "dbpim_ipu"}
    assert "dbpim_direct_feed" in modules and not absent & set(modules)
    if not report.netlists:
        return
    netlist = report.netlists["dense"]
    assert netlist.area_mm2 == pytest.approx(report.least_area_time("dense").area_mm2, rel=0.3)
