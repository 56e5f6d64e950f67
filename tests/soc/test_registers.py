"""The register map for others is that of the Verilog: offsets, widths, access, and no more."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from systemrdl import RDLCompiler
from systemrdl.node import AddrmapNode, RegNode

OKAY, SLVERR = 0, 2

BENCH = """
module bench;
  reg clk = 0, rst = 1;
  always #5 clk = ~clk;
  reg [11:0] awaddr, araddr;
  reg [31:0] wdata;
  reg awvalid = 0, wvalid = 0, bready = 1, arvalid = 0, rready = 1;
  wire awready, wready, bvalid, arready, rvalid;
  wire [1:0] bresp, rresp;
  wire [31:0] rdata;
  MODULE registers (
      .clk(clk), .rst(rst), .bus__awaddr(awaddr), .bus__awprot(3'd0), .bus__awvalid(awvalid),
      .bus__awready(awready), .bus__wdata(wdata), .bus__wstrb(4'hf), .bus__wvalid(wvalid),
      .bus__wready(wready), .bus__bresp(bresp), .bus__bvalid(bvalid), .bus__bready(bready),
      .bus__araddr(araddr), .bus__arprot(3'd0), .bus__arvalid(arvalid), .bus__arready(arready),
      .bus__rdata(rdata), .bus__rresp(rresp), .bus__rvalid(rvalid), .bus__rready(rready),
INPUTS      .busy(1'b0), .done(1'b0));
  task write(input [11:0] where, input [31:0] what);
    begin
      @(negedge clk); awaddr = where; wdata = what; awvalid = 1; wvalid = 1;
      @(negedge clk); awvalid = 0; wvalid = 0;
      while (!bvalid) @(negedge clk);
      $display("write %h %0d", where, bresp);
    end
  endtask
  task read(input [11:0] where);
    begin
      @(negedge clk); araddr = where; arvalid = 1;
      @(negedge clk); arvalid = 0;
      while (!rvalid) @(negedge clk);
      $display("read %h %0d %h", where, rresp, rdata);
    end
  endtask
  initial begin
    repeat (3) @(negedge clk);
    rst = 0;
ACCESSES
    $finish;
  end
endmodule
"""


def address_map(chips: dict[str, Path], family: str) -> AddrmapNode:
    compiler = RDLCompiler()
    compiler.compile_file(str(chips[family] / f"{family}.rdl"))
    return compiler.elaborate().top


def registers(top: AddrmapNode) -> list[RegNode]:
    return [node for node in top.children() if isinstance(node, RegNode)]


def mask(register: RegNode, **wanted: bool) -> int:
    """Return the bits of the fields with these properties, such as is_sw_writable."""
    return sum(
        (2 << field.high) - (1 << field.low)
        for field in register.fields()
        if all(getattr(field, name) == value for name, value in wanted.items())
    )


def observed(chips: dict[str, Path], family: str, tmp_path: Path) -> Iterator[list[str]]:
    """Yield what a bench sees that writes ones to every word of 12 address bits, and reads it."""
    module = chips[family] / f"{family}_registers.v"
    inputs = re.findall(r"^  input (?:\[(\d+):0\] )?(\w+),?", module.read_text(), re.M)
    own = [(high, name) for high, name in inputs if not name.startswith("bus__")]
    ones = "".join(
        f"      .{name}({{{int(high or 0) + 1}{{1'b1}}}}),\n"
        for high, name in own
        if name not in ("clk", "rst", "busy", "done")
    )
    last = max(each.address_offset for each in registers(address_map(chips, family)))
    # `control` starts nothing here: the engine is absent.
    places = [*range(0, last + 12, 4), 0x7FC, 0xFFC]
    accesses = "".join(f"    write(12'h{at:x}, 32'hffffffff); read(12'h{at:x});\n" for at in places)
    text = BENCH.replace("MODULE", f"{family}_registers").replace("ACCESSES", accesses)
    bench = tmp_path / "bench.v"
    bench.write_text(text.replace("INPUTS", ones), encoding="utf-8")
    out = tmp_path / "bench.vvp"
    subprocess.run(["iverilog", "-g2012", "-s", "bench", "-o", out, bench, module], check=True)
    said = subprocess.run(["vvp", "-n", out], check=True, capture_output=True, text=True).stdout
    yield from (line.split() for line in said.splitlines() if line[:4] in ("read", "writ"))


@pytest.mark.promise(
    "the register map in SystemRDL and C is that of the Verilog, offset by offset, field by field"
)
def test_the_verilog_has_these_registers_and_no_other(
    chips: dict[str, Path], family: str, icarus: str, tmp_path: Path
) -> None:
    of = {each.address_offset: each for each in registers(address_map(chips, family))}
    seen = 0
    for kind, place, response, *value in observed(chips, family, tmp_path):
        register: Any = of.get(int(place, 16))
        seen += 1
        if register is None:
            assert int(response) == SLVERR, f"{kind} {place}"
            continue
        writable = bool(mask(register, is_sw_writable=True))
        wanted = OKAY if kind == "read" or writable else SLVERR
        assert int(response) == wanted, f"{kind} of {register.inst_name}"
        if kind == "read":
            expect_value(register, int(value[0], 16))
    assert seen > 2 * len(of)


def expect_value(register: RegNode, value: int) -> None:
    """Hold a read against the map: the chip shows ones wherever it can, ones were written."""
    fixed = {"id", "version", "control", "interrupt", "status"}
    if register.inst_name in ("id", "version"):
        (field,) = register.fields()
        assert value == field.get_property("reset")
    elif register.inst_name not in fixed:
        assert value == mask(register, is_sw_readable=True), register.inst_name
    elif register.inst_name == "status":
        assert value == 4, "busy and done are low, error is not 0"
    else:
        assert value == 0, register.inst_name


@pytest.mark.dear("dbpim-ip-xact")
@pytest.mark.parametrize("command", ["c-header", "html", "ip-xact"])
def test_peakrdl_accepts_the_map(
    command: str, chips: dict[str, Path], family: str, tmp_path: Path
) -> None:
    source = chips[family] / f"{family}.rdl"
    done = subprocess.run(
        [Path(sys.executable).with_name("peakrdl"), command, source, "-o", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out").exists()


def test_c_and_rdl_have_the_same_numbers(
    chips: dict[str, Path], family: str, tmp_path: Path
) -> None:
    lines = [f'#include "hwgen_{family}.h"']
    for register in registers(address_map(chips, family)):
        name = f"HWGEN_{family}_{register.inst_name}".upper()
        lines.append(f'_Static_assert({name} == {register.address_offset}, "{name}");')
        for field in register.fields():
            if field.inst_name != "value":
                one = f"{name}_{field.inst_name}".upper()
                bits = (2 << field.high) - (1 << field.low)
                lines.append(f'_Static_assert({one}_MASK == {bits}u, "{one}");')
                lines.append(f'_Static_assert({one}_SHIFT == {field.low}, "{one}");')
            for code in field.get_property("encode") or ():
                full = f"{name}_{field.inst_name}_{code.name}".upper()
                lines.append(f'_Static_assert({full} == {code.value}u, "{full}");')
    source = tmp_path / "numbers.c"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{chips[family]}", "-c"]
    subprocess.run(["gcc", *flags, source, "-o", tmp_path / "numbers.o"], check=True)
