"""Bench of `read_engine`: cocotbext-axi's memory behind it, and every burst in its cycle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge
from cocotbext.axi import AxiRamRead, AxiReadBus

from hwgen.chip.axi import INCREMENTING, PAGE_BYTES
from hwgen.chip.rtl.read_engine import read_command
from verif.axi_adapter import CLOCK
from verif.common.chances import chances
from verif.common.facts import facts_from_environment
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.stream import Stream, accept, offer, reset

FACTS = facts_from_environment()
BURST_BEATS, READ_FIFO_BEATS = FACTS.burst_beats, FACTS.fifo_beats
SIZE = FACTS.port_bytes
MEMORY_BYTES = 4 * PAGE_BYTES
ADDRESS = ("arvalid", "arready", "araddr", "arlen", "arsize", "arburst")
DATA = ("rvalid", "rready", "rresp")
STREAMS = [
    f"{stream}__{name}" for stream in ("command", "beats") for name in ("valid", "ready", "payload")
]
NAMES = [*(f"memory__{name}" for name in (*ADDRESS, *DATA)), *STREAMS]
NAMES += ["stop", "idle", "taken", "error"]
BUSY = 20
CORNERS = Corners(
    "a burst of one beat",
    "a longest burst",
    "a burst ends at a page",
    "the FIFO is full and everything is reserved",
    "an address waits",
    "a command waits for the one before",
    "commands back to back",
    "a beat with an error",
    "stopped with an address waiting",
    "stopped with beats on their way",
    "stopped with beats in the FIFO",
)


@dataclass(frozen=True)
class Command:
    """What to read."""

    address: int
    beats: int

    def word(self) -> int:
        """Return the command as the port takes it."""
        fields = {"address": self.address, "beats": self.beats}
        return int(read_command().const(fields).as_bits())

    def bursts(self) -> list[tuple[int, int]]:
        """Return address and beats of each burst: none too long, none over a page."""
        bursts, address, left = [], self.address, self.beats
        while left:
            length = min(left, BURST_BEATS, (PAGE_BYTES - address % PAGE_BYTES) // SIZE)
            bursts.append((address, length))
            address, left = address + length * SIZE, left - length
        return bursts


class Memory(AxiRamRead):
    """Memory that answers with an error for some addresses; cocotbext-axi turns it into SLVERR."""

    bad: frozenset[int] = frozenset()

    async def _read(self, address: int, length: int) -> bytes:
        if address in self.bad:
            raise ValueError(f"no memory at {address:#x}")
        data: bytes = await super()._read(address, length)
        return data


def random_commands(rng: np.random.Generator, count: int) -> list[Command]:
    """Return commands that begin anywhere, some just before a page."""
    commands = []
    for _ in range(count):
        beats = int(rng.choice([1, BURST_BEATS, int(rng.integers(1, 3 * BURST_BEATS))]))
        before = int(rng.integers(0, 3)) * SIZE
        anywhere = int(rng.integers(0, PAGE_BYTES // SIZE)) * SIZE
        address = int(rng.choice([PAGE_BYTES - before, anywhere]))
        commands.append(Command(address, beats))
    return commands


async def begin(dut: Any, rng: np.random.Generator, pause: float) -> tuple[Memory, Probe]:
    """Reset the engine, attach a memory with random content, record."""
    memory = Memory(AxiReadBus.from_prefix(dut, "read"), getattr(dut, CLOCK), size=MEMORY_BYTES)
    memory.write(0, rng.bytes(MEMORY_BYTES))
    if pause:
        memory.ar_channel.set_pause_generator(chances(rng, pause))
        memory.r_channel.set_pause_generator(chances(rng, pause))
    inputs = (dut.read_engine__command__valid, dut.read_engine__beats__ready)
    await reset(dut, *inputs, dut.read_engine__stop)
    probe = Probe(dut, "read_engine", NAMES)
    cocotb.start_soon(probe.record())
    return memory, probe


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(seed=range(2), pause=[0.0, 0.6], stall=[0.0, 0.5, 0.9])
async def beats_come_in_order(dut: Any, seed: int, pause: float, stall: float) -> None:
    """All beats of all commands arrive once, and bursts leave as early as the rules allow."""
    rng = np.random.default_rng(seed)
    memory, probe = await begin(dut, rng, pause)
    commands = random_commands(rng, 8)
    cocotb.start_soon(accept(Stream(dut, "read_engine__beats"), chances(rng, stall)))
    words = [command.word() for command in commands]
    cocotb.start_soon(offer(Stream(dut, "read_engine__command"), words, chances(rng, stall / 2)))
    count = sum(command.beats for command in commands)
    while len(probe.when("beats__valid", "beats__ready")) < count:
        await ClockCycles(dut.clk, BUSY)
    await FallingEdge(dut.clk)
    check_beats(probe, memory, commands, f"seed {seed}")
    check_bursts(probe, commands, f"seed {seed}")
    assert probe.cycles[-1]["idle"], f"seed {seed}: idle after all beats"


@cocotb.test(timeout_time=200, timeout_unit="us")
async def a_full_fifo_asks_for_nothing(dut: Any) -> None:
    """Nobody takes beats: the engine asks for as many as it has places, and for no more."""
    rng = np.random.default_rng(0)
    memory, probe = await begin(dut, rng, 0.0)
    command = Command(PAGE_BYTES - 3 * SIZE, 2 * READ_FIFO_BEATS)
    await offer(Stream(dut, "read_engine__command"), [command.word()], chances(rng, 0.0))
    await ClockCycles(dut.clk, 4 * READ_FIFO_BEATS)
    asked = sum(probe.cycles[n]["memory__arlen"] + 1 for n in addresses(probe))
    assert READ_FIFO_BEATS - BURST_BEATS < asked <= READ_FIFO_BEATS
    CORNERS.hit("the FIFO is full and everything is reserved")
    cocotb.start_soon(accept(Stream(dut, "read_engine__beats"), chances(rng, 0.0)))
    await ClockCycles(dut.clk, 6 * READ_FIFO_BEATS)
    check_beats(probe, memory, [command], "full")
    check_bursts(probe, [command], "full")


def addresses(probe: Probe) -> list[int]:
    """Return the cycles of address handshakes."""
    return probe.when("memory__arvalid", "memory__arready")


def check_beats(probe: Probe, memory: Memory, commands: Sequence[Command], where: str) -> None:
    """Compare content and order with the memory, and the FIFO's latency with its data sheet."""
    expected = [
        int.from_bytes(memory.read(command.address + n * SIZE, SIZE), "little")
        for command in commands
        for n in range(command.beats)
    ]
    taken = probe.when("beats__valid", "beats__ready")
    assert [probe.cycles[n]["beats__payload"] for n in taken] == expected, f"{where}: beats"
    came = probe.when("memory__rvalid", "memory__rready")
    level = 0
    for cycle, row in enumerate(probe.cycles):
        assert row["beats__valid"] == (level > 0), f"{where}, cycle {cycle}: level {level}"
        assert row["memory__rready"], f"{where}, cycle {cycle}: always ready"
        level += (cycle in came) - bool(row["beats__valid"] and row["beats__ready"])
        moves = cycle in came or (row["memory__arvalid"] and row["memory__arready"])
        assert row["taken"] == moves, f"{where}, cycle {cycle}: taken"


def check_bursts(probe: Probe, commands: Sequence[Command], where: str) -> None:
    """Predict the cycle of every address from those of commands, handshakes and taken beats."""
    given = probe.when("command__valid", "command__ready")
    taken = probe.when("beats__valid", "beats__ready")
    handshakes = iter(addresses(probe))
    appears = [n for n in probe.when("memory__arvalid") if new_address(probe, n)]
    expected: list[tuple[int, int, int]] = []
    reserved: list[tuple[int, int]] = []
    free_from = command_from = 0
    for command, accepted in zip(commands, given, strict=True):
        assert accepted >= command_from, f"{where}: a command before the one before was asked for"
        offered = all(probe.cycles[n]["command__valid"] for n in range(command_from, accepted))
        assert not offered or accepted == command_from, f"{where}: a command waits too long"
        CORNERS.hit("commands back to back", accepted == command_from)
        waited = accepted > 0 and probe.cycles[accepted - 1]["command__valid"]
        CORNERS.hit("a command waits for the one before", waited)
        for address, length in command.bursts():
            decision = max(accepted + 1, free_from)
            while free(decision, reserved, taken) < length:
                decision += 1
            reserved.append((decision, length))
            expected.append((decision + 1, address, length))
            handshake = next(handshakes)
            CORNERS.hit("an address waits", handshake > decision + 1)
            free_from, command_from = handshake + 1, decision + 1
            note_burst(address, length)
    got = [
        (n, probe.cycles[n]["memory__araddr"], probe.cycles[n]["memory__arlen"] + 1)
        for n in appears
    ]
    assert got == expected, f"{where}: bursts {got}, expected {expected}"
    sizes = {(row["memory__arsize"], row["memory__arburst"]) for row in probe.cycles}
    assert sizes == {(SIZE.bit_length() - 1, INCREMENTING)}, f"{where}: whole beats, INCR"


def new_address(probe: Probe, cycle: int) -> bool:
    """Return whether the address on the bus is another one than in the cycle before."""
    before = probe.cycles[cycle - 1]
    return not (before["memory__arvalid"] and not before["memory__arready"])


def free(cycle: int, reserved: Sequence[tuple[int, int]], taken: Sequence[int]) -> int:
    """Return the places of the FIFO that are not reserved, as registered in this cycle."""
    held = sum(length for decision, length in reserved if decision < cycle)
    return READ_FIFO_BEATS - held + sum(n < cycle for n in taken)


def note_burst(address: int, length: int) -> None:
    """Record which corners a burst has."""
    CORNERS.hit("a burst of one beat", length == 1)
    CORNERS.hit("a longest burst", length == BURST_BEATS)
    CORNERS.hit("a burst ends at a page", (address + length * SIZE) % PAGE_BYTES == 0)


@cocotb.test(timeout_time=200, timeout_unit="us")
async def an_error_is_reported_with_its_beat(dut: Any) -> None:
    """Each beat with a bad response raises `error` in its own cycle; nothing is lost."""
    rng = np.random.default_rng(1)
    memory, probe = await begin(dut, rng, 0.3)
    memory.bad = frozenset({SIZE * 3, SIZE * 20})
    command = Command(0, 24)
    cocotb.start_soon(accept(Stream(dut, "read_engine__beats"), chances(rng, 0.0)))
    await offer(Stream(dut, "read_engine__command"), [command.word()], chances(rng, 0.0))
    await ClockCycles(dut.clk, 200)
    beats = probe.when("memory__rvalid", "memory__rready")
    assert len(beats) == command.beats
    assert probe.when("error") == [beats[3], beats[20]]
    CORNERS.hit("a beat with an error")


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(seed=range(30))
async def stop_drains(dut: Any, seed: int) -> None:
    """`stop` at any time: addresses hold until taken, beats are discarded, then it restarts."""
    rng = np.random.default_rng(seed)
    memory, probe = await begin(dut, rng, float(rng.choice([0.0, 0.7])))
    commands = [Command(0, 100), Command(PAGE_BYTES, 100)]
    cocotb.start_soon(accept(Stream(dut, "read_engine__beats"), chances(rng, 0.3)))
    words = [command.word() for command in commands]
    offering = cocotb.start_soon(offer(Stream(dut, "read_engine__command"), words, chances(rng, 0)))
    for _ in range(int(rng.integers(1, 60))):
        await FallingEdge(dut.clk)
    offering.cancel()
    dut.read_engine__command__valid.value = 0
    dut.read_engine__stop.value = 1
    await FallingEdge(dut.clk)
    stopped = len(probe.cycles) - 1
    while not probe.last("idle"):
        await FallingEdge(dut.clk)
    check_stop(probe, stopped)
    dut.read_engine__stop.value = 0
    probe.cycles.clear()
    again = Command(2 * PAGE_BYTES - SIZE, 40)
    await offer(Stream(dut, "read_engine__command"), [again.word()], chances(rng, 0))
    await ClockCycles(dut.clk, 300)
    await FallingEdge(dut.clk)
    check_beats(probe, memory, [again], f"seed {seed}, after a stop")


def check_stop(probe: Probe, stopped: int) -> None:
    """Nothing new was asked for, everything outstanding came, the FIFO is empty."""
    rows = probe.cycles
    late = [n for n in probe.when("memory__arvalid") if n > stopped + 1 and new_address(probe, n)]
    assert not late, "an address after the stop"
    asked = sum(rows[n]["memory__arlen"] + 1 for n in addresses(probe))
    came = len(probe.when("memory__rvalid", "memory__rready"))
    assert asked == came, f"{asked} beats asked for, {came} came before idle"
    assert not any(row["beats__valid"] for row in rows[stopped + 1 :]), "a beat after the stop"
    waits = rows[stopped]["memory__arvalid"] and not rows[stopped]["memory__arready"]
    before = probe.when("memory__rvalid", "memory__rready")
    CORNERS.hit("stopped with an address waiting", waits)
    CORNERS.hit("stopped with beats on their way", any(n > stopped for n in before))
    CORNERS.hit("stopped with beats in the FIFO", bool(rows[stopped]["beats__valid"]))


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
