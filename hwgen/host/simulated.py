"""A line to a simulated chip: the Verilog of `hwgen build --pins`, its pins driven bit by bit.

Tests: `tests/host/test_host.py`.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hwgen.chip.boards import BOARDS
from hwgen.chip.line import QUIET_BITS
from hwgen.chip.sim.simulator import FAST, Simulator, build_simulator
from hwgen.errors import FormatError, SimulationError
from hwgen.host.lines import Line, SpiLine, UartLine

BENCH = Path(__file__).parents[1] / "chip/sim/line.v"
RESET_CLOCKS = 64
"""Clocks of a board's chip that its reset is over in."""
ANSWER_CYCLES = 4096
"""Cycles that a simulated port waits for a byte, besides three bytes of the UART."""


class SimulatedPins:
    """A running simulation, told byte by byte what to do on its pins; see `line.v`.

    It ends with its stdin.
    bit_cycles: of a bit of the host's UART, or of half a period of SCK
    divide: clock cycles of the simulation in one of the chip
    """

    def __init__(self, running: subprocess.Popen[str], *, bit_cycles: int, divide: int = 1) -> None:
        self._wait = ANSWER_CYCLES * divide + 30 * bit_cycles
        self._quiet = (QUIET_BITS + 100) * bit_cycles
        self._running = running
        self._tell(f"p {RESET_CLOCKS * divide:x}\n")

    def write(self, data: bytes) -> int:
        """Send bytes over the UART."""
        self._tell("".join(f"w {byte:x}\n" for byte in data))
        return len(data)

    def read(self, count: int) -> bytes:
        """Return so many bytes that came over the UART, or those before a pause."""
        found = b""
        while len(found) < count:
            self._tell(f"r {self._wait:x}\n")
            said = self._said()
            if said == "-":
                break
            found += bytes.fromhex(said)
        return found

    def pause(self) -> None:
        """Let the time pass after which the chip drops a torn frame."""
        self._tell(f"p {self._quiet:x}\nd 0\n")

    def transfer(self, data: bytes) -> bytes:
        """Exchange bytes over SPI between a fall and a rise of CS."""
        self._tell("c 0\n" + "".join(f"w {byte:x}\n" for byte in data) + "c 1\n")
        return bytes.fromhex("".join(self._said() for _ in data))

    def _tell(self, lines: str) -> None:
        """Hand lines to the simulation."""
        assert self._running.stdin is not None
        try:
            self._running.stdin.write(lines)
            self._running.stdin.flush()
        except BrokenPipeError:
            self._said()

    def _said(self) -> str:
        """Return the next line of the simulation; raise SimulationError where it has ended."""
        assert self._running.stdout is not None
        line = self._running.stdout.readline().strip()
        if not line or "rror" in line:
            raise SimulationError(
                f"the simulation of a line must go on, got its end: {line or 'nothing said'}"
            )
        return line


@contextmanager
def simulated_line(
    folder: str | os.PathLike[str],
    *,
    bit_cycles: int | None = None,
    optimize: str = FAST,
    builds: Path | None = None,
) -> Iterator[Line]:
    """Yield a line to the simulated chip of a folder that `hwgen build --pins` or `--for` wrote.

    Of a board the oscillator, the button and the serial port are driven, and nothing else.

    bit_cycles: clock cycles of a bit at the host's end of an UART; None: those of the chip
    optimize: flag of the C++ compiler: `-O0` is built sooner, and runs slower
    builds: folder of simulators; None: that of `hwgen cache`
    Raises FormatError for a folder of another chip, MissingToolError without Verilator.
    """
    manifest = Path(folder) / "manifest.json"
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        about = content["parameters"]["pins"]
        names = dict.fromkeys(module["file"] for module in content["modules"].values())
        sources = {name: (Path(folder) / name).read_text(encoding="utf-8") for name in names}
    except (OSError, ValueError, KeyError) as error:
        allowed = "that of a chip which hwgen build --pins wrote"
        raise FormatError(
            field="the manifest", allowed=allowed, given=repr(error), source=str(manifest)
        ) from None
    spi = about["line"] == "spi"
    ports = ("sck", "cs_n", "mosi", "miso") if spi else ("rx", "tx")
    board = BOARDS.get(content["parameters"].get("board", ""))
    reset = ".rst(rst)"
    if board is not None:
        reset = ".button(rst)" if board.button_level else ".button(!rst)"
    connected = ", ".join([".clk(clk)", reset, *(f".{name}({name})" for name in ports)])
    unused = "assign tx = 1;" if spi else "assign miso = 0;"
    chip = f"localparam CHIP_SPI = {int(spi)};\n  {content['top']} chip ({connected});\n  {unused}"
    bench = BENCH.read_text(encoding="utf-8").replace("  // insert: chip\n", f"  {chip}\n", 1)
    simulator = Simulator(
        name=f"{content['top']} of {folder}",
        sources={**sources, BENCH.name: bench},
        top=BENCH.stem,
        optimize=optimize,
    )
    executable = build_simulator(simulator, builds=builds).folder / simulator.executable
    divide = 1 if board is None else board.divide
    cycles = 4 if spi else divide * (bit_cycles or about["bit_cycles"])
    command = [str(executable), f"+bit_cycles={cycles}"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as running:
        pins = SimulatedPins(running, bit_cycles=cycles, divide=divide)
        if spi:
            yield SpiLine(pins.transfer, name="simulated SPI")
        else:
            baud = f"a bit of {cycles} clocks"
            yield UartLine(pins, name="simulated UART", baud=baud, pause=pins.pause)
