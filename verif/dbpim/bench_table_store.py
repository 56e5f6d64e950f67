"""Bench of `table_store`: random tables, look-ups of random bytes, every cycle."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.dbpim.facts.instructions import TABLE_BYTES
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.stream import reset

ARCH = arch_from_environment()
LOOKUPS, BEAT_BYTES = ARCH.table_lookups, ARCH.port_bytes
TABLES = 6
UNKNOWN = str.maketrans("XZ", "00")
CORNERS = Corners(
    "every byte looked up",
    "byte looked up while the table is written",
    "data without write",
    *(["different bytes at once"] if LOOKUPS > 1 else []),
)


async def cycle(
    dut: Any, rng: np.random.Generator, table: np.ndarray, *, stored: int, known: bool
) -> set[int]:
    """Look up random bytes and check them and the flags; return the bytes."""
    asked = rng.integers(0, TABLE_BYTES, LOOKUPS).astype(np.uint8)
    dut.bytes.value = int.from_bytes(asked.tobytes(), "little")
    await ReadOnly()
    flags = bool(dut.known.value), bool(dut.loads__room.value)
    assert flags == (known, not known), f"known, room: {flags} with {known}"
    # Entries that were never written are unknown.
    bits = str(dut.found.value).translate(UNKNOWN)
    found = np.frombuffer(int(bits, 2).to_bytes(LOOKUPS, "little"), np.uint8)
    there = asked < stored
    want = table[asked]
    assert found[there].tolist() == want[there].tolist(), f"{asked} gave {found}, not {want}"
    if LOOKUPS > 1:
        CORNERS.hit("different bytes at once", len(set(asked[there].tolist())) > 1)
    return set(asked[there].tolist())


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.5])
async def tables_match_golden(dut: Any, seed: int, gap: float) -> None:
    """Entries are there in the cycle after their beat; a table is in use until it is released."""
    rng = np.random.default_rng(seed)
    await reset(dut, dut.loads__write, dut.loads__push, dut.released)
    table = np.zeros(TABLE_BYTES, np.uint8)
    for _ in range(TABLES):
        table = rng.integers(0, 256, TABLE_BYTES).astype(np.uint8)
        for first in range(0, TABLE_BYTES, BEAT_BYTES):
            while rng.random() < gap:
                dut.loads__write.value, dut.loads__push.value = 0, 0
                dut.loads__index.value = int(rng.integers(TABLE_BYTES // BEAT_BYTES)) * BEAT_BYTES
                dut.loads__data.value = int.from_bytes(rng.bytes(BEAT_BYTES), "little")
                await cycle(dut, rng, table, stored=first, known=False)
                CORNERS.hit("data without write")
                await FallingEdge(dut.clk)
            beat = table[first : first + BEAT_BYTES]
            dut.loads__write.value, dut.loads__push.value = 1, first + BEAT_BYTES == TABLE_BYTES
            dut.loads__index.value, dut.loads__data.value = (
                first,
                int.from_bytes(beat.tobytes(), "little"),
            )
            seen = await cycle(dut, rng, table, stored=first, known=False)
            CORNERS.hit("byte looked up while the table is written", bool(seen))
            await FallingEdge(dut.clk)
        dut.loads__write.value = dut.loads__push.value = 0
        await use_table(dut, rng, table)


async def use_table(dut: Any, rng: np.random.Generator, table: np.ndarray) -> None:
    """Look up until every byte has been seen at random, then release the table."""
    seen: set[int] = set()
    while len(seen) < TABLE_BYTES:
        dut.loads__index.value = int(rng.integers(TABLE_BYTES // BEAT_BYTES)) * BEAT_BYTES
        seen |= await cycle(dut, rng, table, stored=TABLE_BYTES, known=True)
        await FallingEdge(dut.clk)
    CORNERS.hit("every byte looked up")
    dut.released.value = 1
    await cycle(dut, rng, table, stored=TABLE_BYTES, known=True)
    await FallingEdge(dut.clk)
    dut.released.value = 0
    for _ in range(3):
        await cycle(dut, rng, table, stored=TABLE_BYTES, known=False)
        await FallingEdge(dut.clk)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_reset_forgets_the_table(dut: Any) -> None:
    """After a reset no table is in use."""
    rng = np.random.default_rng(0)
    await reset(dut, dut.loads__write, dut.loads__push, dut.released)
    dut.loads__push.value = 1
    await FallingEdge(dut.clk)
    await cycle(dut, rng, np.zeros(TABLE_BYTES, np.uint8), stored=0, known=True)
    await FallingEdge(dut.clk)
    await reset(dut, dut.loads__write, dut.loads__push, dut.released)
    await cycle(dut, rng, np.zeros(TABLE_BYTES, np.uint8), stored=0, known=False)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
