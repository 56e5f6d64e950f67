"""Assertions of a module: behind its logic, with the registers and nets that only they read.

    `ifdef HWGEN_ASSERTIONS
      reg asserted_output_waits;
      initial asserted_output_waits = 1'h0;
      always @(posedge clk) begin
        asserted_output_waits <= output__valid & !output__ready;
        if (!rst) begin
          assert (level <= 7'h40) `HWGEN_ELSE("level must be 0 to 64");
        end
      end
    `endif

Yosys reads `assert` without a message; `HWGEN_ELSE` is empty there. The logic of a module has the
text that it would have without them.
"""

import re
from collections.abc import Iterator, Sequence

from hwgen.chip.rtl.checks import KEPT

MACRO = "HWGEN_ASSERTIONS"
BEGIN = f"`ifdef {MACRO}"
END = "`endif"
ELSE = """\
`ifndef HWGEN_ELSE
`ifdef YOSYS
`define HWGEN_ELSE(message)
`else
`define HWGEN_ELSE(message) else $error(message)
`endif
`endif"""
"""Each file has it, and the first one that is read defines it."""
SECTION = re.compile(rf"^{BEGIN}\n.*?^{END}\n(?=endmodule)", re.M | re.S)
EDGE = "  always @(posedge clk)"
BEFORE = re.compile(rf"== ((?:\$signed\()?{KEPT}\w+)")


def assertions(found: Sequence[tuple[str, str]], *, resets: bool) -> Iterator[str]:
    """Yield the block of some assertions, conditions with their messages.

    resets: the module has a reset, in which nothing need hold
    """
    yield f"{EDGE} begin"
    indent = "      " if resets else "    "
    if resets:
        yield "    if (!rst) begin"
    for condition, message in found:
        yield f'{indent}assert ({same_bits(condition)}) `HWGEN_ELSE("{message}");'
    if resets:
        yield "    end"
    yield "  end"


def same_bits(text: str) -> str:
    """Return a text that compares with what was before by `===`: undefined bits stay undefined."""
    return BEFORE.sub(r"=== \1", text)


def without_assertions(text: str) -> str:
    """Return the Verilog of a module, or of several, without their assertions."""
    return SECTION.sub("", text)
