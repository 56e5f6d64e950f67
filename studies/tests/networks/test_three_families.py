"""One network on three families: rows, page, and what they are made of."""

import json
from pathlib import Path

import pytest
from hwgen_studies.networks import three_families
from hwgen_studies.networks.three_families import (
    CASES,
    Case,
    FamiliesReport,
    Inputs,
    families_page,
    main,
)

from hwgen import api
from hwgen.files.load import validate_spec

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "studies/results"
SMALL = (
    Case(family="dbpim", network="digits_small_cnn", chip="dbpim/small", clock="dbpim/tiny"),
    Case(
        family="mram", network="cadnn_digits", chip="mram/small", clock="mram/paper", mode="0.25x"
    ),
    Case(
        family="crossbar",
        network="digits_small_cnn",
        chip="crossbar",
        clock="crossbar/digits_small_cnn",
    ),
)


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    synthesis = tmp_path / "synthesis.json"
    content = {"format": "hwgen.report.synthesize", "version": 1, "area_mm2": 1.25}
    synthesis.write_text(json.dumps(content))
    return Inputs(
        crossbar=ROOT / "configs/crossbar/digits_small_cnn.yaml",
        synthesis=synthesis,
        clocks=RESULTS / "clock.json",
        training=RESULTS / "mram-training.json",
    )


def test_accuracies_are_those_of_the_records(inputs: Inputs) -> None:
    found = [(case.family, case.mode, round(inputs.accuracy(case), 4)) for case in CASES]
    assert found == [
        ("dbpim", None, 0.9142),
        ("mram", "1.0x", 0.9125),
        ("mram", "0.25x", 0.7698),
        ("crossbar", None, 0.9142),
    ]


def test_from_three_chips_to_the_page(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(three_families, "CASES", SMALL)
    monkeypatch.setattr(Inputs, "accuracy", lambda *_: 0.5)
    out, report = tmp_path / "page.md", tmp_path / "page.json"
    given = {
        "crossbar": inputs.crossbar,
        "synthesis": inputs.synthesis,
        "clocks": inputs.clocks,
        "training": inputs.training,
        "work": tmp_path,
        "out": out,
        "json": report,
    }
    arguments = [text for key, value in given.items() for text in (f"--{key}", str(value))]
    assert main(arguments) == 0
    rows = json.loads(report.read_text())["rows"]
    assert [row["family"] for row in rows] == ["dbpim", "mram", "crossbar"]
    for row, case in zip(rows, SMALL, strict=True):
        chip = inputs.crossbar if case.family == "crossbar" else case.chip
        mode = {"mode": case.mode} if case.mode else {}
        context = api.Context(work=tmp_path, console=None)
        own = api.model(case.network, chip, images=1, context=context, **mode)
        assert own.energy is not None
        assert row["cycles"] == own.cycles_model
        assert row["time_us"] == pytest.approx(own.cycles_model * row["ns"] / 1000)
        assert row["energy"]["with_outside_uj"] == own.energy.with_outside_uj
        assert row["area_mm2"] > 0
    assert rows[2]["area_mm2"] == 1.25
    page = out.read_text()
    assert "| mram, `small`, 0.25x | 50.00%" in page and "64 sub-arrays" in page
    assert main([*arguments, "--crossbar", "none.yaml"]) == 2


@pytest.mark.promise(
    "a page has one network on a chip of each family: us at the clock of a netlist, uJ with and"
    " without the memory outside, mm2, accuracy"
)
def test_the_committed_page_is_what_its_report_says() -> None:
    content = json.loads((RESULTS / "three-families.json").read_text(encoding="utf-8"))
    report = validate_spec(FamiliesReport, content, source="three-families.json")
    page = (ROOT / "docs/results/three-families.md").read_text(encoding="utf-8")
    assert page.endswith(families_page(report))
    assert {row.family for row in report.rows} == {"dbpim", "mram", "crossbar"}
    for row in report.rows:
        assert row.energy.image_uj < row.energy.with_outside_uj
        assert row.time_us == pytest.approx(row.cycles * row.ns / 1000)
