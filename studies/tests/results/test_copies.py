"""Pages hold what the JSON says that they are made of, their own and that of other pages."""

from collections.abc import Callable
from typing import Any

import pytest
from hwgen_studies.cadnn_paper import page as mram_paper
from hwgen_studies.cadnn_paper.accuracies import accuracy_rows, load_trainings
from hwgen_studies.cadnn_paper.report import AdaptivePaperReport
from hwgen_studies.cadnn_paper.training_page import training_page
from hwgen_studies.cadnn_paper.widths_report import WidthsReport, widths_page
from hwgen_studies.dbpim_paper import lanes, one_digit_page, phi_curve_page, race_limits
from hwgen_studies.dbpim_paper.area_race_page import AreaRaceReport, area_race_page
from hwgen_studies.dbpim_paper.report import ZerosReport
from hwgen_studies.dbpim_paper.zeros import zeros_files
from hwgen_studies.device_points_page import DevicePoints
from hwgen_studies.device_points_page import page as device_points_page
from hwgen_studies.mlperf_tiny.page import mlperf_tiny_page
from hwgen_studies.mlperf_tiny.report import MlperfTinyReport
from hwgen_studies.networks.families_page import families_page
from hwgen_studies.networks.families_report import FamiliesReport
from hwgen_studies.pimsyn_paper.report import PaperReport
from hwgen_studies.pimsyn_paper.same_rules_page import SameRulesReport, same_rules_page
from hwgen_studies.pimsyn_paper.table import paper_files
from pydantic import TypeAdapter

from studies.tests.results.ledger import marked, read_pages
from studies.tests.results.records import RECORDS as RESULTS
from studies.tests.zoo import crossbar_chips, crossbar_rules
from studies.tests.zoo import results as onnx
from tests.physical import clocks

LANES = [f"dbpim-lanes-{name}.svg" for name in ("cifar10_resnet20_50", "cifar10_cct")]


def transformers(found: dict[str, Any]) -> str:
    """Return the page; what writes it needs torch and onnxruntime."""
    from studies.tests.corpus.transformer_page import page

    return page(found)


OWN: dict[str, tuple[Any, Callable[[Any], str]]] = {
    "clock": (clocks.ClocksReport, clocks.page),
    "crossbar-chip": (crossbar_chips.ChipsReport, crossbar_chips.page),
    "crossbar-rules": (dict[str, Any], lambda found: crossbar_rules.page(found["rows"])),
    "dbpim-digits": (one_digit_page.OneDigitReport, one_digit_page.page),
    "dbpim-lanes": (lanes.LanesReport, lambda found: lanes.page(found, LANES)),
    "dbpim-phi": (
        phi_curve_page.PhiCurveReport,
        lambda found: phi_curve_page.phi_curve_page(found, "dbpim-phi.svg"),
    ),
    "dbpim-race": (AreaRaceReport, lambda found: area_race_page(found, "dbpim-race.svg")),
    "dbpim-race-limits": (race_limits.RaceLimitsReport, race_limits.page),
    "dbpim-zeros": (ZerosReport, lambda found: zeros_files(found)["dbpim-zeros.md"]),
    "device-points": (DevicePoints, device_points_page),
    "mlperf-tiny": (MlperfTinyReport, mlperf_tiny_page),
    "mram-overlap": (WidthsReport, widths_page),
    "mram-paper": (
        AdaptivePaperReport,
        lambda found: "\n".join(mram_paper.page_lines(found)) + "\n",
    ),
    "mram-resnet20": (WidthsReport, widths_page),
    "mram-training": (dict[str, Any], lambda found: training_page(found["rows"])),
    "onnx": (
        dict[str, Any],
        lambda found: onnx.table([onnx.Row(**each) for each in found["rows"]]),
    ),
    "pimsyn-paper": (PaperReport, lambda found: paper_files(found)["pimsyn-paper.md"]),
    "pimsyn-rules": (SameRulesReport, same_rules_page),
    "three-families": (
        FamiliesReport,
        lambda found: families_page(found, "three-families.svg"),
    ),
    "transformers": (dict[str, Any], transformers),
}
"""By page: what its JSON is, and what writes the page."""
NONE = {"import-corpus", "onnxruntime", "popular-networks"}
"""Pages without a JSON."""


def report_of(name: str) -> Any:
    """Return what the JSON of a page holds."""
    return TypeAdapter(OWN[name][0]).validate_json((RESULTS / f"{name}.json").read_bytes())


def text_of(name: str) -> str:
    """Return a page without its mark."""
    return marked(read_pages()[name].text(), "")


@pytest.mark.promise(
    "a page of results says what its JSON says, and what it copies from another page's JSON"
    " stands there"
)
def test_every_page_is_held_to_its_json_or_has_none() -> None:
    assert {name for name, page in read_pages().items() if not page.history} == NONE | OWN.keys()
    assert not [name for name in NONE if (RESULTS / f"{name}.json").exists()]


@pytest.mark.parametrize("name", OWN)
def test_a_page_is_what_its_json_says(name: str) -> None:
    assert text_of(name) == OWN[name][1](report_of(name))


def test_accuracies_of_mram_paper_are_those_of_the_table_of_trainings() -> None:
    rows = list(accuracy_rows(load_trainings([RESULTS / "mram-training.json"])))
    report = report_of("mram-paper")
    figures = {row.figure for row in rows}
    assert [row for row in report.rows if row.figure in figures] == rows
