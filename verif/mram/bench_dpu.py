"""Bench of `dpu`: every block that is written, in its cycle, against golden's lanes."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly, Timer

from hwgen.mram.facts.records import encode_record
from hwgen.mram.facts.stream import LaneParameters, parameter_word
from hwgen.mram.facts.timing import DPU_CYCLES, DRAIN_CYCLES, SUM_CYCLES
from hwgen.mram.rtl.layouts import answer_write, bank_write, sum_issue
from hwgen.network.quantization import MULTIPLIER_BITS, MULTIPLIER_LOW, SHIFT_HIGH
from verif.common.packing import pack, unpack, unpack_signed
from verif.coverage import Corners
from verif.mram.component import arch_from_environment
from verif.reference.mram.dpu_lane import dpu_lane
from verif.stream import reset

ARCH = arch_from_environment()
BLOCK, BITS = ARCH.block, ARCH.element_bits
ELEMENTS = ARCH.row_blocks * BLOCK
TOP = (1 << BITS) - 1
TOTAL = DRAIN_CYCLES + SUM_CYCLES + DPU_CYCLES
"""Cycles from the issue of a sum to the write of its result."""
CORNERS = Corners("answer", "raw", "skip", "skip map ends", "clipped", "last lanes empty", "pool")


def port(dut: Any, name: str) -> Any:
    """Return a port of the part."""
    return getattr(dut, f"dpu__{name}")


def draw_record(rng: np.random.Generator) -> dict[str, int]:
    """Return fields of a small record with random scaling."""
    blocks = int(rng.integers(1, ARCH.row_blocks + 1))
    kernels = int(rng.integers((blocks - 1) * BLOCK + 1, blocks * BLOCK + 1))
    log = int(rng.integers((blocks - 1).bit_length(), ARCH.row_blocks.bit_length()))
    skip_log = int(rng.integers(0, ARCH.row_blocks.bit_length()))
    answer, skip = (bool(rng.random() < 0.4) for _ in range(2))
    low, sum_low = (int(value) for value in rng.integers(0, TOP // 2, 2))
    fields = {
        "out_bank": int(rng.integers(4)),
        "out_blocks_log": log,
        "out_block": int(rng.integers(0, (1 << log) - blocks + 1)),
        "out_height": 3,
        "out_width": int(rng.integers(1, 4)),
        "kernels": kernels,
        "blocks": blocks,
        "parameter": int(rng.integers(0, 9)),
        "zero_point": int(rng.integers(0, TOP + 1)),
        "low": low,
        "high": int(rng.integers(low, TOP + 1)),
        "answer": int(answer),
        "raw": int(answer and not skip),
        "skip": int(skip),
        "skip_bank": int(rng.integers(4)),
        "skip_blocks_log": skip_log,
        "skip_width": int(rng.integers(4, 7)),
        "skip_channels": int(rng.integers(1, (1 << skip_log) * BLOCK + 1)),
        "skip_stride_y": int(rng.integers(1, 3)),
        "skip_stride_x": int(rng.integers(1, 3)),
        "sum_shift": int(rng.integers(15, 19)),
        "sum_low": sum_low,
        "sum_high": int(rng.integers(sum_low, TOP + 1)),
    }
    for name in ("own_zero_point", "skip_zero_point", "sum_zero_point"):
        fields[name] = int(rng.integers(0, TOP + 1))
    for name in ("own_multiplier", "skip_multiplier"):
        fields[name] = int(rng.integers(0, 1 << ARCH.factor_bits))
    fields["sum_shift"] += ARCH.factor_bits - MULTIPLIER_BITS
    if ARCH.floats:
        for name in ("rounding", "sum_rounding"):
            fields[name] = int(rng.integers(len(ARCH.rounding)))
    return fields


def draw_lane(rng: np.random.Generator) -> LaneParameters:
    """Return parameters of a lane; some shifts are the largest."""
    more = ARCH.multiplier_bits - MULTIPLIER_BITS
    shift = int(rng.choice([*range(10 + more, 40), SHIFT_HIGH]))
    bias = int(rng.integers(-(1 << 20), 1 << 20))
    low = MULTIPLIER_LOW << more
    multiplier = int(rng.integers(low, 2 * low))
    return LaneParameters(bias=bias, multiplier=multiplier, shift=shift)


class Case:
    """One record: tables, the skip map's bank, and what each result must be."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.fields = draw_record(self.rng)
        words = self.fields["parameter"] + self.fields["blocks"]
        self.parameters = [[draw_lane(self.rng) for _ in range(BLOCK)] for _ in range(words)]
        bank = self.rng.integers(0, TOP + 1, ARCH.array.rows * ELEMENTS)
        self.bank: list[int] = bank.tolist()
        self.jobs = [
            (position, block)
            for position in range(self.fields["out_height"] * self.fields["out_width"])
            for block in range(self.fields["blocks"])
        ]

    def expected(self, position: int, block: int, sums: list[int]) -> dict[int, int]:
        """Return the value of each lane with a kernel."""
        fields, found = self.fields, {}
        for lane in range(BLOCK):
            if block * BLOCK + lane >= fields["kernels"]:
                CORNERS.hit("last lanes empty")
                continue
            skip = self.skip(position, block, lane) if fields["skip"] else None
            which = self.parameters[fields["parameter"] + block][lane]
            found[lane] = dpu_lane(sums[lane], which, fields, skip=skip)
            CORNERS.hit("clipped", found[lane] in (fields["sum_low"], fields["high"]))
        return found

    def skip(self, position: int, block: int, lane: int) -> int:
        """Return the element of the skip map, or its zero point behind its channels."""
        fields = self.fields
        y, x = divmod(position, fields["out_width"])
        channel = (fields["out_block"] + block) * BLOCK + lane
        if channel >= fields["skip_channels"]:
            CORNERS.hit("skip map ends")
            return fields["skip_zero_point"]
        pixel = y * fields["skip_stride_y"] * fields["skip_width"] + x * fields["skip_stride_x"]
        index = (pixel << fields["skip_blocks_log"]) * BLOCK + channel
        return int(self.bank[index])

    def read_skip(self, dut: Any) -> list[int]:
        """Return the row of the skip map that is read in this cycle; garbage without a read."""
        if not port(dut, "skip_en").value:
            garbage: list[int] = self.rng.integers(0, TOP + 1, ELEMENTS).tolist()
            return garbage
        row = int(port(dut, "skip_row").value) * ELEMENTS
        return self.bank[row : row + ELEMENTS]


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=range(12), pool=[False, True])
async def results_are_goldens(dut: Any, seed: int, pool: bool) -> None:
    """Each result is written `TOTAL` cycles after its issue, masked, in its place; no other is."""
    case = Case(seed)
    fields, rng = case.fields, case.rng
    await reset(dut, *(port(dut, name) for name in ("go", "issue_valid", "result_valid")))
    port(dut, "record").value = encode_record(fields, ARCH)
    port(dut, "go").value = 1
    await FallingEdge(dut.clk)
    port(dut, "go").value = 0
    sums: dict[int, list[int]] = {}
    writes: dict[int, tuple[int, int, dict[int, int]]] = {}
    jobs, cycle, read = iter(case.jobs), 0, None
    job = next(jobs, None)
    while job is not None or cycle <= max(writes):
        goes = job is not None and rng.random() < 0.8
        put_issue(dut, job if goes else None, fields, pool=pool)
        if goes and job is not None:
            begin = cycle - DRAIN_CYCLES if pool else cycle
            drawn = rng.integers(-(1 << 22), 1 << 22, BLOCK).tolist()
            sums[begin + DRAIN_CYCLES + SUM_CYCLES] = drawn
            writes[begin + TOTAL] = (*job, case.expected(*job, drawn))
            job = next(jobs, None)
        port(dut, "sums").value = pack(
            sums.get(cycle, rng.integers(-9, 9, BLOCK).tolist()), bits=ARCH.accumulator_bits
        )
        if read is not None:
            port(dut, "parameters").value = parameter_word(case.parameters[read], ARCH)
        await Timer(1, unit="ns")
        port(dut, "skip_data").value = pack(case.read_skip(dut), bits=BITS)
        await ReadOnly()
        read = None
        if port(dut, "parameter_en").value:
            read = int(port(dut, "parameter_index").value)
        check_write(dut, writes.get(cycle), fields, f"seed {seed}, cycle {cycle}")
        since = DPU_CYCLES + SUM_CYCLES if pool else TOTAL
        busy = any(cycle <= end < cycle + since for end in writes)
        assert port(dut, "busy").value == busy, f"seed {seed}, cycle {cycle}"
        await FallingEdge(dut.clk)
        cycle += 1
    await ReadOnly()
    assert not port(dut, "busy").value
    for name in ("answer", "raw", "skip"):
        CORNERS.hit(name, bool(fields[name]))
    CORNERS.hit("pool", pool)


def put_issue(dut: Any, job: tuple[int, int] | None, fields: dict[str, int], *, pool: bool) -> None:
    """Announce a sum, by the ring or by the pool unit."""
    valid, block = job is not None, 0 if job is None else job[1]
    last = block == fields["blocks"] - 1
    port(dut, "issue_valid").value = valid and not pool
    port(dut, "result_valid").value = valid and pool
    port(dut, "result_block").value = block
    port(dut, "last_block").value = last
    issue = {"octet": 0, "segment": 0, "block": block, "last_block": int(last)}
    port(dut, "issue").value = sum_issue(ARCH).const(issue).as_bits()


def check_write(
    dut: Any,
    expected: tuple[int, int, dict[int, int]] | None,
    fields: dict[str, int],
    where: str,
) -> None:
    """Compare the writes of this cycle."""
    valid = {name: bool(port(dut, f"{name}_valid").value) for name in ("bank", "answer")}
    answer = bool(fields["answer"])
    assert valid == {
        "bank": expected is not None and not answer,
        "answer": expected is not None and answer,
    }, where
    if expected is None:
        return
    position, block, values = expected
    index = (position << fields["out_blocks_log"]) + fields["out_block"] + block
    assert int(port(dut, "result_lanes").value) == len(values), where
    if answer:
        found = answer_write(ARCH).from_bits(int(port(dut, "answer").value))
        got = unpack_signed(found.data, bits=ARCH.answer_bits, count=BLOCK)
        first, here = 0, found.index == index % (ARCH.answer_entries // BLOCK)
    else:
        found = bank_write(ARCH).from_bits(int(port(dut, "bank").value))
        got = unpack(found.data, bits=BITS, count=ELEMENTS)
        row, place = divmod(index, ARCH.row_blocks)
        first, here = place * BLOCK, (found.bank, found.row) == (fields["out_bank"], row)
    assert here, where
    assert found.mask == sum(1 << (first + lane) for lane in values), where
    assert {lane: got[first + lane] for lane in values} == values, where


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
