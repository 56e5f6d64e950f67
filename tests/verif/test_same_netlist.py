"""The Verilog of a part is proved to be its netlist by SAT; a fault of the printer is not."""

import pytest

from hwgen.chip.rtl.emit import verilog_of
from hwgen.chip.rtl.part import Part
from tests.chip.rtl.test_places import Names
from tests.tiny import Cells, Chain
from verif.same_netlist import DIFFERS, SAME, compare


class Started(Names):
    """Registers have values at power-on."""

    starts_with_values = True


FAULTS = [
    pytest.param(Names, "== OPCODE_CONV", "!= OPCODE_CONV", "next", id="condition"),
    pytest.param(Names, "ROW_LSB + 3 +: 2", "ROW_LSB + 2 +: 2", "port part", id="output"),
    pytest.param(Started, "initial state = 1'h0", "initial state = 1'h1", "ValueError", id="first"),
    pytest.param(Cells, "cells[write_row] <=", "cells[read_row] <=", "address", id="write"),
    pytest.param(Chain, ".b(result__valid_0)", ".b(gate__a)", "pin", id="pin"),
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


@pytest.mark.parametrize(("part", "right", "wrong", "where"), FAULTS)
def test_a_fault_is_not_proved(part: type[Part], right: str, wrong: str, where: str) -> None:
    text = verilog_of([part()])
    assert right in text
    (found,) = compare([(part(), text.replace(right, wrong))])
    assert found.verdict == DIFFERS
    assert found.said.startswith(where)
