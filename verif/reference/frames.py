"""What a chip answers to the bytes of a line, as `hwgen.chip.line` says: one frame at a time.

Tests: `tests/verif/common/test_frames.py`.
"""

from binascii import crc_hqx
from collections.abc import Callable
from dataclasses import dataclass, field

from hwgen.chip.line import START, Command, Status

HEADER = 9
"""Bytes behind START: command, address, length, checksum."""
Register = Callable[[int, int | None], int | Status]
"""Reads the register at an offset, or writes a value; a status in place of a value is a failure."""


@dataclass
class Device:
    """A chip with few pins: the bytes of its memory, and what reaches its registers."""

    register: Register
    memory: bytearray = field(default_factory=lambda: bytearray(1024))
    address_bits: int = 12

    def answer_of(self, line: bytes) -> bytes:
        """Return the answer to the first frame among some bytes; nothing: it has none.

        The frame does what it asks for; one that is torn writes the bytes that came.
        """
        _, _, frame = line.partition(bytes([START]))
        while len(header := frame[:HEADER]) == HEADER and crc_hqx(header, 0xFFFF):
            _, _, frame = frame.partition(bytes([START]))
        if len(header) < HEADER:
            return b""
        command = header[0]
        address, length = (
            int.from_bytes(header[1:5], "little"),
            int.from_bytes(header[5:7], "little"),
        )
        allowed = self.allows(command, address, length)
        if command not in (Command.WRITE, Command.WRITE_REGISTER):
            return self.read(command, address, length) if allowed else answer(Status.REFUSED)
        data = frame[HEADER : HEADER + length]
        if allowed and command == Command.WRITE:
            self.memory[address : address + len(data)] = data
        whole = frame[HEADER : HEADER + length + 2]
        if len(whole) < length + 2:
            return b""
        if crc_hqx(whole, 0xFFFF):
            return answer(Status.DAMAGED)
        status = Status.DONE if allowed else Status.REFUSED
        if allowed and command == Command.WRITE_REGISTER:
            found = self.register(address, int.from_bytes(data, "little"))
            status = found if isinstance(found, Status) else status
        return answer(status)

    def allows(self, command: int, address: int, length: int) -> bool:
        """Return whether a command has a place to reach."""
        match command:
            case Command.SIZE:
                return length == 4
            case Command.READ | Command.WRITE:
                return length > 0 and address + length <= len(self.memory)
            case Command.READ_REGISTER | Command.WRITE_REGISTER:
                return length == 4 and address % 4 == 0 and address < 1 << self.address_bits
        return False

    def read(self, command: int, address: int, length: int) -> bytes:
        """Return the answer to a command that reads."""
        match command:
            case Command.SIZE:
                return answer(Status.DONE, len(self.memory).to_bytes(4, "little"))
            case Command.READ:
                return answer(Status.DONE, bytes(self.memory[address : address + length]))
        found = self.register(address, None)
        if isinstance(found, Status):
            return answer(found)
        return answer(Status.DONE, found.to_bytes(4, "little"))


def answer(status: Status, data: bytes = b"") -> bytes:
    """Return an answer with its checksum."""
    text = bytes([status]) + data
    return text + crc_hqx(text, 0xFFFF).to_bytes(2, "big")
