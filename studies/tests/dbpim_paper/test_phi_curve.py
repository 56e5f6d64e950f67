"""Accuracy against cycles where groups of filters get fewer digits."""

import json
from pathlib import Path

import pytest
from hwgen_studies.dbpim_paper import phi_curve
from hwgen_studies.dbpim_paper.phi_curve import main

ROOT = Path(__file__).parents[3]


@pytest.mark.promise(
    "groups of filters that bear it get one digit or none, the cheapest by measured loss first,"
    " within a budget of accuracy"
)
def test_a_curve_from_steps_to_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ends of the curve, and a point behind them."""
    monkeypatch.setattr(phi_curve, "POINTS", (0.0, 1.0))
    out, report = tmp_path / "curve.md", tmp_path / "curve.json"
    pairs = tmp_path / "pairs.yaml"
    text = (ROOT / "configs/dbpim/small.yaml").read_text().replace("name: small", "name: pairs")
    pairs.write_text(f"{text}one_digit: paired\n")
    given = [
        str(ROOT / "configs/networks/digits_small_cnn.npz"),
        str(ROOT / "configs/dbpim/small.yaml"),
        str(pairs),
    ]
    options = ["--data", "digits", "--images", "100", "--work", str(tmp_path)]
    assert main([*given, *options, "--out", str(out), "--json", str(report)]) == 0
    points = json.loads(report.read_text())["points"]
    assert len(points) == 3
    first, ones = points[0], points[-2]
    assert first["steps"] == 0 and first["right"] > 0.9
    assert ones["groups"][1] > first["groups"][1]
    assert first["cycles"][0] == first["cycles"][1]
    assert ones["cycles"][1] < 0.9 * ones["cycles"][0]
    assert "cycles on pairs" in out.read_text()
    assert "curve.svg" in out.read_text() and out.with_suffix(".svg").read_text().startswith("<svg")
    assert main([*given[:1], "none.yaml", *options, "--out", str(out), "--json", str(report)]) == 2
