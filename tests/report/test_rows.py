"""Tables in a narrow terminal: every word of every cell is there, at any width."""

import random
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from hwgen.report.tables import BAR, table

ROOT = Path(__file__).parents[2]
WORDS = ["conv", "/features.0/Conv_output", "12", "of", "3,456", "relu", "a", "0.25x"]


def shown(rows: object, width: int) -> list[str]:
    said = StringIO()
    Console(width=width, file=said, color_system=None).print(rows, crop=False)
    return said.getvalue().splitlines()


def number(draw: random.Random) -> str:
    count = f"{draw.randrange(10 ** draw.randrange(1, 13)):,}"
    return draw.choice([count, count, "-", f"{draw.random():.1%}", f"{draw.random():.2f} %"])


def text(draw: random.Random) -> str:
    return " ".join(draw.choices(WORDS, k=draw.randrange(7)))


@pytest.mark.promise("no cell of a table is cut, however narrow the terminal is")
@pytest.mark.parametrize("seed", range(40))
def test_no_word_is_cut(seed: int) -> None:
    draw = random.Random(seed)
    count, width = draw.randrange(1, 13), draw.choice([40, 80, 80, 132])
    left = draw.randrange(count + 1)
    # Each heading and each cell of a column is as no other one.
    columns = [f"{draw.choice(['cycles', 'us an image', ''])} c{place}" for place in range(count)]
    rows = table(columns, left=left)
    cells = [[(text if at < left else number)(draw) for at in range(count)] for _ in range(5)]
    for row in cells:
        rows.add_row(*row[:-1], Text(row[-1], "green"))
    lines = shown(rows, width)
    wanted = sorted(" ".join([*columns, *(cell for row in cells for cell in row)]).split())
    assert sorted(" ".join(lines).split()) == wanted
    assert all(line == line.rstrip() for line in lines)
    # No line is longer than what the longest word of each column takes.
    least = [
        max(len(word) for cell in (name, *column) for word in cell.split())
        for name, *column in zip(columns, *cells, strict=True)
    ]
    assert max(map(len, lines)) <= max(width, sum(least) + count - 1)
    assert len(shown(rows, 1 << 16)) == 1 + len(cells)


def test_bars_go_first_and_then_the_last_text_wraps() -> None:
    rows = table(["layer", "bound by", "cycles"], left=2)
    rows.add_column("picture")
    rows.bars = True
    rows.add_row("conv one", "loads of weights", "1,234,567", BAR * 30)
    assert shown(rows, 80)[1] == f"conv one loads of weights 1,234,567 {BAR * 30}"
    assert shown(rows, 40) == [
        "layer    bound by            cycles",
        "conv one loads of weights 1,234,567",
    ]
    assert shown(rows, 27) == [
        "layer    bound by    cycles",
        "conv one loads of 1,234,567",
        "         weights",
    ]


def test_all_tables_are_of_this_kind() -> None:
    """A table that is made elsewhere would cut its cells."""
    made = [path for path in (ROOT / "hwgen").rglob("*.py") if " Table(box" in path.read_text()]
    assert not made
