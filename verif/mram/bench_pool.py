"""Bench of `pool`: totals of every window, a tap a cycle, against golden."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.mram.facts.records import encode_record
from hwgen.mram.facts.timing import POOL_CYCLES
from verif.common.packing import pack, unpack_signed
from verif.coverage import Corners
from verif.mram.component import arch_from_environment
from verif.reference.mram.pool import pool
from verif.stream import reset

ARCH = arch_from_environment()
BLOCK, BITS = ARCH.block, ARCH.element_bits
ELEMENTS = ARCH.row_blocks * BLOCK
CORNERS = Corners("maximum", "mean", "outside the map", "several blocks", "stride")


def port(dut: Any, name: str) -> Any:
    """Return a port of the part."""
    return getattr(dut, f"pool__{name}")


def draw_record(rng: np.random.Generator) -> dict[str, int]:
    """Return fields of a small record; the last window may go beyond the map."""
    log = int(rng.integers(0, ARCH.row_blocks.bit_length()))
    pads = rng.integers(0, 2, 2).tolist()
    height, width, kernel_y, kernel_x = (int(value) for value in rng.integers(1, 5, 4))
    stride_y, stride_x = (int(value) for value in rng.integers(1, 4, 2))
    return {
        "in_blocks_log": log,
        "in_height": height,
        "in_width": width,
        "blocks": int(rng.integers(1, (1 << log) + 1)),
        "outside": int(rng.integers(0, 1 << BITS)),
        "pad_top": int(pads[0]),
        "pad_left": int(pads[1]),
        "kernel_height": kernel_y,
        "kernel_width": kernel_x,
        "stride_y": stride_y,
        "stride_x": stride_x,
        "out_height": (height + 1) // stride_y + 1,
        "out_width": (width + 1) // stride_x + 1,
        "maximum": int(rng.integers(2)),
    }


def window_ends(values: np.ndarray, fields: dict[str, int]) -> dict[int, tuple[int, list[int]]]:
    """Return block and totals of each window, by the cycle of its last tap."""
    totals = pool(values, fields)
    taps = fields["kernel_height"] * fields["kernel_width"]
    ends = {}
    for number in range(totals.shape[0] * totals.shape[1] * fields["blocks"]):
        position, block = divmod(number, fields["blocks"])
        y, x = divmod(position, fields["out_width"])
        expected = totals[y, x, block * BLOCK : (block + 1) * BLOCK].tolist()
        ends[(number + 1) * taps - 1] = block, expected
    return ends


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=range(16))
async def totals_are_goldens(dut: Any, seed: int) -> None:
    """Sums of block k of position p come `POOL_CYCLES` after its last tap; taps never pause."""
    rng = np.random.default_rng(seed)
    fields = draw_record(rng)
    pixel = BLOCK << fields["in_blocks_log"]
    bank = rng.integers(0, 1 << BITS, ARCH.array.rows * ELEMENTS)
    shape = (fields["in_height"], fields["in_width"], pixel)
    values = bank[: np.prod(shape)].reshape(shape)
    ends = window_ends(values, fields)
    blocks = fields["blocks"]
    await reset(dut, port(dut, "go"))
    port(dut, "record").value = encode_record(fields, ARCH)
    port(dut, "go").value = 1
    await FallingEdge(dut.clk)
    port(dut, "go").value = 0
    reads = 0
    for cycle in range(max(ends) + POOL_CYCLES + 2):
        where = f"seed {seed}, cycle {cycle}"
        row = int(port(dut, "read_row").value) % ARCH.array.rows * ELEMENTS
        port(dut, "read_data").value = pack(bank[row : row + ELEMENTS].tolist(), bits=BITS)
        await ReadOnly()
        reads += int(port(dut, "read_en").value)
        assert bool(port(dut, "busy").value) == (cycle <= max(ends) + 1), where
        announced = ends.get(cycle - 1)
        assert bool(port(dut, "result_valid").value) == (announced is not None), where
        if announced is not None:
            found = int(port(dut, "result_block").value), int(port(dut, "last_block").value)
            assert found == (announced[0], announced[0] == blocks - 1), where
        if cycle - POOL_CYCLES in ends:
            word = int(port(dut, "sums").value)
            got = unpack_signed(word, bits=ARCH.accumulator_bits, count=BLOCK)
            assert got == ends[cycle - POOL_CYCLES][1], where
        await FallingEdge(dut.clk)
    ones = pool(np.ones(shape, np.int64), {**fields, "outside": 0, "maximum": 0})
    assert reads == ones[:, :, 0].sum() * blocks, f"seed {seed}: taps inside the map are read once"
    CORNERS.hit("maximum" if fields["maximum"] else "mean")
    CORNERS.hit("outside the map", reads < (max(ends) + 1))
    CORNERS.hit("several blocks", blocks > 1)
    CORNERS.hit("stride", fields["stride_x"] > 1)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    several = {"several blocks"} if ARCH.row_blocks == 1 else set()
    assert not set(CORNERS.missed()) - several, f"corners never reached: {CORNERS.missed()}"
