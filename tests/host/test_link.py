"""What a host says of a line: each fault is one sentence, and what can be asked again is."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hwgen.chip.line import Status
from hwgen.errors import LineError
from hwgen.host.link import CHUNK_BYTES, Link
from verif.reference.frames import Device

NAME = "a made-up line"


class Faulty:
    """A line to golden's chip; `spoil` changes what comes back, once for each of `faults`."""

    name, wiring = NAME, "is it wired"

    def __init__(self, device: Device, spoil: Callable[[bytes], bytes], faults: int) -> None:
        self.device, self.spoil, self.faults = device, spoil, faults
        self.asked = self.waited = 0

    def exchange(self, frame: bytes, count: int) -> bytes:
        self.asked += 1
        answer = self.device.answer_of(frame)
        assert len(answer) <= count
        self.faults -= 1
        return self.spoil(answer) if self.faults >= 0 else answer

    def quiet(self) -> None:
        self.waited += 1


def of(status: Status | int) -> Device:
    """Return a chip whose registers all answer with the same value or failure."""
    return Device(lambda offset, value: status, bytearray(4096))


FAULTS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "silence": (lambda answer: b"", "got nothing, 3 times: is it wired?"),
    "cut": (lambda answer: answer[:2], "got 2 of 7 bytes, 3 times"),
    "flipped": (lambda answer: answer[:2] + b"\x99" + answer[3:], "a wrong checksum, 3 times"),
    "noise": (lambda answer: b"\x33" + answer, "got 0x33 in place of a status, 3 times"),
}


@pytest.mark.promise("each fault of a line is one sentence with the line, the wish and the wiring")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_a_sentence(fault: str) -> None:
    spoil, said = FAULTS[fault]
    line = Faulty(of(7), spoil, 99)
    with pytest.raises(LineError) as error:
        Link(line).get(0, "id")
    words = str(error.value)
    assert words.startswith("the chip must answer when it is asked for the register id, got ")
    assert said in words and words.endswith(f"({NAME})") and "\n" not in words
    assert (line.asked, line.waited) == (3, 3)


@pytest.mark.promise("a frame that was lost or damaged is sent again, but never one that starts")
@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_lost_is_asked_again(fault: str) -> None:
    spoil, _ = FAULTS[fault]
    assert Link(Faulty(of(7), spoil, 2)).get(0, "id") == 7
    once = Faulty(of(7), spoil, 1)
    with pytest.raises(LineError, match="once"):
        Link(once).put(8, 1, "control", once=True)
    assert once.asked == 1


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status.BUS_ERROR, "the register mode must take an access, got an error of the bus"),
        (Status.SILENT, "the register mode must answer, got silence of the chip behind its line"),
    ],
)
def test_a_register_that_fails_is_a_sentence(status: Status, said: str) -> None:
    for call in (lambda link: link.get(4, "mode"), lambda link: link.put(4, 1, "mode")):
        with pytest.raises(LineError, match=said):
            call(Link(Faulty(of(status), bytes, 0)))


def test_bytes_beyond_the_memory_are_refused() -> None:
    link = Link(Faulty(of(0), bytes, 0))
    assert link.memory_bytes == 4096
    with pytest.raises(
        LineError, match="bytes 0xffe to 0x1001 of its memory must be what the chip"
    ):
        link.write(0xFFE, b"four")


@pytest.mark.parametrize("count", [1, CHUNK_BYTES, CHUNK_BYTES + 1, 4096])
def test_memory_is_written_and_read_in_parts(count: int) -> None:
    line: Any = Faulty(of(0), bytes, 0)
    data = np.random.default_rng(count).bytes(count)
    link = Link(line)
    link.write(4096 - count, data)
    assert line.device.memory[4096 - count :] == data
    assert link.read(4096 - count, count) == data
