"""Bench of `activation_buffer`: maps written in pieces and read as words; any reads and writes."""

from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.dbpim.activation_buffer import address_of, bank_of, place
from hwgen.rtl.dbpim.layouts import bus_write
from hwgen.spec.dbpim.addressing import region_at
from hwgen.spec.dbpim.program import Region
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack
from verif.stream import reset

ARCH = arch_from_environment()
BANKS, CHANNELS, FILTERS = ARCH.banks, ARCH.macro.compartments, ARCH.filters
WRITE = bus_write(ARCH)
CYCLES = 500
ADDRESSES = 3
"""Different words in each bank, so that reads and writes meet."""
CORNERS = Corners(
    "first word of a bank",
    "last word of a bank",
    "some bytes of a word written",
    "a read of the word that is written",
    "a read of a word right after its write",
    "all banks read in one cycle",
    "a bank holds its word while it is written",
    "raw write",
    "write without valid",
)


@dataclass(frozen=True)
class Write:
    """One write of the bus."""

    bank: int
    address: int
    data: NDArray[np.uint8]
    enable: NDArray[np.bool_]
    raw: bool = False

    def payload(self) -> int:
        """Return the write as the port takes it."""
        fields = {
            "data": int.from_bytes(self.data.tobytes(), "little"),
            "enable": pack(self.enable, bits=1),
            "bank": self.bank,
            "address": self.address,
            "raw": int(self.raw),
        }
        return sum(value << WRITE[name].offset for name, value in fields.items())


def drive_write(dut: Any, write: Write | None) -> None:
    """Put a write on the bus, or none."""
    dut.activation_buffer__write_valid.value = write is not None
    if write is not None:
        dut.activation_buffer__write.value = write.payload()


def drive_reads(dut: Any, reads: dict[int, int]) -> None:
    """Read an address in some banks."""
    dut.activation_buffer__bank_read_en.value = sum(1 << bank for bank in reads)
    addresses = [reads.get(bank, 0) for bank in range(BANKS)]
    dut.activation_buffer__bank_address.value = pack(addresses, bits=ARCH.bank_address_bits)


def shown_bytes(dut: Any, bank: int) -> list[int | None]:
    """Return the bytes that a bank shows, None where a bit is unknown."""
    value = dut.activation_buffer__bank_data.value
    low = bank * CHANNELS * 8
    content = [value[low + 8 * channel + 7 : low + 8 * channel] for channel in range(CHANNELS)]
    return [int(byte) if byte.is_resolvable else None for byte in content]


async def reset_buffer(dut: Any) -> None:
    """Reset with idle inputs."""
    await reset(dut, dut.activation_buffer__write_valid, dut.activation_buffer__bank_read_en)


async def write_map(
    dut: Any, rng: np.random.Generator, image: NDArray[np.uint8], region: Region
) -> None:
    """Write a map, F bytes at a time, the pieces of all words in any order."""
    words = place(image, region=region, word_channels=CHANNELS, banks=BANKS)
    pieces = [(at, first) for at in words for first in range(0, CHANNELS, FILTERS)]
    for index in rng.permutation(len(pieces)):
        (bank, address), first = pieces[index]
        enable = np.zeros(CHANNELS, bool)
        enable[first : first + FILTERS] = True
        data = np.where(enable, words[bank, address], rng.integers(0, 256, CHANNELS)).astype(
            np.uint8
        )
        drive_write(dut, Write(bank, address, data, enable))
        await FallingEdge(dut.clk)
    drive_write(dut, None)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2))
async def maps_stand_where_golden_says(dut: Any, seed: int) -> None:
    """Two maps side by side are read back, channel by channel, from golden's addresses."""
    rng = np.random.default_rng(seed)
    await reset_buffer(dut)
    maps, base = [], 0
    for _ in range(2):
        height, width, channels = (
            rng.integers(1, 6),
            rng.integers(1, 8),
            rng.integers(1, 2 * CHANNELS),
        )
        image = rng.integers(0, 256, (height, width, channels), np.uint8)
        region = region_at(
            base, height=int(height), width=int(width), channels=int(channels), arch=ARCH
        )
        maps.append((image, region))
        base += region.words
        await write_map(dut, rng, image, region)
    for image, region in maps:
        for y, x in np.ndindex(image.shape[:2]):
            pixel: list[int | None] = []
            for word in range(region.channel_words):
                bank = bank_of(y, x, banks=BANKS)
                address = address_of(y, x, word, region=region, banks=BANKS)
                drive_reads(dut, {bank: address})
                await FallingEdge(dut.clk)
                await ReadOnly()
                pixel += shown_bytes(dut, bank)
                await FallingEdge(dut.clk)
            got = pixel[: image.shape[2]]
            assert got == image[y, x].tolist(), f"seed {seed}: pixel {(y, x)} is {got}"


def draw_write(rng: np.random.Generator, addresses: list[int]) -> Write:
    """Return a write to one of few words."""
    return Write(
        int(rng.integers(BANKS)),
        addresses[int(rng.integers(ADDRESSES))],
        rng.integers(0, 256, CHANNELS, np.uint8),
        rng.random(CHANNELS) < rng.choice([0.5, 1.0]),
        raw=bool(rng.random() < 0.2),
    )


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2))
async def reads_and_writes_meet(dut: Any, seed: int) -> None:
    """A read sees the word before the write of its cycle, and holds until the next read."""
    rng = np.random.default_rng(seed)
    addresses = [0, 1, ARCH.bank_words - 1]
    words: dict[tuple[int, int], list[int | None]] = {}
    held: dict[int, list[int | None]] = {}
    latest: Write | None = None
    await reset_buffer(dut)
    for _ in range(CYCLES):
        write, valid = draw_write(rng, addresses), bool(rng.random() < 0.7)
        chosen = np.flatnonzero(rng.random(BANKS) < rng.choice([0.3, 1.0]))
        reads = {int(bank): addresses[int(rng.integers(ADDRESSES))] for bank in chosen}
        drive_write(dut, write)
        dut.activation_buffer__write_valid.value = valid
        drive_reads(dut, reads)
        note(write if valid else None, latest, reads, held)
        CORNERS.hit("write without valid", not valid)
        await ReadOnly()
        for bank, content in held.items():
            got = shown_bytes(dut, bank)
            known = [g for g, want in zip(got, content, strict=True) if want is not None]
            assert known == [want for want in content if want is not None], (
                f"seed {seed}: bank {bank} shows {got}, not {content}"
            )
        for at in reads.items():
            held[at[0]] = words.get(at, [None] * CHANNELS)
        latest = write if valid and not write.raw else None
        if latest is not None:
            change(words, latest)
        await FallingEdge(dut.clk)


def change(words: dict[tuple[int, int], list[int | None]], write: Write) -> None:
    """Write the enabled bytes of a word; the others stay, unknown at first."""
    at = (write.bank, write.address)
    old = words.get(at, [None] * CHANNELS)
    new = zip(write.data.tolist(), write.enable, old, strict=True)
    words[at] = [byte if enable else before for byte, enable, before in new]


def note(
    write: Write | None, latest: Write | None, reads: dict[int, int], held: dict[int, Any]
) -> None:
    """Record the corners of a cycle."""
    CORNERS.hit("first word of a bank", 0 in reads.values())
    CORNERS.hit("last word of a bank", ARCH.bank_words - 1 in reads.values())
    CORNERS.hit("all banks read in one cycle", len(reads) == BANKS)
    if latest is not None:
        after = reads.get(latest.bank) == latest.address
        CORNERS.hit("a read of a word right after its write", after)
    if write is None:
        return
    CORNERS.hit("raw write", write.raw)
    CORNERS.hit("some bytes of a word written", 0 < write.enable.sum() < CHANNELS)
    meets = reads.get(write.bank) == write.address and not write.raw
    CORNERS.hit("a read of the word that is written", meets)
    holds = write.bank in held and write.bank not in reads and not write.raw
    CORNERS.hit("a bank holds its word while it is written", holds)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
