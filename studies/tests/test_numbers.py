"""Printed numbers with ours beside them: what is near, what has a sentence, what is counted."""

from dataclasses import replace

import pytest
from hwgen_studies.comparison import row
from hwgen_studies.numbers import (
    BARS,
    NOT_ASKED,
    Number,
    Ours,
    Printed,
    beside,
    counts,
    named,
    numbers_of,
    ours_of,
    published,
    titles_of,
    value_of,
    values_of,
)
from hwgen_studies.pimsyn_paper.published_chips import IMAGES, PEAK_TOPS_PER_W

PRINTED = Printed(id="1.a", document="1", place="Table I", what="time", value=2.0, unit="ms")
FAR = Ours(value=3.0, reason="slower")


def number(ours: float | None, **keys: object) -> Number:
    """Return a number with ours."""
    return Number(printed=replace(PRINTED, **keys), ours=Ours(value=ours, reason="slower"))


def test_ids_are_unique_and_words_are_three_at_most() -> None:
    ids = [each.id for each in published()]
    assert len(ids) == len(set(ids))
    for each in published():
        assert each.id.startswith(f"{each.document}.")
        assert each.bars == (each.value is None) == (each.at is not None), each.id
        assert each.lacks is None or len(each.lacks.split()) <= 3, each.id
        assert each.lacks is None or each.ours is None, each.id


def test_every_document_belongs_to_one_command() -> None:
    papers = {paper: numbers_of(paper) for paper in ("cadnn", "dbpim", "pimsyn")}
    assert sum(map(len, papers.values())) == len(published())
    assert {name for paper in papers for name in titles_of(paper)} == {"001", "002", "003", "004"}


@pytest.mark.promise("a printed number that ours misses by more than 10 % has a sentence")
def test_what_is_farther_than_ten_percent_has_its_sentence() -> None:
    assert (number(2.19).near, number(2.19).why) == (True, "")
    assert (number(2.21).near, number(2.21).why) == (False, "slower")
    assert number(2.21).deviation_percent == pytest.approx(10.5)
    assert number(None).why == "slower"
    assert Number(printed=PRINTED, ours=None).why == NOT_ASKED
    assert number(2.0, lacks="ImageNet").why == "ImageNet"
    assert number(2.0, lacks="ImageNet").value is None
    assert number(None, value=None, bars=True, at="picture a").why.endswith("picture a")


def test_ours_is_told_in_the_form_of_the_document() -> None:
    assert number(-2.0, turned=True).value == 2.0
    assert number(1.02, gain=True).value == pytest.approx(2.0)


def test_rows_are_found_by_figure_words_and_network() -> None:
    rows = [row("Table I", "time", "net", published=None, ours=3.0, unit="ms", reason="slower")]
    like = {"Table I": Ours(value=None, reason="", weights="drawn", clock="1 MHz")}
    found = ours_of(rows, like)
    assert found == {"Table I | time | net": replace(FAR, weights="drawn", clock="1 MHz")}
    (one,) = beside([replace(PRINTED, network="net")], found)
    assert one.value == 3.0
    (other,) = beside([PRINTED], found)
    assert other.ours is None
    assert named("Table I", "time") == "Table I | time |"


def test_counts_are_of_each_kind() -> None:
    numbers = [number(2.0), number(3.0), number(None), number(1.0, lacks="ImageNet")]
    numbers += [number(None, value=None, bars=True, at="a")]
    assert counts(numbers) == {
        "printed": 4,
        "with ours": 2,
        "of them within 10 %": 1,
        "that can be had, without ours": 1,
        "ImageNet": 1,
        BARS: 1,
    }


def test_values_are_those_of_the_file() -> None:
    assert value_of("001.text5b.energy") == 2.7
    assert values_of("001.table2.parameters") == (25.5, 14.7, 6.9, 2.0)
    with pytest.raises(ValueError, match="not enough values"):
        value_of("001.table2")


@pytest.mark.promise("a published number has one source, and the product's constants are the same")
def test_constants_of_the_product_are_those_of_the_file() -> None:
    for name, peak in PEAK_TOPS_PER_W.items():
        assert value_of(f"003.table4.{name.lower()}") == peak
    keys = {"edp": "edp_ms_mj", "energy": "energy_mj", "latency": "latency_ms"}
    for who, images in IMAGES.items():
        for network, image in images.items():
            start = f"003.table5.{network.removeprefix('cifar_')}.{who.lower()}"
            for key, field in keys.items():
                assert value_of(f"{start}.{key}.cifar-10") == getattr(image, field)
