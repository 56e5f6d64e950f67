"""The bench of `dots` where arrays of another shape, or of fewer cycles, stand for it."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from hwgen.dbpim.facts.arch import Arch, MacroSize, with_sparsity
from verif.dbpim.component import settings, small
from verif.dbpim.macro_parts import macro_parts
from verif.runner import build, run

VERILOG = """
module their_dots (input ck, input [I-1:0] x, input [R-1:0] ra, wa, input %(enable)s we_n,
    input [8*I*F-1:0] wd, output [F*S-1:0] y);
  localparam I = %(inputs)d, F = %(filters)d, R = %(row_bits)d, S = %(sum_bits)d;
  localparam EARLY = %(early)d, LATE = %(late)d;
  reg [8*I*F-1:0] words[0:(1<<R)-1];
  reg [8*I*F-1:0] kept;
  reg [F*S-1:0] total, last;
  integer f, i;
  wire [8*I*F-1:0] word = EARLY ? kept : words[ra];
  always @(posedge ck) begin
    if (!we_n) words[wa] <= wd;
    %(keeps)s
    last <= total;
  end
  always @* begin
    total = 0;
    for (f = 0; f < F; f = f + 1)
      for (i = 0; i < I; i = i + 1)
        if (x[i]) total[S*f +: S] = total[S*f +: S]
            + {{S-8{word[8*(F*i+f)+7]}}, word[8*(F*i+f) +: 8]};
  end
  assign y = LATE ? last : total;
endmodule
"""
"""Weights in words, a sum in a loop; EARLY: the row comes a cycle before, LATE: registered sums."""


def chip(*, compartments: int, filters: int, cycles: int, cells: str) -> Arch:
    """Return a chip of int8 weights."""
    macro = MacroSize(compartments=compartments, columns=8 * filters, rows=8)
    dense = with_sparsity(replace(small(), macro=macro), "none")
    return replace(dense, array_cycles=cycles, cells=cells)


def theirs(folder: Path, arch: Arch, *, inputs: int, filters: int, late: int, wrong: str) -> Path:
    """Write an array of a shape; return its file."""
    row_bits, early = 4, arch.cells == "synchronous"
    sizes = {"inputs": inputs, "filters": filters, "row_bits": row_bits, "early": early}
    sizes |= {"sum_bits": 8 + (inputs - 1).bit_length(), "late": late, "enable": "ren," * early}
    sizes["keeps"] = "if (ren) kept <= words[ra];" * early
    text = VERILOG % sizes
    if wrong:
        assert text.count("x[i]") == 1
        text = text.replace("x[i]", wrong)
    (folder / "their_dots.v").write_text(text)
    pins = {"clk": "ck", "x": "x", "row": "ra", "write_row": "wa", "write_cells": "wd", "sums": "y"}
    told = {
        "format": "hwgen.replacement",
        "version": 1,
        "kind": "array",
        "name": "theirs",
        "module": "their_dots",
        "sizes": {"rows": 1 << row_bits, "inputs": inputs, "filters": filters},
        "pins": {
            **pins,
            "write_en": {"name": "we_n", "active": "low"},
            **({"read_en": "ren"} if early else {}),
        },
        "cycles": 1 + late,
        "cells": arch.cells,
        "files": {"verilog": ["their_dots.v"]},
    }
    file = folder / "theirs.yaml"
    file.write_text(yaml.safe_dump(told))
    return file


Scratch = tuple[pytest.MonkeyPatch, Path]


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scratch:
    """An environment and a folder of a test."""
    return monkeypatch, tmp_path


def bench(
    scratch: Scratch, arch: Arch, *, inputs: int, filters: int, late: int, wrong: str = ""
) -> None:
    """Run the bench of the part with arrays of a shape in it."""
    environment, folder = scratch
    file = theirs(folder, arch, inputs=inputs, filters=filters, late=late, wrong=wrong)
    environment.setenv("HWGEN_REPLACED", f"dots={file}")
    made = build(macro_parts(arch))
    run(made, module="verif.dbpim.bench_dots", folder=folder, settings=settings(arch))


@pytest.mark.dear
@pytest.mark.promise(
    "an array that computes is another one's in whole networks of all three families, by a"
    " package of its own; what does not fit is one sentence; one that computes something else"
    " fails its bench; its figures stand in the cost"
)
@pytest.mark.parametrize(
    ("part", "module", "cycles", "cells"),
    [
        pytest.param((8, 2), (4, 2), (2, 2), "combinational", id="inputs_in_two"),
        pytest.param((8, 2), (3, 1), (2, 1), "combinational", id="odd_and_faster"),
        pytest.param((4, 1), (16, 3), (2, 2), "synchronous", id="larger_early"),
        pytest.param((16, 2), (5, 3), (1, 1), "synchronous", id="one_cycle_early"),
    ],
)
def test_sums_are_those_of_the_part(
    scratch: Scratch,
    part: tuple[int, int],
    module: tuple[int, int],
    cycles: tuple[int, int],
    cells: str,
) -> None:
    """part, module: inputs and filters; cycles: of the chip's array, and of theirs."""
    arch = chip(compartments=part[0], filters=part[1], cycles=cycles[0], cells=cells)
    bench(scratch, arch, inputs=module[0], filters=module[1], late=cycles[1] - 1)


@pytest.mark.dear
@pytest.mark.parametrize("wrong", ["x[I-1-i]", "x[i] && i != I-1"])
def test_a_wrong_array_fails_its_bench(scratch: Scratch, wrong: str) -> None:
    """Inputs in another order, and an input that is left out."""
    arch = chip(compartments=8, filters=2, cycles=2, cells="combinational")
    with pytest.raises(AssertionError, match="sums_match_golden"):
        bench(scratch, arch, inputs=4, filters=2, late=1, wrong=wrong)
