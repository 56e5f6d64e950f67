"""Fewer nets: each step alone on a module that has what it looks for, and what it leaves alone."""

import pytest

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.netlist_text import NetlistText, read_netlist
from hwgen.chip.rtl.wiring import (
    narrowed,
    whole_assignments,
    without_copies,
    without_unread,
    without_wiring,
)
from tests.tiny import Chain


def module_of(*body: str, nets: str = "") -> NetlistText:
    """Return a module with inputs a, b of 8 bits and an output y of 8, and nets `name:width`."""
    declared = [f"  wire [{one.split(':')[1]}:0] \\${one.split(':')[0]} ;" for one in nets.split()]
    lines = ["  input [7:0] a;", "  input [7:0] b;", "  output [7:0] y;", *declared, *body]
    return read_netlist("\n".join(["module top(a, b, y);", *lines, "endmodule\n"]))


def test_nets_that_pass_bits_on_go() -> None:
    module = module_of(
        "  assign \\$1  = { a[3:0], b[7:4] };",
        "  assign \\$2  = \\$1 [5:2];",
        "  assign y = { 4'h0, \\$2  };",
        nets="1:7 2:3",
    )
    without_wiring(module)
    assert module.assigns == [("y", "{ 4'h0, a[1:0], b[7:6] }")]
    assert not [name for name in module.nets if name.startswith("§")]


def test_a_narrower_value_is_no_wiring() -> None:
    """An assignment that extends or cuts is an operation."""
    module = module_of("  assign \\$1  = a;", "  assign y = \\$1 [7:0];", nets="1:8")
    without_wiring(module)
    assert len(module.assigns) == 2


def test_copies_have_one_name() -> None:
    """One whose value is that of a signal is that signal."""
    module = module_of(
        "  assign \\$1  = a + b;",
        "  assign \\$2  = a + b;",
        "  assign \\$3  = a & b;",
        "  assign \\$4  = \\$1  ^ \\$2 ;",
        "  assign y = \\$4  | \\$3 ;",
        nets="1:7 2:7 3:7 4:7",
    )
    without_copies(module)
    assert module.assigns == [
        ("§1", "a + b"),
        ("§3", "a & b"),
        ("§4", "§1 ^ §1"),
        ("y", "§4 | §3"),
    ]


def test_values_of_other_widths_are_no_copies() -> None:
    module = module_of(
        "  assign \\$1  = a + b;",
        "  assign \\$2  = a + b;",
        "  assign y = \\$1  ^ \\$2 [8:1];",
        nets="1:7 2:8",
    )
    without_copies(module)
    assert len(module.assigns) == 3


def test_what_nothing_reads_goes() -> None:
    """With what it alone reads; an output of an instance becomes an open pin."""
    module = module_of(
        "  wire kept_input;",
        "  reg [7:0] register = 8'h00;",
        "  assign \\$1  = a;",
        "  assign \\$2 [3:0] = \\$1 [3:0];",
        "  assign \\$2 [7:4] = 4'h0;",
        "  assign kept_input = a[0];",
        "  below below (",
        "    .d(kept_input),",
        "    .q(\\$3 )",
        "  );",
        "  assign y = b;",
        nets="1:7 2:7 3:0",
    )
    without_unread(module)
    assert module.assigns == [("kept_input", "a[0]"), ("y", "b")]
    assert module.instances == [["  below below (", "    .d(kept_input),", "    .q()", "  );"]]
    assert set(module.nets) == {"a", "b", "y", "kept_input", "register"}


def test_a_second_pass_finds_nothing() -> None:
    for text in verilog_modules(Chain()).values():
        assert ".q()" not in text
        assert "_n" not in text


def test_parts_of_a_net_are_assigned_at_once() -> None:
    module = module_of(
        "  assign { \\$1 [7], \\$1 [0] } = { a[3], b[0] };",
        "  assign \\$1 [6:1] = a[5:0];",
        "  assign y = \\$1  + b;",
        nets="1:7",
    )
    whole_assignments(module)
    assert module.assigns == [("§1", "{ a[3], a[5:0], b[0] }"), ("y", "§1 + b")]


def test_a_sum_with_a_carry_is_assigned_first() -> None:
    module = module_of("  assign { \\$1 [8], y } = a + b;", "  assign \\$1 [7:0] = y;", nets="1:8")
    whole_assignments(module)
    assert module.assigns == [("§1", "a + b"), ("y", "§1[7:0]")]


@pytest.mark.parametrize(
    ("value", "narrow"),
    [
        ("a + b", "a[3:0] + b[3:0]"),
        ("$signed(a) - $signed({ 1'h0, b[1:0] })", "a[3:0] - { 1'h0, b[1:0] }"),
        ("~ a", "~ a[3:0]"),
        ("a << b[2:0]", "a[3:0] << b[2:0]"),
        ("b[0] ? a : b", "b[0] ? a[3:0] : b[3:0]"),
        # Lower bits depend on higher ones, or on a sign that is not known.
        ("a >> b[2:0]", None),
        ("a / b", None),
        ("$signed(a) + $signed(b[1:0])", None),
        ("$signed(a) + b", None),
    ],
)
def test_an_operator_is_as_wide_as_what_is_read(value: str, narrow: str | None) -> None:
    module = module_of(f"  assign \\$1  = {value};", "  assign y = \\$1 [3:0];", nets="1:7")
    narrowed(module)
    expected = [("§1", narrow), ("y", "§1")] if narrow else [("§1", value), ("y", "§1[3:0]")]
    assert module.assigns == expected
    assert module.nets["§1"].width == (4 if narrow else 8)
