"""Yosys passes good Verilog, and finds what makes Verilog bad."""

from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import emit
from hwgen.errors import DesignError
from tests.tiny import Cells, Chain
from verif.yosys import synthesize

LATCH = "module bad(input e, input d, output reg q); always @* if (e) q = d; endmodule"
LOOP = """
module inverter(input a, input b, output o); assign o = ~(a & b); endmodule
module bad(input d, output x);
  wire w;
  inverter first(.a(w), .b(d), .o(x));
  inverter second(.a(x), .b(d), .o(w));
endmodule
"""


def problems_of(text: str, folder: Path) -> list[str]:
    file = folder / "bad.v"
    file.write_text(text)
    return list(synthesize([file], top="bad").problems)


@pytest.mark.promise("Yosys finds a latch and a combinational loop, and counts cells per module")
def test_clean_design(tmp_path: Path) -> None:
    found = synthesize(emit(Chain(), tmp_path / "rtl", parameters={}), top="tiny_chain")
    assert not found.problems
    chain = found.cells["tiny_chain"]
    assert [chain[name] for name in ("tiny_adder", "tiny_adder_9", "tiny_gate")] == [1, 1, 1]
    # Nine bits of sum and one of valid; the chain itself holds the last input.
    rows = {line.split()[0]: line.split()[1:] for line in found.table().splitlines()}
    assert rows["tiny_adder"][1:] == ["10", "0", "0"]
    assert rows["tiny_chain"][1:] == ["8", "0", "3"]
    assert rows["tiny_gate"] == ["1", "0", "0", "0"]


def test_memories_stay_memories(tmp_path: Path) -> None:
    found = synthesize(emit(Cells(), tmp_path / "rtl", parameters={}), top="tiny_cells")
    assert not found.problems
    assert found.table().splitlines()[-1].split()[3] == "1"


def test_latch_is_found(tmp_path: Path) -> None:
    (problem,) = problems_of(LATCH, tmp_path)
    assert "is a latch" in problem


def test_loop_through_two_modules_is_found(tmp_path: Path) -> None:
    (problem,) = problems_of(LOOP, tmp_path)
    assert "found logic loop" in problem
    assert "second.a" in problem


def test_what_yosys_cannot_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match="Yosys must accept the Verilog of bad, got ERROR"):
        problems_of("module good; endmodule", tmp_path)
