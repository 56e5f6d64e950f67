"""Bench of `registers`: every register of the table, by cocotbext-axi, with pauses everywhere."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from hwgen.chip.registers import offsets
from verif.axi_adapter import CLOCK
from verif.common.chances import chances
from verif.common.facts import facts_from_environment
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.stream import reset

FACTS = facts_from_environment()
REGISTERS = FACTS.registers
OFFSETS = offsets(REGISTERS)
INTERRUPT, ENABLE = "interrupt", "interrupt_enable"
FIXED = ("control", "status", "error", INTERRUPT, ENABLE, *FACTS.constants)
HALVES = ("_low", "_high")
WHILE_BUSY = [row.name for row in REGISTERS if row.access == "read and write while busy"]
WRITTEN = [
    row.name
    for row in REGISTERS
    if row.access.startswith("read and write") and row.name not in FIXED
]
READ = [row.name for row in REGISTERS if row.access == "read" and row.name not in FIXED]
CHANNELS = ("aw", "w", "b", "ar", "r")
HANDSHAKES = [f"bus__{channel}{end}" for channel in CHANNELS for end in ("valid", "ready")]
WRITE = ("bus__awaddr", "bus__wdata", "bus__wstrb")
BEHIND = [4 * len(REGISTERS), (1 << FACTS.address_bits) - 4]
"""Addresses without a register."""
WORD = 1 << 32
CORNERS = Corners(
    "a write waits for its data",
    "an answer waits",
    "start",
    "start while busy",
    "cleared while it rises",
)


async def begin(dut: Any, pause: float, seed: int) -> tuple[AxiLiteMaster, Probe]:
    """Reset the part and attach a master whose channels pause with this probability."""
    bus = AxiLiteBus.from_prefix(dut, "lite")
    master = AxiLiteMaster(bus, getattr(dut, CLOCK))
    rng = np.random.default_rng(seed)
    if pause:
        for channel in (master.write_if.aw_channel, master.write_if.w_channel):
            channel.set_pause_generator(chances(rng, pause))
        for channel in (master.write_if.b_channel, master.read_if.ar_channel):
            channel.set_pause_generator(chances(rng, pause))
        master.read_if.r_channel.set_pause_generator(chances(rng, pause))
    dut.registers__busy.value = 0
    await reset(dut)
    probe = Probe(dut, "registers", [*HANDSHAKES, *WRITE, "start", "busy", "irq"])
    cocotb.start_soon(probe.record())
    return master, probe


def ports(names: Sequence[str], values: Mapping[str, int]) -> dict[str, int]:
    """Return what the port of each value carries when registers have these values."""
    found: dict[str, int] = {}
    for name in names:
        port, shift = name, 0
        for number, half in enumerate(HALVES):
            if name.endswith(half):
                port, shift = name.removesuffix(half), 32 * number
        found[port] = found.get(port, 0) | values[name] << shift
    return found


async def read(master: AxiLiteMaster, address: int) -> tuple[int, AxiResp]:
    """Return a word and the response to the question."""
    answer = await master.read(address, 4)
    return int.from_bytes(answer.data, "little"), answer.resp


async def write(master: AxiLiteMaster, address: int, value: int) -> AxiResp:
    """Write a word; return the response."""
    return (await master.write(address, value.to_bytes(4, "little"))).resp


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(pause=[0.0, 0.6], seed=range(2))
async def every_register_is_as_listed(dut: Any, pause: float, seed: int) -> None:
    """What can be read reads what the chip says; what can be written comes out and back."""
    master, probe = await begin(dut, pause, seed)
    rng = np.random.default_rng(seed)
    masks = {row.name: row.mask for row in REGISTERS}
    values = {**FACTS.constants, "control": 0, "status": 0b110, "error": 5}
    values |= {INTERRUPT: 0, ENABLE: 1}
    values |= {name: int(rng.integers(0, WORD)) for name in (*WRITTEN, *READ)}
    written = {name: values[name] for name in WRITTEN} | {INTERRUPT: WORD - 1, ENABLE: WORD - 1}
    values |= {name: values[name] & masks[name] for name in WRITTEN}
    for port, value in ports(READ, values).items():
        getattr(dut, f"registers__{port}").value = value
    dut.registers__done.value = 1
    dut.registers__error.value = values["error"]
    for register in REGISTERS:
        value = values[register.name]
        if register.name in written:
            got = await write(master, register.offset, written[register.name])
            assert got == AxiResp.OKAY
        elif register.access == "read":
            refused = await write(master, register.offset, value ^ 1)
            assert refused == AxiResp.SLVERR, f"writing {register.name}"
    for register in rng.permutation(np.array(REGISTERS, dtype=object)):
        got = await read(master, register.offset)
        assert got == (values[register.name], AxiResp.OKAY), f"{register.name}: {got}"
    for port, value in ports(WRITTEN, values).items():
        assert int(getattr(dut, f"registers__{port}").value) == value, port
    for address in BEHIND:
        assert await read(master, address) == (0, AxiResp.SLVERR)
        assert await write(master, address, 1) == AxiResp.SLVERR
    assert not probe.when("start"), "nothing has started"
    check_answers(probe)


@cocotb.test(timeout_time=100, timeout_unit="us")
async def bytes_are_written_alone(dut: Any) -> None:
    """A strobe that is low leaves its byte as it is."""
    master, _ = await begin(dut, 0.0, 0)
    (first, *_) = [row for row in REGISTERS if row.name in WRITTEN]
    await write(master, first.offset, 0x11223344)
    await master.write(first.offset + 1, b"\xaa\xbb")
    assert await read(master, first.offset) == (0x11BBAA44 & first.mask, AxiResp.OKAY)


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(pause=[0.0, 0.6])
async def start_is_one_pulse(dut: Any, pause: float) -> None:
    """It comes one cycle after its write was accepted, for bit 0 alone, and not while busy.

    While busy, no bit of a register can be written but of those that are listed so.
    """
    master, probe = await begin(dut, pause, 3)
    control = OFFSETS["control"]
    for value in (0, 1, WORD - 2, WORD - 1):
        assert await write(master, control, value) == AxiResp.OKAY
    await master.write(control + 1, b"\x01")
    accepted = probe.when("bus__awvalid", "bus__awready")
    assert probe.when("start") == [accepted[1] + 1, accepted[3] + 1]
    CORNERS.hit("start")
    dut.registers__busy.value = 1
    for register in REGISTERS:
        allowed = AxiResp.OKAY if register.name in WHILE_BUSY else AxiResp.SLVERR
        assert await write(master, register.offset, WORD - 1) == allowed, register.name
    CORNERS.hit("start while busy")
    assert await read(master, OFFSETS["status"]) == (0b111, AxiResp.OKAY)
    dut.registers__busy.value = 0
    await FallingEdge(dut.clk)
    values = {row.name: row.mask if row.name in WHILE_BUSY else 0 for row in REGISTERS}
    for port, value in ports(WRITTEN, values).items():
        assert int(getattr(dut, f"registers__{port}").value) == value, port
    assert len(probe.when("start")) == 2, "a start while busy"
    check_answers(probe)


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(pause=[0.0, 0.6], seed=range(2))
async def the_interrupt_rises_with_each_end_and_is_cleared_by_1(
    dut: Any, pause: float, seed: int
) -> None:
    """Reads leave it, a 0 too; 1 clears it, also while busy, but not an end of the same cycle."""
    master, probe = await begin(dut, pause, seed)
    interrupt, enable = OFFSETS[INTERRUPT], OFFSETS[ENABLE]
    rng = np.random.default_rng(seed)
    assert await read(master, interrupt) == (0, AxiResp.OKAY)
    for run in range(40):
        enabled = int(rng.integers(0, 2)) if run else 1
        dut.registers__busy.value = 1
        assert await write(master, enable, enabled | 6) == AxiResp.OKAY
        assert await read(master, enable) == (enabled, AxiResp.OKAY)
        for _ in range(int(rng.integers(1, 5))):
            await FallingEdge(dut.clk)
        clear = cocotb.start_soon(write(master, interrupt, WORD - 1)) if run % 2 else None
        for _ in range(int(rng.integers(0, 6))):
            await FallingEdge(dut.clk)
        dut.registers__busy.value = 0
        if clear is not None:
            assert await clear == AxiResp.OKAY
        await FallingEdge(dut.clk)
        await FallingEdge(dut.clk)
        pending = await read(master, interrupt)
        assert await write(master, interrupt, 0) == AxiResp.OKAY
        await master.write(interrupt + 1, b"\x01")
        assert await read(master, interrupt) == pending, "neither a read nor a 0 clears it"
        assert probe.last("irq") == (pending[0] & enabled)
        dut.registers__busy.value = 1
        if not run % 3:
            assert await write(master, interrupt, 1) == AxiResp.OKAY
            assert await read(master, interrupt) == (0, AxiResp.OKAY)
    check_interrupt(probe)


def check_interrupt(probe: Probe) -> None:
    """Hold `irq` in every cycle against the writes that were accepted and the ends of `busy`."""
    pending = enabled = runs = 0
    for row in probe.cycles:
        assert row["irq"] == (pending & enabled)
        ends = runs and not row["busy"]
        runs = row["busy"]
        accepted = row["bus__awvalid"] and row["bus__awready"]
        low = accepted and row["bus__wdata"] & row["bus__wstrb"] & 1
        clears = low and row["bus__awaddr"] & ~3 == OFFSETS[INTERRUPT]
        if accepted and row["bus__wstrb"] & 1 and row["bus__awaddr"] & ~3 == OFFSETS[ENABLE]:
            enabled = row["bus__wdata"] & 1
        CORNERS.hit("cleared while it rises", bool(clears and ends))
        pending = int(bool(ends) or (pending and not clears))


def check_answers(probe: Probe) -> None:
    """Each answer comes in the cycle after its question and stays until it is taken."""
    assert probe.when("bus__awready") == probe.when("bus__wready"), "address and data together"
    for asks, answers in ((("aw", "w"), "b"), (("ar",), "r")):
        ends = [f"bus__{channel}{end}" for channel in asks for end in ("valid", "ready")]
        expected = list(pending(probe, ends, answers))
        got = [bool(row[f"bus__{answers}valid"]) for row in probe.cycles]
        assert got == expected, f"answers on {answers}"
    for row in probe.cycles:
        CORNERS.hit("a write waits for its data", row["bus__awvalid"] and not row["bus__wvalid"])
        CORNERS.hit("an answer waits", row["bus__bvalid"] and not row["bus__bready"])


def pending(probe: Probe, ends: list[str], answers: str) -> Iterator[bool]:
    """Yield for each cycle whether an answer must be there."""
    waits = False
    for row in probe.cycles:
        yield waits
        taken = waits and row[f"bus__{answers}ready"]
        asked = all(row[name] for name in ends)
        assert not (asked and waits), "a question is taken while an answer waits"
        waits = bool(asked or (waits and not taken))


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
