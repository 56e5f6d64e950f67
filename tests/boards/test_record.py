"""The page of FPGA boards has the figures of its record."""

from tests.boards import record


def test_the_page_has_the_figures_of_the_record() -> None:
    page = record.PAGE.read_text(encoding="utf-8")
    assert page == record.page_with(page, record.read_record())
    assert {each.board for each in record.read_record()} >= {"ulx3s"}


def test_a_chip_that_is_too_large_is_a_line() -> None:
    made_up = record.Run(
        chip="a/b", board="tang20k", commit=None, routed=None, refused="the chip must fit"
    )
    assert record.lines_of([made_up]) == ["- `a/b`: the chip must fit."]
