"""Operands as rows of chunks: read, cut and written."""

import pytest

from hwgen.chip.rtl.atoms import Chunk, chunks, sliced, width_of, written

WIDTHS = {"a": 8, "b": 4, "\\end ": 1, "§1": 9}


@pytest.mark.parametrize(
    ("atom", "width"),
    [
        ("a", 8),
        ("a[3]", 1),
        ("a[6:2]", 5),
        ("\\end ", 1),
        ("5'h1f", 5),
        ("{ a, 2'h0, b[1:0] }", 12),
        ("$signed({ a, b })", 12),
        ("$signed(§1)", 9),
    ],
)
def test_widths(atom: str, width: int) -> None:
    assert width_of(atom, WIDTHS) == width


def test_braces_are_a_row_of_chunks() -> None:
    assert chunks("{ a[6:2], 2'h1, b }", WIDTHS) == [
        Chunk("a", 2, 5),
        Chunk("", 0, 2, "2'h1"),
        Chunk("b", 0, 4),
    ]


@pytest.mark.parametrize(("atom", "error"), [("a + b", ValueError), ("lost", KeyError)])
def test_what_is_no_known_atom(atom: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        chunks(atom, WIDTHS)


@pytest.mark.parametrize(
    ("low", "width", "text"),
    [
        (0, 14, "{ a, 2'h1, b }"),
        (0, 4, "b"),
        (2, 2, "b[3:2]"),
        (3, 2, "{ 1'h1, b[3] }"),
        (5, 3, "{ a[1:0], 1'h0 }"),
        (13, 1, "a[7]"),
    ],
)
def test_bits_of_a_row(low: int, width: int, text: str) -> None:
    parts = sliced(chunks("{ a, 2'h1, b }", WIDTHS), low, width)
    assert parts is not None
    assert written(parts, WIDTHS) == text


def test_an_undefined_constant_is_not_cut() -> None:
    assert sliced(chunks("4'hx", WIDTHS), 0, 2) is None
    assert sliced(chunks("4'hx", WIDTHS), 0, 4) == [Chunk("", 0, 4, "4'hx")]


def test_neighbours_of_one_signal_are_one() -> None:
    assert written(chunks("{ a[7:4], a[3:1], a[0] }", WIDTHS), WIDTHS) == "a"
    assert written(chunks("{ a[3:1], a[7:4] }", WIDTHS), WIDTHS) == "{ a[3:1], a[7:4] }"
