"""Bits of ports are those before the edge, the lowest first; a port that waves lack is named."""

from pathlib import Path

import pytest

from hwgen.chip.sim.vcd import port_bits
from hwgen.errors import SimulationError
from tests.verif.test_waves import WAVES


@pytest.mark.promise(
    "the energy of a core comes from its netlist, which follows a simulation and shows what it"
    " shows, beside the table"
)
def test_ports_of_an_instance(tmp_path: Path) -> None:
    file = tmp_path / "waves.vcd"
    file.write_text(
        WAVES.replace("  $var wire 1 # go", "  $var wire 1 ! clk $end\n  $var wire 1 # go")
    )
    bits = port_bits(file, scope="top.part", ports={"go": 1, "number": 4}, clock="clk")
    # What is not driven yet is 0.
    assert bits.tolist() == [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [1, 0, 1, 0, 1]]
    with pytest.raises(SimulationError, match=r"every port of top\.part, got none of more, other$"):
        port_bits(file, scope="top.part", ports={"go": 1, "more": 1, "other": 2}, clock="clk")
