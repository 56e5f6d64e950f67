"""The script of the host: what is written before a start, in which order, and in which halves."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.registers import register_table
from hwgen.chip.sim.host import (
    Command,
    HostedChip,
    Work,
    check_touched,
    host_text,
    positions,
    run_chip,
    script_text,
)
from hwgen.chip.sim.host_files import Writes
from hwgen.chip.trouble import NO_TROUBLE, Trouble
from hwgen.errors import DataError, SimulationError


def no_stores(_: Path) -> Writes:
    return Writes(start=np.zeros(0, np.int64), cycle=np.zeros(0, np.int64))


CHIP = HostedChip(
    name="none",
    top="top_chip",
    write=dict,
    read_stores=no_stores,
    watch="  // watched\n",
    trace=".trace(trace)",
    sizes=positions("TRACE", {"running": (0, 1), "row": (1, 7)}),
    registers=register_table(
        [
            ("id", "read", ""),
            ("control", "write", ""),
            ("status", "read", ""),
            ("mode", "read and write", ""),
            ("image_address_low", "read and write", ""),
            ("image_address_high", "read and write", ""),
        ]
    ),
    events=("reads", "writes"),
    port_bytes=16,
)


def test_a_start_is_writes_then_start_requests_wait_reads_and_answers() -> None:
    command = Command(
        number=3,
        registers={"mode": 2, "image_address": 0x1_0000_2000},
        requests=[(1, "mode", 5)],
        answers=[(7, 0x2000, 24)],
    )
    work = Work(content={}, memory_bytes=16, commands=[command], latency=1)
    assert script_text(work, CHIP).splitlines() == [
        "1 c 2 0",
        "1 10 2000 0",
        "1 14 1 0",
        "2 3 0 0",
        "3 1 c 5",
        "4 0 0 0",
        "5 0 0 0",
        "5 8 0 0",
        "6 7 200 6",
    ]


def test_a_command_that_loads_says_so() -> None:
    command = Command(number=0, loads=True, registers={})
    work = Work(content={}, memory_bytes=16, commands=[command], latency=1)
    assert "2 0 1 0" in script_text(work, CHIP).splitlines()


def test_the_verilog_is_written_once_by_a_thread_that_may_begin_early() -> None:
    writers: list[int] = []

    def write() -> dict[str, str]:
        writers.append(threading.get_ident())
        return {"top_chip": "module"}

    chip = replace(CHIP, write=write)
    assert not writers
    assert chip.written is chip.written
    assert chip.modules == chip.modules == {"top_chip": "module"}
    assert len(writers) == 1 and writers[0] != threading.get_ident()

    def refuse() -> dict[str, str]:
        raise ValueError("no such chip")

    with pytest.raises(ValueError, match="no such chip"):
        _ = replace(CHIP, write=refuse).modules


def test_the_host_has_the_numbers_of_the_tables() -> None:
    text = host_text(CHIP, 1 << 20)
    for line in (
        "localparam integer PORT_BITS = 128;",
        "localparam integer MEMORY_BEATS = 65536;",
        "localparam integer EVENTS = 2;",
        "localparam integer EVENT_WRITES = 1;",
        "localparam integer TRACE = 8;",
        "localparam integer TRACE_ROW_AT = 1;",
        "localparam integer TRACE_ROW = 7;",
        "localparam [11:0] CONTROL = 'h4;",
        "localparam [11:0] STATUS = 'h8;",
        "// watched",
        "top_chip chip (",
    ):
        assert line in text
    assert "insert:" not in text.split("module host;")[1]


DEAD = """
module top_chip (
  input clk, rst, output irq, output trace,
  input [11:0] registers__awaddr, input [2:0] registers__awprot, input registers__awvalid,
  output registers__awready, input [31:0] registers__wdata, input [3:0] registers__wstrb,
  input registers__wvalid, output registers__wready, output [1:0] registers__bresp,
  output reg registers__bvalid, input registers__bready, input [11:0] registers__araddr,
  input [2:0] registers__arprot, input registers__arvalid, output registers__arready,
  output [31:0] registers__rdata, output [1:0] registers__rresp, output registers__rvalid,
  input registers__rready,
  output memory__arid, output [63:0] memory__araddr, output [7:0] memory__arlen,
  output [2:0] memory__arsize, output [1:0] memory__arburst, output memory__arvalid,
  input memory__arready, input memory__rid, input [127:0] memory__rdata,
  input [1:0] memory__rresp, input memory__rlast, input memory__rvalid, output memory__rready,
  output memory__awid, output [63:0] memory__awaddr, output [7:0] memory__awlen,
  output [2:0] memory__awsize, output [1:0] memory__awburst, output memory__awvalid,
  input memory__awready, output [127:0] memory__wdata, output [15:0] memory__wstrb,
  output memory__wlast, output memory__wvalid, input memory__wready,
  input memory__bid, input [1:0] memory__bresp, input memory__bvalid, output memory__bready
);
  wire writes = $test$plusargs("writes") != 0;
  assign registers__awready = writes;
  assign registers__wready = writes;
  assign registers__bresp = 2'b00;
  assign registers__rvalid = 0;
  always @(posedge clk)
    registers__bvalid <= !rst && writes && registers__wvalid;
endmodule
"""
"""A chip that answers writes if it is told to, but no reads, and never starts."""


def ended(folder: Path, *, commands: list[Command], writes: bool) -> str:
    """Return why the simulation of a script on such a chip ends."""
    chip = replace(
        CHIP,
        write=lambda: {"top_chip": DEAD},
        watch="  wire running = 0;\n  always @(posedge clk) if (running) begin"
        " retired(0); image_begun; count(0, 1); end\n",
        sizes={},
        trace=".trace()",
        args=["-Wno-fatal"],
    )
    plusargs = {"writes": 1} if writes else {}
    work = Work(
        content={0: bytes(16)}, memory_bytes=1024, commands=commands, latency=1, plusargs=plusargs
    )
    with pytest.raises(SimulationError) as error:
        run_chip(work, chip, folder)
    return str(error.value)


@pytest.mark.promise("a chip that answers no register or does not start ends its simulation")
def test_a_chip_that_does_not_answer_ends_the_simulation(tmp_path: Path) -> None:
    """Without a limit the host would wait for ever: in a write, a start and a read."""
    start = [Command(number=0, registers={})]
    assert "host: register 00c must answer within 10000 cycles" in ended(
        tmp_path, commands=[Command(number=0, registers={"mode": 1})], writes=False
    )
    assert "host: register 004 must answer within 10000 cycles" in ended(
        tmp_path, commands=start, writes=False
    )
    assert "host: the chip must start within 10000 cycles" in ended(
        tmp_path, commands=start, writes=True
    )


@pytest.mark.promise(
    "an error of the bus where nothing is read or written is refused with the range that is"
)
@pytest.mark.parametrize(
    ("line", "trouble", "refused"),
    [
        ("touched 4096 8191 0", Trouble(error_address=0x40), True),
        ("touched 4096 8191 1", Trouble(error_address=0x1003), False),
        ("touched 4096 8191 0", NO_TROUBLE, False),
        ("retire 5 0", Trouble(error_address=0x40), False),
    ],
)
def test_an_error_must_be_where_something_is_read_or_written(
    line: str, trouble: Trouble, refused: bool, tmp_path: Path
) -> None:
    events = tmp_path / "events.txt"
    events.write_text(f"start 0 0\n{line}\nfinish\n", encoding="ascii")
    if not refused:
        check_touched(events, trouble)
        return
    with pytest.raises(DataError, match=r"of 0x1000 to 0x1fff, got 0x40$"):
        check_touched(events, trouble)
