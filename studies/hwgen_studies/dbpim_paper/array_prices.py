"""What an array of cells takes besides its bits: tables with a price a column and a row.

    python -m hwgen_studies.dbpim_paper.array_prices --liberty LIB --out FOLDER

The table that ships has a price a bit alone, that of an array of 16 rows, so an array of two rows
seems to need no drivers and no amplifiers. This writes two tables, for `--energy`: `latches.yaml`,
by netlists of arrays of latches in the NanGate cells of LIB, and `density.yaml`, by the density of
a published macro of 28 nm, whose columns keep what they have beside their cells.

Tests: `studies/tests/dbpim_paper/test_array_prices.py`.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from hwgen.chip.widths import bits_for_index
from hwgen.commands.explore import yaml_text
from hwgen.dbpim.facts.energy import Area, EnergyTable
from hwgen.dbpim.model.energy import default_table
from hwgen.files.output import write_text
from hwgen.physical.liberty import liberty_text
from hwgen.physical.modules import RUN
from hwgen.physical.read_library import load_library

SIZES = ((2, 16), (2, 64), (2, 128), (4, 16), (4, 64), (4, 128), (8, 16), (8, 64), (16, 16))
"""Rows and columns of the arrays that are mapped, as compartments have them."""
DENSITY_MB_MM2 = 1.041
"""Of the ADC-less macro of ISSCC 2022 that the paper extends (its [20]), 28 nm, all of it."""
ROWS = 16
"""Of a column of that macro, assumed: those of the paper that extends it."""
SQUARES_OF_A_CELL = 146
"""Of 45 nm: a cell of six transistors in CACTI 7."""
NODE_UM = 0.045
TO_45_NM = 408 / 224
"""Of an area of an array at 28 nm: NeuroSim 1.3 at both nodes, as in the tables that ship."""
LATCH = "DLH_X1"
TECHMAP = f"""module \\$_DLATCH_P_ (input E, D, output Q);
  {LATCH} cell_i (.G(E), .D(D), .Q(Q));
endmodule
"""
SCRIPT = """read_verilog {folder}/array.v
synth -flatten -top latches
techmap -map {folder}/map.v
abc -liberty {folder}/cells.lib
clean
tee -q -o {folder}/counts stat -liberty {folder}/cells.lib
"""
REPLACED = ("chip_cell", "chip_metadata_bit")


@dataclass(frozen=True, kw_only=True)
class Price:
    """um2 of a bit, a column and a row of an array, and where they are from."""

    bit: float
    column: float
    row: float
    source: str

    def of(self, rows: int, columns: int) -> float:
        """Return the area of an array."""
        return rows * columns * self.bit + columns * self.column + rows * self.row


def array_verilog(rows: int, columns: int) -> str:
    """Return an array of latches with the ports of `dbpim_cell_array`: a row is written or read.

    A word line is high in the second half of a cycle that writes, when its decoder is stable.
    """
    bits, last = bits_for_index(rows), columns - 1
    lines = [f"  reg [{last}:0] row_{row};" for row in range(rows)]
    for row in range(rows):
        lines += [f"  wire line_{row} = ~clk & write_en & row == {row};"]
        lines += [f"  always @* if (line_{row}) row_{row} = write_data;"]
    read = " | ".join(f"row_{row} & {{{columns}{{row == {row}}}}}" for row in range(rows))
    return "\n".join(
        [
            f"module latches (input clk, write_en, input [{bits - 1}:0] row,",
            f"  input [{last}:0] write_data, output [{last}:0] q, q_n);",
            *lines,
            f"  assign q = {read};",
            "  assign q_n = ~q;",
            "endmodule\n",
        ]
    )


def array_um2(rows: int, columns: int, liberty: str) -> float:
    """Return the area of an array of latches in the cells of a library: no trees of buffers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {"array.v": array_verilog(rows, columns), "map.v": TECHMAP, "cells.lib": liberty}
        files["script"] = SCRIPT.format(folder=folder)
        for file, text in files.items():
            Path(folder, file).write_text(text, encoding="utf-8")
        command = [sys.executable, "-c", RUN, f"script {folder}/script"]
        subprocess.run(command, check=True, capture_output=True)
        counts = Path(folder, "counts").read_text(encoding="utf-8")
    found = [line for line in counts.splitlines() if "Chip area" in line]
    return float(found[-1].rsplit(maxsplit=1)[-1])


def latch_price(name: str, liberty: str) -> tuple[Price, Mapping[tuple[int, int], float]]:
    """Return the price that is nearest to the netlists of `SIZES`, and their areas.

    name: of the library whose text is given
    """
    areas = {size: array_um2(*size, liberty) for size in SIZES}
    facts = np.array([[rows * columns, columns, rows] for rows, columns in SIZES], float)
    weight = 1 / np.array(list(areas.values()))
    found, *_ = np.linalg.lstsq(facts * weight[:, None], np.ones(len(SIZES)), rcond=None)
    bit, column, row = (round(float(each), 3) for each in found)
    source = (
        f"arrays of latches of 2 to 16 rows and 16 to 128 columns, Yosys with the cells of {name}"
    )
    return Price(bit=bit, column=column, row=row, source=source), areas


def density_price() -> Price:
    """Return the price by which columns of `ROWS` rows have the published density at 45 nm."""
    whole = 1e6 / (DENSITY_MB_MM2 * 2**20) * TO_45_NM
    bit = SQUARES_OF_A_CELL * NODE_UM**2
    return Price(
        bit=round(bit, 3),
        column=round(ROWS * (whole - bit), 3),
        row=0.001,
        source=(
            f"{DENSITY_MB_MM2} Mb/mm2 of a macro of 28 nm (ISSCC 2022) at 45 nm, columns of"
            f" {ROWS} rows assumed; a cell of {SQUARES_OF_A_CELL} F2 (CACTI 7), the rest a column"
        ),
    )


def priced(table: EnergyTable, name: str, price: Price) -> EnergyTable:
    """Return a table whose arrays have a price a bit, a column and a row."""
    kept = [each for each in table.area if each.unit not in REPLACED]
    return replace(table, name=f"{table.name}_{name}", area=[*kept, *entries(price)])


def entries(price: Price) -> Iterator[Area]:
    """Yield the areas of the arrays of a chip."""
    figures = {
        "chip_cell": price.bit,
        "chip_metadata_bit": price.bit,
        "chip_array_column": price.column,
        "chip_array_row": price.row,
    }
    for unit, um2 in figures.items():
        yield Area(
            part="cells",
            um2=um2,
            units=1,
            unit=unit,  # type: ignore[arg-type]
            memory=True,
            source=price.source,
        )


def table_text(table: EnergyTable) -> str:
    """Return the file of a table."""

    def given(value: object) -> object:
        if isinstance(value, dict):
            return {key: given(each) for key, each in value.items() if each is not None}
        return [given(each) for each in value] if isinstance(value, list | tuple) else value

    content = given(asdict(table))
    assert isinstance(content, dict)
    return yaml_text(content)


def main(arguments: Sequence[str]) -> int:
    """Map, fit and write; return the exit code."""
    parser = argparse.ArgumentParser("dbpim-array-prices", description=__doc__)
    parser.add_argument("--liberty", type=Path, required=True, help="cells of the latches")
    parser.add_argument("--out", type=Path, required=True, help="folder of the two tables")
    given = parser.parse_args(arguments)
    library, _ = load_library(given.liberty)
    latches, areas = latch_price(library.name, liberty_text(given.liberty))
    for name, price in {"latches": latches, "density": density_price()}.items():
        text = table_text(priced(default_table(), name, price))
        write_text(given.out / f"{name}.yaml", text, what="table")
        print(f"{name}: {price.bit} um2 a bit, {price.column} a column, {price.row} a row")
    for (rows, columns), um2 in areas.items():
        fitted = latches.of(rows, columns)
        print(f"{rows} x {columns}: {um2:.1f} um2, by the prices {fitted / um2 - 1:+.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
