"""Figures side by side on a page: which rows are one line, and which reasons one sentence."""

from hwgen_studies.comparison import PaperRow, row
from hwgen_studies.comparison_page import compact_page, merged


def of(what: str, network: str | None, ours: float | None, reason: str = "why") -> PaperRow:
    return row("Fig. 1", what, network, published=2, ours=ours, unit="x", reason=reason)


def page(*rows: PaperRow) -> str:
    return "\n".join(compact_page(rows))


def test_networks_and_variants_are_columns() -> None:
    shown = page(of("speed", "a", 1), of("speed", "b", None), of("speed, mean", None, 3))
    assert "| what | unit | a | b | mean |" in shown
    assert "| speed | x | 2: 1 (-50.0) | 2: - | 2: 3 (+50.0) |" in shown
    assert "\n\nWhy: [1].\n\n1. why" in shown


def test_a_variant_that_is_alone_stays_in_the_words() -> None:
    shown = page(of("speed, mean", "a", 1, "why 1"), of("area", "a", 2, "because"))
    assert "| what | unit | a | why |" in shown
    assert "| speed, mean | x | 2: 1 (-50.0) | [1] |" in shown and "| area | x | " in shown


def test_reasons_that_differ_in_numbers_alone_are_one() -> None:
    given = ["of 1,200 tiles at 0.5 W", "of 30 tiles at 1.5e+01 W", "recipe a_1", "recipe a_2"]
    told = merged(given)
    assert told == ["of 30 to 1,200 tiles at 0.5 to 1.5e+01 W"] * 2 + given[2:]
