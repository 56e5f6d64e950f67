"""Bench of `simd`: pools and additions on random maps, a bus that stalls, every cycle checked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.dbpim.simd import add, average_pool, max_pool
from hwgen.rtl.dbpim import layouts
from hwgen.spec.dbpim.addressing import region_address, region_at
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.program import Region
from hwgen.spec.dbpim.timing import SIMD_CYCLES
from hwgen.spec.quantization import MULTIPLIER_HIGH, MULTIPLIER_LOW, fixed_point
from verif.common.chances import chances
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.stream import Stream, accept, reset

ARCH = arch_from_environment()
COMPARTMENTS, LANES = ARCH.macro.compartments, ARCH.simd_lanes
Bytes = NDArray[np.uint8]
CORNERS = Corners(
    "a window that leaves the map",
    "a map of one column",
    "a mean below the zero point",
    "one tap an output",
    "the largest sum of a window",
    "a core without positions",
    "the bus waits while taps are on their way",
    "an addition that clips",
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One layer, of which `core` computes every `cores`-th position."""

    op: str
    height: int = 5
    width: int = 7
    words: int = 2
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padding: int = 0
    core: int = 0
    cores: int = 1


CASES = {
    "max_2": Case(op="max", kernel=(2, 2), stride=2, cores=2, core=1),
    "max_3": Case(op="max", kernel=(3, 3), stride=2, padding=1, words=1, cores=3),
    "max_overlapping": Case(op="max", kernel=(3, 3), padding=1, height=4, width=3, words=1),
    "mean_2x3": Case(op="mean", kernel=(2, 3), cores=4, core=2),
    "mean_all": Case(op="mean", kernel=(5, 7), stride=3, core=0, cores=8),
    "mean_none": Case(op="mean", kernel=(5, 7), stride=3, core=5, cores=8),
    "mean_1": Case(op="mean", stride=2, words=1),
    "mean_bright": Case(op="mean", kernel=(6, 6), height=6, width=6, words=1),
    "add": Case(op="add", cores=2, core=1),
    "add_column": Case(op="add", height=9, width=1, cores=3, core=2),
}


@dataclass(frozen=True)
class Write:
    """One expected request: a slice of a word."""

    bank: int
    address: int
    part: int
    values: list[int]


@dataclass(frozen=True)
class Job:
    """Inputs of the bench, and the expected requests in their order."""

    packet: int
    maps: list[tuple[Region, Bytes]]
    writes: list[Write]
    taps: int


def make_job(case: Case, rng: np.random.Generator) -> Job:
    """Return a case with random maps and numbers; channels beyond the last one hold bytes too."""
    shape = (case.height, case.width, case.words * COMPARTMENTS)
    a, b = (rng.integers(0, 256, shape).astype(np.uint8) for _ in range(2))
    numbers = draw_numbers(case, rng)
    if case == CASES["mean_bright"]:
        a[:] = 255
        numbers["input_zero_point"] = 0
    output = reference(case, a, b, numbers)
    first = region_for(3, a)
    second = region_for(3 + first.words, b)
    target = region_for(int(rng.integers(0, 9)), output)
    opcode = Opcode.ADD if case.op == "add" else Opcode.POOL
    only = {"second_base": second.base} if case.op == "add" else {"average": case.op == "mean"}
    fields = {"opcode": opcode, **layer_fields(case, first, target), **numbers, **only}
    packet = int(layouts.packet(opcode).const(fields).as_bits())
    taps = 2 if case.op == "add" else case.kernel[0] * case.kernel[1]
    writes = list(writes_of(case, target, output))
    return Job(packet, [(first, a), (second, b)], writes, taps)


def draw_numbers(case: Case, rng: np.random.Generator) -> dict[str, int]:
    """Return zero points, clip and scales, as the fields of the packet that hold them."""
    names = ("input_zero_point", "output_zero_point", "output_low", "output_high")
    bytes_ = rng.integers(0, 256, 2).tolist() + sorted(rng.integers(0, 256, 2).tolist())
    numbers = dict(zip(names, bytes_, strict=True))
    if case.op == "max":
        return numbers | {"output_low": 0, "output_high": 255, "multiplier": 12345, "shift": 6}
    if case.op == "mean":
        taps = case.kernel[0] * case.kernel[1]
        multiplier, shift = fixed_point(float(rng.uniform(0.3, 1.5)) / taps)
        return numbers | {"multiplier": multiplier, "shift": shift}
    factors = rng.integers(MULTIPLIER_LOW // 2, MULTIPLIER_HIGH + 1, 2).tolist()
    return numbers | {
        "second_zero_point": int(rng.integers(0, 256)),
        "multiplier": factors[0],
        "second_multiplier": factors[1],
        "shift": int(rng.integers(15, 18)),
    }


def reference(case: Case, a: Bytes, b: Bytes, numbers: dict[str, int]) -> Bytes:
    """Return golden's output map."""
    output: Bytes
    clip = {
        "zero_point": numbers["output_zero_point"],
        "low": numbers["output_low"],
        "high": numbers["output_high"],
    }
    if case.op == "max":
        (output,) = max_pool(
            a[None], kernel=case.kernel[0], stride=case.stride, padding=case.padding
        )
        return output
    if case.op == "mean":
        (output,) = average_pool(
            a[None],
            kernel=case.kernel,
            stride=case.stride,
            input_zero_point=numbers["input_zero_point"],
            multiplier=numbers["multiplier"],
            shift=numbers["shift"],
            **clip,
        )
        return output
    return add(
        a,
        b,
        zero_point_a=numbers["input_zero_point"],
        zero_point_b=numbers["second_zero_point"],
        multiplier_a=numbers["multiplier"],
        multiplier_b=numbers["second_multiplier"],
        shift=numbers["shift"],
        **clip,
    )


def region_for(base: int, values: Bytes) -> Region:
    """Return the region of a map at a base."""
    height, width, channels = values.shape
    return region_at(base, height=height, width=width, channels=channels, arch=ARCH)


def layer_fields(case: Case, source: Region, target: Region) -> dict[str, int]:
    """Return the addresses of the maps, the window, and the positions of each core."""
    positions = target.height * target.width
    unit_y, unit_x = divmod(1, target.width)
    step_y, step_x = divmod(case.cores, target.width)
    return {
        "input_base": source.base,
        "input_row_pitch": source.row_pitch,
        "input_channel_words": source.channel_words,
        "input_height": source.height,
        "input_width": source.width,
        "kernel_height": case.kernel[0],
        "kernel_width": case.kernel[1],
        "stride": case.stride,
        "padding": case.padding,
        "output_base": target.base,
        "output_row_pitch": target.row_pitch,
        "output_channel_words": target.channel_words,
        "output_width": target.width,
        "count_base": positions // case.cores,
        "count_extra": positions % case.cores,
        "unit_y": unit_y,
        "unit_x": unit_x,
        "step_y": step_y,
        "step_x": step_x,
    }


def writes_of(case: Case, target: Region, output: Bytes) -> Iterator[Write]:
    """Yield the writes of a core: its positions, in each the words, in each the slices."""
    for index in range(case.core, target.height * target.width, case.cores):
        y, x = divmod(index, target.width)
        for word in range(target.channel_words):
            place = region_address(target, ARCH, y=y, x=x, channel_word=word)
            for part in range(COMPARTMENTS // LANES):
                channel = word * COMPARTMENTS + part * LANES
                yield Write(*place, part, output[y, x, channel : channel + LANES].tolist())


def store_map(dut: Any, region: Region, values: Bytes) -> None:
    """Write a map into the banks."""
    for y, x, word in np.ndindex(region.height, region.width, region.channel_words):
        bank, address = region_address(region, ARCH, y=y, x=x, channel_word=word)
        channels = values[y, x, word * COMPARTMENTS : (word + 1) * COMPARTMENTS]
        cells = getattr(dut, f"bank_{bank}")
        cells[address].value = int.from_bytes(channels.tobytes(), "little")


def check_write(got: int, want: Write, where: str) -> None:
    """Compare one request with golden's bytes and with the place that the region gives."""
    write = layouts.bus_write(ARCH).from_bits(got)
    enable = ((1 << LANES) - 1) << want.part * LANES
    place = (write.raw, write.bank, write.address, write.enable)
    assert place == (0, want.bank, want.address, enable), f"{where}: wrote to {place}, not {want}"
    piece = write.data >> 8 * LANES * want.part & (1 << 8 * LANES) - 1
    values = list(piece.to_bytes(LANES, "little"))
    assert values == want.values, f"{where}: got {values}, golden says {want}"


async def follow(dut: Any, job: Job, case: Case, where: str) -> None:
    """Check all ports in each cycle from `go` on, until the unit has been idle for a while.

    `moves` counts the cycles in which the unit did not stall: by them its timetable is
    exact, whatever the bus does.
    """
    request = Stream(dut, "request")
    first = 1 + case.core
    taps = job.taps * len(job.writes)
    due = [first + job.taps * (n + 1) - 1 + SIMD_CYCLES for n in range(len(job.writes))]
    end = due[-1] + 1 if due else 0
    moves = granted = 0
    while moves < end + 3:
        await ReadOnly()
        asks, grants = bool(request.valid.value), bool(request.ready.value)
        stalls = asks and not grants
        reads = first <= moves < first + taps
        assert asks == (moves in due), f"{where}: request at {moves}, due are {due}"
        assert bool(dut.reads.value) == (reads and not stalls), f"{where}: reads at {moves}"
        assert bool(dut.idle.value) == (moves in (0, *range(max(1, end), end + 3))), (
            f"{where}: idle at {moves} of {end}"
        )
        if asks and grants:
            check_write(int(request.payload.value), job.writes[granted], where)
            granted += 1
        CORNERS.hit("the bus waits while taps are on their way", stalls and reads)
        moves += not stalls
        await FallingEdge(dut.clk)
        dut.go.value = 0


def note_corners(case: Case, job: Job) -> None:
    """Record which corners this case has reached."""
    layout = layouts.packet(Opcode.POOL)
    numbers = layout.from_bits(job.packet % (1 << layout.size))
    bytes_ = {byte for write in job.writes for byte in write.values}
    low, high = numbers.output_low, numbers.output_high
    CORNERS.hit("a window that leaves the map", case.padding > 0)
    CORNERS.hit("a map of one column", case.width == 1)
    below = low <= min(bytes_, default=255) < numbers.output_zero_point
    CORNERS.hit("a mean below the zero point", case.op == "mean" and below)
    CORNERS.hit("one tap an output", job.taps == 1)
    CORNERS.hit("the largest sum of a window", case == CASES["mean_bright"])
    CORNERS.hit("a core without positions", not job.writes)
    CORNERS.hit("an addition that clips", case.op == "add" and {low, high} <= bytes_)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(case=list(CASES), stall=[0.0, 0.5, 0.9])
async def maps_match_golden(dut: Any, case: str, stall: float) -> None:
    """Every byte equals golden, every tap and every request has its cycle; runs follow runs."""
    request = Stream(dut, "request")
    await reset(dut, dut.go, request.ready)
    for seed in range(2):
        rng = np.random.default_rng(seed)
        job = make_job(CASES[case], rng)
        for region, values in job.maps:
            store_map(dut, region, values)
        dut.core.value = CASES[case].core
        dut.instruction.value = job.packet
        dut.go.value = 1
        accepting = cocotb.start_soon(accept(request, chances(rng, stall)))
        await follow(dut, job, CASES[case], f"{case}, seed {seed}, stall {stall}")
        accepting.cancel()
        note_corners(CASES[case], job)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the cases above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
