"""Registers and memory of a chip over a line: each frame until its answer can be believed.

Tests: `tests/host/test_link.py`.
"""

from hwgen.chip.line import Command, Status
from hwgen.chip.registers import REGISTER_BYTES
from hwgen.errors import LineError
from hwgen.host.frames import Question, data_of, wrong_with
from hwgen.host.lines import Line

TRIES = 3
"""Frames that are sent before a line is given up."""
CHUNK_BYTES = 1024
"""Data of a frame at most."""
REFUSALS = {
    Status.REFUSED: "be what the chip has, got none such",
    Status.BUS_ERROR: "take an access, got an error of the bus: does a run go on",
    Status.SILENT: "answer, got silence of the chip behind its line: is it in reset",
}


class Link:
    """The memory and the registers of a chip at the end of a line.

    Raises LineError for a line without answers, and for what the chip refuses.
    """

    def __init__(self, line: Line) -> None:
        self.line = line

    @property
    def memory_bytes(self) -> int:
        """The size of the memory."""
        answer = self._ask(Question(command=Command.SIZE), "the size of its memory")
        return int.from_bytes(answer, "little")

    def read(self, address: int, count: int) -> bytes:
        """Return bytes of the memory."""
        found = b""
        for first in range(0, count, CHUNK_BYTES):
            at, length = address + first, min(CHUNK_BYTES, count - first)
            question = Question(command=Command.READ, address=at, length=length)
            found += self._ask(question, bytes_in_words(at, length))
        return found

    def write(self, address: int, data: bytes) -> None:
        """Write bytes into the memory."""
        for first in range(0, len(data), CHUNK_BYTES):
            part, at = data[first : first + CHUNK_BYTES], address + first
            question = Question(command=Command.WRITE, address=at, length=len(part), data=part)
            self._ask(question, bytes_in_words(at, len(part)))

    def get(self, offset: int, name: str) -> int:
        """Return the register at an offset."""
        question = Question(command=Command.READ_REGISTER, address=offset)
        return int.from_bytes(self._ask(question, f"the register {name}"), "little")

    def put(self, offset: int, value: int, name: str, *, once: bool = False) -> None:
        """Write the register at an offset; once: what must not be done twice is not tried again."""
        data = value.to_bytes(REGISTER_BYTES, "little")
        question = Question(command=Command.WRITE_REGISTER, address=offset, data=data)
        self._ask(question, f"the register {name}", tries=1 if once else TRIES)

    def _ask(self, question: Question, what: str, *, tries: int = TRIES) -> bytes:
        """Send a frame until an answer can be believed; return its data.

        what: the frame is about
        """
        wrong = ""
        for _ in range(tries):
            answer = self.line.exchange(question.frame, question.answer_bytes)
            wrong = wrong_with(answer, question)
            if not wrong:
                return self._believed(answer, question, what)
            self.line.quiet()
        times = "once" if tries == 1 else f"{tries} times"
        raise LineError(
            f"the chip must answer when it is asked for {what}, got {wrong}, {times}:"
            f" {self.line.wiring}? ({self.line.name})"
        )

    def _believed(self, answer: bytes, question: Question, what: str) -> bytes:
        """Return the data of an answer; raise LineError for one that is not DONE."""
        status = Status(answer[0])
        if status in REFUSALS:
            raise LineError(f"{what} must {REFUSALS[status]} ({self.line.name})")
        return data_of(answer, question)


def bytes_in_words(address: int, count: int) -> str:
    """Return bytes of the memory in words."""
    return f"bytes {address:#x} to {address + count - 1:#x} of its memory"
