"""Files that put a chip onto an FPGA board: pins for its tools, a page for a person.

Tests: `tests/boards/test_files.py`.
"""

from hwgen.chip.boards import Board

GUIDE = "board.md"
OUTSIDE = ("button", "rx", "tx", "led")
"""Ports without timing."""

TEXT = """\
# {what} on the board {title}

`{top}` stands on {part}, with a clock of {mhz:g} MHz, behind the serial port of the board: {baud:,}
baud, 8 bits, no parity. {wires}. The button resets, the LED blinks while the chip has its clock.
No board was tried.

{steps}
Then `hwgen.host.Host(hwgen.host.serial_line("/dev/ttyUSB0", baud={baud}), ...)` of the same
architecture loads a network and runs images.
"""
STEPS = {
    "ecp5": """\
`hwgen build --for {name} --route` makes `{name}.bit` of these files with Yosys, nextpnr and
ecppack. By hand, in this folder: `synth_ecp5 -top {top}` of Yosys reads `files.f`, nextpnr-ecp5
takes `{device}` and `{constraints}`. `openFPGALoader -b ulx3s {name}.bit` loads it.
""",
    "gowin": """\
`hwgen build --for {name} --route` makes `{name}.fs` of these files with Yosys, nextpnr and
gowin_pack. By hand, in this folder: `synth_gowin -family gw2a -top {top}` of Yosys reads
`files.f`, nextpnr-himbaechel takes `{device}` and `{constraints}`.
`openFPGALoader -b tangnano20k {name}.fs` loads it.
""",
    "vivado": """\
`vivado -mode batch -source build.tcl` in this folder makes `{name}.bit`, with reports of its timing
and of its places; `{constraints}` has the pins. **Nobody ran it**: Vivado is not free software,
and the project has none.
""",
}
TCL = """\
# SPDX-License-Identifier: Apache-2.0
# {written}: a project of Vivado that nobody ran.
# vivado -mode batch -source build.tcl
create_project -force {name} project -part {part}
add_files [list {files}]
add_files -fileset constrs_1 {constraints}
set_property top {top} [current_fileset]
set_property verilog_define {{SYNTHESIS}} [current_fileset]
launch_runs synth_1 -jobs 2
wait_on_run synth_1
launch_runs impl_1 -to_step write_bitstream -jobs 2
wait_on_run impl_1
open_run impl_1
report_utilization -file utilization.txt
report_timing_summary -file timing.txt
file copy -force project/{name}.runs/impl_1/{top}.bit {name}.bit
"""


def constraints_name(board: Board) -> str:
    """Return the name of the file of pins."""
    return board.name + {"ecp5": ".lpf", "gowin": ".cst", "vivado": ".xdc"}[board.tools]


def board_files(
    board: Board, what: str, *, top: str, modules: list[str], baud: int, written: str
) -> dict[str, str]:
    """Return the text of each file by its name.

    what: the chip, for persons; top: module of the board; modules: files of Verilog
    baud: of the serial port
    """
    name = constraints_name(board)
    texts = {"ecp5": lpf, "gowin": cst, "vivado": xdc}
    found = {name: texts[board.tools](board, written)}
    if board.tools == "vivado":
        found["build.tcl"] = TCL.format(
            written=written,
            name=board.name,
            part=board.device[0],
            files=" ".join(modules),
            constraints=name,
            top=top,
        )
    steps = STEPS[board.tools].format(
        name=board.name, top=top, device=" ".join(board.device), constraints=name
    )
    guide = TEXT.format(
        what=what[0].upper() + what[1:],
        title=board.title,
        top=top,
        part=board.part,
        mhz=board.mhz,
        baud=baud,
        wires=board.wires[0].upper() + board.wires[1:],
        steps=steps,
    )
    return {**found, GUIDE: guide}


def lpf(board: Board, written: str) -> str:
    """Return pins and clock for nextpnr-ecp5."""
    lines = [f"# {written}: pins of the {board.title}."]
    for port, site in board.pins.items():
        pull = f" PULLMODE={board.pulls[port]}" if port in board.pulls else ""
        lines.append(f'LOCATE COMP "{port}" SITE "{site}";')
        lines.append(f'IOBUF PORT "{port}" IO_TYPE=LVCMOS33{pull};')
    lines.append(f'FREQUENCY PORT "clk" {board.oscillator_mhz:g} MHZ;')
    return "\n".join(lines) + "\n"


def cst(board: Board, written: str) -> str:
    """Return pins for nextpnr-himbaechel; it takes the clock as an option."""
    lines = [f"// {written}: pins of the {board.title}."]
    for port, site in board.pins.items():
        pull = f" PULL_MODE={board.pulls[port]}" if port in board.pulls else ""
        lines.append(f'IO_LOC "{port}" {site};')
        lines.append(f'IO_PORT "{port}" IO_TYPE=LVCMOS33{pull};')
    return "\n".join(lines) + "\n"


def xdc(board: Board, written: str) -> str:
    """Return pins and clocks for Vivado; ports without timing are said to have none."""
    lines = [
        "# SPDX-License-Identifier: Apache-2.0",
        f"# {written}: pins of the {board.title}. Nobody ran it.",
    ]
    for port, site in board.pins.items():
        options = f"PACKAGE_PIN {site} IOSTANDARD LVCMOS33"
        lines.append(f"set_property -dict {{ {options} }} [get_ports {port}]")
    period = 1000 / board.oscillator_mhz
    lines.append(f"create_clock -name oscillator -period {period:g} [get_ports clk]")
    if board.divide > 1:
        lines += [
            f"create_generated_clock -name chip -divide_by {board.divide} \\",
            f"  -source [get_ports clk] [get_pins divider_reg[{board.divide.bit_length() - 2}]/Q]",
        ]
    inputs = " ".join(port for port in OUTSIDE if port in ("button", "rx"))
    outputs = " ".join(port for port in OUTSIDE if port not in ("button", "rx"))
    lines += [
        f"set_false_path -from [get_ports {{{inputs}}}]",
        f"set_false_path -to [get_ports {{{outputs}}}]",
        "set_property CFGBVS VCCO [current_design]",
        "set_property CONFIG_VOLTAGE 3.3 [current_design]",
    ]
    return "\n".join(lines) + "\n"
