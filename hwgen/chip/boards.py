"""FPGA boards on which a chip stands behind an UART: pins, clock, what the FPGA has.

Tests: `tests/boards/test_files.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

PORTS = ("clk", "button", "rx", "tx", "led")
"""Of the top of every board; besides them it has pins that are always high."""
BAUD = 115_200
"""Of a board whose bits are not chosen."""
ROUTED_TOOLS = ("ecp5", "gowin")
"""Tools that pip installs; a board of others has a project folder for them."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board, its FPGA, and the pins that the top of a chip uses.

    name: on the command line, and of the top; title, part: for persons; sold_as: of the vendor
    tools: whose bit stream it takes
    oscillator_mhz: on the board; divide: clock of the oscillator in one of the chip
    pins: place of each port, of `PORTS` and of `high`; pulls: of ports that have one
    wires: what `button`, `rx` and `tx` and `led` are on the board, for persons
    button_level, led_level: of the pin when the button is pressed, when the LED is lit
    luts, block_rams: that the FPGA has; block_ram_bytes: of one
    device: options of nextpnr, or the part for Vivado
    """

    name: str
    title: str
    part: str
    tools: Literal["ecp5", "gowin", "vivado"]
    oscillator_mhz: float
    divide: int = 1
    pins: Mapping[str, str]
    pulls: Mapping[str, str] = field(default_factory=dict)
    high: tuple[str, ...] = ()
    wires: str
    button_level: int
    led_level: int
    luts: int
    block_rams: int
    block_ram_bytes: int
    device: Sequence[str]

    @property
    def mhz(self) -> float:
        """Clock of the chip."""
        return self.oscillator_mhz / self.divide

    @property
    def bit_cycles(self) -> int:
        """Clock cycles of the chip in a bit of the UART at `BAUD`."""
        return round(1e6 * self.mhz / BAUD)


BOARDS = {
    board.name: board
    for board in (
        Board(
            name="ulx3s",
            title="ULX3S 85F",
            part="Lattice LFE5U-85F, speed grade 6",
            tools="ecp5",
            oscillator_mhz=25.0,
            pins={
                "clk": "G2",
                "button": "R1",
                "rx": "M1",
                "tx": "L4",
                "led": "B2",
                "wifi_gpio0": "L2",
            },
            pulls={"button": "DOWN", "rx": "UP"},
            high=("wifi_gpio0",),  # else the board's other processor resets the FPGA
            wires="button F1, USB of the FT231X (US1), LED D0",
            button_level=1,
            led_level=1,
            luts=83_640,
            block_rams=208,
            block_ram_bytes=2048,
            device=("--85k", "--package", "CABGA381", "--speed", "6"),
        ),
        Board(
            name="tang20k",
            title="Tang Nano 20K",
            part="Gowin GW2AR-LV18QN88C8/I7",
            tools="gowin",
            oscillator_mhz=27.0,
            pins={"clk": "4", "button": "88", "rx": "70", "tx": "69", "led": "15"},
            pulls={"button": "DOWN", "rx": "UP"},
            wires="button S1, USB of the BL616, LED 0",
            button_level=1,
            led_level=0,
            luts=20_736,
            block_rams=46,
            block_ram_bytes=2048,
            device=("--device", "GW2AR-LV18QN88C8/I7", "--vopt", "family=GW2A-18C"),
        ),
        Board(
            name="arty",
            title="Arty A7-35T",
            part="Xilinx XC7A35T-1CSG324",
            tools="vivado",
            oscillator_mhz=100.0,
            divide=4,
            pins={"clk": "E3", "button": "C2", "rx": "A9", "tx": "D10", "led": "H5"},
            wires="button RESET, USB of the FT2232 (J10), LED LD4",
            button_level=0,
            led_level=1,
            luts=20_800,
            block_rams=50,
            block_ram_bytes=4096,
            device=("xc7a35ticsg324-1L",),
        ),
    )
}
"""By name. Pins are those of the boards' makers, as LiteX-Boards (BSD-2-Clause) lists them."""
