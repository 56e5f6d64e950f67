"""The script by which Yosys maps one module to a library; placed modules stay black boxes.

Tests: `tests/physical/test_modules.py`.
"""

from collections.abc import Iterable, Sequence

from hwgen.physical.cells import Library

VERSION = 2
"""Of what the script does; a cached module of another version is synthesized again."""
DELAY_PS = 2000
"""Target of the mapper."""
FEWEST_GATED = 3
"""Flip-flops that share an enable and are worth a clock gate."""

# A reset with an enable becomes data and enable: a clock gate then serves both. A reset that holds
# only while the enable is high needs the data alone.
FLIP_FLOPS = """
(* techmap_celltype = "$_SDFFE_PP0P_" *)
module sdffe0 (input D, C, R, E, output Q);
  $_DFFE_PP_ _TECHMAP_REPLACE_ (.D(D & ~R), .C(C), .E(E | R), .Q(Q));
endmodule
(* techmap_celltype = "$_SDFFE_PP1P_" *)
module sdffe1 (input D, C, R, E, output Q);
  $_DFFE_PP_ _TECHMAP_REPLACE_ (.D(D | R), .C(C), .E(E | R), .Q(Q));
endmodule
(* techmap_celltype = "$_SDFFE_PP0N_" *)
module sdffen0 (input D, C, R, E, output Q);
  $_DFFE_PP_ _TECHMAP_REPLACE_ (.D(D & ~R), .C(C), .E(~E | R), .Q(Q));
endmodule
(* techmap_celltype = "$_SDFFE_PP1N_" *)
module sdffen1 (input D, C, R, E, output Q);
  $_DFFE_PP_ _TECHMAP_REPLACE_ (.D(D | R), .C(C), .E(~E | R), .Q(Q));
endmodule
(* techmap_celltype = "$_SDFFCE_PP0P_" *)
module sdffce0 (input D, C, R, E, output Q);
  $_DFFE_PP_ _TECHMAP_REPLACE_ (.D(D & ~R), .C(C), .E(E), .Q(Q));
endmodule
(* techmap_celltype = "$_SDFFCE_PP1P_" *)
module sdffce1 (input D, C, R, E, output Q);
  $_DFFE_PP_ _TECHMAP_REPLACE_ (.D(D | R), .C(C), .E(E), .Q(Q));
endmodule
(* techmap_celltype = "$_SDFFCE_PP0N_" *)
module sdffcen0 (input D, C, R, E, output Q);
  $_DFFE_PP_ _TECHMAP_REPLACE_ (.D(D & ~R), .C(C), .E(~E), .Q(Q));
endmodule
(* techmap_celltype = "$_SDFFCE_PP1N_" *)
module sdffcen1 (input D, C, R, E, output Q);
  $_DFFE_PP_ _TECHMAP_REPLACE_ (.D(D | R), .C(C), .E(~E), .Q(Q));
endmodule
(* techmap_celltype = "$_DFFE_PN_" *)
module dffen (input D, C, E, output Q);
  $_DFFE_PP_ _TECHMAP_REPLACE_ (.D(D), .C(C), .E(~E), .Q(Q));
endmodule
"""

NETLIST, FLIP_FLOP_FILE, ADDER_FILE, MODULE_FILE, STUB_FILE, LIBERTY_FILE = (
    "netlist.json",
    "flip_flops.v",
    "adders.v",
    "module.v",
    "stubs.v",
    "library.lib",
)


def adder_map(library: Library) -> str:
    """Return a techmap of full adders to the library's, or to gates where it has none."""
    adder = library.adder
    head = (
        '(* techmap_celltype = "$fa" *)\nmodule fa (A, B, C, X, Y);\n  parameter WIDTH = 1;\n'
        "  input [WIDTH-1:0] A, B, C;\n  output [WIDTH-1:0] X, Y;\n"
    )
    if adder is None:
        return f"{head}  assign Y = A ^ B ^ C;\n  assign X = (A & B) | (C & (A ^ B));\nendmodule\n"
    pins = ", ".join(f".{pin}({port}[i])" for pin, port in zip(adder.inputs, "ABC", strict=True))
    return (
        f"{head}  genvar i;\n  generate for (i = 0; i < WIDTH; i = i + 1) begin:bits\n"
        f"    {adder.cell} cell_i ({pins}, .{adder.carry}(X[i]), .{adder.sum}(Y[i]));\n"
        "  end endgenerate\nendmodule\n"
    )


def script(name: str, library: Library, *, adders: bool, below: Iterable[str] = ()) -> str:
    """Return the script for one module; others in its file become part of it.

    adders: the module is a full adder as gates; below: others in its file that are
    """
    steps = ("techmap", "opt_clean", "extract_fa -fa", f"techmap -map {ADDER_FILE}")
    full = "".join("\n".join((f"select {each}", *steps, "select -clear\n")) for each in below)
    gate = library.gate
    lows = "".join(f" -tie_lo {pin}" for pin in gate.low) if gate else ""
    clockgate = (
        f"clockgate -min_net_size {FEWEST_GATED} -pos {gate.cell}"
        f" {gate.enable}:{gate.clock}:{gate.out}{lows}"
        if gate
        else ""
    )
    low, high = library.tie_low, library.tie_high
    return f"""
read_verilog -lib {STUB_FILE}
read_liberty -lib -ignore_miss_func {LIBERTY_FILE}
read_verilog {MODULE_FILE}
hierarchy -check -top {name}
proc -norom
check
{full}flatten -noscopeinfo
synth -top {name} -booth -noabc -run coarse:fine
opt -fast -full
opt -undriven -fine
{f"techmap; extract_fa -fa; techmap -map {ADDER_FILE}" if adders else ""}
techmap
opt -fast
setattr -unset init
techmap -map {FLIP_FLOP_FILE}
techmap
opt -fast
{clockgate}
dfflibmap -liberty {LIBERTY_FILE}
opt_clean
abc -liberty {LIBERTY_FILE} -D {DELAY_PS}
setundef -zero
hilomap -singleton -hicell {high[0]} {high[1]} -locell {low[0]} {low[1]}
clean -purge
write_json {NETLIST}
"""


def stub(name: str, ports: Iterable[tuple[str, str, int]]) -> str:
    """Return a black box of Verilog; ports: name, direction, width."""
    listed: Sequence[tuple[str, str, int]] = list(ports)
    lines = [f"  {direction} [{width - 1}:0] {port};" for port, direction, width in listed]
    names = ", ".join(port for port, _, _ in listed)
    return "\n".join([f"(* blackbox *) module {name} ({names});", *lines, "endmodule", ""])
