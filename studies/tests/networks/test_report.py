"""A row says `equal` only where every count was measured and is right."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hwgen_studies.networks.report import (
    Case,
    Measured,
    ResultRow,
    ResultsReport,
    Training,
    outcome_of,
    row_of,
)
from hwgen_studies.networks.table import results_page, results_table
from pydantic import TypeAdapter, ValidationError

from hwgen.report.files import report_text
from hwgen.report.tables import table

CASE = Case(
    network="net|work",
    network_digest="1" * 64,
    training=Training(state="float 3 epochs", short=True, accuracy=0.25, test_images=10),
    architecture="tiny",
    configuration_digest="2" * 64,
    sparsity="all",
    engine="rtl",
    batch=2,
    images=4,
    images_name="digits",
    images_digest="3" * 64,
    code="4" * 64,
    commit="abcdef+",
    machine="2 cores, x86_64",
    command="hwgen run network.npz tiny.yaml",
)
MEASURED = Measured(
    program_digest="5" * 64,
    steps=7,
    maps=5,
    maps_compared=4,
    maps_fused=1,
    mismatches=0,
    runs=2,
    runs_equal=2,
    images_equal=4,
    cycles_model=1000,
    cycles_rtl=1000,
    load_cycles_model=30,
    load_cycles_rtl=30,
    bit_columns=2.5,
    difference=None,
    seconds={"rtl": 12.4},
)


@pytest.mark.promise(
    "the table of complete networks says equal only where every count was measured and is right"
)
def test_equal_in_all_counts() -> None:
    assert row_of(CASE, MEASURED).outcome == "equal"


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"mismatches": 1}, "values differ"),
        ({"mismatches": None}, "values differ"),
        ({"maps_compared": 3}, "values differ"),
        ({"maps_compared": 0, "maps_fused": 5}, "values differ"),
        ({"images_equal": 3}, "values differ"),
        ({"cycles_rtl": 1001}, "cycles or events differ"),
        ({"cycles_rtl": None}, "cycles or events differ"),
        ({"load_cycles_rtl": 31}, "cycles or events differ"),
        ({"runs_equal": 1}, "cycles or events differ"),
        ({"runs": 1, "runs_equal": 1}, "cycles or events differ"),
        ({"runs": 0, "runs_equal": 0}, "cycles or events differ"),
        ({"difference": "run 0, step conv1, end"}, "cycles or events differ"),
    ],
)
def test_one_count_is_enough_to_differ(change: dict[str, Any], outcome: str) -> None:
    measured = replace(MEASURED, **change)
    row = row_of(CASE, measured)
    assert row.outcome == outcome
    assert not ResultsReport(format="hwgen.report.results", version=1, rows=[row]).sound
    with pytest.raises(ValidationError, match="as the counts say"):
        replace(row, outcome="equal")


def test_what_was_not_simulated_is_not_equal() -> None:
    assert outcome_of(replace(CASE, engine="model"), MEASURED) == "not simulated"
    assert outcome_of(CASE, None) == "failed"
    with pytest.raises(ValidationError, match="as the counts say"):
        replace(row_of(CASE, None, "no chip"), outcome="equal")


def test_a_failure_has_a_sentence_and_a_result_has_none() -> None:
    for measured, failure in ((None, None), (MEASURED, "no chip")):
        with pytest.raises(ValidationError):
            row_of(CASE, measured, failure)


def test_a_row_is_read_back_and_an_altered_one_is_refused() -> None:
    row, reader = row_of(CASE, MEASURED), TypeAdapter(ResultRow)
    text = report_text(row)
    assert reader.validate_json(text) == row
    altered = json.loads(text)
    altered["measured"]["cycles_rtl"] += 1
    with pytest.raises(ValidationError, match="cycles or events differ, as the counts say"):
        reader.validate_json(json.dumps(altered))


@pytest.mark.promise(
    "that table shows every run, a failed one too, and how each network was really trained"
)
def test_the_page_shows_every_row() -> None:
    trained = replace(CASE, network="long", training=replace(CASE.training, short=False))
    rows = [
        row_of(CASE, MEASURED),
        row_of(trained, replace(MEASURED, cycles_rtl=999, difference="counter cycles")),
        row_of(replace(CASE, network="refused"), None, "exit code 2: too large"),
        row_of(
            replace(CASE, network="predicted", engine="model"),
            replace(MEASURED, cycles_rtl=None, load_cycles_rtl=None, seconds={}),
        ),
    ]
    report = ResultsReport(format="hwgen.report.results", version=1, rows=rows)
    page = results_page(report).splitlines()
    assert page[0] == "# Complete networks on the chip `tiny`"
    assert [line for line in page if "| all | 2 |" in line][:4] == [
        "| long | tiny | all | 2 | 25.00% of 10 | 1,000 | 999 | **cycles or events differ** |",
        "| net\\|work | tiny | all | 2 | 25.00% of 10\\* | 1,000 | 1,000 | equal |",
        "| refused | tiny | all | 2 | 25.00% of 10\\* | - | - | **failed** |",
        "| predicted | tiny | all | 2 | 25.00% of 10\\* | 1,000 | - | not simulated |",
    ]
    assert "| net\\|work | tiny | all | 2 | float 3 epochs | 12 | abcdef+ | [1] |" in page
    assert "| net\\|work | tiny | all | 2 | 7 | 4 / 1 | 30 | 2.50\\* |" in page
    assert "| refused | tiny | all | 2 | float 3 epochs | - | abcdef+ | [1] |" in page
    assert "| refused | tiny | all | 2 | - | - | - | - |" in page
    assert "Run on: 2 cores, x86_64." in page
    assert max(line.count(" | ") for line in page) == 7
    assert any(line.startswith("\\* random weights or a short training") for line in page)
    assert page[-2:] == [
        "- long, sparsity all, batch 2: counter cycles",
        "- refused, sparsity all, batch 2: exit code 2: too large",
    ]
    assert "1. `hwgen run network.npz tiny.yaml`" in page


def test_a_sound_page_lists_no_failure() -> None:
    trained = replace(CASE, training=replace(CASE.training, short=False))
    rows = [row_of(trained, MEASURED)]
    report = ResultsReport(format="hwgen.report.results", version=1, rows=rows)
    assert report.sound
    page = results_page(report)
    assert "Failures" not in page and "\\*" not in page
    assert results_table(report).row_count == 1
    assert isinstance(results_table(report), type(table([])))
