"""Frames of a host as bytes, and what an answer says: see `hwgen.chip.line`.

Tests: `tests/host/test_lines.py`.
"""

from binascii import crc_hqx
from dataclasses import dataclass

from hwgen.chip.line import CHECKSUM_BYTES, CHECKSUM_INIT, START, WRITES, Command, Status

ANSWER_BYTES = 1 + CHECKSUM_BYTES
"""An answer without data: status and checksum."""
ADDRESS_BYTES, LENGTH_BYTES = 4, 2


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a frame asks for; data: of a command that writes, `length` bytes."""

    command: Command
    address: int = 0
    length: int = 4
    data: bytes = b""

    @property
    def frame(self) -> bytes:
        """The bytes for the line."""
        header = (
            bytes([self.command])
            + self.address.to_bytes(ADDRESS_BYTES, "little")
            + self.length.to_bytes(LENGTH_BYTES, "little")
        )
        frame = bytes([START]) + summed(header)
        return frame + summed(self.data) if self.command in WRITES else frame

    @property
    def answer_bytes(self) -> int:
        """Bytes of the answer when all is done."""
        return ANSWER_BYTES + (0 if self.command in WRITES else self.length)


def checksum(data: bytes) -> bytes:
    """Return the checksum of bytes, its high byte first."""
    return crc_hqx(data, CHECKSUM_INIT).to_bytes(CHECKSUM_BYTES, "big")


def summed(data: bytes) -> bytes:
    """Return bytes with their checksum behind them."""
    return data + checksum(data)


def wrong_with(answer: bytes, question: Question) -> str:
    """Return what is wrong with an answer in words; empty: it can be believed."""
    if not answer:
        return "nothing"
    if answer[0] not in set(Status):
        return f"{answer[0]:#04x} in place of a status"
    want = question.answer_bytes if answer[0] == Status.DONE else ANSWER_BYTES
    if len(answer) < want:
        return f"{len(answer)} of {want} bytes"
    if checksum(answer[: want - CHECKSUM_BYTES]) != answer[want - CHECKSUM_BYTES : want]:
        return "an answer with a wrong checksum"
    return "a frame that was damaged on its way" if answer[0] == Status.DAMAGED else ""


def data_of(answer: bytes, question: Question) -> bytes:
    """Return the data of an answer with which nothing is wrong."""
    return answer[1 : question.answer_bytes - CHECKSUM_BYTES]
