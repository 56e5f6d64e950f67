"""Bench of `loader`: whole programs, with gaps, cores without space, and errors."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge

from hwgen.dbpim.facts.instructions import ErrorCode, Opcode
from verif.common.chances import chances
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.dbpim.loader_programs import (
    Program,
    packet_size,
    random_instruction,
    random_program,
    with_packet,
)
from verif.dbpim.loader_rules import (
    ALL,
    ARCH,
    FLOATS,
    IMAGE_ADDRESS,
    PROGRAM_ADDRESS,
    ROW,
    SCRATCH_ADDRESS,
    STROBES,
    TABLE,
    TAPS,
    TILE,
    WAITING,
    Follower,
)
from verif.dbpim.random_tiles import beats_of
from verif.stream import Stream, offer, reset

PACKETS = 12
STREAMS = [
    f"{stream}__{name}"
    for stream in ("command", "beats", "instruction")
    for name in ("valid", "ready", "payload")
]
ROOMS = tuple(f"{part}room" for part in (TILE, TAPS, TABLE, *([FLOATS] if ARCH.row_unit else [])))
DATA = (
    *(
        f"{TILE}header",
        *([f"{TILE}mask_data", f"{ROW}meta"] if ARCH.sparse_parts else []),
        f"{TILE}parameters_index",
        f"{TILE}parameters_data",
        f"{ROW}cells",
    ),
    *(f"{TAPS}parameters_index", f"{TAPS}parameters_data", f"{TAPS}index", f"{TAPS}data"),
    *(f"{TABLE}index", f"{TABLE}data"),
    *([f"{FLOATS}{name}" for name in ("header", "index", "data")] if ARCH.row_unit else []),
)
OTHERS = ("load_go", "load_valid", "load_done", "error")
CORNERS = Corners(
    *WAITING.values(),
    "a packet for some cores while another has no space",
    "a packet for all cores",
    "an instruction waits",
    "a LOAD from scratch space",
    "END",
    *(("floats of a norm", "a LOAD from the program") if ARCH.row_unit else ()),
    *(code.name for code in ErrorCode if ErrorCode.NONE < code <= ErrorCode.WRONG_ARCHITECTURE),
    ErrorCode.STREAM_ENDED.name,
    ErrorCode.NOT_STORED.name,
    ErrorCode.BAD_POSITION.name,
)


LAST = Opcode.FLOATS if ARCH.row_unit else Opcode.TABLE
"""The last of the packets that have a body."""
POSITION = 5
"""That a program with as many positions refuses, and one with more, or with none, takes."""


async def begin(dut: Any, *, position: int = 0) -> Probe:
    """Reset the loader and let it run; position: that the host has given."""
    source = Stream(dut, "loader__beats")
    dut.loader__program_address.value = PROGRAM_ADDRESS
    dut.loader__image_address.value = IMAGE_ADDRESS
    dut.loader__scratch_address.value = SCRATCH_ADDRESS
    dut.loader__position.value = position
    rooms = [getattr(dut, f"loader__{name}") for name in ROOMS]
    await reset(dut, source.valid, dut.loader__run, dut.loader__load_go, *rooms, *ready_inputs(dut))
    probe = Probe(dut, "loader", [*STREAMS, *STROBES, *ROOMS, *DATA, *OTHERS])
    cocotb.start_soon(probe.record())
    await ClockCycles(dut.clk, 2)
    await FallingEdge(dut.clk)
    assert not probe.when("command__valid"), "nothing is asked for before the program runs"
    dut.loader__run.value = 1
    return probe


def ready_inputs(dut: Any) -> tuple[Any, Any]:
    """Return the ready inputs of the loader's consumers."""
    return dut.loader__command__ready, dut.loader__instruction__ready


async def load(
    dut: Any,
    program: Program,
    rng: np.random.Generator,
    *,
    gap: float,
    stall: float,
    position: int = 0,
) -> Probe:
    """Drive the beats of a program, with stalls of the consumers, until the loader stops."""
    probe = await begin(dut, position=position)
    bringing = cocotb.start_soon(bring(dut, program, probe, chances(rng, gap)))
    quiet, until_go = 0, -1
    while quiet < 60:
        for name in ROOMS:
            some = int(rng.integers(0, ALL + 1))
            getattr(dut, f"loader__{name}").value = some if rng.random() < stall else ALL
        for signal in ready_inputs(dut):
            signal.value = bool(rng.random() >= stall)
        dut.loader__load_go.value = until_go == 0
        until_go -= until_go >= 0
        await FallingEdge(dut.clk)
        row = probe.cycles[-1]
        if row["instruction__valid"] and row["instruction__ready"]:
            is_load = row["instruction__payload"] & 0xFF == Opcode.LOAD
            until_go = int(rng.integers(0, 8)) if is_load else until_go
        moves = row["beats__ready"] or row[f"{TILE}begin"] or row["instruction__valid"]
        idle = not (moves and row["beats__valid"]) and until_go < 0 and not row["command__valid"]
        quiet = quiet + 1 if idle else 0
    bringing.cancel()
    return probe


async def bring(dut: Any, program: Program, probe: Probe, pauses: Iterator[bool]) -> None:
    """Offer what each command reads, after the command.

    The read engine takes the command after that of a map before the map's last beat comes.
    """
    source = Stream(dut, "loader__beats")
    for number, beats in enumerate(program.brought()):
        is_map = number % 2 == 1
        await until_taken(dut, probe, number)
        await offer(source, beats[:-1] if is_map else beats, pauses)
        if is_map:
            await until_taken(dut, probe, number + 1)
            await offer(source, beats[-1:], pauses)


async def until_taken(dut: Any, probe: Probe, number: int) -> None:
    """Wait until a command has been taken."""
    while len(probe.when("command__valid", "command__ready")) <= number:
        await FallingEdge(dut.clk)


@cocotb.test(timeout_time=400, timeout_unit="us")
@cocotb.parametrize(seed=range(4), gap=[0.0, 0.4], stall=[0.0, 0.6])
async def programs_reach_the_cores(dut: Any, seed: int, gap: float, stall: float) -> None:
    """Every packet reaches its cores, and no others, in its documented cycles."""
    rng = np.random.default_rng(seed)
    program = random_program(rng, ARCH, packets=PACKETS)
    probe = await load(dut, program, rng, gap=gap, stall=stall)
    Follower(probe, CORNERS).follow(program, f"seed {seed}")
    assert not any(row["error"] for row in probe.cycles), f"seed {seed}: an error"
    CORNERS.hit("END")


@cocotb.test(timeout_time=200, timeout_unit="us")
async def what_is_not_for_this_chip_is_refused(dut: Any) -> None:
    """Another first or second packet, version or architecture: nothing is loaded."""
    rng = np.random.default_rng(0)
    right = random_program(rng, ARCH, packets=1)
    other = random_instruction(rng, Opcode.CONV, ARCH)
    version = {**right.begin, "version": right.begin["version"] + 1}
    architecture = {**right.begin, "architecture": ARCH.id_word ^ 1}
    bounded = {**right.begin, "positions": POSITION}
    wrong = [
        (ErrorCode.BAD_POSITION, replace(right, begin=bounded)),
        (ErrorCode.BAD_OPCODE, replace(right, opcode=Opcode.CONV)),
        (ErrorCode.BAD_OPCODE, first_of(right, other)),
        (ErrorCode.WRONG_VERSION, replace(right, begin=version)),
        (ErrorCode.WRONG_ARCHITECTURE, replace(right, begin=architecture)),
    ]
    for code, program in wrong:
        probe = await load(dut, program, rng, gap=0, stall=0, position=POSITION)
        taken = probe.when("beats__valid")[: len(right.brought()[0])]
        expect_error(probe, code, taken[-1] + 1, taken)
        assert len(probe.when("command__valid")) == 1, "data or a segment were asked for"
        assert not probe.when("instruction__valid"), "an instruction was forwarded"


def first_of(program: Program, packet: bytes) -> Program:
    """Return a program in which a packet stands where the first LOAD should be."""

    class Other(Program):
        def brought(self) -> list[list[int]]:
            count = len(program.brought()[0])
            beats = [*program.begin_beats(), *beats_of(packet, ARCH)]
            return [[*beats, *[0] * count][:count]]

    return Other(program.arch, program.begin, program.packets)


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(opcode=[0, 4, Opcode.BEGIN, Opcode.LOAD + 1, LAST + 1, 0xFF])
async def an_unknown_opcode_stops_the_loader(dut: Any, opcode: int) -> None:
    """The error comes with the packet's first beat."""
    rng = np.random.default_rng(opcode)
    right = random_program(rng, ARCH, packets=0)
    wrong = bytes([opcode]) + bytes(10 * ARCH.port_bytes - 1)
    program = with_packet(right, len(right.packets) - 1, wrong)
    probe = await load(dut, program, rng, gap=0.3, stall=0)
    taken = probe.when("beats__valid", "beats__ready")
    first, data, _ = program.brought()
    before = len(first) + len(data) + packet_size(program.packets[1], ARCH)
    expect_error(probe, ErrorCode.BAD_OPCODE, taken[before], taken[: before + 1])


@cocotb.test(timeout_time=400, timeout_unit="us")
@cocotb.parametrize(cut=[1, 2, 5], gap=[0.0, 0.4])
async def a_stream_without_end_is_an_error(dut: Any, cut: int, gap: float) -> None:
    """It is reported in the cycle after the last beat that there is, or when one is missed."""
    rng = np.random.default_rng(cut)
    whole = random_program(rng, ARCH, packets=3)
    size = whole.segment_beats(len(whole.loads()) - 1)
    program = replace(whole, cut=min(cut, size))
    probe = await load(dut, program, rng, gap=gap, stall=0)
    codes = [row["error"] for row in probe.cycles if row["error"]]
    assert codes == [ErrorCode.STREAM_ENDED]
    CORNERS.hit(ErrorCode.STREAM_ENDED.name)
    taken = probe.when("beats__valid", "beats__ready")
    assert len(taken) == sum(map(len, program.brought()))


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(seed=range(2), stall=[0.0, 0.6])
async def an_end_before_any_store_is_an_error(dut: Any, seed: int, stall: float) -> None:
    """All packets before END reach their units; END does not, for no answer was written."""
    rng = np.random.default_rng(seed)
    program = random_program(rng, ARCH, packets=4, stored=False)
    probe = await load(dut, program, rng, gap=0, stall=stall)
    taken = probe.when("beats__valid", "beats__ready")
    assert len(taken) == sum(map(len, program.brought()))
    expect_error(probe, ErrorCode.NOT_STORED, taken[-1] + 1, taken)
    shown = {
        probe.cycles[n]["instruction__payload"] % (1 << 8) for n in probe.when("instruction__valid")
    }
    assert Opcode.END not in shown, "END was forwarded"


def expect_error(probe: Probe, code: ErrorCode, cycle: int, taken: Sequence[int]) -> None:
    """The code shows in this cycle alone, and these are the last beats taken."""
    errors = {n: row["error"] for n, row in enumerate(probe.cycles) if row["error"]}
    assert errors == {cycle: code}, f"{errors}, expected {code.name} in cycle {cycle}"
    assert probe.when("beats__valid", "beats__ready") == list(taken), "beats after the error"
    CORNERS.hit(code.name)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
