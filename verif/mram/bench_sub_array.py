"""Bench of `sub_array`: rows on the bit lines x references, beside writes."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from verif.common.packing import pack
from verif.coverage import Corners
from verif.mram.array_parts import bank_slices
from verif.mram.component import arch_from_environment
from verif.reference.mram.sense_amplifier import ADDITION
from verif.reference.mram.sub_array import sub_array
from verif.stream import reset

ARCH = arch_from_environment()
SLICES = bank_slices(ARCH)
REFERENCES = ("read", "and2", "or3", "maj", "and3")
USES = ((1, {"read"}), (2, {"and2"}), (3, set(ADDITION)), (0, {"read"}), (3, {"or3"}))
CORNERS = Corners(*(f"{rows} rows: {' '.join(sorted(used))}" for rows, used in USES))


def port(dut: Any, name: str) -> Any:
    """Return a port of the part."""
    return getattr(dut, f"sub_array_{SLICES}__{name}")


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3))
async def rows_are_sensed_as_golden_says(dut: Any, seed: int) -> None:
    """Any rows are sensed in any of the chip's ways, while another row is written."""
    rng = np.random.default_rng(seed)
    rows, columns = ARCH.array.rows, ARCH.array.columns
    cells = rng.integers(0, 2, (rows, columns)).astype(np.uint8)
    await reset(dut, port(dut, "write_en"))
    port(dut, "write_en").value = (1 << SLICES) - 1
    for row in range(rows):
        port(dut, "write_row").value = row
        port(dut, "write_data").value = pack(cells[row], bits=1)
        await FallingEdge(dut.clk)
    for cycle in range(200):
        count, used = USES[cycle % len(USES)]
        chosen = rng.integers(0, rows, 3)
        write, enabled = int(rng.integers(rows)), rng.integers(0, 2, SLICES)
        word = rng.integers(0, 2, columns).astype(np.uint8)
        port(dut, "write_en").value = pack(enabled, bits=1)
        port(dut, "write_row").value = write
        port(dut, "write_data").value = pack(word, bits=1)
        port(dut, "active_rows").value = count
        for place in range(3):
            port(dut, f"row_{place}").value = int(chosen[place])
        for name in REFERENCES:
            port(dut, name).value = name in used
        await ReadOnly()
        got = int(port(dut, "sense").value), int(port(dut, "carry").value)
        golden = sub_array(cells, chosen[:count].tolist(), used)
        want = tuple(pack(bits, bits=1) for bits in golden)
        assert got == want, f"seed {seed}, cycle {cycle}, {count} rows, {used}: got {got}"
        CORNERS.hit(f"{count} rows: {' '.join(sorted(used))}")
        mask = np.repeat(enabled, columns // SLICES).astype(bool)
        cells[write] = np.where(mask, word, cells[write])
        await FallingEdge(dut.clk)
    port(dut, "write_en").value = 0


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
