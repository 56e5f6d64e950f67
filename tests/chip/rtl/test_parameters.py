# amaranth: UnusedElaboratable=no
"""Every parameter of a shared component is checked; the error says what is allowed."""

from dataclasses import replace
from typing import Any

import pytest
from amaranth.hdl import Signal

from hwgen.chip.registers import register_table
from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.checksum import Checksum
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.fifo import Fifo
from hwgen.chip.rtl.packet_front import PacketFront
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.read_engine import ReadEngine
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.rtl.registers import Registers
from hwgen.chip.rtl.supervisor import Supervisor, SupervisorErrors
from hwgen.chip.rtl.write_engine import WriteEngine

TABLE = register_table(
    [
        ("control", "write", "starts"),
        ("status", "read", "state"),
        ("error", "read", "code"),
        ("id", "read", "constant"),
    ]
)
RIGHT: dict[type[Part], dict[str, Any]] = {
    Checksum: {"port_bits": 32},
    Fifo: {"depth": 4, "width": 8},
    RegisterFile: {"depth": 2, "width": 1, "slices": 1},
    ReadEngine: {"port_bits": 64, "fifo_beats": 16, "burst_beats": 16},
    WriteEngine: {
        "port_bits": 64,
        "burst_beats": 16,
        "word_bits": 32,
        "count_bits": 16,
        "entries": 2,
    },
    Registers: {"table": TABLE, "constants": {"id": 5}, "address_bits": 5, "error_bits": 3},
    Supervisor: {
        "errors": SupervisorErrors(read=1, write=2, stalled=3),
        "error_bits": 2,
        "watchdog_cycles": 2,
        "progress_sources": 1,
    },
    PacketFront: {
        "port_bits": 64,
        "header_bits": {1: 64},
        "first_bits": 1,
        "opcode_bits": 8,
        "count_bits": 8,
    },
}
WRONG = [
    (Checksum, {"port_bits": 16}, "port_bits must be a multiple of 32, got 16"),
    (Checksum, {"port_bits": 0}, "port_bits must be a multiple of 32, got 0"),
    (Fifo, {"depth": 0}, "depth must be a power of two above 1, got 0"),
    (Fifo, {"depth": 1}, "depth must be a power of two above 1, got 1"),
    (Fifo, {"depth": 6}, "depth must be a power of two above 1, got 6"),
    (RegisterFile, {"depth": 1}, "depth must be at least 2 words, got 1"),
    (RegisterFile, {"width": 0}, "width must be at least 1, got 0"),
    (RegisterFile, {"slices": 0}, "slices must be at least 1, got 0"),
    (ReadEngine, {"port_bits": 48}, "port_bits must be one of .*, got 48"),
    (ReadEngine, {"burst_beats": 0}, "burst_beats must be 1 to 256, got 0"),
    (ReadEngine, {"fifo_beats": 8}, "fifo_beats must be at least 16, got 8"),
    (WriteEngine, {"port_bits": 16}, "port_bits must be one of .*, got 16"),
    (WriteEngine, {"burst_beats": 257}, "burst_beats must be 1 to 256, got 257"),
    (WriteEngine, {"word_bits": 4}, "word_bits must be a power of two .*, got 4"),
    (WriteEngine, {"word_bits": 128}, "word_bits must be a power of two .*, got 128"),
    (WriteEngine, {"entries": 1}, "entries must be at least 2, got 1"),
    (Registers, {"table": TABLE[1:]}, "must hold control, got status, error, id, "),
    (Registers, {"constants": {"kind": 1}}, "must hold kind, got control, status, error, id, "),
    (Registers, {"constants": {"id": 1 << 32}}, "id must fit 32 bits, got 4294967296"),
    (Registers, {"table": TABLE[:-1]}, "must hold interrupt_enable, got control, "),
    (Registers, {"table": (*TABLE, TABLE[0])}, "must be unique, got one twice"),
    (Registers, {"address_bits": 3}, "offset of error must be a multiple of 4 below 8, got 8"),
    (
        Registers,
        {"table": (*TABLE[:3], replace(TABLE[3], offset=14), *TABLE[4:])},
        "offset of id must be a multiple of 4 below 32, got 14",
    ),
    (
        Supervisor,
        {"errors": SupervisorErrors(read=0, write=2, stalled=3)},
        r"errors\.read must be 1 to 3, got 0",
    ),
    (
        Supervisor,
        {"errors": SupervisorErrors(read=1, write=2, stalled=4)},
        r"errors\.stalled must be 1 to 3, got 4",
    ),
    (Supervisor, {"watchdog_cycles": 1}, "watchdog_cycles must be at least 2, got 1"),
    (Supervisor, {"progress_sources": 0}, "progress_sources must be at least 1, got 0"),
    (PacketFront, {"opcode_bits": 65}, "opcode_bits must be 1 to 64, got 65"),
    (PacketFront, {"header_bits": {256: 64}}, "an opcode must fit 8 bits, got 256"),
    (PacketFront, {"header_bits": {1: 4}}, "header_bits must be at least 8, got 4"),
    (PacketFront, {"header_bits": {}}, "header_bits must hold an opcode, got none"),
    (PacketFront, {"first_bits": 0}, "first_bits must be at least 1, got 0"),
]


@pytest.mark.parametrize("part", RIGHT)
def test_the_smallest_parameters_are_allowed(part: type[Part]) -> None:
    right: Any = part
    made = right(family="other", **RIGHT[part])
    assert made.module_name in verilog_modules(made)


@pytest.mark.promise("a parameter out of range is refused in one sentence")
@pytest.mark.promise("a depth that is no power of two is refused")
@pytest.mark.parametrize(("part", "wrong", "message"), WRONG)
def test_a_wrong_parameter_is_one_sentence(
    part: type[Part], wrong: dict[str, Any], message: str
) -> None:
    make: Any = part
    with pytest.raises(ValueError, match=message):
        make(family="other", **{**RIGHT[part], **wrong})


def test_slices_are_equally_wide() -> None:
    data, index = Signal(8), Signal(1)
    with pytest.raises(ValueError, match="equally wide, got 3 for 8 bits"):
        Cells(
            depth=2,
            clk=Signal(),
            write_en=Signal(3),
            write_index=index,
            write_data=data,
            read_index=index,
            read_data=Signal(8),
        )
