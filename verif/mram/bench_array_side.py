"""Bench of the array side: random convolutions, sums against golden, every cycle by the rule."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.spec.mram.timing import DRAIN_CYCLES, SUM_CYCLES
from verif.common.packing import unpack_signed
from verif.coverage import Corners
from verif.mram.cells import weight_rows
from verif.mram.component import arch_from_environment
from verif.mram.conv_case import ConvCase, random_case
from verif.mram.schedule import Cycle, Issue, convolution
from verif.stream import reset

ARCH = arch_from_environment()


async def start(dut: Any) -> None:
    await reset(dut, dut.go, dut.add_go, dut.weight_valid, dut.lock, dut.bank_en)


async def write_weights(dut, case, rng):
    row_bits = ARCH.row_index_bits
    sub_bits = len(dut.weight) - row_bits - ARCH.array.columns
    for sub_array, row, content in weight_rows(case, rng):
        dut.weight_valid.value = 1
        dut.weight.value = sub_array | row << sub_bits | content << (sub_bits + row_bits)
        await FallingEdge(dut.clk)
    dut.weight_valid.value = 0
    for row, content in enumerate(case.bank):
        dut.bank_en.value = 1
        dut.bank_row.value = row
        dut.bank_data.value = content
        await FallingEdge(dut.clk)
    dut.bank_en.value = 0
    await FallingEdge(dut.clk)


async def run_case(dut, case):
    dut.record.value = case.record
    dut.go.value = 1
    await FallingEdge(dut.clk)
    dut.go.value = 0
    want = case.sums()
    later = []
    rule = list(convolution(case.fields, ARCH))
    positions = case.fields["positions"]
    n = 0
    for now in range(len(rule) + DRAIN_CYCLES + SUM_CYCLES + 1):
        cycle = rule[now] if now < len(rule) else Cycle()
        await ReadOnly()
        read = int(dut.read_row.value) if int(dut.read_en.value) else None
        assert read == cycle.row, (now, read, cycle)
        assert int(dut.busy.value) == (now < len(rule)), now
        assert int(dut.plane_sent.value) == (cycle.plane is not None), (now, cycle)
        assert int(dut.issue_valid.value) == (cycle.issue is not None), (now, cycle)
        if cycle.issue:
            later.append((now + DRAIN_CYCLES + SUM_CYCLES, cycle.issue))
        if later and later[0][0] == now:
            _, issue = later.pop(0)
            sums = unpack_signed(int(dut.sums.value), bits=ARCH.accumulator_bits, count=ARCH.block)
            p = issue.load * positions + issue.position
            for lane in range(ARCH.block):
                k = issue.block * ARCH.block + lane
                if k < case.shape.kernels:
                    assert sums[lane] == want[p, k], (now, p, k, sums[lane], want[p, k])
                    n += 1
        await FallingEdge(dut.clk)
    assert n == want.size


@cocotb.test(timeout_time=100, timeout_unit="ms")
@cocotb.parametrize(seed=range(12))
async def convolutions(dut: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    case = random_case(rng, ARCH)
    dut._log.info(f"{case.shape} {case.placement}")
    await start(dut)
    await write_weights(dut, case, rng)
    await run_case(dut, case)
