"""The Verilog of a part is proved to be its netlist by SAT; a fault of the printer is not."""

import pytest

from hwgen.chip.rtl.emit import verilog_of
from tests.chip.rtl.test_places import Names
from tests.tiny import Cells, Chain
from verif.same_netlist import DIFFERS, SAME, compare

FAULTS = [
    (Names, "== OPCODE_CONV", "!= OPCODE_CONV", "next"),
    (Names, "is_add <= 1'h0;", "is_add <= 1'h1;", "next"),
    (Names, "packet[TAG_ROW_LSB + 3 +: 2]", "packet[TAG_ROW_LSB + 2 +: 2]", "port part"),
]


@pytest.mark.promise(
    "the Verilog of a part is proved by SAT to be what Amaranth's own conversion makes of it"
)
def test_printed_parts_are_proved() -> None:
    parts = [Chain(), Cells(), Names()]
    found = list(compare([(part, verilog_of([part])) for part in parts]))
    assert [(one.name, one.verdict) for one in found] == [
        ("tiny_chain", SAME),
        ("tiny_cells", SAME),
        ("tiny_names", SAME),
    ]
