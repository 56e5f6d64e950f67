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
AT_EDGE_CORNERS = (
    "row read back after others were written",
    "first row",
    "last row",
    "row read in the cycle after it was written",
    "row shown while others are written",
    "row shown while nothing is read or written",
    "same row written twice in a row",
)


@dataclass(frozen=True)
class Ports:
    """Handles of a memory with one address; read_en: of one that is read at the clock's edge."""

    write_en: Any
    address: Any
    write_data: Any
    read_data: Any
    read_en: Any = None


async def sense(dut: Any, ports: Ports) -> None:
    """Have the row at the address shown; settles in its cycle."""
    if ports.read_en is not None:
        ports.read_en.value = 1
        await FallingEdge(dut.clk)
        ports.read_en.value = 0
    await ReadOnly()


async def check_single_port(
    dut: Any, ports: Ports, corners: Corners, *, depth: int, seed: int, writes: float
) -> None:
    """Write and read at random: a row shows what was stored last, until the edge that writes.

    One that is read at the clock's edge shows the row that was read last.
    """
    if ports.read_en is not None:
        await check_read_at_edge(dut, ports, corners, depth=depth, seed=seed, writes=writes)
        return
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


async def check_read_at_edge(
    dut: Any, ports: Ports, corners: Corners, *, depth: int, seed: int, writes: float
) -> None:
    """Write or read at random: the row read last is shown, as it was at the edge that read it."""
    rng = np.random.default_rng(seed)
    width = len(ports.write_data)
    stored: dict[int, int] = {}
    written_before: int | None = None
    shown: int | None = None
    await reset(dut, ports.write_en, ports.read_en)
    for cycle in range(20 * depth):
        row, write = int(rng.integers(depth)), bool(rng.random() < writes)
        read = not write and bool(rng.random() < 0.8)
        word = int.from_bytes(rng.bytes(width // 8 + 1)) & ((1 << width) - 1)
        ports.write_en.value, ports.read_en.value = write, read
        ports.address.value, ports.write_data.value = row, word
        await ReadOnly()
        if shown is not None:
            got = int(ports.read_data.value)
            assert got == shown, (
                f"seed {seed}, cycle {cycle}: got {got:#x}, the row read held {shown:#x}"
            )
            corners.hit("row shown while others are written", write and word != shown)
            corners.hit("row shown while nothing is read or written", not (read or write))
        if read:
            shown = stored.get(row)
            corners.hit("row read back after others were written", row in stored)
            corners.hit("first row", row == 0)
            corners.hit("last row", row == depth - 1)
            corners.hit("row read in the cycle after it was written", row == written_before)
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
    await sense(dut, ports)
    got = int(ports.read_data.value)
    assert got == word, f"got {got:#x} after a reset, stored was {word:#x}"
    await FallingEdge(dut.clk)
