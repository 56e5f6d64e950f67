"""The race of equal areas: the best dense chip of at most the area of the sparse one."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
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
from hwgen.dbpim import model
from hwgen.dbpim.facts.arch import load_arch, with_sparsity
from hwgen.dbpim.rtl import make_chip
from hwgen.files.load import validate_spec
from hwgen.jobs.executors import SerialExecutor

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "docs/results"
COST = RESULTS / "dbpim-race-cost.json"


def committed() -> AreaRaceReport:
    content = json.loads((RESULTS / "dbpim-race.json").read_text(encoding="utf-8"))
    report: AreaRaceReport = validate_spec(AreaRaceReport, content, source="dbpim-race.json")
    return report


def chip(kind: Any, cycles: int, mm2: float) -> AreaChip:
    return replace(committed().sparse, kind=kind, cycles=cycles, area_mm2=mm2)


def test_the_best_chips_by_hand() -> None:
    """The sparse chip has 4 mm2: what is larger does not race, whatever it takes."""
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
    assert "**4.00 times faster**" in page
    assert "**3.50 times per area**" in page and "macros 10.00" in page


def test_from_a_sweep_to_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hwgen.jobs.executors.make_executor", lambda workers: SerialExecutor())
    sizes = {"cores": (1, 2), "macros_per_core": (2, 64), "simd_lanes": (8,)}
    monkeypatch.setattr(area_race, "SIZES", {**sizes, "lanes_per_requantizer": (1,)})
    out, report = tmp_path / "race.md", tmp_path / "race.json"
    network, small = "configs/networks/digits_small_cnn.npz", "configs/dbpim/small.yaml"
    options = ["--data", "digits", "--work", str(tmp_path), "--out", str(out)]
    options += ["--json", str(report), "--results", str(RESULTS / "dbpim-networks.json")]
    arch, cost = load_arch(ROOT / small), json.loads(COST.read_text())
    cost["architecture"]["digest"] = arch.digest
    (tmp_path / "cost.json").write_text(json.dumps(cost))
    costs = ["--cost", str(tmp_path / "cost.json")]
    run = tmp_path / "run.json"
    given = ["digits_small_cnn", small, "--data", "digits", "--engine", "model"]
    assert hwgen(["run", *given, "--work", str(tmp_path), "--json", str(run)]) == 0
    assert main([str(ROOT / network), str(ROOT / small), *options, *costs, "--run", str(run)]) == 2
    assert "must be one image of digits_small_cnn on small in Verilog" in capsys.readouterr().err
    seen = json.loads(run.read_text()) | {"equal": True, "cycles_rtl": 4321}
    run.write_text(json.dumps(seen))
    other = [*options, "--cost", str(COST), "--run", str(run)]
    options += [*costs, "--run", str(run)]
    assert main([str(ROOT / network), str(ROOT / small), *options]) == 0
    found = validate_spec(AreaRaceReport, json.loads(report.read_text()), source="race.json")
    assert found.cycles_rtl == 4321
    kinds = [(chip.kind, chip.cores, chip.queue_depth) for chip in found.chips]
    assert kinds == [("dense", 1, 2), ("dense", 2, 2), ("sparse", 1, 4), ("sparse", 2, 4)]
    dense = with_sparsity(arch, "none")
    assert found.sparse.area_mm2 == sum(model.area_um2(arch).values()) / 1e6
    assert found.same_macros.area_mm2 == sum(model.area_um2(dense).values()) / 1e6
    shallow = replace(dense, cores=1, macros_per_core=2, simd_lanes=8, queue_depth=2)
    area = model.area_um2(shallow, assume=model.STRICT_DENSE)
    assert found.chips[0].area_mm2 == sum(area.values()) / 1e6
    for each in (found.sparse, found.same_macros, *found.chips):
        assert each.energy_without_logic_leakage_uj < each.energy_uj
    assert out.with_suffix(".svg").read_text().startswith("<svg")
    assert main([str(ROOT / network), "none.yaml", *options]) == 2
    assert main([str(ROOT / network), str(ROOT / small), *other]) == 2
    assert "architecture must be that of small" in capsys.readouterr().err


def test_the_committed_page_is_what_its_report_says() -> None:
    report, page = committed(), (RESULTS / "dbpim-race.md").read_text(encoding="utf-8")
    assert page.endswith(area_race_page(report, "dbpim-race.svg"))
    assert (RESULTS / "dbpim-race.svg").read_text(encoding="utf-8") == area_race_picture(report)


def test_the_clock_of_the_page_is_that_of_the_report() -> None:
    clock, cost = committed().clock, json.loads(COST.read_text(encoding="utf-8"))
    assert cost["architecture"]["digest"] == load_arch(ROOT / "configs/dbpim/paper.yaml").digest
    assert (clock.slowest_ns, clock.mhz) == (cost["slowest_ns"], cost["mhz"])
    assert (clock.library, clock.report) == (cost["library"]["name"], COST.name)
    page = (RESULTS / "dbpim-race.md").read_text(encoding="utf-8")
    assert f"| us at {cost['mhz']:.0f} MHz | us at 500 MHz |" in page


def test_the_table_is_within_five_percent_of_the_netlist_of_each_part() -> None:
    """What stands for the buffers of large nets, the table leaves out."""
    cost = json.loads(COST.read_text(encoding="utf-8"))
    table = model.area_um2(load_arch(ROOT / "configs/dbpim/paper.yaml"))
    found = {part["part"]: part["logic_um2"] + part["memory_um2"] for part in cost["parts"]}
    assert found.keys() == table.keys()
    for part, netlist in found.items():
        assert table[part] == pytest.approx(netlist, rel=0.05), part


def test_readme_and_index_lead_with_the_fair_figure() -> None:
    report = committed()
    sparse, dense = report.sparse, report.fastest("dense")
    fair = f"{dense.cycles / sparse.cycles:.2f}"
    same = f"{report.same_macros.cycles / sparse.cycles:.2f}"
    for name in ("README.md", "docs/index.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert 0 < text.index(fair) < text.index(same), name
        assert re.search(r"none of the paper's\s+(five )?networks", text), name
    assert report.cycles_rtl == sparse.cycles
    assert f"{sparse.cycles:,}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.promise(
    "each dense chip of the race of equal areas can be emitted without the parts for sparsity, on"
    " at most the area that the race gives it"
)
def test_the_dense_chips_of_the_race_are_emitted() -> None:
    report = committed()
    paper = with_sparsity(load_arch(ROOT / "configs/dbpim/paper.yaml"), "none")
    dense = [chip for chip in report.chips if chip.kind == "dense"]
    assert len(dense) > 10
    for chip in dense:
        sizes = {key: getattr(chip, key) for key in report.sizes}
        arch = replace(paper, **sizes, sparse_parts=False)
        area = sum(model.area_um2(arch).values()) / 1e6
        assert 0.97 * chip.area_mm2 < area < chip.area_mm2
    smallest = min(dense, key=lambda chip: chip.area_mm2)
    sizes = {key: getattr(smallest, key) for key in report.sizes}
    modules = verilog_modules(make_chip(replace(paper, **sizes, sparse_parts=False)))
    absent = {"dbpim_switch", "dbpim_mask_array", "dbpim_group_queue", "dbpim_ipu"}
    assert "dbpim_direct_feed" in modules and not absent & set(modules)
