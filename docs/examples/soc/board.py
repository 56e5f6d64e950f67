"""The system of soc.py on an FPGA board: LiteX writes what its tools take, and runs none of them.

    python board.py BOARD CHIP FIRMWARE OUT MHZ ROM_BYTES RAM_BYTES

CHIP: folder that `hwgen build` wrote; FIRMWARE: the binary for the ROM; OUT: folder
to write, which gets the Verilog soc.v with the content of its memories, the pins soc.lpf and
the script soc.ys of Yosys. The console is the board's serial port, 115200 baud; its first LED
lights when the firmware has ended.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from litex.build.generic_platform import GenericPlatform
from litex.gen import LiteXModule
from litex.soc.cores.clock import ECP5PLL
from litex.soc.cores.uart import RS232PHYTX
from litex.soc.interconnect.stream import SyncFIFO
from litex_boards.platforms import radiona_ulx3s
from migen import ClockDomain, Signal
from soc import Soc

BAUD = 115200
CONSOLE_BYTES = 2048
"""Of the queue before the serial port; firmware does not wait for it and says less."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board: how LiteX makes its platform, its oscillator, and pins that must be high."""

    platform: Callable[[], GenericPlatform]
    oscillator: tuple[str, float]
    high: tuple[str, ...] = ()


BOARDS = {
    "ulx3s": Board(
        platform=lambda: radiona_ulx3s.Platform(device="LFE5U-85F", toolchain="trellis"),
        oscillator=("clk25", 25e6),
        high=("wifi_gpio0",),  # else the board's other processor resets the FPGA
    )
}


class BoardClock(LiteXModule):
    """The clock of the system, from the oscillator of the board."""

    def __init__(self, platform: GenericPlatform, board: Board, hertz: float) -> None:
        name, given = board.oscillator
        self.cd_sys = ClockDomain()
        self.pll = ECP5PLL()
        self.comb += self.pll.reset.eq(platform.request("rst"))
        self.pll.register_clkin(platform.request(name), given)
        self.pll.create_clkout(self.cd_sys, hertz)
        self.comb += [platform.request(pin).eq(1) for pin in board.high]


class Console(LiteXModule):
    """What the bench says goes to the serial port; its end stays on the first LED."""

    def __init__(self, platform: GenericPlatform, bench: LiteXModule, hertz: float) -> None:
        ended = Signal()
        self.queue = SyncFIFO([("data", 8)], CONSOLE_BYTES, buffered=True)
        self.port = RS232PHYTX(platform.request("serial"), int(BAUD * 2**32 / hertz))
        self.sync += [
            self.queue.sink.valid.eq(bench.char.re),
            self.queue.sink.data.eq(bench.char.storage),
            ended.eq(ended | bench.finish.re),
        ]
        self.comb += [
            self.queue.source.connect(self.port.sink),
            platform.request("user_led", 0).eq(ended),
        ]


def main() -> None:
    """Write the system."""
    board = BOARDS[sys.argv[1]]
    chip, firmware, out = (Path(each).resolve() for each in sys.argv[2:5])
    hertz = 1e6 * float(sys.argv[5])
    rom_bytes, ram_bytes = (int(each) for each in sys.argv[6:8])
    platform = board.platform()
    soc = Soc(
        platform,
        chip,
        firmware,
        clock=BoardClock(platform, board, hertz),
        hertz=hertz,
        rom_bytes=rom_bytes,
        ram_bytes=ram_bytes,
    )
    soc.console = Console(platform, soc.bench, hertz)
    for name in json.loads((chip / "manifest.json").read_text(encoding="utf-8"))["files"]:
        if name.endswith(".v"):
            platform.add_source(str(chip / name))
    platform.build(soc, build_dir=str(out), build_name="soc", run=False)


if __name__ == "__main__":
    main()
