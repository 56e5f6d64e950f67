"""Bench of `loader`: whole programs, with gaps, cores without space, and errors."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge

from hwgen.rtl.common.read_engine import read_command
from hwgen.spec.dbpim.instructions import INSTRUCTION_BITS, PARAMETER_BITS, ErrorCode, Opcode
from hwgen.spec.dbpim.stream import tile_beats
from verif.common.chances import chances
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.dbpim.loader_programs import Program, random_program
from verif.dbpim.random_tiles import Tile
from verif.stream import Stream, offer, reset

ARCH = arch_from_environment()
ALL = (1 << ARCH.cores) - 1
PACKETS = 10
INSTRUCTION_BEATS = INSTRUCTION_BITS // ARCH.port_bits
STREAM_OFFSET = INSTRUCTION_BITS // 8
PER_BEAT = ARCH.port_bits // PARAMETER_BITS
PROGRAM_ADDRESS, IMAGE_ADDRESS = 0x1234_5678_9000, 0x9ABC_0040
STREAMS = [
    f"{stream}__{name}"
    for stream in ("command", "beats", "instruction")
    for name in ("valid", "ready", "payload")
]
OF_TILES = ("tile_begin", "mask_write", "tile_push", "parameters_write", "row_write")
DATA = ("tile_header", "mask_data", "parameters_index", "parameters_data")
OTHERS = ("tile_room", "image_valid", "image_done", "row_cells", "row_meta", "error")
CORNERS = Corners(
    "a tile waits for a core",
    "a tile for some cores while another has no space",
    "a tile for all cores",
    "an instruction waits",
    "END",
    *(code.name for code in ErrorCode if ErrorCode.NONE < code <= ErrorCode.WRONG_ARCHITECTURE),
    ErrorCode.STREAM_ENDED.name,
    ErrorCode.NOT_STORED.name,
)


async def begin(dut: Any) -> Probe:
    """Reset the loader and let it run."""
    source = Stream(dut, "loader__beats")
    dut.loader__program_address.value = PROGRAM_ADDRESS
    dut.loader__image_address.value = IMAGE_ADDRESS
    inputs = (dut.loader__run, dut.loader__tile_room)
    await reset(dut, source.valid, *inputs, *ready_inputs(dut))
    probe = Probe(dut, "loader", [*STREAMS, *OF_TILES, *DATA, *OTHERS])
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
    dut: Any, program: Program, rng: np.random.Generator, *, gap: float, stall: float
) -> Probe:
    """Drive the beats of a program, with stalls of the consumers, until the loader stops."""
    probe = await begin(dut)
    bringing = cocotb.start_soon(bring(dut, program, probe, chances(rng, gap)))
    quiet = 0
    while quiet < 60:
        some = int(rng.integers(0, ALL + 1))
        dut.loader__tile_room.value = some if rng.random() < stall else ALL
        for signal in ready_inputs(dut):
            signal.value = bool(rng.random() >= stall)
        await FallingEdge(dut.clk)
        row = probe.cycles[-1]
        moves = row["beats__ready"] or row["tile_begin"] or row["instruction__valid"]
        quiet = 0 if moves and row["beats__valid"] else quiet + 1
    bringing.cancel()
    return probe


async def bring(dut: Any, program: Program, probe: Probe, pauses: Iterator[bool]) -> None:
    """Offer BEGIN, image and stream, each after its command."""
    packets = [beat for beats in program.packet_beats() for beat in beats]
    stream = packets[: program.begin["stream_beats"]]
    for number, beats in enumerate((program.begin_beats(), program.image_beats(), stream)):
        while len(probe.when("command__valid", "command__ready")) <= number:
            await FallingEdge(dut.clk)
        await offer(Stream(dut, "loader__beats"), beats, pauses)


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(seed=range(3), gap=[0.0, 0.4], stall=[0.0, 0.6])
async def programs_reach_the_cores(dut: Any, seed: int, gap: float, stall: float) -> None:
    """Every packet reaches its cores, and no others, in its documented cycles."""
    rng = np.random.default_rng(seed)
    program = random_program(rng, ARCH, packets=PACKETS)
    probe = await load(dut, program, rng, gap=gap, stall=stall)
    follow(probe, program, f"seed {seed}")
    assert not any(row["error"] for row in probe.cycles), f"seed {seed}: an error"
    CORNERS.hit("END")


class Beats:
    """Finds the cycles in which the loader must take beats: the first in which they are there."""

    def __init__(self, probe: Probe) -> None:
        self._valid = probe.when("beats__valid")
        self.taken: list[int] = []

    def look(self, count: int, start: int) -> list[int]:
        """Return the next `count` cycles with a beat, from `start` on."""
        return [cycle for cycle in self._valid if cycle >= start][:count]

    def take(self, count: int, start: int) -> list[int]:
        """Return the same and note that the beats leave in them."""
        cycles = self.look(count, start)
        assert len(cycles) == count, "the loader stops too early"
        self.taken += cycles
        return cycles


def follow(probe: Probe, program: Program, where: str) -> None:
    """Go through a whole program, packet by packet."""
    expected: dict[str, dict[int, int]] = {name: {} for name in OF_TILES}
    beats = Beats(probe)
    check_cycle = beats.take(INSTRUCTION_BEATS, 0)[-1] + 1
    follow_commands(probe, program, check_cycle)
    cycle = follow_image(probe, program, beats, check_cycle + 1)
    instructions = []
    for packet in program.packets:
        if isinstance(packet, Tile):
            cycle = follow_tile(probe, packet, beats, cycle, expected)
            continue
        check = beats.take(INSTRUCTION_BEATS, cycle)[-1] + 1
        cycle = first(probe, check, lambda row: bool(row["instruction__ready"]))
        CORNERS.hit("an instruction waits", cycle > check)
        instructions.append((list(range(check, cycle + 1)), int.from_bytes(packet, "little")))
        cycle += 1
    valid = [n for cycles, _ in instructions for n in cycles]
    assert probe.when("instruction__valid") == valid, f"{where}: cycles of instructions"
    for cycles, word in instructions:
        assert {probe.cycles[n]["instruction__payload"] for n in cycles} == {word}, where
    assert probe.when("beats__valid", "beats__ready") == beats.taken, f"{where}: beats taken"
    for name, pulses in expected.items():
        got = {n: row[name] for n, row in enumerate(probe.cycles) if row[name]}
        assert got == pulses, f"{where}: {name} {got}, expected {pulses}"


def first(probe: Probe, start: int, condition: Any) -> int:
    """Return the first cycle from `start` on in which the condition holds."""
    return next(n for n in range(start, len(probe.cycles)) if condition(probe.cycles[n]))


def follow_commands(probe: Probe, program: Program, check: int) -> None:
    """BEGIN is requested at once; image and stream, in that order, after its check."""
    asked = probe.when("command__valid", "command__ready")
    commands = [read_command().from_bits(probe.cycles[n]["command__payload"]) for n in asked]
    assert [(command.address, command.beats) for command in commands] == [
        (PROGRAM_ADDRESS, INSTRUCTION_BEATS),
        (IMAGE_ADDRESS, program.begin["image_beats"]),
        (PROGRAM_ADDRESS + STREAM_OFFSET, program.begin["stream_beats"]),
    ]
    begin = probe.when("command__valid")[0]
    expected = [*range(begin, asked[0] + 1), *range(check + 1, asked[2] + 1)]
    assert probe.when("command__valid") == expected, "cycles of the commands"


def follow_image(probe: Probe, program: Program, beats: Beats, start: int) -> int:
    """Check the cycles of the pixels; return the first one after them."""
    size, valid = program.begin["pixel_bytes"], beats.look(program.pixels, start)
    assert probe.when("image_valid") == valid, "a pixel in each cycle that has a beat"
    assert probe.when("image_done") == valid[-1:], "the last pixel"
    per_beat = ARCH.port_bytes // size
    last = program.pixels - 1
    ends = [n for n in range(program.pixels) if n % per_beat == per_beat - 1 or n == last]
    beats.taken += [valid[n] for n in ends]
    return valid[-1] + 1


def follow_tile(
    probe: Probe, tile: Tile, beats: Beats, start: int, expected: dict[str, dict[int, int]]
) -> int:
    """Expect the strobes of a tile; return the first cycle after its last beat."""
    sizes = tile_beats(ARCH, mask_words=len(tile.masks), parameters=bool(tile.parameters))
    check = beats.take(sizes.header, start)[-1] + 1
    begin = first(probe, check, lambda row: not tile.cores & ~row["tile_room"])
    assert probe.cycles[begin]["tile_header"] == tile.header()
    CORNERS.hit("a tile waits for a core", begin > check)
    others = ~probe.cycles[begin]["tile_room"] & ALL
    CORNERS.hit("a tile for some cores while another has no space", bool(others) or ARCH.cores == 1)
    CORNERS.hit("a tile for all cores", tile.cores == ALL)
    masks = beats.take(sizes.masks, begin + 1)
    shown = [probe.cycles[n]["mask_data"] for n in masks]
    assert shown == tile.mask_beats(), "mask words"
    parameters = beats.look(len(tile.parameters), masks[-1] + 1)
    count = len(parameters)
    beats.taken += [
        n for i, n in enumerate(parameters) if (i + 1) % PER_BEAT == 0 or i + 1 == count
    ]
    words = [probe.cycles[n]["parameters_data"] for n in parameters]
    assert words == tile.parameter_words(), "parameters"
    assert [probe.cycles[n]["parameters_index"] for n in parameters] == list(range(count))
    cycle = (parameters or masks)[-1] + 1
    for row in tile.rows():
        cycle = beats.take(sizes.row, cycle)[-1] + 1
        shown_row = probe.cycles[cycle]["row_cells"], probe.cycles[cycle]["row_meta"]
        assert shown_row == row, "a row of weights"
        expected["row_write"][cycle] = tile.cores
    expected["tile_begin"][begin] = expected["tile_push"][masks[-1]] = tile.cores
    expected["mask_write"] |= dict.fromkeys(masks, tile.cores)
    expected["parameters_write"] |= dict.fromkeys(parameters, tile.cores)
    return cycle


@cocotb.test(timeout_time=200, timeout_unit="us")
async def what_is_not_for_this_chip_is_refused(dut: Any) -> None:
    """Another first packet, version or architecture: nothing is loaded."""
    rng = np.random.default_rng(0)
    right = random_program(rng, ARCH, packets=1)
    version = {**right.begin, "version": right.begin["version"] + 1}
    architecture = {**right.begin, "architecture": ARCH.id_word ^ 1}
    wrong = {
        ErrorCode.BAD_OPCODE: replace(right, opcode=Opcode.CONV),
        ErrorCode.WRONG_VERSION: replace(right, begin=version),
        ErrorCode.WRONG_ARCHITECTURE: replace(right, begin=architecture),
    }
    for code, program in wrong.items():
        probe = await load(dut, program, rng, gap=0, stall=0)
        taken = Beats(probe).take(INSTRUCTION_BEATS, 0)
        expect_error(probe, code, taken[-1] + 1, taken)
        assert len(probe.when("command__valid")) == 1, "image and stream were asked for"


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(opcode=[0, Opcode.BEGIN, Opcode.END + 1, Opcode.TILE + 1, 0xFF])
async def an_unknown_opcode_stops_the_loader(dut: Any, opcode: int) -> None:
    """The error comes with the packet's first beat."""
    rng = np.random.default_rng(opcode)
    right = random_program(rng, ARCH, packets=2)
    wrong = bytes([opcode]) + bytes(STREAM_OFFSET - 1)
    program = replace(right, packets=[*right.packets[:2], wrong, *right.packets[2:]])
    sizes = [len(beats) for beats in program.packet_beats()]
    program.begin["stream_beats"] = sum(sizes)
    probe = await load(dut, program, rng, gap=0.3, stall=0)
    taken = probe.when("beats__valid", "beats__ready")
    before = len(program.begin_beats()) + len(program.image_beats()) + sum(sizes[:2])
    expect_error(probe, ErrorCode.BAD_OPCODE, taken[before], taken[: before + 1])


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(cut=[1, 2, 5])
async def a_stream_without_end_is_an_error(dut: Any, cut: int) -> None:
    """It is reported in the cycle after the last beat that there is, or when one is missed."""
    rng = np.random.default_rng(cut)
    whole = random_program(rng, ARCH, packets=2)
    beats = sum(map(len, whole.packet_beats())) - cut
    whole.begin["stream_beats"] = beats
    probe = await load(dut, whole, rng, gap=0, stall=0)
    codes = [row["error"] for row in probe.cycles if row["error"]]
    assert codes == [ErrorCode.STREAM_ENDED]
    CORNERS.hit(ErrorCode.STREAM_ENDED.name)
    taken = probe.when("beats__valid", "beats__ready")
    assert len(taken) == len(whole.begin_beats()) + len(whole.image_beats()) + beats


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(seed=range(2), stall=[0.0, 0.6])
async def an_end_before_any_store_is_an_error(dut: Any, seed: int, stall: float) -> None:
    """All packets before END reach their units; END does not, for no logits were written."""
    rng = np.random.default_rng(seed)
    program = random_program(rng, ARCH, packets=4, stored=False)
    probe = await load(dut, program, rng, gap=0, stall=stall)
    taken = probe.when("beats__valid", "beats__ready")
    begin, image = len(program.begin_beats()), len(program.image_beats())
    assert len(taken) == begin + image + program.begin["stream_beats"]
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
