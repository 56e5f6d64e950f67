"""Cells of a DB-PIM chip whose row is given early: SRAMs can stand for them."""

from pathlib import Path

import pytest
import yaml

from hwgen import api
from hwgen.errors import ConfigError
from hwgen.files.shipped import shipped_folder

TINY = shipped_folder() / "dbpim/tiny.yaml"
VERILOG = """\
module sram_32x16 (
    input clk,
    input ce_n,
    input we_n,
    input [4:0] a,
    input [15:0] d,
    output reg [15:0] q
);
  reg [15:0] cells[0:31];
  always @(posedge clk) begin
    q <= 16'hx;
    if (!ce_n && !we_n) cells[a] <= d;
    else if (!ce_n) q <= cells[a];
  end
endmodule
"""
"""A memory of one port, whose data are there for the cycle after a read."""

PORT = {
    **{"kind": "rw", "clock": "clk", "address": "a", "data_in": "d", "data_out": "q"},
    "select": {"name": "ce_n", "active": "low"},
    "write": {"name": "we_n", "active": "low"},
}
REPLACEMENT = {
    **{"format": "hwgen.replacement", "version": 1, "name": "one_port", "module": "sram_32x16"},
    **{"words": 32, "bits": 16, "mask_bits": None, "ports": [PORT], "read_cycles": 1},
    **{"read_during_write": "undefined", "holds": False, "power_on": "garbage"},
    "files": {"verilog": ["sram_32x16.v"]},
}


def one_port(folder: Path) -> Path:
    """Write the memory of one port, and return its file."""
    (folder / "sram_32x16.v").write_text(VERILOG, encoding="utf-8")
    file = folder / "one_port.yaml"
    file.write_text(yaml.safe_dump(REPLACEMENT), encoding="utf-8")
    return file


@pytest.mark.dear
@pytest.mark.promise(
    "synchronous cells are given their row at the issue and take the cycles of combinational"
    " ones; SRAMs of one port may be the cells"
)
def test_one_port_is_enough_for_synchronous_cells(tmp_path: Path) -> None:
    """Every element, cycle and event of digits is golden's and the model's."""
    chip, memory = tmp_path / "chip.yaml", one_port(tmp_path)
    chip.write_text(f"{TINY.read_text(encoding='utf-8')}cells: synchronous\n", encoding="utf-8")
    report = api.simulate(
        shipped_folder() / "networks/digits_small_cnn.npz",
        chip,
        replace=[f"{part}={memory}" for part in ("cell_array", "meta_array")],
    )
    assert report.equal
    assert report.in_time
    assert [one.copies for one in report.replaced] == [1, 1]


def test_combinational_cells_refuse_an_sram(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="read_cycles must be at most 0, as the part has it"):
        api.build(TINY, out=tmp_path / "chip", replace=[f"meta_array={one_port(tmp_path)}"])
