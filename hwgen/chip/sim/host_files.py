"""Files between Python and the host of a simulated chip, whatever its family.

The host reads the content of the memory; it writes events, a line each, and stores, which are lines
of hexadecimal digits of fixed length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.axi import PAGE_BYTES
from hwgen.chip.limits import RunLimits
from hwgen.errors import SimulationError

PROGRAM_ADDRESS = 0x1000
MEMORY_BYTES = (1 << 24, 1 << 27, 1 << 30)
"""Sizes of the simulated memory; a run takes the smallest that is enough."""
ANSWER_BYTES = 4
"""Bytes of the words in which answers are read back."""
UNWRITTEN = 0xA5
"""Every byte of the answers before the chip has written it."""
FINISHED = ("finish", "timeout", "flood")
"""The last line of a whole event file."""

Ints = NDArray[np.int64]
Nibbles = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Writes:
    """What a chip wrote, in the order of the cycles; a family adds arrays of as many entries.

    start: number of starts before each; cycle: of the chip's counter, in which it is written
    """

    start: Ints
    cycle: Ints

    def __len__(self) -> int:
        return len(self.cycle)

    def of_start(self, number: int) -> Self:
        """Return those after the start with this number, the first being 1."""
        return self.part(self.start == number)

    def part(self, which: NDArray[np.bool_] | slice) -> Self:
        """Return some of them."""
        return type(self)(**{name: values[which] for name, values in vars(self).items()})


def pages(size: int) -> int:
    """Return `size` rounded up to whole pages."""
    return -(-size // PAGE_BYTES) * PAGE_BYTES


def smallest_memory(needed: int, *, runs: int) -> int:
    """Return the size of a simulated memory; raise SimulationError if none is large enough."""
    for size in MEMORY_BYTES:
        if needed <= size:
            return size
    raise SimulationError(
        "program, images, answers and any scratch space must fit into a simulated memory of"
        f" {MEMORY_BYTES[-1]:,} bytes, got {needed:,} bytes for {runs} runs"
    )


def beats_text(content: Mapping[int, bytes], port_bytes: int) -> str:
    """Return a file for `$readmemh`, one beat a line, its lowest byte last."""
    texts = []
    for address, data in content.items():
        whole = np.frombuffer(data + bytes(-len(data) % port_bytes), np.uint8)
        beats = whole.reshape(-1, port_bytes)[:, ::-1].tobytes()
        texts += [f"@{address // port_bytes:x}", beats.hex("\n", port_bytes)]
    return "\n".join(texts) + "\n"


def gave_up(lines: Sequence[str], limits: RunLimits) -> str:
    """Return why the host ended a run that was still busy, from the lines of its events."""
    if lines[-1] == "flood":
        return f"the chip stored more than {limits.stores:,} words"
    return f"the chip was still busy after {limits.cycles:,} cycles"


def event_lines(events: Path) -> list[str]:
    """Return the lines of an event file; raise SimulationError when it was cut off."""
    lines = events.read_text(encoding="ascii").splitlines()
    if not lines or lines[-1] not in FINISHED:
        raise SimulationError(
            f"the events of a simulation must end with {', '.join(FINISHED[:-1])} or"
            f" {FINISHED[-1]}, got"
            f" {lines[-1] if lines else 'nothing'!r}: is the disk full? ({events})"
        )
    return lines


def read_nibbles(path: Path, digits: Sequence[int]) -> list[Nibbles]:
    """Return the digits of each field of all lines: arrays (lines, digits), the highest first.

    digits: of each field of a line; raises SimulationError when the file was cut off
    """
    size = sum(digits) + 1
    text = np.fromfile(path, np.uint8)
    if len(text) % size:
        raise SimulationError(
            f"the stores of a simulation must be lines of {size} bytes, got {len(text):,} bytes:"
            f" is the disk full? ({path})"
        )
    nibbles = digit_values()[text.reshape(-1, size)]
    bounds = np.cumsum([0, *digits])
    return [nibbles[:, begin:end] for begin, end in pairwise(bounds)]


def digit_values() -> Nibbles:
    """Return the value of each character that is a hexadecimal digit, 0 for the others."""
    values = np.zeros(256, np.uint8)
    for value, digit in enumerate(b"0123456789abcdef"):
        values[digit] = value
    return values


def number(nibbles: Nibbles) -> Ints:
    """Return the numbers that digits stand for, the highest one first."""
    found = np.zeros(len(nibbles), np.int64)
    for column in nibbles.T:
        found = found << 4 | column
    return found


def bits(nibbles: Nibbles, count: int) -> NDArray[np.bool_]:
    """Return the lowest `count` bits of each line, bit 0 first."""
    lowest_first = nibbles[:, ::-1, None]
    each = np.unpackbits(lowest_first, axis=2, bitorder="little")[:, :, :4]
    return each.reshape(len(nibbles), 4 * nibbles.shape[1])[:, :count].astype(bool)


def bytes_of(nibbles: Nibbles) -> NDArray[np.uint8]:
    """Return the bytes of each line, the lowest one first."""
    pairs = nibbles.reshape(len(nibbles), nibbles.shape[1] // 2, 2)
    return (pairs[:, ::-1, 0] << 4 | pairs[:, ::-1, 1]).astype(np.uint8)
