"""What a host has a chip do with a program, whatever its family, and the memory that it needs.

Tests: `tests/mram/sim/test_chip_run.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwgen.chip.limits import RunLimits
from hwgen.chip.sim.host import NO_LIMITS, Command, Work
from hwgen.chip.sim.host_files import PROGRAM_ADDRESS, UNWRITTEN, pages, smallest_memory
from hwgen.chip.trouble import NO_TROUBLE, Trouble


class Memory:
    """A memory that is filled area behind area, from `PROGRAM_ADDRESS` on, each at a page.

    content: bytes by address; end: address behind the last area
    """

    def __init__(self) -> None:
        self.content: dict[int, bytes] = {}
        self.end = PROGRAM_ADDRESS

    def area(self, size: int) -> int:
        """Return the address of an area of so many bytes."""
        address = self.end
        self.end += pages(size)
        return address

    def hold(self, data: bytes) -> int:
        """Return the address of an area with this content."""
        address = self.area(len(data))
        self.content[address] = data
        return address

    def fill(self, address: int, stride: int, parts: Sequence[bytes]) -> None:
        """Write parts into an area, one every `stride` bytes."""
        self.content |= {address + number * stride: part for number, part in enumerate(parts)}

    def await_answers(self, address: int, size: int) -> None:
        """Write into an area of answers what no chip has written."""
        self.content[address] = bytes([UNWRITTEN]) * size


@dataclass(frozen=True, kw_only=True)
class Job(ABC):
    """A program and what it runs on; a family adds what it must know, and says the commands.

    program: its bytes; images: the bytes of each, in their order
    others: as of `hwgen.chip.sim.host.Work`
    """

    program: bytes
    images: Sequence[bytes]
    latency: int
    trouble: Trouble = NO_TROUBLE
    seed: int = 1
    reset_at: int = 0
    limits: RunLimits = NO_LIMITS

    @property
    @abstractmethod
    def runs(self) -> int:
        """Starts of the chip, without those that load."""

    @abstractmethod
    def place(self, memory: Memory) -> Mapping[str, int]:
        """Fill a memory; return addresses and strides by name."""

    @abstractmethod
    def commands(self, at: Mapping[str, int]) -> Sequence[Command]:
        """Return the starts; at: what `place` returned."""

    @property
    def addresses(self) -> Mapping[str, int]:
        """Addresses and strides by name."""
        return self.place(Memory())

    def work(self) -> Work:
        """Return what the host is told; raise SimulationError if no memory is large enough."""
        memory = Memory()
        commands = self.commands(self.place(memory))
        return Work(
            content=memory.content,
            memory_bytes=smallest_memory(memory.end, runs=self.runs),
            commands=commands,
            latency=self.latency,
            trouble=self.trouble,
            seed=self.seed,
            reset_at=self.reset_at,
            limits=self.limits,
        )
