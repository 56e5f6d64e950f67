"""Fields, states and members of an enum have the names of the source."""

import re

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import data, enum
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.emit import verilog_of
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.places import Fields


class Opcode(enum.Enum, shape=3):
    """Of an instruction."""

    CONV = 1
    ADD = 5


LANE = data.StructLayout({"valid": 1, "word": 6})
PACKET = data.StructLayout(
    {
        "opcode": Opcode,
        "adds": 1,
        "lanes": data.ArrayLayout(LANE, 4),
        "tag": data.StructLayout({"row": 9, "last": 1}),
    }
)


class Names(Part):
    """Reads fields of a packet.

    Ports
        packet  in   PACKET  what is read
    """

    family = "tiny"

    def __init__(self) -> None:
        outs = {"row": 9, "part": 2, "lane": 6, "flags": 2, "state": 1}
        super().__init__({"packet": In(PACKET)} | {name: Out(bits) for name, bits in outs.items()})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        is_add = Signal()
        m.d.comb += [
            self.row.eq(self.packet.tag.row),
            self.part.eq(self.packet.tag.row[3:5]),
            self.lane.eq(self.packet.lanes[2].word),
            self.flags[0].eq(self.packet.adds),
            self.flags[1].eq(self.packet.lanes[3].valid),
            self.state.eq(is_add),
        ]
        with m.FSM(name="walk"):
            with m.State("IDLE"), m.If(self.packet.opcode == Opcode.CONV):
                m.next = "RUN"
            with m.State("RUN"), m.Switch(self.packet.opcode):
                with m.Case(Opcode.ADD):
                    m.d.sync += is_add.eq(1)
                with m.Case(Opcode.CONV):
                    m.d.sync += is_add.eq(0)
                    m.next = "IDLE"
        return m


@pytest.mark.promise(
    "fields, states and opcodes that emitted Verilog reads are constants by the names of the source"
)
def test_names() -> None:
    text = verilog_of([Names()])
    for line in (
        "localparam TAG_ROW_LSB = 32;",
        "localparam ADDS = 3;",
        "localparam [2:0] OPCODE_ADD = 3'h5;",
        "localparam WALK_STATE_RUN = 1'h1;",
        "assign row = packet[TAG_ROW_LSB +: 9];",
        "assign part = packet[TAG_ROW_LSB + 3 +: 2];",
        "assign lane = packet[LANES_LSB + 2 * 7 + WORD_LSB +: 6];",
        "packet[LANES_LSB + 3 * 7 + VALID]",
        "OPCODE_ADD: state <= 1'h1;",
        "walk_state <= WALK_STATE_RUN;",
    ):
        assert line in text
    assert not re.search(r"packet\[\d+[\]:]", text)


def test_bits_that_are_no_field() -> None:
    fields = Fields(PACKET)
    found = fields.at(3, 1)
    assert found is not None and found.terms == (("ADDS", 3),)
    assert fields.at(4, 7 * 4) is not None
    inside = fields.at(34, 2)
    assert inside is not None and (inside.low, inside.width) == (32, 9)


class Many(Part):
    """Lanes with one name each.

    Ports
        given  in   8  bits
    """

    family = "tiny"

    def __init__(self) -> None:
        super().__init__({"given": In(8), "found": Out(8)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for lane in range(8):
            stage = Signal(name="stage")
            m.d.sync += stage.eq(self.given[lane] ^ self.given[lane - 1])
            m.d.comb += self.found[7 - lane].eq(stage)
        return m


@pytest.mark.promise("signals of one name are numbered in the order of the source")
def test_lanes_are_in_order() -> None:
    text = verilog_of([Many()])
    assert [int(n) for n in re.findall(r"^  reg stage_(\d);", text, re.M)] == list(range(8))
    assert "stage_3 <= given[3] ^ given[2];" in text
    assert "$" not in re.sub(r"\$(?:signed|error)", "", text)
