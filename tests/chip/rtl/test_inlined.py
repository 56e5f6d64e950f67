"""Nets in their readers: where widths allow it, and where Verilog would compute another value."""

import pytest

from hwgen.chip.rtl.inlined import inline
from tests.chip.rtl.test_wiring import module_of


@pytest.mark.parametrize(
    ("value", "reader", "together"),
    [
        # What sees its operands alone fits everywhere, also in a concatenation.
        ("a == b", "{ 7'h00, § }", "{ 7'h00, a == b }"),
        ("a < b", "a + §", "a + (a < b)"),
        ("a & b", "a | §", "a | (a & b)"),
        ("a | b", "a | §", "a | a | b"),
        ("a - b", "a ^ §", "a ^ (a - b)"),
        # A wider reader would see the carry, or ones, that the net cuts off.
        ("a + b", "a < §", "a < (a + b)"),
        ("a + b", "{ 1'h0, a } < §", None),
        ("~ a", "{ 1'h0, a } == §", None),
        ("a & b", "{ 1'h0, a } == §", "{ 1'h0, a } == (a & b)"),
        ("a << b[1:0]", "{ 1'h0, a } == §", None),
        # Verilog has no part of an expression.
        ("a + b", "§[3:0]", None),
        ("$signed(a) + $signed(b)", "a | §", None),
    ],
)
def test_a_net_that_is_read_once(value: str, reader: str, together: str | None) -> None:
    width = 0 if value in ("a == b", "a < b") else 7
    text = reader.replace("§", "\\$1 ")
    module = module_of(f"  assign \\$1  = {value};", f"  assign y = {text};", nets=f"1:{width}")
    inline(module)
    if together is None:
        assert module.assigns == [
            ("§1", value.replace("~ ", "~")),
            ("y", reader.replace("§", "§1")),
        ]
    else:
        assert module.assigns == [("y", together)]
        assert "§1" not in module.nets


def test_what_is_read_twice_stays_but_for_an_opposite() -> None:
    module = module_of(
        "  assign \\$1  = a & b;",
        "  assign \\$2  = ~ a[0];",
        "  assign \\$3  = \\$1  ^ { 7'h00, \\$2  };",
        "  assign y = \\$3  | { \\$1 [6:0], \\$2  };",
        nets="1:7 2:0 3:7",
    )
    inline(module)
    assert module.assigns == [
        ("§1", "a & b"),
        ("y", "(§1 ^ { 7'h00, !a[0] }) | { §1[6:0], !a[0] }"),
    ]


def test_an_opposite_of_an_opposite_is_an_or() -> None:
    """Icarus refuses `!!a`."""
    module = module_of(
        "  assign \\$1  = ! a;",
        "  assign \\$2  = ! \\$1 ;",
        "  assign y = b & \\$2 ;",
        nets="1:0 2:0",
    )
    inline(module)
    assert module.assigns == [("y", "b & (|a)")]


def test_conditions_cases_and_pins_take_expressions() -> None:
    module = module_of(
        "  assign \\$1  = a == b;",
        "  assign \\$2  = a & b;",
        "  assign \\$3  = a | b;",
        "  below below (",
        "    .d(\\$3 )",
        "  );",
        "  always @* begin",
        "    y = 8'h00;",
        "    if (\\$1 ) begin",
        "      casez (\\$2 )",
        "        8'h01:",
        "            y = 8'h01;",
        "      endcase",
        "    end",
        "  end",
        nets="1:0 2:7 3:7",
    )
    inline(module)
    assert module.assigns == []
    assert module.instances[0][1] == "    .d(a | b)"
    assert module.blocks[0][2:4] == ["    if (a == b) begin", "      casez (a & b)"]


def test_two_levels_are_enough() -> None:
    chain = ["  assign \\$1  = a & b;"]
    chain += [f"  assign \\${n + 1}  = \\${n}  {'&|'[n % 2]} b;" for n in range(1, 5)]
    module = module_of(*chain, "  assign y = \\$5 ;", nets="1:7 2:7 3:7 4:7 5:7")
    inline(module)
    assert len(module.assigns) == 2
    assert all(value.count("(") <= 2 for _, value in module.assigns)
