"""The script of the host: what is written before a start, in which order, and in which halves."""

from hwgen.chip.registers import register_table
from hwgen.chip.sim.host import Command, HostedChip, Work, host_text, positions, script_text

CHIP = HostedChip(
    name="none",
    top="top_chip",
    modules={},
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
