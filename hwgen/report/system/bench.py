"""`<prefix>_tb.sv`: a bench of the wrapper for any simulator, to begin one's own with.

Tests: `tests/report/test_documents.py`.
"""

from collections.abc import Iterator

from hwgen.chip.interface import TIMESCALE, ChipInterface
from hwgen.chip.registers import REGISTER_BYTES, offsets
from hwgen.report.system.wrapper import BUSES, CONSTANTS

TEXT = """\
// SPDX-License-Identifier: Apache-2.0
// Bench of the {written}, to begin your own with.
// It reads `id` and `version` over s_axi and an address without a register, and ends with PASS.
// At m_axi nothing answers.
{timescale}
module {prefix}_tb;
  reg aclk = 0, aresetn = 0;
  always #5 aclk = !aclk;
  wire irq;
{signals}

  {prefix}_axi chip (
{pins}
  );

  // What is driven changes while the clock falls, what is seen is read then.
  task read(input [{top_bit}:0] address, input [1:0] wanted_response, input [31:0] wanted);
    begin
      @(negedge aclk);
      s_axi_araddr = address;
      s_axi_arvalid = 1;
      while (!s_axi_arready) @(negedge aclk);
      @(negedge aclk);
      s_axi_arvalid = 0;
      while (!s_axi_rvalid) @(negedge aclk);
      if (s_axi_rresp !== wanted_response || (s_axi_rresp == 0 && s_axi_rdata !== wanted))
        $fatal(1, "address %h answers %h, response %0d", address, s_axi_rdata, s_axi_rresp);
    end
  endtask

  initial begin
    repeat (4) @(negedge aclk);
    aresetn = 1;
    read({id}, 0, 32'h{id_word:08x});
    read({version_at}, 0, {version});
    read({absent}, 2, 0);
    if (irq !== 0) $fatal(1, "irq is not low");
    $display("PASS");
    $finish;
  end
  initial #100000 $fatal(1, "the registers do not answer");
endmodule
"""


def bench(of: ChipInterface, written: str) -> str:
    """Return the text of the bench."""
    offset = offsets(of.registers)
    pins = [*((name, name) for name in ("aclk", "aresetn", "irq")), *pins_of(of)]
    return TEXT.format(
        written=written,
        timescale=TIMESCALE,
        prefix=of.prefix,
        signals="\n".join(signals_of(of)),
        pins=",\n".join(f"      .{name}({what})" for name, what in pins),
        top_bit=of.address_bits - 1,
        id=offset["id"],
        id_word=of.id_word,
        version_at=offset["version"],
        version=of.version,
        absent=max(offset.values()) + REGISTER_BYTES,
    )


def signals_of(of: ChipInterface) -> Iterator[str]:
    """Yield the declarations of the register port; the host takes every answer at once."""
    for name, direction, width in of.bus("registers"):
        bits = f"[{width - 1}:0] " if width > 1 else ""
        value = int(name in ("rready", "bready"))
        begin = f" = {value}" if direction == "input" else ""
        yield f"  {'reg' if begin else 'wire'} {bits}{BUSES['registers']}_{name}{begin};"


def pins_of(of: ChipInterface) -> Iterator[tuple[str, str]]:
    """Yield the ports of both buses and what they are connected to."""
    for name, _, _ in of.bus("registers"):
        yield (f"{BUSES['registers']}_{name}",) * 2
    for name, direction, width in of.bus("memory"):
        yield f"{BUSES['memory']}_{name}", f"{width}'d0" if direction == "input" else ""
    for channel in ("ar", "aw"):
        yield from ((f"{BUSES['memory']}_{channel}{name}", "") for name, _, _ in CONSTANTS)
