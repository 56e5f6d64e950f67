"""Bench of `banks`: three accesses a cycle to different banks."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.mram.facts.arch import BANKS
from hwgen.mram.rtl.layouts import bank_write
from verif.common.packing import pack
from verif.coverage import Corners
from verif.mram.component import arch_from_environment
from verif.stream import reset

ARCH = arch_from_environment()
BITS = ARCH.element_bits
ELEMENTS = ARCH.array.columns // BITS
ROWS = (0, 1, 2, *range(ARCH.bank_rows - 3, ARCH.bank_rows))
"""Rows that are used, those of the first and of the last sub-array of a bank."""
CORNERS = Corners("three accesses", "masked", "no read")


def port(dut: Any, name: str) -> Any:
    """Return a port of the part."""
    return getattr(dut, f"banks__{name}")


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3))
async def rows_are_what_was_written(dut: Any, seed: int) -> None:
    """A row is what was written in earlier cycles; only masked elements change."""
    rng = np.random.default_rng(seed)
    await reset(dut, *(port(dut, name) for name in ("write_valid", "read_en", "skip_en")))
    content = np.zeros((BANKS, len(ROWS), ELEMENTS), np.int64)
    jobs = [(bank, row, True) for bank in range(BANKS) for row in range(len(ROWS))]
    jobs += [(int(rng.integers(BANKS)), int(rng.integers(len(ROWS))), False) for _ in range(200)]
    for cycle, (bank, row, whole) in enumerate(jobs):
        mask = np.ones(ELEMENTS, bool) if whole else rng.random(ELEMENTS) < 0.5
        values = rng.integers(0, 1 << BITS, ELEMENTS)
        writes = whole or bool(rng.random() < 0.7)
        others = [number for number in range(BANKS) if number != bank]
        read, skip = (int(number) for number in rng.permutation(others)[:2])
        enabled = rng.random(2) < 0.7
        rows = rng.integers(0, len(ROWS), 2).tolist()
        put_write(dut, bank, row, mask, values, valid=writes)
        for name, number, at, enable in zip(
            ("read", "skip"), (read, skip), rows, enabled, strict=True
        ):
            port(dut, f"{name}_en").value = bool(enable)
            port(dut, f"{name}_bank").value = number
            port(dut, f"{name}_row").value = ROWS[at]
        await ReadOnly()
        for name, number, at, enable in zip(
            ("read", "skip"), (read, skip), rows, enabled, strict=True
        ):
            want = pack(content[number, at].tolist(), bits=BITS) if enable else 0
            got = int(port(dut, f"{name}_data").value) if cycle >= BANKS * len(ROWS) else want
            assert got == want, f"seed {seed}, cycle {cycle}, {name}"
        if writes:
            content[bank, row, mask] = values[mask]
        CORNERS.hit("three accesses", writes and bool(enabled.all()))
        CORNERS.hit("masked", not mask.all())
        CORNERS.hit("no read", not enabled.any())
        await FallingEdge(dut.clk)


def put_write(
    dut: Any, bank: int, row: int, mask: np.ndarray, values: np.ndarray, *, valid: bool
) -> None:
    """Offer a write, which may not be valid."""
    fields = {"bank": bank, "row": ROWS[row], "mask": pack(mask.tolist(), bits=1)}
    fields["data"] = pack(values.tolist(), bits=BITS)
    port(dut, "write").value = bank_write(ARCH).const(fields).as_bits()
    port(dut, "write_valid").value = valid


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
