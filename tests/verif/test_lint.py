"""Verilator is silent for a correct part and reports a lost clock."""

from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import emit
from hwgen.chip.rtl.part import Part
from tests.tiny import Adder, Cells, Chain, Gate
from verif.lint import lint, lint_part


@pytest.mark.promise("Verilator -Wall is silent on good parts and finds a lost clock")
@pytest.mark.parametrize("part", [Adder, Cells, Chain, Gate])
def test_lint_clean(part: type[Part]) -> None:
    assert lint_part(part()) == ""


def test_a_lost_clock_is_found(tmp_path: Path) -> None:
    files = emit(Chain(), tmp_path / "rtl", parameters={})
    chain = files[-1]
    chain.write_text(chain.read_text().replace("    .clk(clk),\n", "", 1))
    assert "PINMISSING" in lint(files, top="tiny_chain")
