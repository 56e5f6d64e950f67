"""PIMSYN and ours by the same rules: tables that differ in one thing, and what they decide."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hwgen_studies.pimsyn_paper import same_rules
from hwgen_studies.pimsyn_paper.published import CODE_GOPS_PER_W
from hwgen_studies.pimsyn_paper.same_rules import OTHER, SHIPPED, TABLES, measure
from hwgen_studies.pimsyn_paper.same_rules_page import SameRulesReport, TableRow, same_rules_page

from hwgen.commands.context import Context
from hwgen.crossbar.facts.components import Components, load_components

COMPONENTS = Path(__file__).parents[3] / "configs/crossbar/components.yaml"
SIX, MACRO = "ADC of 6 bits: peak 1.08 mW, not 0.126", "router of 42 mW for each macro"


def differences(one: Any, other: Any, place: str = "") -> dict[str, tuple[Any, Any]]:
    """Return what differs between two nested values, by its place."""
    if isinstance(one, dict):
        pairs = [(f"{place}.{key}", one[key], other[key]) for key in one]
    elif isinstance(one, list | tuple):
        pairs = [(f"{place}.{at}", *both) for at, both in enumerate(zip(one, other, strict=True))]
    else:
        return {} if one == other else {place: (one, other)}
    return {k: v for at, a, b in pairs for k, v in differences(a, b, at).items()}


def changed(components: Components, what: str) -> dict[str, tuple[Any, Any]]:
    """Return what a table of parts changes."""
    return differences(asdict(components), asdict(TABLES[what](components)))


def test_each_table_changes_what_it_says() -> None:
    components = load_components(COMPONENTS)
    assert changed(components, SHIPPED) == changed(components, OTHER) == {}
    ((was, now),) = changed(components, SIX).values()
    assert (was, now) == (0.126e-3, pytest.approx(1.08e-3))
    seven = list(changed(components, "ADC of 7 bits: 2 mW a sample a ns, not 2.5").values())
    assert seven == [(4.2e-3, pytest.approx(3.2e-3)), (5.0e-3, pytest.approx(4.0e-3))]
    ((was, now),) = changed(components, "network on chip: 42 mW, not 104").values()
    assert (was, now) == (0.104, 0.042)
    each = changed(components, MACRO)
    pads = {k: now - was for k, (was, now) in each.items() if k.endswith("leakage_w")}
    assert set(each) - set(pads) == {".network_on_chip.power_w"}
    assert len(pads) == 13 and all(more == pytest.approx(0.042) for more in pads.values())


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> SameRulesReport:
    kept = {name: TABLES[name] for name in (SHIPPED, SIX, MACRO)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(same_rules, "TABLES", kept)
        context = Context(work=tmp_path_factory.mktemp("rules"), console=None)
        return measure(
            context, COMPONENTS, networks=("alexnet",), code=("alexnet",), evaluations=30
        )


@pytest.mark.promise(
    "figures of PIMSYN stand beside those of a search by the same rules, and a page says what odd"
    " entries of its table of parts change"
)
def test_what_a_table_decides(report: SameRulesReport) -> None:
    """No design has an ADC of 6 bits; a router for each macro counts as often as there are some."""
    assert report.least_adc_bits == 7
    for rules in ("published", "strict"):
        first, six, macro = (row for row in report.rows if row.rules == rules)
        assert first.macros and first.first_peak_w and macro.first_peak_w
        assert first.first_peak_w <= 49.01
        assert chip(six) == chip(first) and six.first_peak_w == first.first_peak_w
        assert math.isclose(macro.first_peak_w, first.first_peak_w - 0.104 + 0.042 * first.macros)
        assert macro.gops_per_w != first.gops_per_w


def chip(row: TableRow) -> tuple[Any, ...]:
    """Return what a search found."""
    return row.gops_per_w, row.crossbar, row.dac_bits, row.adc_bits, row.macros


def test_published_stands_beside_published(report: SameRulesReport) -> None:
    published = next(row for row in report.rows if row.rules == "published")
    assert [(row.who, row.published_gops_per_w) for row in report.code] == list(
        CODE_GOPS_PER_W["alexnet"]
    )
    assert {row.gops_per_w for row in report.code} == {published.gops_per_w}
    page = same_rules_page(report)
    assert "every design needs an ADC of 7 bits or more" in page
    assert "### alexnet, published rules" in page and "### alexnet, strict rules" in page
    assert max(line.count(" | ") for line in page.splitlines()) == 7
