"""Bench of `frames`: whole, damaged, refused and torn frames, with pauses, silence and errors."""

from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge, ReadOnly, with_timeout

from hwgen.chip.line import SILENT_CYCLES, START, WRITES, Command, Status
from hwgen.host.frames import Question, summed
from verif.common.chances import chances
from verif.common.line_parts import ADDRESS_BITS, SIZE
from verif.coverage import Corners
from verif.reference.frames import Device, answer
from verif.stream import Stream, accept, offer, reset, watch

ROUNDS = 4
OFFSETS = range(0, 1 << ADDRESS_BITS, 4)
OF_ALL, OF_WRITES = (Status.DONE, Status.REFUSED), (Status.DAMAGED,)
OF_REGISTERS = (Status.BUS_ERROR, Status.SILENT)
CORNERS = Corners(
    *(f"{command.name} is {status.name}" for command in Command for status in OF_ALL),
    *(f"{command.name} is {status.name}" for command in WRITES for status in OF_WRITES),
    *(f"{name}_REGISTER is {status.name}" for name in ("READ", "WRITE") for status in OF_REGISTERS),
    "a damaged header",
    "a torn frame",
    "a frame behind noise",
    "the whole memory",
    "one byte",
)


class Bus:
    """The registers and the memory on the other side; `plan` says what the next access meets."""

    def __init__(self, dut: Any, rng: np.random.Generator) -> None:
        self.dut, self.rng = dut, rng
        self.memory = bytearray(rng.bytes(SIZE))
        self.registers: dict[int, int] = {}
        self.plan = Status.DONE
        self.started = 0

    def port(self, name: str) -> Any:
        """Return a signal."""
        return getattr(self.dut, f"frames__{name}")

    async def serve_memory(self) -> None:
        """Answer in the next cycle."""
        while True:
            await ReadOnly()
            on, write = self.port("memory__en").value, self.port("memory__write").value
            if on:
                at = int(self.port("memory__address").value)
                if write:
                    self.memory[at] = int(self.port("memory__data").value)
                found = self.memory[at]
            await FallingEdge(self.dut.clk)
            self.port("memory__answer").value = found if on else int(self.rng.integers(256))

    async def serve(self, channels: tuple[str, ...], back: str) -> None:
        """Take an access whose channels are ready at different times, then answer."""
        rng = self.rng
        while True:
            taken: dict[str, int] = {}
            while len(taken) < len(channels):
                ready = {each: bool(rng.random() < 0.5) for each in channels if each not in taken}
                ready = {each: on and self.plan != Status.SILENT for each, on in ready.items()}
                for each in channels:
                    self.port(f"registers__{each}ready").value = ready.get(each, False)
                await ReadOnly()
                for each, on in ready.items():
                    if on and self.port(f"registers__{each}valid").value:
                        field = "data" if each == "w" else "addr"
                        taken[each] = int(self.port(f"registers__{each}{field}").value)
                await FallingEdge(self.dut.clk)
            for each in channels:
                self.port(f"registers__{each}ready").value = 0
            await ClockCycles(self.dut.clk, int(rng.integers(1, 8)))
            await FallingEdge(self.dut.clk)
            self.answer(taken, back)
            await FallingEdge(self.dut.clk)
            self.port(f"registers__{back}valid").value = 0

    def answer(self, taken: dict[str, int], back: str) -> None:
        """Show the answer of an access."""
        failed = self.plan == Status.BUS_ERROR
        self.port(f"registers__{back}resp").value = 2 if failed else 0
        self.port(f"registers__{back}valid").value = 1
        if back == "r":
            self.port("registers__rdata").value = self.registers.get(taken["ar"], 7)
        elif not failed:
            self.registers[taken["aw"]] = taken["w"]


def questions(rng: np.random.Generator) -> Iterator[tuple[bytes, str]]:
    """Yield bytes of a line with what is the matter with them."""
    for command in [*Command] * ROUNDS:
        of_register = command.name.endswith("REGISTER")
        length = int(rng.choice([1, 4, SIZE, int(rng.integers(1, 40))]))
        address = int(rng.integers(0, SIZE - length + 1))
        if of_register or command == Command.SIZE:
            length, address = 4, int(rng.choice(OFFSETS))
        CORNERS.hit("the whole memory", length == SIZE)
        CORNERS.hit("one byte", length == 1)
        whole = Question(
            command=command, address=address, length=length, data=rng.bytes(length)
        ).frame
        yield whole, ""
        yield rng.bytes(5).replace(bytes([START]), b"\0") + whole, "a frame behind noise"
        spoiled = bytearray(whole)
        spoiled[int(rng.integers(1, 10))] ^= 1 << int(rng.integers(8))
        yield bytes(spoiled), "a damaged header"
        yield whole[: int(rng.integers(1, min(len(whole), 60)))], "a torn frame"
        if len(whole) > 10:
            spoiled = bytearray(whole)
            spoiled[int(rng.integers(10, len(whole)))] ^= 1 << int(rng.integers(8))
            yield bytes(spoiled), "damaged data"
        wrong = (1 << ADDRESS_BITS, 4) if of_register else (SIZE - length + 1, length)
        wrong = wrong if command != Command.SIZE else (0, 5)
        far = Question(command=command, address=wrong[0], length=wrong[1], data=rng.bytes(wrong[1]))
        yield far.frame, "refused"
        other = bytes([int(rng.integers(6, 256))]) + rng.bytes(4) + bytes([4, 0])
        yield bytes([START]) + summed(other), "no command"


@cocotb.test(timeout_time=60, timeout_unit="ms")
@cocotb.parametrize(seed=range(1), gap=[0.0, 0.7], stall=[0.0, 0.7])
async def answers_are_those_of_golden(dut: Any, seed: int, gap: float, stall: float) -> None:
    """Every answer, every byte of the memory and every register is equal; no answer but that."""
    rng = np.random.default_rng([seed, int(10 * gap), int(10 * stall)])
    received, sent = Stream(dut, "frames__received"), Stream(dut, "frames__sent")
    ended = dut.frames__ended
    await reset(dut, received.valid, sent.ready, ended)
    bus = Bus(dut, rng)

    def register(offset: int, value: int | None) -> int | Status:
        if bus.plan != Status.DONE:
            return bus.plan
        if value is None:
            return bus.registers.get(offset, 7)
        written[offset] = value
        return value

    tasks = [
        cocotb.start_soon(bus.serve_memory()),
        cocotb.start_soon(bus.serve(("aw", "w"), "b")),
        cocotb.start_soon(bus.serve(("ar",), "r")),
        cocotb.start_soon(accept(sent, chances(rng, stall))),
    ]
    written: dict[int, int] = {}
    device = Device(register, bytearray(bus.memory), ADDRESS_BITS)
    for line, matter in questions(rng):
        bus.plan = Status(rng.choice([Status.DONE, Status.DONE, Status.BUS_ERROR, Status.SILENT]))
        expected = device.answer_of(line)
        watching = cocotb.start_soon(watch(sent, len(expected)))
        await offer(received, line, chances(rng, gap))
        if expected:
            found = bytes(each.word for each in await with_timeout(watching, 2, "ms"))
            assert found == expected, f"{matter}: {line.hex()}"
        await no_more(dut, sent)
        note(line, matter, expected)
        if expected == answer(Status.SILENT):
            bus.plan = Status.DONE  # the late answer is dropped
            await ClockCycles(dut.clk, 60)
            await FallingEdge(dut.clk)
            written.update(bus.registers)
        if not expected:
            await FallingEdge(dut.clk)
            ended.value = 1
            await FallingEdge(dut.clk)
            ended.value = 0
        assert bus.memory == device.memory, matter
        assert bus.registers == written, matter
    for task in tasks:
        task.cancel()


async def no_more(dut: Any, sent: Stream) -> None:
    """Check that no byte follows an answer, and none comes where none is due."""
    for _ in range(SILENT_CYCLES // 8):
        await FallingEdge(dut.clk)
        await ReadOnly()
        assert not sent.valid.value
    await FallingEdge(dut.clk)


def note(line: bytes, matter: str, expected: bytes) -> None:
    """Note which corner was hit."""
    if matter in ("a damaged header", "a torn frame", "a frame behind noise"):
        CORNERS.hit(matter, True)
    if expected and matter != "no command":
        command = Command(line[line.index(START) + 1])
        CORNERS.hit(f"{command.name} is {Status(expected[0]).name}", True)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
