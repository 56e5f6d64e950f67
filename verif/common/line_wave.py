"""A model of an UART line of its own: levels over time, whatever a transmitter would send.

It shares nothing with the host, the chip's facts or the other benches: bytes, checksums and frames
are written out here once more, and what the chip sends is read from its level alone. Icarus runs
the pins and the frames of a chip behind it.

Tests: `tests/verif/common/test_line_wave.py`.
"""

import random
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BENCH = Path(__file__).parent / "line_wave.v"
BIT = 7
"""Clock cycles of a bit of the chip's UART."""
QUIET = 16_384
"""Bits after which torn data are forgotten."""
LOW, HIGH = 0, 1


@dataclass
class Wave:
    """Levels of a pin, each with the cycles for which it lasts; bit: cycles of a bit."""

    bit: float = BIT
    parts: list[tuple[int, int]] = field(default_factory=list)
    _at: float = 0.0
    _done: int = 0

    def level(self, level: int, cycles: float) -> None:
        """Hold a level; fractions of cycles add up."""
        self._at += cycles
        whole = round(self._at) - self._done
        self._done += whole
        if whole:
            self.parts.append((level, whole))

    def byte(self, value: int) -> None:
        """Send a byte: a low bit, eight from the lowest on, a high one."""
        for level in (LOW, *(value >> place & 1 for place in range(8)), HIGH):
            self.level(level, self.bit)

    def send(self, data: bytes, *, bit: float | None = None) -> None:
        """Send bytes, at another speed where one is given."""
        usual, self.bit = self.bit, bit or self.bit
        for each in data:
            self.byte(each)
        self.bit = usual

    def idle(self, bits: float) -> None:
        """Leave the line high."""
        self.level(HIGH, bits * self.bit)

    def glitch(self, cycles: int) -> None:
        """Pull the line low for less than half a bit."""
        self.level(LOW, cycles)


def crc16(data: bytes) -> bytes:
    """Return the checksum of bytes, bit by bit: x^16 + x^12 + x^5 + 1 from ones."""
    rest = [1] * 16
    for byte in data:
        for place in range(7, -1, -1):
            out = rest[0] ^ (byte >> place & 1)
            rest = [*rest[1:], out]
            rest[16 - 1 - 5] ^= out
            rest[16 - 1 - 12] ^= out
    value = int("".join(map(str, rest)), 2)
    return bytes([value >> 8, value & 255])


def frame(command: int, address: int, length: int, data: bytes = b"") -> bytes:
    """Return a frame: 1 size, 2 read, 3 write, 4 read a register, 5 write one."""
    head = bytes([command]) + address.to_bytes(4, "little") + length.to_bytes(2, "little")
    return b"\x5a" + head + crc16(head) + (data + crc16(data) if data else b"")


def reply(data: bytes = b"", status: int = 0x81) -> bytes:
    """Return what the chip must answer."""
    text = bytes([status]) + data
    return text + crc16(text)


def bytes_of(changes: Sequence[tuple[int, int]], end: int) -> bytes:
    """Return the bytes that a pin shows up to the first that is none: levels in the middle of bits.

    changes: (cycle, level) in order; end: the last cycle
    """
    found, at, number = [], 0.0, 0
    level = HIGH

    def seen(cycle: float) -> int:
        nonlocal number, level
        while number < len(changes) and changes[number][0] <= cycle:
            level = changes[number][1]
            number += 1
        return level

    while at < end:
        begins = next(
            (cycle for cycle, now in changes[number:] if now == LOW and cycle >= at), None
        )
        if begins is None:
            break
        bits = [seen(begins + (place + 0.5) * BIT) for place in range(10)]
        if bits[0] != LOW or bits[9] != HIGH:
            break
        found.append(sum(bit << place for place, bit in enumerate(bits[1:9])))
        at = begins + 9.5 * BIT
    return bytes(found)


Scenario = tuple[Wave, bytes]
"""What comes over the line, and all that the chip must send."""


def clean(rng: random.Random) -> Scenario:
    """Bytes are written and read back, a register too."""
    wave, data = Wave(), rng.randbytes(9)
    wave.send(frame(3, 17, 9, data))
    wave.idle(60)
    wave.send(frame(2, 17, 9))
    wave.idle(200)
    word = rng.randbytes(4)
    wave.send(frame(5, 8, 4, word))
    wave.idle(80)
    wave.send(frame(4, 8, 4))
    wave.idle(200)
    return wave, reply() + reply(data) + reply() + reply(word)


def wrong_baud(rng: random.Random) -> Scenario:
    """A host a thirtieth too slow or too fast is understood."""
    wave, wanted = Wave(), b""
    for factor in (0.97, 1.03):
        data = rng.randbytes(5)
        wave.send(frame(3, 3, 5, data), bit=factor * BIT)
        wave.idle(60)
        wave.send(frame(2, 3, 5), bit=factor * BIT)
        wave.idle(150)
        wanted += reply() + reply(data)
    return wave, wanted


def glitches(rng: random.Random) -> Scenario:
    """Pulses of less than half a bit are no start."""
    wave = Wave()
    for _ in range(5):
        wave.glitch(rng.randint(1, BIT // 2 - 1))
        wave.idle(2 + 3 * rng.random())
    wave.send(frame(1, 0, 4))
    wave.idle(150)
    return wave, reply((256).to_bytes(4, "little"))


def breaks(rng: random.Random) -> Scenario:
    """A line that is low for long brings no byte, in a header neither."""
    wave, whole = Wave(), frame(1, 0, 4)
    wave.send(whole[:4])
    wave.level(LOW, 10 * BIT * rng.randint(2, 4))
    wave.idle(12)
    wave.send(whole[4:])
    wave.idle(150)
    return wave, reply((256).to_bytes(4, "little"))


def damaged_header(rng: random.Random) -> Scenario:
    """Behind a damaged header the next frame is answered at once."""
    wave, wanted = Wave(), b""
    for _ in range(3):
        spoiled = bytearray(frame(2, rng.randrange(128), 4))
        place = rng.randrange(1, 10)
        spoiled[place] ^= 1 << rng.randrange(8)
        # What is damaged into a start is one, and the frame behind it is that start's.
        spoiled[1:] = bytes(0xFF if each == 0x5A else each for each in spoiled[1:])
        wave.send(bytes(spoiled) + frame(1, 0, 4))
        wave.idle(150)
        wanted += reply((256).to_bytes(4, "little"))
    return wave, wanted


def false_starts(rng: random.Random) -> Scenario:
    """A frame is found whose start lies among the bytes behind a start that was none."""
    wave, wanted = Wave(), b""
    for before in (0, 3, 8):
        noise = bytes(rng.randrange(0x5B, 0x100) for _ in range(before))
        wave.send(b"\x5a" + noise + frame(1, 0, 4))
        wave.idle(150)
        wanted += reply((256).to_bytes(4, "little"))
    return wave, wanted


def torn_data(rng: random.Random) -> Scenario:
    """Data that end early swallow what follows, until the line was quiet."""
    wave = Wave()
    wave.send(frame(3, 0, 200, rng.randbytes(200))[:60])
    wave.send(frame(1, 0, 4))
    wave.idle(QUIET + 20)
    wave.send(frame(1, 0, 4))
    wave.idle(150)
    return wave, reply((256).to_bytes(4, "little"))


SCENARIOS = (clean, wrong_baud, glitches, breaks, damaged_header, false_starts, torn_data)


def build(modules: Mapping[str, str], folder: Path) -> Path:
    """Compile the pins and the frames of a chip, Verilog by module name, behind a line."""
    files = [str(BENCH)]
    for name, text in modules.items():
        (folder / f"{name}.v").write_text(text, encoding="utf-8")
        files.append(str(folder / f"{name}.v"))
    image = folder / "line.vvp"
    subprocess.run(
        ["iverilog", "-g2005-sv", "-s", "line_wave", "-o", str(image), *files], check=True
    )
    return image


def sent(image: Path, wave: Wave, folder: Path) -> bytes:
    """Return what the chip sends when a wave comes."""
    (folder / "wave.txt").write_text("".join(f"{a} {b}\n" for a, b in wave.parts), encoding="ascii")
    done = subprocess.run(
        ["vvp", "-n", str(image)], cwd=folder, check=True, capture_output=True, text=True
    )
    rows = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    *changes, (end, _) = rows
    return bytes_of([(cycle, level) for cycle, level in changes], end)
