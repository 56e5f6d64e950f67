"""Bench of `octet`: enabled sub-arrays, lock, in-memory addition, events."""

from typing import Any

import cocotb
import numpy as np

from hwgen.mram.facts.records import entry_name
from hwgen.mram.facts.timing import ADD_CYCLES_PER_BIT
from verif.coverage import Corners
from verif.mram.component import arch_from_environment
from verif.mram.octet_driver import OctetDriver, random_rows
from verif.reference.mram.adder import adder
from verif.reference.mram.bit_convolution import bit_convolution, from_planes
from verif.reference.mram.sense_amplifier import Bits

ARCH = arch_from_environment()
BLOCK, SEGMENTS, COLUMNS = ARCH.block, ARCH.segments, ARCH.array.columns
ALL_ARRAYS = (1 << BLOCK) - 1
PLANES = 3
CORNERS = Corners("all enabled", "some enabled", "none enabled", "group past the last")


def fields_of(**given: int) -> dict[str, int]:
    """Return a record in which every segment is active, alone and accumulates."""
    active = {entry_name("active", 0, j): 1 for j in range(SEGMENTS)}
    every = (1 << SEGMENTS) - 1
    fields = {"weight_planes": PLANES, "input_planes": PLANES, "groups": 1, "kernels": BLOCK}
    return {**fields, "accumulate": every, "join": 0, **active, **given}


def golden_sums(weights: Bits, inputs: Bits) -> list[int | None]:
    """Return the sum of each segment."""
    used = ARCH.input_columns
    return bit_convolution(
        from_planes(weights[:, :used], signed=True)[np.newaxis],
        from_planes(inputs[:, :used], signed=False)[np.newaxis],
        active=np.ones((1, SEGMENTS), np.int64),
        join=[0] * SEGMENTS,
        accumulate=[1] * SEGMENTS,
        segment_columns=ARCH.segment_columns,
    )


async def check_load(octet: OctetDriver, weights: Bits, inputs: Bits, where: str) -> None:
    """Write inputs, wait for the ANDs, and compare the sums of all sub-arrays."""
    await octet.write_inputs(inputs)
    await octet.until_free()
    want = golden_sums(weights, inputs)
    for segment in range(SEGMENTS):
        got = await octet.sums(segment)
        assert got == [want[segment]] * BLOCK, f"{where}, segment {segment}: got {got}"


def sizes(rng: np.random.Generator, seed: int) -> tuple[int, int, int, int]:
    """Return octets_log, groups, kernels and an octet: three directed ones, then random."""
    directed = {0: (0, 1, BLOCK, 0), 1: (0, 1, 1, 0), 2: (0, 1, BLOCK, ARCH.octets - 1)}
    log = int(rng.integers(ARCH.octets.bit_length()))
    groups = int(rng.integers(1, (ARCH.octets >> log) + 1))
    kernels = int(rng.integers(1, (BLOCK << log) + 1))
    return directed.get(seed, (log, groups, kernels, int(rng.integers(ARCH.octets))))


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(seed=range(12))
async def sub_arrays_with_a_kernel_work(dut: Any, seed: int) -> None:
    """Only they write inputs and compute; others keep their sums; the trace counts them."""
    rng, octet = np.random.default_rng(seed), OctetDriver(dut, ARCH)
    log, groups, kernels, number = sizes(rng, seed)
    first = BLOCK * (number % (1 << log))
    in_group = number >> log < groups
    enabled = [in_group and first + i < kernels for i in range(BLOCK)]
    weights, others = random_rows(rng, PLANES, COLUMNS), random_rows(rng, PLANES, COLUMNS)
    inputs, more = random_rows(rng, PLANES, COLUMNS), random_rows(rng, PLANES, COLUMNS)
    await octet.start(fields_of(), number=0)
    await octet.write_weights(weights, first_row=0, arrays=ALL_ARRAYS)
    await octet.write_weights(others, first_row=PLANES, arrays=ALL_ARRAYS)
    await check_load(octet, weights, inputs, f"seed {seed}, all")
    octet.events.clear()
    octet.port("number").value = number
    octet.set_record(fields_of(octets_log=log, groups=groups, kernels=kernels, weight_row_0=PLANES))
    await octet.write_inputs(more)
    cycles = await octet.until_free()
    assert cycles == PLANES * PLANES, f"{cycles} cycles of ANDs"
    count = sum(enabled)
    assert octet.events["input_writes"] == PLANES * count
    assert octet.events["ands"] == PLANES * PLANES * count
    assert octet.events["double"] == 2 * PLANES - 2
    for segment in range(SEGMENTS):
        got = await octet.sums(segment)
        before, after = golden_sums(weights, inputs), golden_sums(others, more)
        want = [after[segment] if on else before[segment] for on in enabled]
        assert got == want, f"seed {seed}, segment {segment}: got {got}, golden says {want}"
    octet.port("number").value = 0
    octet.set_record(fields_of(weight_row_0=PLANES))
    CORNERS.hit("all enabled", all(enabled))
    CORNERS.hit("some enabled", 0 < count < BLOCK)
    CORNERS.hit("none enabled", count == 0 or ARCH.octets == 1)
    CORNERS.hit("group past the last", not in_group or ARCH.octets == 1)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def locked_weights_stay(dut: Any) -> None:
    """While locked no row of weights is written, each refusal is counted, and inputs still work."""
    rng, octet = np.random.default_rng(5), OctetDriver(dut, ARCH)
    old, new = random_rows(rng, PLANES, COLUMNS), random_rows(rng, PLANES, COLUMNS)
    inputs = random_rows(rng, PLANES, COLUMNS)
    first_row = ARCH.weight_rows - PLANES
    await octet.start(fields_of(weight_row_0=first_row), number=0)
    await octet.write_weights(old, first_row=first_row, arrays=ALL_ARRAYS)
    assert octet.events["weight_writes"] == PLANES * BLOCK
    await check_load(octet, old, inputs, "before the lock")
    octet.port("lock").value = 1
    await octet.write_weights(new, first_row=first_row, arrays=1)
    assert octet.events["refused"] == PLANES
    assert octet.events["weight_writes"] == PLANES * BLOCK
    await check_load(octet, old, inputs[::-1], "locked")
    octet.port("lock").value = 0
    await octet.write_weights(new, first_row=first_row, arrays=ALL_ARRAYS)
    await check_load(octet, new, inputs, "unlocked")
    assert octet.events["weight_writes"] == 2 * PLANES * BLOCK
    assert octet.events["refused"] == PLANES


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(seed=range(4))
async def rows_are_added_in_memory(dut: Any, seed: int) -> None:
    """The sum of two operands stands in input rows, and is read there like weights."""
    rng, octet = np.random.default_rng(seed), OctetDriver(dut, ARCH)
    a, b = random_rows(rng, PLANES, COLUMNS), random_rows(rng, PLANES, COLUMNS)
    inputs = random_rows(rng, PLANES, COLUMNS)
    result_row, carry_row = ARCH.array.rows - PLANES - 1, ARCH.array.rows - 1
    fields = fields_of(
        weight_row_1=PLANES, result_row=result_row, carry_row=carry_row, kernels=BLOCK
    )
    await octet.start(fields, number=0)
    await octet.write_weights(a, first_row=0, arrays=ALL_ARRAYS)
    await octet.write_weights(b, first_row=PLANES, arrays=ALL_ARRAYS)
    octet.port("lock").value = 1
    await octet.cycle(add_go=1)
    cycles = await octet.until_added()
    assert cycles == 1 + ADD_CYCLES_PER_BIT * PLANES, f"{cycles} cycles"
    assert octet.events["xors"] == PLANES * BLOCK
    assert octet.events["write_backs"] == (1 + 2 * PLANES) * BLOCK
    assert octet.events["refused"] == 0
    total, carry = adder(a, b)
    octet.set_record(fields_of(weight_row_0=result_row))
    await check_load(octet, total, inputs, f"seed {seed}: sum")
    octet.set_record(fields_of(weight_row_0=carry_row, weight_planes=1))
    await check_load(octet, carry[np.newaxis], inputs, f"seed {seed}: carry")


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def a_locked_row_takes_no_sum(dut: Any) -> None:
    """An addition into a row of weights changes nothing while locked; each write is refused."""
    rng, octet = np.random.default_rng(6), OctetDriver(dut, ARCH)
    a, b = random_rows(rng, PLANES, COLUMNS), random_rows(rng, PLANES, COLUMNS)
    inputs = random_rows(rng, PLANES, COLUMNS)
    fields = fields_of(weight_row_1=PLANES, result_row=0, carry_row=ARCH.array.rows - 1)
    await octet.start(fields, number=0)
    await octet.write_weights(a, first_row=0, arrays=ALL_ARRAYS)
    await octet.write_weights(b, first_row=PLANES, arrays=ALL_ARRAYS)
    octet.port("lock").value = 1
    await octet.cycle(add_go=1)
    await octet.until_added()
    assert octet.events["refused"] == PLANES * BLOCK
    assert octet.events["write_backs"] == (1 + PLANES) * BLOCK
    octet.set_record(fields_of())
    await check_load(octet, a, inputs, "locked")
    octet.port("lock").value = 0
    octet.set_record(fields)
    await octet.cycle(add_go=1)
    await octet.until_added()
    octet.set_record(fields_of())
    await check_load(octet, adder(a, b)[0], inputs, "unlocked")
    assert octet.events["weight_writes"] == 3 * PLANES * BLOCK


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
