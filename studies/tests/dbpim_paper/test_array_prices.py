"""Prices of arrays: a bit, a column, a row."""

from dataclasses import replace
from pathlib import Path

import pytest
from hwgen_studies.dbpim_paper import array_prices
from hwgen_studies.dbpim_paper.array_prices import (
    Price,
    array_um2,
    density_price,
    priced,
    table_text,
)

from hwgen.dbpim.facts.arch import Arch, load_arch
from hwgen.dbpim.facts.energy import load_energy
from hwgen.dbpim.model import area_um2
from hwgen.dbpim.model.energy import default_table
from hwgen.physical.liberty import liberty_text
from hwgen.physical.read_library import default_library

ROOT = Path(__file__).parents[3]
MASKS = load_arch(ROOT / "configs/dbpim/best_masks.yaml")
DIGITS = load_arch(ROOT / "configs/dbpim/best_digits.yaml")
"""4 x 8 macros of 16 compartments: 64 columns, 4 rows; 16 columns with metadata, 4 rows."""


def cells_um2(arch: Arch, price: Price) -> float:
    table = priced(default_table(), "tried", price)
    return area_um2(arch, table=table)["cells"]


@pytest.mark.promise(
    "a table of areas may have a price a column and a row of the arrays besides their bits"
)
def test_bits_columns_and_rows_are_counted() -> None:
    def counted(arch: Arch) -> list[float]:
        tiny = {"bit": 1e-9, "column": 1e-9, "row": 1e-9, "source": "tried"}
        return [
            cells_um2(arch, Price(**{**tiny, key: 1.0}))  # type: ignore[arg-type]
            for key in ("bit", "column", "row")
        ]

    assert counted(MASKS) == pytest.approx([32 * 16 * 64 * 4, 32 * 16 * 64, 32 * 16 * 4], rel=1e-6)
    # Of each cell 3 bits of metadata, and constants of 8 filters, in an array of each macro.
    bits, columns, rows = counted(DIGITS)
    assert bits == pytest.approx(4 * columns, rel=1e-6)
    assert columns / 32 > 16 * 16 * 4 and rows == pytest.approx(32 * 17 * 4, rel=1e-6)


def test_fewer_rows_keep_what_a_column_has() -> None:
    """By a price a bit half of the rows are half of the area; a column of 16 costs more."""
    two = replace(MASKS, macro=replace(MASKS.macro, rows=2), tile_rows=1)
    free, density = Price(bit=1.6, column=1e-9, row=1e-9, source="tried"), density_price()
    assert cells_um2(two, free) == pytest.approx(cells_um2(MASKS, free) / 2, rel=1e-6)
    assert cells_um2(two, density) > 0.9 * cells_um2(MASKS, density)


def test_the_published_density() -> None:
    """1.041 Mb/mm2 at 28 nm: a column of 16 rows at 45 nm, by NeuroSim's ratio of areas."""
    price = density_price()
    column = 16 * price.bit + price.column
    assert column / 16 == pytest.approx(1e6 / (1.041 * 2**20) * 408 / 224, rel=1e-3)


def test_tables_are_files_that_commands_read(tmp_path: Path) -> None:
    table = priced(default_table(), "density", density_price())
    file = tmp_path / "density.yaml"
    file.write_text(table_text(table), encoding="utf-8")
    assert load_energy(file) == table
    assert table.name == "dbpim_45nm_density"


def test_a_bit_of_a_netlist_is_a_latch_and_its_part_of_the_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In an open library: four rows take about twice of two, and no flip-flop."""
    file = default_library()
    latch = array_prices.TECHMAP.replace(array_prices.LATCH, "sg13g2_dlhq_1")
    monkeypatch.setattr(array_prices, "TECHMAP", latch.replace(".G(", ".GATE("))
    text = liberty_text(file)
    two, four = (array_um2(rows, 8, text) for rows in (2, 4))
    assert 1.7 * two < four < 2.5 * two
    assert two > 2 * 8 * 30.84, "a latch of SG13G2 has 30.8 um2"
