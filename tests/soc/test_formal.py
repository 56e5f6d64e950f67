"""The register block under ZipCPU's formal properties of AXI4-Lite subordinates."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROPERTIES = Path(__file__).parent / "faxil_slave.v"
CYCLES = 14
ADDRESS_BITS = 12
SIGNALS = ("awvalid", "awready", "awaddr", "awprot", "wvalid", "wready", "wdata", "wstrb")
SIGNALS += ("bvalid", "bready", "bresp", "arvalid", "arready", "araddr", "arprot")
SIGNALS += ("rvalid", "rready", "rdata", "rresp")
WIDTHS = {"addr": ADDRESS_BITS, "prot": 3, "data": 32, "strb": 4, "resp": 2}
TO_THE_HOST = {"awready", "wready", "bvalid", "bresp", "arready", "rvalid", "rdata", "rresp"}
RUN = "import sys; from pyosys import libyosys as y; y.run_pass(sys.argv[1], y.Design())"


def width(signal: str) -> int:
    return next((bits for end, bits in WIDTHS.items() if signal.endswith(end)), 1)


def top(block: Path, module: str) -> str:
    """Return the block with the properties on its bus; what host and chip say to it is free."""
    inputs = re.findall(r"^  input (?:\[(\d+):0\] )?(\w+),?", block.read_text(), re.M)
    own = {
        name: int(high or 0) + 1
        for high, name in inputs
        if name not in ("clk", "rst") and not name.startswith("bus__")
    }
    ports = "".join(f", input [{bits - 1}:0] {name}" for name, bits in own.items())
    lines = [f"module top (input clk, input [511:0] free{ports});"]
    lines += ["reg begun = 0; always @(posedge clk) begun <= 1;", "wire rst = !begun;"]
    kinds = [(name, "output" if name in TO_THE_HOST else "input") for name in SIGNALS]
    place = 0
    for name, kind in kinds:
        bits = f"[{width(name) - 1}:0]"
        value = "" if kind == "output" else f" = free[{place}+:{width(name)}]"
        place += 0 if kind == "output" else width(name)
        lines.append(f"wire {bits} {name}{value};")
    bus = ", ".join([f".bus__{name}({name})" for name in SIGNALS] + [f".{n}({n})" for n in own])
    named = ", ".join(f".i_axi_{name}({name})" for name in SIGNALS)
    lines += [
        f"{module} block (.clk(clk), .rst(rst), {bus});",
        f"faxil_slave #(.C_AXI_DATA_WIDTH(32), .C_AXI_ADDR_WIDTH({ADDRESS_BITS}),",
        "  .F_LGDEPTH(4), .F_AXI_MAXWAIT(0), .F_AXI_MAXRSTALL(0), .F_AXI_MAXDELAY(0)) properties (",
        f"  .i_clk(clk), .i_axi_reset_n(!rst), {named},",
        "  .f_axi_rd_outstanding(), .f_axi_wr_outstanding(), .f_axi_awr_outstanding());",
        "endmodule",
    ]
    return "\n".join(lines) + "\n"


def fails(block: Path, module: str, folder: Path) -> bool:
    """Return whether Yosys finds a run of 14 cycles from reset that breaks a property."""
    design = folder / "top.v"
    design.write_text(top(block, module), encoding="utf-8")
    script = folder / "prove.ys"
    script.write_text(
        f"read_verilog -formal -sv {PROPERTIES} {design}\n"
        f"read_verilog {block}\n"
        "prep -flatten -top top\n"
        "memory_map\nasync2sync\nchformal -cover -remove\nchformal -lower\nopt -full\nopt_clean\n"
        f"sat -seq {CYCLES} -prove-asserts -set-assumes -set-init-zero -set-def-inputs -verify\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-c", RUN, f"script {script}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode == 0:
        assert "SUCCESS!" in said, said[-3000:]
        return False
    assert "FAIL!" in said, said[-3000:]
    return True


@pytest.mark.promise(
    "the register block holds the formal properties of AXI4-Lite, and one that withdraws an"
    " answer does not"
)
@pytest.mark.long
def test_formal_properties_hold(chips: dict[str, Path], family: str, tmp_path: Path) -> None:
    block = chips[family] / f"{family}_registers.v"
    assert not fails(block, f"{family}_registers", tmp_path)


@pytest.mark.long
def test_formal_properties_fail_where_an_answer_is_withdrawn(
    chips: dict[str, Path], tmp_path: Path
) -> None:
    """RVALID falls although the host has not taken the word."""
    text = (chips["dbpim"] / "dbpim_registers.v").read_text(encoding="utf-8")
    broken = text.replace("= ~ bus__rready;", "= 1'h0;")
    block = tmp_path / "dbpim_registers.v"
    block.write_text(broken, encoding="utf-8")
    assert text != broken
    assert fails(block, "dbpim_registers", tmp_path)
