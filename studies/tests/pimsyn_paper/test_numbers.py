"""What stands beside PIMSYN's numbers, of the report of the last page."""

import pytest
from hwgen_studies.numbers import beside, counts, numbers_of
from hwgen_studies.pimsyn_paper.command import PimsynPaper
from hwgen_studies.pimsyn_paper.numbers import ours
from hwgen_studies.pimsyn_paper.report import PaperReport
from pydantic import TypeAdapter

from studies.tests.results.records import RECORDS

NAMES = {
    "003.conv3.copies": 64.0,
    "003.conv3.kb": 72.0,
    "003.conv3.cycles": 23.04,
    "003.filter": 30.0,
}


@pytest.fixture(scope="module")
def report() -> PaperReport:
    content = (RECORDS / "pimsyn-paper.json").read_bytes()
    return TypeAdapter(PaperReport).validate_json(content)


@pytest.mark.promise("each number that PIMSYN's paper prints has ours beside it, or says why not")
def test_every_number_has_ours_or_says_why_not(report: PaperReport) -> None:
    found = {each.printed.id: each for each in beside(numbers_of("pimsyn"), ours(report))}
    assert counts(list(found.values()))["that can be had, without ours"] == 0
    for name, value in NAMES.items():
        assert found[name].value == pytest.approx(value)
    rows = {(row.what, row.network): row.ours for row in report.rows}
    isaac = rows["peak efficiency, ISAAC", None]
    best = max(ours or 0 for (what, _), ours in rows.items() if what == "peak efficiency, PIMSYN")
    assert isaac is not None
    assert found["003.table4.over.isaac"].value == pytest.approx(best / isaac)
    ratio = rows["efficiency, annealed / proportional copies (text), mean", None]
    assert ratio is not None
    assert found["003.fig7.efficiency"].value == pytest.approx(100 * ratio - 100)
    assert 80 < (found["003.isaac.peripherals"].value or 0) < 100


def test_the_page_of_a_report(report: PaperReport) -> None:
    page = PimsynPaper().html(report)
    assert "<td>21.45</td>" in page and "rivals&#39; chips" in page
    assert "PIMSYN: Synthesizing" in page
