"""A library is read whole; its cells are found by what they do, not by their names."""

import gzip
from pathlib import Path

import pytest

from hwgen.commands.netlists import lacks
from hwgen.errors import FormatError
from hwgen.physical.functions import truth_table
from hwgen.physical.read_library import default_library, load_library
from tests.physical.library import CELLS, gate, liberty, written

NO_GATES = "the library has no clock gates: every register has a clock in every cycle"


@pytest.mark.promise(
    "a library of cells is read whole, its cells are found by what they do, and what is none is"
    " one sentence"
)
def test_the_library_that_ships() -> None:
    library, _ = load_library(default_library())
    assert library.name == "sg13g2_stdcell_typ_1p20V_25C"
    assert library.gate is not None
    assert library.gate.cell == "sg13g2_lgcp_1"
    assert (library.gate.enable, library.gate.clock) == ("GATE", "CLK")
    assert library.buffer == "sg13g2_buf_1"
    assert library.adder is None
    assert lacks(library) == ["the library has no full adders: adder trees are of gates"]
    nand = library.cells["sg13g2_nand2_1"]
    assert nand.area == 7.2576
    assert {pin.capacitance < 0.01 for pin in nand.pins.values()} == {True}


def test_units_and_tables(tmp_path: Path) -> None:
    library, _ = load_library(written(tmp_path, liberty()))
    arc = library.cells["NAND"].pins["Z"].arcs[0]
    assert arc.rise is not None
    assert arc.rise.at(0.3, 0.25) == pytest.approx(0.35)
    assert arc.rise.at(0.3, 2.0) == pytest.approx(2.1)
    assert library.cells["NAND"].pins["A"].capacitance == 0.01
    assert library.cells["DFF"].leakage_uw == pytest.approx(0.002)
    assert library.gate is None


def test_gates_and_adders_are_found_by_function(tmp_path: Path) -> None:
    adder = (
        "cell (X7) { area : 3; pin (A) { direction : input; } pin (B) { direction : input; }"
        ' pin (C) { direction : input; } pin (S) { direction : output; function : "A^(B^C)"; }'
        ' pin (D) { direction : output; function : "(A B) + C*(A|B)"; } }\n'
    )
    library, _ = load_library(written(tmp_path, liberty(more=adder)))
    assert lacks(library) == [NO_GATES]
    assert library.adder is not None
    assert (library.adder.cell, library.adder.carry, library.adder.sum) == ("X7", "D", "S")


@pytest.mark.parametrize(
    ("function", "table"),
    [("!A", 0b0101), ("A'", 0b0101), ("A B", 0b1000), ("A+B'", 0b1011), ("(A^B)", 0b0110)],
)
def test_functions(function: str, table: int) -> None:
    assert truth_table(function, ["A", "B"]) == table


@pytest.mark.parametrize("function", ["", "A B)", "A &", "C", "__import__"])
def test_what_is_no_function(function: str) -> None:
    assert truth_table(function, ["A", "B"]) is None


@pytest.mark.parametrize("what", [what for what in CELLS if what != "nand"])
def test_a_library_without_a_cell_that_is_needed(what: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=f"got a library without {what}"):
        load_library(written(tmp_path, liberty(without=what)))


def test_a_cell_that_must_not_be_used_is_not(tmp_path: Path) -> None:
    unused = gate("TINY", "A", "A", "positive_unate", area=0.1).replace(
        "area", "dont_use : true; area"
    )
    library, _ = load_library(written(tmp_path, liberty(more=unused)))
    assert library.buffer == "BUF"


@pytest.mark.parametrize(
    ("content", "given"),
    [
        (b"module m; endmodule", "text of another format|text without a group"),
        (b"", "text without a group"),
        (b"library (a) { cell (b) {", "ends within a group"),
        (b"library (a) { } }", "a brace too much"),
        (gzip.compress(liberty().encode())[:-20], "a damaged gzip file"),
        (liberty().replace("1ns", "some time").encode(), "units or tables that cannot be read"),
        (liberty().replace('"0, 1"', '"0, one"').encode(), "units or tables that cannot be read"),
        (b"\x1f\x8b broken", "a damaged gzip file"),
    ],
)
def test_what_is_no_library(content: bytes, given: str, tmp_path: Path) -> None:
    file = tmp_path / "some.lib"
    file.write_bytes(content)
    with pytest.raises(FormatError, match=given):
        load_library(file)


def test_a_library_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="got no file"):
        load_library(tmp_path / "none.lib")
