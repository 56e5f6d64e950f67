"""Bench of `octet_control`: the ANDs of loads, in every cycle, and when inputs may be written."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.mram.facts.records import encode_record
from verif.coverage import Corners
from verif.mram.and_order import and_order, rows_of
from verif.mram.component import arch_from_environment
from verif.stream import reset

ARCH = arch_from_environment()
CORNERS = Corners(
    *("one AND", "one input plane", "one weight plane", "two row sets", "no pause"),
    *(("twins",) if ARCH.twins else ()),
    *(("upper inputs", "a go waits", "a flush waits") if ARCH.overlap else ()),
)
GOES = ("go", "half", "flush") if ARCH.overlap else ("go",)


def ahead(fields: dict[str, int]) -> bool:
    """Return whether inputs may come while ANDs run."""
    rows = (1 + fields["two_rows"]) * fields["input_planes"]
    return ARCH.overlap and 2 * rows <= ARCH.input_rows


def fields_of(rng: np.random.Generator, seed: int) -> dict[str, int]:
    """Return the fields of a record that the controller reads: three directed ones, then random."""
    two = int(seed > 2 and rng.random() < 0.5)
    most = min(ARCH.element_bits, ARCH.input_rows // (1 + two))
    directed = {0: (1, 1), 1: (1, 3), 2: (4, 1)}
    drawn = int(rng.integers(1, 8)), int(rng.integers(1, most + 1))
    weight_planes, input_planes = directed.get(seed, drawn)
    return {
        "two_rows": two,
        "input_planes": input_planes,
        "weight_planes": weight_planes,
        "weight_row_0": int(rng.integers(ARCH.weight_rows - 8)),
        "weight_row_1": int(rng.integers(ARCH.weight_rows - 8)),
        **({"twins": int(two and rng.random() < 0.7)} if ARCH.twins else {}),
    }


async def idle(dut: Any) -> None:
    """Nothing happens without a go."""
    await ReadOnly()
    assert (int(dut.octet_control__and_en.value), int(dut.octet_control__free.value)) == (0, 1)
    await FallingEdge(dut.clk)


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(seed=range(10))
async def ands_come_in_order(dut: Any, seed: int) -> None:
    """All ANDs follow `go` without gaps; free is high without a load and in the last AND."""
    rng = np.random.default_rng(seed)
    fields = fields_of(rng, seed)
    await reset(dut, *(getattr(dut, f"octet_control__{name}") for name in GOES))
    dut.octet_control__record.value = encode_record(fields, ARCH)
    await idle(dut)
    planes = fields["weight_planes"], fields["input_planes"]
    row_sets = 1 + fields["two_rows"]
    twins = fields.get("twins", 0) > 0
    order = list(
        and_order(weight_planes=planes[0], input_planes=planes[1], row_sets=row_sets, twins=twins)
    )
    for pause in (0, 0, 3):
        dut.octet_control__go.value = 1
        await ReadOnly()
        assert int(dut.octet_control__free.value) == 0, f"seed {seed}: free in the cycle of go"
        await FallingEdge(dut.clk)
        dut.octet_control__go.value = 0
        for place, operation in enumerate(order):
            await ReadOnly()
            where = f"seed {seed}, AND {place} of {len(order)}"
            got = [
                int(getattr(dut, f"octet_control__{name}").value)
                for name in ("and_en", "row_0", "row_1", "row_set", "first", "double", "subtract")
            ]
            want = [
                1,
                *rows_of(operation, fields, ARCH.weight_rows),
                operation.row_set,
                operation.first,
                operation.double,
                operation.subtract,
            ]
            assert got == want, f"{where}: got {got}, the rule says {want}"
            free = int(dut.octet_control__free.value)
            last = place == len(order) - 1
            assert free == (last or ahead(fields)), f"{where}: free is {free}"
            await FallingEdge(dut.clk)
        for _ in range(pause):
            await idle(dut)
        CORNERS.hit("no pause", pause == 0)
    CORNERS.hit("one AND", len(order) == 1)
    CORNERS.hit("one weight plane", planes[0] == 1 and planes[1] > 1)
    CORNERS.hit("one input plane", planes[1] == 1 and planes[0] > 1)
    CORNERS.hit("two row sets", row_sets == 2)
    if ARCH.twins:
        CORNERS.hit("twins", twins)


@cocotb.test(timeout_time=2, timeout_unit="ms", skip=not ARCH.overlap)
@cocotb.parametrize(seed=range(3, 13))
async def goes_wait_for_the_last_and(dut: Any, seed: int) -> None:
    """A go in the middle of a load starts the next one without a gap; a flush captures alone."""
    rng = np.random.default_rng(seed)
    fields = fields_of(rng, seed)
    await reset(dut, *(getattr(dut, f"octet_control__{name}") for name in GOES))
    dut.octet_control__record.value = encode_record(fields, ARCH)
    order = list(
        and_order(
            weight_planes=fields["weight_planes"],
            input_planes=fields["input_planes"],
            row_sets=1 + fields["two_rows"],
            twins=fields.get("twins", 0) > 0,
        )
    )
    upper = (1 + fields["two_rows"]) * fields["input_planes"] if ahead(fields) else 0
    # The go of the next load, or of a flush, comes in some AND of each load.
    halves = 1 + ahead(fields)
    loads = [(int(rng.integers(halves)), int(rng.integers(len(order)))) for _ in range(4)]
    dut.octet_control__go.value, dut.octet_control__half.value = 1, loads[0][0]
    await FallingEdge(dut.clk)
    for number, (half, next_at) in enumerate(loads):
        flushes = number == len(loads) - 1
        for place, operation in enumerate(order):
            now, later = place == next_at, place > next_at
            dut.octet_control__go.value, dut.octet_control__flush.value = now, now and flushes
            dut.octet_control__half.value = 0 if flushes else loads[number + 1][0]
            await ReadOnly()
            weights, inputs = rows_of(operation, fields, ARCH.weight_rows)
            names = ("and_en", "row_0", "row_1", "first", "capture")
            got = [int(getattr(dut, f"octet_control__{name}").value) for name in names]
            want = [1, weights, inputs + half * upper, operation.first, operation.first]
            assert got == want, f"seed {seed}, load {number}, AND {place}: got {got}, not {want}"
            assert not (int(dut.octet_control__free.value) and (now or later)), (
                "free, but one waits"
            )
            await FallingEdge(dut.clk)
        CORNERS.hit("upper inputs", half > 0 and upper > 0)
        CORNERS.hit("a flush waits" if flushes else "a go waits", next_at < len(order) - 1)
    dut.octet_control__go.value = 0
    for want in ([0, 1], [0, 0]):
        await ReadOnly()
        got = [int(getattr(dut, f"octet_control__{name}").value) for name in ("and_en", "capture")]
        assert got == want, f"seed {seed}: got {got} behind the last load, not {want}"
        await FallingEdge(dut.clk)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_ends_a_load(dut: Any) -> None:
    """After a reset in the middle of a load the octet is free."""
    await reset(dut, *(getattr(dut, f"octet_control__{name}") for name in GOES))
    dut.octet_control__record.value = encode_record({"input_planes": 4, "weight_planes": 4}, ARCH)
    dut.octet_control__go.value = 1
    await FallingEdge(dut.clk)
    dut.octet_control__go.value = 0
    await FallingEdge(dut.clk)
    await reset(dut, *(getattr(dut, f"octet_control__{name}") for name in GOES))
    await idle(dut)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
