"""Networks on chips of three families: rows, reasons, page, and what they are made of."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hwgen_studies.networks import three_families
from hwgen_studies.networks.families_page import families_page, families_picture
from hwgen_studies.networks.families_report import FamiliesReport, HomeRow
from hwgen_studies.networks.families_why import reasons, share_of
from hwgen_studies.networks.three_families import CASES, LIKE, Case, Inputs, main

from hwgen import api
from hwgen.commands.context import Context
from hwgen.files.load import validate_spec
from hwgen.files.shipped import networks
from hwgen.network.file import save_network
from verif.common import mobile

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "studies/results"
SMALL = (
    Case(
        title="small",
        network="digits_small_cnn",
        weights="trained",
        family="dbpim",
        chip="dbpim/small",
    ),
    Case(
        title="small", network="cadnn_digits", weights="trained", family="mram", chip="mram/small"
    ),
    Case(
        title="small",
        network="digits_small_cnn",
        weights="trained",
        family="crossbar",
        chip="crossbar",
    ),
    Case(
        title="small",
        network="cadnn_digits",
        weights="trained",
        family="mram",
        chip="mram/small",
        mode="0.25x",
    ),
)
SEARCHED = {
    "format": "hwgen.report.synthesize",
    "version": 1,
    "power_budget_w": 0.6,
    "energy_by_part_mj": {"adc": 0.003, "dac": 0.001},
}


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    folder = tmp_path / "found/digits_small_cnn"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(SEARCHED))
    chip = ROOT / "configs/crossbar/digits_small_cnn.yaml"
    (folder / "architecture.yaml").write_bytes(chip.read_bytes())
    return Inputs(networks=tmp_path / "found", training=RESULTS / "mram-training.json")


def committed() -> FamiliesReport:
    content = json.loads((RESULTS / "three-families.json").read_text(encoding="utf-8"))
    return validate_spec(FamiliesReport, content, source="three-families.json")


def test_accuracies_are_those_of_the_records(inputs: Inputs) -> None:
    found = {(case.network, case.mode): inputs.accuracy(case) for case in CASES}
    assert {key: value and round(value, 4) for key, value in found.items()} == {
        ("mobilenet_v1", None): None,
        ("mobilenet_v2", None): None,
        ("dscnn_kws_int8", None): None,
        ("autoencoder_toycar_int8", None): None,
        ("cifar10_resnet20_50", None): 0.9142,
        ("cadnn_cifar10_resnet20", "0.25x"): 0.7698,
    }


def test_from_three_chips_to_the_page(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(three_families, "CASES", SMALL)
    monkeypatch.setattr(Inputs, "accuracy", lambda *_: 0.5)
    out, report = tmp_path / "page.md", tmp_path / "page.json"
    given = {
        "networks": inputs.networks,
        "training": inputs.training,
        "work": tmp_path,
        "out": out,
        "json": report,
    }
    arguments = [text for key, value in given.items() for text in (f"--{key}", str(value))]
    assert main(arguments) == 0
    content = json.loads(report.read_text())
    rows = validate_spec(FamiliesReport, content, source="page.json").rows
    assert [row.family for row in rows] == ["dbpim", "mram", "crossbar", "mram"]
    for row, case in zip(rows, SMALL, strict=True):
        check_row(row, inputs.chip(case), tmp_path)
    crossbar = rows[2].found
    assert crossbar.clock == "netlist"
    assert crossbar.ns == inputs.ns_of_like == pytest.approx(2.2055, abs=1e-4)
    # Parts of the search leak for 1 ns a cycle, the chip for as long as its netlist takes.
    leaks = crossbar.energy.time_nj / 1e3 * (1 - 1 / crossbar.ns)
    assert crossbar.whole_uj == pytest.approx(4.0 + leaks + crossbar.energy.outside.uj)
    assert crossbar.energy_shares == {"adc": 0.75, "dac": 0.25}
    page = out.read_text()
    assert "`mram/small`, 0.25x" in page and "--power-w 0.6" in page
    assert "(page.svg)" in page and (tmp_path / "page.svg").read_text().startswith("<?xml")
    assert main([*arguments, "--networks", str(tmp_path)]) == 2


def check_row(row: HomeRow, chip: Path, work: Path) -> None:
    """Compare a row with what `hwgen model` says, and its parts with its sums."""
    mode = {"mode": row.mode} if row.mode else {}
    context = Context(work=work, console=None)
    own = api.model(row.network, chip, images=1, context=context, **mode)
    found = row.found
    assert (found.cycles, found.energy, found.where) == (own.cycles_model, own.energy, own.where)
    assert found.utilization == own.utilization
    assert found.time_us == pytest.approx(found.cycles * found.ns / 1000)
    if own.clock is not None:
        assert found.time_us == pytest.approx(own.time_us)
    if row.family == "crossbar":
        return
    assert found.whole_uj == pytest.approx(found.energy.with_outside_uj)
    layer = max(own.layers, key=lambda each: each.cycles_model)
    assert found.layer == layer.name
    assert found.layer_share == pytest.approx(layer.cycles_model / own.cycles_model)
    if row.family == "mram":
        assert found.gated_uj is not None and found.gated_uj < found.whole_uj


@pytest.mark.promise(
    "a page has five networks on chips of three families: us, uJ, mm2, load and the reason for the"
    " best chip, as hwgen model tells them"
)
@pytest.mark.parametrize("chip", ["mram/paper", "dbpim/best_masks"])
def test_rows_of_the_committed_page_are_what_model_says(chip: str, tmp_path: Path) -> None:
    (row,) = [
        row
        for row in committed().rows
        if (row.network, row.chip, row.mode) == ("cifar10_resnet20_50", chip, None)
    ]
    check_row(row, Path(chip), tmp_path)
    page = (ROOT / "docs/results/three-families.md").read_text(encoding="utf-8")
    (line,) = [
        line for line in page.splitlines() if line.startswith(f"| `{chip}` | {row.found.cycles:,}")
    ]
    assert f" {row.found.energy.image_uj:,.1f} | {row.found.energy.with_outside_uj:,.1f} |" in line


def test_the_committed_page_is_what_its_report_says() -> None:
    report = committed()
    page = (ROOT / "docs/results/three-families.md").read_text(encoding="utf-8")
    assert page.endswith(families_page(report, "three-families.svg"))
    drawn = (ROOT / "docs/results/three-families.svg").read_text(encoding="utf-8")
    assert drawn == families_picture(report)
    assert [row.network for row in report.rows] == [case.network for case in CASES]
    assert report.like == LIKE
    assert "### MobileNetV2 0.25, 32 x 32: drawn weights" in page


def test_loads_of_an_image_are_part_of_its_energy_and_others_are_not() -> None:
    for row in committed().rows:
        load, energy = row.found.loading, row.found.energy
        assert load.every_image == (row.family == "dbpim")
        if load.every_image:
            assert load.outside_uj <= energy.outside.uj
            share = row.found.energy_shares["loading"]
            assert load.chip_uj == pytest.approx(share * energy.image_uj)
        else:
            assert load.bytes > energy.outside.bytes


def test_reasons_follow_the_figures() -> None:
    """Another chip is the best one, and for another reason, when its figures say so."""
    rows = [row for row in committed().rows if row.network == "cifar10_resnet20_50"]
    assert next(reasons(rows)).startswith("Fastest: `dbpim/paper`, 99.9 us: of its cycles, in 83%")
    fast = replace(rows[0], found=replace(rows[0].found, time_us=1.0, whole_uj=2.0))
    time, energy, *_ = reasons([fast, *rows[1:]])
    assert time.startswith("Fastest: `mram/paper`, 1.0 us: of its cycles, in 74% sub-arrays AND")
    assert "`dbpim/paper` takes 99.91 times as long" in time
    assert energy.startswith("Least energy: `mram/paper`, 2.0 uJ")
    quick = replace(rows[-1], found=replace(rows[-1].found, file_us=50.0))
    assert any("50.0 us: it would be the fastest" in text for text in reasons([*rows[:-1], quick]))
    other = "124.6 us: the order of the first stays"
    assert any(other in text for text in reasons(rows))


def test_shares() -> None:
    assert [share_of(each) for each in (0.0, 0.009, 0.01, 1.0)] == ["0%", "under 1%", "1%", "100%"]


def test_networks_of_small_devices_are_written(tmp_path: Path) -> None:
    mobile.main([str(tmp_path), "autoencoder"])
    save_network(mobile.autoencoder(), tmp_path / "own.npz")
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["autoencoder.npz", "own.npz"]
    assert (tmp_path / "autoencoder.npz").read_bytes() == (tmp_path / "own.npz").read_bytes()


def test_what_ships_is_taken_from_there(inputs: Inputs) -> None:
    shipped = next(case for case in CASES if case.weights == "trained")
    assert inputs.network(shipped) == networks()[shipped.network]
    assert inputs.network(CASES[0]) == inputs.networks / "mobilenet_v1.npz"
