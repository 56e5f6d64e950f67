"""Bench of `activation_buffer`: maps written in pieces and read as words; any reads and writes."""

import os
from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.dbpim.facts.program import Placement
from hwgen.dbpim.rtl.layouts import bus_write
from verif.coverage import Corners
from verif.dbpim.buffer_writes import (
    BusWrite,
    Bytes,
    PrivateWrite,
    draw_positions,
    drive_placement,
    stored_row,
)
from verif.dbpim.component import arch_from_environment, pack
from verif.reference.dbpim.activation_buffer import Place, place
from verif.runner import REPLACED
from verif.stream import reset

ARCH = arch_from_environment()
BANKS, CHANNELS, FILTERS = ARCH.banks, ARCH.word, ARCH.filters
CYCLES = 500
ROW_LIMIT = 1 << 10
MAY_LOSE = REPLACED in os.environ
"""A bank of another memory may show anything of a word that is being written: no layer reads it."""
COLUMNS = max(2, 2 * BANKS - 1)
"""Of the map that all writes go to; the last vector has fewer positions than banks."""

Word = list[int | None]
"""The bytes of a word, None where they are not known."""

Write = BusWrite | PrivateWrite
SEVERAL = (
    "a private result of two rows",
    "a private result with gaps between its columns",
    "a private result with inactive positions",
)
CORNERS = Corners(
    "first word of a bank",
    "last word of a bank",
    "some bytes of a word written",
    "a read of the word that is written",
    "a read of a word right after its write",
    "all banks read in one cycle",
    "all banks written in one cycle",
    "a bank holds its word while it is written",
    "raw write",
    "write to the memory",
    "a row before those that are kept",
    "a row after those that are kept",
    "write without valid",
    "private result in every position",
    "all lanes are stored",
    "both write",
    *(SEVERAL if BANKS > 1 else ()),
)


def drive(dut: Any, writes: Sequence[Write]) -> None:
    """Drive words of the bus, each in its lane, and a private result."""
    valid = word = 0
    dut.activation_buffer__private_valid.value = 0
    for write in writes:
        if isinstance(write, PrivateWrite):
            write.drive(dut, ARCH)
        else:
            lane, bits = write.in_lane(ARCH)
            valid |= 1 << lane
            word |= bits << lane * bus_write(ARCH).size
    dut.activation_buffer__write_valid.value = valid
    dut.activation_buffer__write.value = word


def stored_banks(writes: Sequence[Write], placement: Placement) -> int:
    """Return the banks that store a word of the bus, one bit for each."""
    stored = [write for write in writes if isinstance(write, BusWrite) and write.stores(placement)]
    return sum(1 << write.bank(ARCH) for write in stored)


def drive_reads(dut: Any, reads: dict[int, int]) -> None:
    """Read an address in some banks."""
    dut.activation_buffer__bank_read_en.value = sum(1 << bank for bank in reads)
    addresses = [reads.get(bank, 0) for bank in range(BANKS)]
    dut.activation_buffer__bank_address.value = pack(addresses, bits=ARCH.bank_address_bits)


def shown_bytes(dut: Any, bank: int) -> Word:
    """Return the bytes that a bank shows, None where a bit is unknown."""
    value = dut.activation_buffer__bank_data.value
    low = bank * CHANNELS * 8
    content = [value[low + 8 * channel + 7 : low + 8 * channel] for channel in range(CHANNELS)]
    return [int(byte) if byte.is_resolvable else None for byte in content]


async def reset_buffer(dut: Any) -> None:
    """Reset with idle inputs."""
    names = ("write_valid", "private_valid", "bank_read_en")
    await reset(dut, *(getattr(dut, f"activation_buffer__{name}") for name in names))


def draw_maps(rng: np.random.Generator, base: int) -> tuple[Bytes, Placement]:
    """Return maps of some images, stacked either way, and the slice of them that a core keeps."""
    stacked = bool(rng.random() < 0.3)
    images, height, width = (int(n) for n in rng.integers(1, [3, 6, 8]))
    height, width = (1, 1) if stacked else (height, width)
    channels = int(rng.integers(1, 2 * CHANNELS))
    maps = rng.integers(0, 256, (images, height, width, channels), np.uint8)
    words = -(-channels // CHANNELS)
    rows, columns = (1, images) if stacked else (images * height, width)
    first = int(rng.integers(rows))
    placement = Placement(
        base=base,
        row_pitch=-(-columns // BANKS) * words,
        channel_words=words,
        image_rows=0 if stacked else height,
        image_columns=int(stacked),
        first=[first],
        rows=[int(rng.integers(1, rows - first + 1))],
    )
    return maps, placement


async def write_maps(
    dut: Any, rng: np.random.Generator, maps: Bytes, placement: Placement
) -> dict[Place, tuple[int, ...]]:
    """Write all rows over the bus, F bytes at a time, in any order; return golden's words."""
    images, height, width, _ = maps.shape
    missing = placement.channel_words * CHANNELS - maps.shape[-1]
    padded = np.pad(maps, ((0, 0), (0, 0), (0, 0), (0, missing)))
    pieces = list(np.ndindex(images, height, width, padded.shape[-1] // FILTERS))
    for index in rng.permutation(len(pieces)):
        image, y, x, piece = pieces[index]
        word, part = divmod(piece * FILTERS, CHANNELS)
        enable = np.zeros(CHANNELS, bool)
        enable[part : part + FILTERS] = True
        data = rng.integers(0, 256, CHANNELS, np.uint8)
        data[enable] = padded[image, y, x, word * CHANNELS :][:CHANNELS][enable]
        row, column = image * placement.image_rows + y, image * placement.image_columns + x
        write = BusWrite(row=row, column=column, word=word, data=data, enable=enable)
        drive(dut, [write])
        await ReadOnly()
        stores = int(dut.activation_buffer__stores.value)
        wanted = stored_banks([write], placement)
        assert stores == wanted, f"row {row} of {placement}: stores {stores:b}"
        await FallingEdge(dut.clk)
    drive(dut, [])
    return place(maps, placement=placement, core=0, word_channels=CHANNELS, banks=BANKS)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3))
async def maps_stand_where_golden_says(dut: Any, seed: int) -> None:
    """Slices of two maps side by side are read back from golden's addresses."""
    rng = np.random.default_rng(seed)
    await reset_buffer(dut)
    words: dict[Place, tuple[int, ...]] = {}
    base = 0
    for _ in range(2):
        maps, placement = draw_maps(rng, base)
        base += placement.words
        drive_placement(dut, placement)
        words |= await write_maps(dut, rng, maps, placement)
    for (bank, address), content in words.items():
        drive_reads(dut, {bank: address})
        await FallingEdge(dut.clk)
        await ReadOnly()
        got = shown_bytes(dut, bank)
        assert got == list(content), f"seed {seed}: bank {bank} at {address} holds {got}"
        await FallingEdge(dut.clk)


def draw_placement(rng: np.random.Generator) -> Placement:
    """Return a slice of two rows with the first and the last words of the banks."""
    return Placement(
        base=0,
        row_pitch=ARCH.bank_words - 2,
        channel_words=1,
        image_rows=2,
        image_columns=0,
        first=[int(rng.choice([0, 7, ROW_LIMIT - 3]))],
        rows=[2],
    )


def draw_writes(rng: np.random.Generator, placement: Placement) -> list[Write]:
    """Return words of some lanes, and a private result that needs no bank of theirs."""
    writes: list[Write] = []
    share = rng.choice([0.3, 1.0])
    for lane in range(ARCH.bus_words):
        write = draw_word(rng, placement)
        while write.in_lane(ARCH)[0] != lane:
            write = draw_word(rng, placement)
        if rng.random() < share:
            writes.append(write)
    private = draw_private(rng, placement)
    banks = {change.place[0] for change in private.changes(placement, ARCH)}
    free = not any(stored_banks(writes, placement) >> bank & 1 for bank in banks)
    if rng.random() < 0.7 and free:
        CORNERS.hit("both write", bool(stored_banks(writes, placement)) or BANKS == 1)
        writes.append(private)
    return writes


def draw_private(rng: np.random.Generator, placement: Placement) -> PrivateWrite:
    """Return a private result to few words."""
    enable = rng.random(CHANNELS) < rng.choice([0.5, 1.0])
    positions = draw_positions(rng, placement, columns=COLUMNS, arch=ARCH)
    data = rng.integers(0, 256, (BANKS, CHANNELS), np.uint8)
    return PrivateWrite(positions=positions, word=0, data=data, enable=enable)


def draw_word(rng: np.random.Generator, placement: Placement) -> BusWrite:
    """Return a word of the bus to one of few words, or to a row that is not kept."""
    enable = rng.random(CHANNELS) < rng.choice([0.5, 1.0])
    kind = rng.random()
    return BusWrite(
        row=(placement.first[0] + int(rng.integers(-1, 3))) % ROW_LIMIT,
        column=int(rng.integers(COLUMNS)),
        word=0,
        data=rng.integers(0, 256, CHANNELS, np.uint8),
        enable=enable,
        raw=bool(kind < 0.1),
        to_memory=bool(0.1 < kind < 0.2),
    )


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3))
async def reads_and_writes_meet(dut: Any, seed: int) -> None:
    """A read sees the word before the write of its cycle, and holds until the next read."""
    rng = np.random.default_rng(seed)
    placement = draw_placement(rng)
    addresses = [0, 1, ARCH.bank_words - 2, ARCH.bank_words - 1]
    words: dict[Place, Word] = {}
    held: dict[int, Word] = {}
    latest: list[Place] = []
    await reset_buffer(dut)
    drive_placement(dut, placement)
    for _ in range(CYCLES):
        writes, valid = draw_writes(rng, placement), bool(rng.random() < 0.8)
        chosen = np.flatnonzero(rng.random(BANKS) < rng.choice([0.3, 1.0]))
        reads = {int(bank): int(rng.choice(addresses)) for bank in chosen}
        drive(dut, writes)
        if not valid:
            dut.activation_buffer__write_valid.value = 0
            dut.activation_buffer__private_valid.value = 0
        drive_reads(dut, reads)
        found = [change for write in writes for change in write.changes(placement, ARCH)]
        changes = found if valid else []
        places = [change.place for change in changes]
        note_reads(places, latest, reads, held)
        CORNERS.hit("write without valid", not valid)
        for write in writes if valid else []:
            note_write(write, placement)
        await ReadOnly()
        stores = stored_banks(writes, placement) if valid else 0
        CORNERS.hit("all lanes are stored", stores.bit_count() == ARCH.bus_words)
        assert int(dut.activation_buffer__stores.value) == stores, f"seed {seed}: {writes}"
        for bank, content in held.items():
            got = shown_bytes(dut, bank)
            known = [g for g, want in zip(got, content, strict=True) if want is not None]
            assert known == [want for want in content if want is not None], (
                f"seed {seed}: bank {bank} shows {got}, not {content}"
            )
        for at in reads.items():
            unknown = MAY_LOSE and at in places
            held[at[0]] = [None] * CHANNELS if unknown else words.get(at, [None] * CHANNELS)
        for change in changes:
            old = words.get(change.place, [None] * CHANNELS)
            new = zip(change.data.tolist(), change.enable, old, strict=True)
            words[change.place] = [byte if enable else before for byte, enable, before in new]
        latest = places
        await FallingEdge(dut.clk)


def note_write(write: Write, placement: Placement) -> None:
    """Record the corners of a write."""
    CORNERS.hit("some bytes of a word written", 0 < write.enable.sum() < CHANNELS)
    if isinstance(write, BusWrite):
        first = placement.first[0]
        CORNERS.hit("raw write", write.raw and stored_row(write.row, placement))
        CORNERS.hit("write to the memory", write.to_memory and stored_row(write.row, placement))
        CORNERS.hit("a row before those that are kept", write.row == (first - 1) % ROW_LIMIT)
        CORNERS.hit("a row after those that are kept", write.row == first + 2)
        return
    active = [at for at in write.positions if at is not None]
    CORNERS.hit("private result in every position", len(active) == BANKS)
    if BANKS > 1:
        rows, columns = {row for row, _ in active}, sorted({column for _, column in active})
        CORNERS.hit("a private result of two rows", len(rows) == 2)
        gaps = len(columns) > 1 and columns[1] - columns[0] == 3
        CORNERS.hit("a private result with gaps between its columns", gaps or BANKS == 2)
        CORNERS.hit("a private result with inactive positions", len(active) < BANKS)


def note_reads(
    places: list[Place], latest: list[Place], reads: dict[int, int], held: dict[int, Word]
) -> None:
    """Record the corners of reads; places: words written now, latest: one cycle before."""
    CORNERS.hit("first word of a bank", 0 in reads.values())
    CORNERS.hit("last word of a bank", ARCH.bank_words - 1 in reads.values())
    CORNERS.hit("all banks read in one cycle", len(reads) == BANKS)
    CORNERS.hit("all banks written in one cycle", len(places) == BANKS)
    for bank, address in latest:
        CORNERS.hit("a read of a word right after its write", reads.get(bank) == address)
    for bank, address in places:
        CORNERS.hit("a read of the word that is written", reads.get(bank) == address)
        CORNERS.hit("a bank holds its word while it is written", bank in held and bank not in reads)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
