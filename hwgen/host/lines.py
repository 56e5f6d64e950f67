"""Lines to a chip: each sends a frame, and returns what comes back.

Tests: `tests/host/test_lines.py`.
"""

import time
from collections.abc import Callable
from typing import Protocol

from hwgen.chip.line import QUIET_BITS, SPI_IDLE, SPI_WAIT_BYTES, Status
from hwgen.commands.packages import optional_packages
from hwgen.errors import ConfigError, LineError
from hwgen.host.frames import ANSWER_BYTES

BAUDS = (300, 12_000_000)
"""The slowest and the fastest serial port."""
SECONDS = 1.0
"""A serial port waits so long for an answer, besides the time that its bits take."""
LONGEST_FRAME_BITS = 10 * 2 * 1100
"""Bits of the longest frame of `Host` and of its answer, rounded up."""


class Line(Protocol):
    """What carries frames to a chip and answers back.

    name: of the line in messages; wiring: what to look at when nothing comes, a clause
    """

    name: str
    wiring: str

    def exchange(self, frame: bytes, count: int) -> bytes:
        """Send a frame; return at most `count` bytes of the answer, fewer if no more came."""

    def quiet(self) -> None:
        """Wait until the chip has dropped a frame that it got in part, and drop what it sent."""


class Port(Protocol):
    """A serial port as pyserial has it; `read` returns fewer bytes when its time is over."""

    def write(self, data: bytes, /) -> int | None:
        """Send bytes."""

    def read(self, count: int, /) -> bytes:
        """Return so many bytes, or those that came in time."""


class UartLine:
    """A line over a serial port.

    port: has `write` and `read`, such as `serial.Serial` with a timeout or a simulated one
    pause: waits until the chip has dropped a torn frame: `QUIET_BITS` of the UART
    """

    def __init__(self, port: Port, *, name: str, baud: str, pause: Callable[[], None]) -> None:
        self._port, self._pause = port, pause
        self.name = name
        self.wiring = f"is it powered, is each rx wired to the other tx, has it {baud}"

    def exchange(self, frame: bytes, count: int) -> bytes:
        """Send a frame; return the answer, or the bytes of it that came in time."""
        self._port.write(frame)
        status = self._port.read(1)
        if not status:
            return b""
        rest = count if status[0] == Status.DONE else ANSWER_BYTES
        return status + self._port.read(rest - 1)

    def quiet(self) -> None:
        """Wait, and drop what came."""
        self._pause()
        while self._port.read(1):
            pass


class SpiLine:
    """A line over SPI in mode 0.

    transfer: lowers CS, sends bytes, raises CS, and returns as many that came, such as
        `lambda data: bytes(spi.xfer2(list(data)))` of spidev; SCK has at least 8 clock cycles of
        the chip
    """

    def __init__(self, transfer: Callable[[bytes], bytes], *, name: str) -> None:
        self._transfer = transfer
        self.name = name
        self.wiring = "is it powered, are all four pins wired, is SCK an eighth of its clock"

    def exchange(self, frame: bytes, count: int) -> bytes:
        """Send a frame with room behind it; return the answer, from its status on."""
        idle = bytes([SPI_IDLE])
        came = self._transfer(frame + idle * (SPI_WAIT_BYTES + count))
        return came[len(frame) :].lstrip(idle)[:count]

    def quiet(self) -> None:
        """Do nothing: CS has ended the frame."""


def serial_line(device: str, *, baud: int = 115200) -> UartLine:
    """Return a line over a serial port, 8 bits without parity.

    device: as the system calls it, such as `/dev/ttyUSB0`; baud: bits in a second
    Raises LineError for a port that cannot be opened, MissingToolError without pyserial.
    """
    least, most = BAUDS
    if not least <= baud <= most:
        allowed = f"{least} to {most}"
        raise ConfigError(field="baud", allowed=allowed, given=baud, source="serial_line")
    with optional_packages():
        import serial
    try:
        port = serial.Serial(device, baud, timeout=SECONDS + LONGEST_FRAME_BITS / baud)
    except (OSError, ValueError) as error:
        raise LineError(f"the serial port must be one that opens, got {error} ({device})") from None

    def pause() -> None:
        time.sleep(2 * QUIET_BITS / baud)
        port.reset_input_buffer()

    return UartLine(port, name=device, baud=f"{baud} baud", pause=pause)
