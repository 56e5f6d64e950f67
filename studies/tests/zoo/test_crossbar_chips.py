"""The page of crossbar chips: rows from what two commands left."""

import json
from pathlib import Path
from typing import Any

import pytest

from studies.tests.zoo import crossbar_chips
from studies.tests.zoo.crossbar_chips import main

CHIP = "ab" * 32
FOUND: dict[str, Any] = {
    "network": {"name": "digits_small_cnn"},
    "architecture_digest": CHIP,
    "power_budget_w": 0.6,
    "efficiency_gops_per_w": 331.58,
    "bound_gops_per_w": None,
    "gap_to_bound_percent": None,
    "steps": 121,
    "step_ns": 100.0,
    "peak_power_w": 0.5348,
    "chip": {"macros": 3, "crossbars": 124},
    "evaluations": 855692,
}
RAN: dict[str, Any] = {
    "engine": "rtl",
    "setting": {"architecture": {"digest": CHIP}, "network": {"digest": "cd" * 32}},
    "images": [{}, {}, {}, {}],
    "accuracy": 0.75,
    "mismatches": 0,
    "cycles_model": 48516,
    "cycles_rtl": 48516,
    "starts_checked": 1292,
    "starts_different": 0,
    "held_clocks": 0,
}


def made(folder: Path, monkeypatch: pytest.MonkeyPatch, **ran: Any) -> int:
    """Return the exit code over one folder whose run says `ran`."""
    monkeypatch.setattr(crossbar_chips, "RESULTS", folder)
    (folder / "report.json").write_text(json.dumps(FOUND))
    (folder / "run.json").write_text(json.dumps({**RAN, **ran}))
    return main([str(folder)])


def test_a_row_is_what_search_and_run_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both tables, and the same figures as JSON."""
    assert made(tmp_path, monkeypatch) == 0
    text = (tmp_path / "crossbar-chip.md").read_text()
    assert (
        "| digits_small_cnn | 0.6 | 331.6 | - | - | 121 | 100 | 0.535 | 3 | 124 | 855,692 |" in text
    )
    assert "| digits_small_cnn | 0.6 | 4 | 3 | 0 | 48,516 | 48,516 | 1,292 | 0 | 0 |" in text
    (row,) = json.loads((tmp_path / "crossbar-chip.json").read_text())["rows"]
    assert row["cycles_rtl"] == 48516 and row["network_digest"] == "cd" * 32


@pytest.mark.parametrize(
    "differs", [{"mismatches": 1}, {"cycles_rtl": 1}, {"starts_different": 2}, {"held_clocks": 3}]
)
def test_a_run_that_differs_is_exit_code_1(
    differs: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page still says what was measured."""
    assert made(tmp_path, monkeypatch, **differs) == 1


def test_a_run_of_another_chip_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one sentence, and nothing is written."""
    other = {"architecture": {"digest": "ef" * 32}, "network": {"digest": "cd" * 32}}
    assert made(tmp_path, monkeypatch, setting=other) == 2
    assert "must be of the Verilog of the chip abab" in capsys.readouterr().err
    assert not (tmp_path / "crossbar-chip.md").exists()
