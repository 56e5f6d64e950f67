"""Faults of the Verilog in one simulator: each is a line with two values, and most are caught."""

import pytest

from verif.schemata import Fault, choose, faults_of, faulty, in_lines, planted

TEXT = """module top(a, b, clk);
  reg [3:0] q;
  assign y = a & b;
  always @(posedge clk) begin
    if (rst) begin
    end else if (go) begin
      q <= 4'ha;
      q[3:0] <= c ?
          a : b;
    end
  end
endmodule
"""


def test_every_kind_of_fault() -> None:
    """No fault of a declaration, of a reset, or of a copy."""
    faults = [fault for each in faults_of({"top": TEXT}) for fault in each]
    found = [(fault.line, fault.right, fault.wrong) for fault in faults]
    assert found == [
        (3, "a & b", "a | b"),
        (6, "go", "1'h0"),
        (6, "go", "1'h1"),
        (7, "4'ha", "4'hb"),
        (8, "c ? a : b", "c ? b : a"),
    ]


def test_arms_are_exchanged_of_one_whole_choice() -> None:
    """A constant of a module stays: labels and places must be constant."""
    text = "module m;\n  localparam A = 2'h1;\n  assign y = {rest};\nendmodule\n"
    for rest in ("a ? b : c ? d : e", "f(a ? b : c)", "(x | (a ? b : c))"):
        faults = [fault for each in faults_of({"m": text.format(rest=rest)}) for fault in each]
        wrong = [fault.wrong for fault in faults if "?" in fault.wrong]
        assert wrong == ["(x & (a ? b : c))"] * rest.startswith("(x")


@pytest.mark.promise(
    "many faults of the Verilog live in one simulator, chosen when it starts; each is caught by"
    " a network of a list, or has a class"
)
def test_a_line_has_both_values() -> None:
    faults = [Fault("top", 3, "a & b", "a | b"), Fault("top", 6, "go", "1'h0")]
    package, text = planted({"top": TEXT}, faults, "top").values()
    assert package.startswith("package schemata;")
    lines = text.splitlines()
    assert lines[2] == "  assign y = schemata::chosen == 1 ? (a | b) : (a & b);"
    assert lines[5] == "    end else if (schemata::chosen == 2 ? (1'h0) : (go)) begin"
    assert '$value$plusargs("mutant=%d", schemata::chosen)' in lines[-2]
    assert lines[-1] == "endmodule"


def test_a_fault_alone_is_in_its_line() -> None:
    text = faulty(TEXT, Fault("top", 6, "go", "1'h1"))
    assert text == in_lines(TEXT).replace("else if (go) begin", "else if (1'h1) begin")


def test_a_statement_of_several_lines_is_one() -> None:
    assert in_lines(TEXT) == TEXT.replace("c ?\n          a", "c ? a")
    label = "  casez (a)\n    1'h0:\n        /* empty */;\n"
    assert in_lines(label) == label


def test_the_choice_depends_on_the_seed_alone() -> None:
    modules = {"top": TEXT}
    assert choose(modules, 3, 1) == choose(modules, 3, 1)
    assert len({each.line for each in choose(modules, 9, 2)}) == 4
    assert {each.line for each in choose(modules, 9, 2, about=r"\bgo\b|4'ha")} == {6, 7}
    assert len(choose(modules, 9, 2, about="^top ")) == 4
    assert not choose(modules, 9, 2, about="^other ")
