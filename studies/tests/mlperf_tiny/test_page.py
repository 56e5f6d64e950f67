"""The committed results of published networks: whole, equal, and as their page says."""

from pathlib import Path

import pytest
from hwgen_studies.mlperf_tiny.page import mlperf_tiny_page
from hwgen_studies.mlperf_tiny.report import MlperfTinyReport
from pydantic import TypeAdapter

from studies.tests.results.ledger import marked

ROOT = Path(__file__).parents[3]
PAGE, REPORT = ROOT / "docs/results/mlperf-tiny.md", ROOT / "studies/results/mlperf-tiny.json"
NETWORKS = {"autoencoder", "dscnn", "mobilenetv1", "resnet8"}


@pytest.fixture(scope="module")
def report() -> MlperfTinyReport:
    """The committed report."""
    text = REPORT.read_bytes()
    return TypeAdapter(MlperfTinyReport).validate_json(text)


@pytest.mark.promise(
    "published int8 networks run dense, as published with digits off and on, and fitted, beside"
    " their agreement with LiteRT, layer by layer"
)
def test_the_committed_page_is_that_of_the_committed_report(report: MlperfTinyReport) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert marked(page, "") == mlperf_tiny_page(report)


def test_every_published_network_ran_whole_and_equal(report: MlperfTinyReport) -> None:
    assert report.sound
    assert {network.name.split("_")[0] for network in report.networks} == NETWORKS
    for network in report.networks:
        kinds = [(run.weights, run.row.case.sparsity) for run in network.runs]
        assert kinds == [
            ("published", "none"),
            ("published", "weight_values,input_bits"),
            ("published", "all"),
            ("fitted", "all"),
        ]
        for run in network.runs:
            found = run.row.measured
            assert found is not None and run.row.outcome == "equal"
            assert run.row.case.images >= 2 and run.row.case.architecture == "paper_float32"
            assert found.maps_compared + found.maps_fused == found.maps
            assert found.cycles_rtl == found.cycles_model
            assert run.row.case.commit is not None and "+" not in run.row.case.commit


def test_resnet8_is_as_accurate_as_in_litert(report: MlperfTinyReport) -> None:
    (answers,) = [net.answers for net in report.networks if net.name.startswith("resnet8")]
    assert answers.data.images == 10_000
    assert answers.accuracy_golden is not None
    assert answers.accuracy_golden == answers.accuracy_runtime


def test_every_answer_is_litert_s(report: MlperfTinyReport) -> None:
    for network in report.networks:
        assert network.answers.data.images >= 1_000
        for found in (network.agreement, network.answers):
            assert found.exact and found.first is None and found.output is not None
            assert found.output.equal == 1
