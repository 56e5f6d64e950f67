"""The in-memory adder of a whole chip: sums of weight rows become weights; the lock holds."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.sim.host import run_chip
from hwgen.mram.facts.records import Kind
from hwgen.mram.facts.stream import NO_KERNEL, Content, encode_program
from hwgen.mram.facts.timing import ADD_CYCLES_PER_BIT, DISPATCH_CYCLES
from hwgen.mram.sim.chip_run import ChipRun, Job, hosted
from tests.verif.mram.chips import chip_arch

ARCH = chip_arch("tiny")
BITS = 5
"""Of both operands and their sum."""
INPUT_BITS = 4
SUM_ROW = ARCH.weight_rows + 8
CARRY_ROW = ARCH.weight_rows + ARCH.input_rows - 1
EVERY = {"kernels": ARCH.sub_arrays, "octets_log": ARCH.octets.bit_length() - 1, "groups": 1}
ADD = {
    "kind": Kind.ADD,
    "input_planes": BITS,
    "weight_row_0": 0,
    "weight_row_1": BITS,
    "result_row": SUM_ROW,
    "carry_row": CARRY_ROW,
    **EVERY,
}
CONV = {
    "kind": Kind.CONV,
    "in_bank": 0,
    "in_height": 1,
    "in_width": 1,
    "channels": ARCH.block,
    "out_height": 1,
    "out_width": 1,
    "out_blocks_log": EVERY["octets_log"],
    "blocks": ARCH.octets,
    "stride_y": 1,
    "stride_x": 1,
    "input_planes": INPUT_BITS,
    "weight_planes": BITS,
    "weight_row_0": SUM_ROW,
    "positions": 1,
    "last_positions": 1,
    "loads": 1,
    "accumulate": 1,
    "active_0_0": 1,
    "answer": 1,
    "raw": 1,
    **EVERY,
}


def run(folder: Path, *more: dict[str, int], images: int = 1) -> tuple[ChipRun, np.ndarray]:
    """Run an addition, other records, and a convolution with the sums; return what it must answer.

    Weights are numbers of BITS - 1 bits in two's complement, so that no sum overflows.
    """
    rng = np.random.default_rng(1)
    shape = (2, ARCH.sub_arrays, ARCH.array.columns)
    numbers = rng.integers(-(1 << BITS - 2), 1 << BITS - 2, shape)
    planes = [numbers[operand] >> bit & 1 for operand in range(2) for bit in range(BITS)]
    image = {"kind": Kind.IMAGE, "loads": 1}
    answer = {"channels": ARCH.sub_arrays, "out_blocks_log": ARCH.octets.bit_length() - 1}
    store = {"kind": Kind.ANSWER, "loads": ARCH.sub_arrays, "last": 1, **answer}
    records = [image, ADD, *more, CONV, store]
    content = Content(
        network=0,
        records=records,
        first_records=[0],
        parameters=[[NO_KERNEL] * ARCH.block] * ARCH.octets,
        weights=np.array(planes, bool),
        image_stride=64,
        answer_stride=64,
    )
    values = rng.integers(0, 1 << INPUT_BITS, (images, ARCH.port_bytes))
    job = Job(
        program=encode_program(content, ARCH).tobytes(),
        images=[each.astype(np.uint8).tobytes() for each in values],
        modes=[0] * images,
        run_images=images,
        image_stride=64,
        answer_stride=64,
        answer_bytes=ARCH.sub_arrays * ARCH.answer_bits // 8,
        latency=ARCH.memory_latency_cycles,
    )
    _, found = run_chip(job.work(), hosted(ARCH), folder)
    assert found.done
    # Channel i of the only pixel meets column 9 i, the first tap of the first segment.
    columns = [9 * channel for channel in range(ARCH.block)]
    weights = numbers.sum(axis=0)[:, columns]
    return found, values[:, : ARCH.block] @ weights.T


def check(found: ChipRun, expected: np.ndarray) -> None:
    got = [each.view("<i4")[: ARCH.sub_arrays] for each in found.answers.values()]
    np.testing.assert_array_equal(got, expected)


@pytest.mark.promise(
    "sums that the in-memory adder writes back are weights of a convolution of the same chip"
)
def test_sums_of_rows_are_weights_of_a_convolution(tmp_path: Path) -> None:
    found, expected = run(tmp_path, images=2)
    check(found, expected)
    first, add = found.retired[:2]
    assert add.cycle - first.cycle == DISPATCH_CYCLES + 2 + ADD_CYCLES_PER_BIT * BITS
    assert add.events["xor_operations"] == BITS * ARCH.sub_arrays
    assert add.events["write_backs"] == (1 + 2 * BITS) * ARCH.sub_arrays
    assert found.registers["refused_row_writes"] == 0


@pytest.mark.promise(
    "weights are loaded once; then a lock refuses other programs, and counters prove that no"
    " row of weights was written"
)
def test_a_sum_does_not_reach_locked_rows(tmp_path: Path) -> None:
    """An addition whose result would go to rows of weights changes nothing; the lock counts."""
    found, expected = run(tmp_path, {**ADD, "result_row": 0}, images=2)
    check(found, expected)
    assert found.registers["refused_row_writes"] == 2 * BITS * ARCH.sub_arrays
    rows = 2 * BITS * ARCH.sub_arrays
    assert found.registers["weight_row_writes"] == rows
