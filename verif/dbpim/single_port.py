"""The common body of the benches of the macro's memories."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from verif.coverage import Corners
from verif.stream import reset

CORNERS = (
    "row read back after others were written",
    "first row",
    "last row",
    "row read while it is written",
    "write data without write_en",
    "same row written twice in a row",
)


@dataclass(frozen=True)
class Ports:
    """Handles of a memory with one address."""

    write_en: Any
    address: Any
    write_data: Any
    read_data: Any


async def check_single_port(
    dut: Any, ports: Ports, corners: Corners, *, depth: int, seed: int, writes: float
) -> None:
    """Write and read at random: a row shows what was stored last, until the edge that writes."""
    rng = np.random.default_rng(seed)
    width = len(ports.write_data)
    stored: dict[int, int] = {}
    written_before: int | None = None
    await reset(dut, ports.write_en)
    for cycle in range(20 * depth):
        row, write = int(rng.integers(depth)), bool(rng.random() < writes)
        word = int.from_bytes(rng.bytes(width // 8 + 1)) & ((1 << width) - 1)
        ports.write_en.value, ports.address.value = write, row
        ports.write_data.value = word
        await ReadOnly()
        if row in stored:
            got = int(ports.read_data.value)
            assert got == stored[row], (
                f"seed {seed}, cycle {cycle}, row {row}: got {got:#x}, stored was {stored[row]:#x}"
            )
            corners.hit("row read back after others were written", len(stored) > 1)
            corners.hit("first row", row == 0)
            corners.hit("last row", row == depth - 1)
            corners.hit("row read while it is written", write and word != stored[row])
            corners.hit("write data without write_en", not write and word != stored[row])
        corners.hit("same row written twice in a row", write and row == written_before)
        written_before = row if write else None
        if write:
            stored[row] = word
        await FallingEdge(dut.clk)


async def keeps_through_reset(dut: Any, ports: Ports) -> None:
    """Hold reset after a write: the row is still there."""
    word = (1 << len(ports.write_data)) - 2
    await reset(dut, ports.write_en, ports.address)
    ports.write_en.value, ports.write_data.value = 1, word
    await FallingEdge(dut.clk)
    await reset(dut, ports.write_en, ports.address, ports.write_data)
    await ReadOnly()
    got = int(ports.read_data.value)
    assert got == word, f"got {got:#x} after a reset, stored was {word:#x}"
    await FallingEdge(dut.clk)
