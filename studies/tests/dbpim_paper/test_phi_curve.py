"""Accuracy against cycles where groups of filters get fewer digits."""

import json
from pathlib import Path

import numpy as np
import pytest
from hwgen_studies.dbpim_paper import phi_curve
from hwgen_studies.dbpim_paper.phi_curve import group_rows, main

ROOT = Path(__file__).parents[3]


def test_rows_of_pairs_by_hand() -> None:
    """Rows of 4 inputs: two groups of one digit share 3 rows of 9 inputs; the third stays alone."""
    masks = np.zeros((5, 16), np.bool_)
    masks[0, :8] = masks[1, :6] = masks[2, 1:9] = masks[3, 8:16] = True
    digits = np.array([1, 2, 1, 1, 0])
    # Alone 2 + 2 + 2 + 2 + 1; groups 0 and 2 have inputs 0 to 8 together.
    assert group_rows(digits, masks, size=4) == (9, 3 + 2 + 2 + 1)


@pytest.mark.promise(
    "groups of filters that bear it get one digit or none, the cheapest by measured loss first,"
    " within a budget of accuracy"
)
def test_a_curve_from_steps_to_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ends of the curve, and a point behind them."""
    monkeypatch.setattr(phi_curve, "POINTS", (0.0, 1.0))
    out, report = tmp_path / "curve.md", tmp_path / "curve.json"
    given = [
        str(ROOT / "configs/networks/digits_small_cnn.npz"),
        str(ROOT / "configs/dbpim/small.yaml"),
    ]
    options = ["--data", "digits", "--images", "100", "--work", str(tmp_path)]
    assert main([*given, *options, "--out", str(out), "--json", str(report)]) == 0
    points = json.loads(report.read_text())["points"]
    assert len(points) == 3
    first, ones = points[0], points[-2]
    assert first["steps"] == 0 and first["right"] > 0.9
    assert ones["groups"][1] > first["groups"][1]
    assert ones["rows_paired"] < ones["rows"] and ones["cycles_paired"] < ones["cycles"]
    assert "curve.svg" in out.read_text() and out.with_suffix(".svg").read_text().startswith("<svg")
    assert main([*given[:1], "none.yaml", *options, "--out", str(out), "--json", str(report)]) == 2
