"""Bench of `load_writer`: maps of all shapes, packed pixels, windows and whole words, with gaps."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from hwgen.dbpim.rtl.layouts import bus_write
from verif.common.chances import chances
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, unpack
from verif.dbpim.load_fields import PIXELS_A_CYCLE, Load, random_load
from verif.reference.dbpim.activation_buffer import bank_of
from verif.stream import Stream, offer, reset

ARCH = arch_from_environment()
CHANNELS = ARCH.word
LAYOUT = bus_write(ARCH)
NAMES = ("beats__valid", "beats__ready", "write_valid", "write", "done")
LANES = ARCH.bus_words
PIXELS = min(LANES, PIXELS_A_CYCLE)
LOADS = 16
PAIRS = ("words of two pixels in a cycle", "no room for two words")
CORNERS = Corners(
    "one pixel",
    "the data end inside a beat",
    "the data end with a beat",
    "a row ends inside a beat",
    "fewer channels than bytes",
    "pixels outside the row, left",
    "pixels outside the row, right",
    "pixels behind the last window",
    "several channel words",
    "a word of each pixel of a cycle",
    "a beat ends before a cycle has all its pixels",
    *(PAIRS if ARCH.pair_words else ()),
)


@cocotb.test(timeout_time=400, timeout_unit="us")
@cocotb.parametrize(kind=["pixels", "windows", "words"], seed=range(2), gap=[0.0, 0.5])
async def words_match_golden(dut: Any, kind: str, seed: int, gap: float) -> None:
    """Every word goes where the fields place it; pixels pass in every cycle with a beat."""
    rng = np.random.default_rng(seed)
    source = Stream(dut, "load_writer__beats")
    await reset(dut, source.valid)
    for number in range(LOADS):
        load = random_load(rng, ARCH, kind=kind)
        dut.load_writer__header.value = load.header()
        await FallingEdge(dut.clk)
        probe = Probe(dut, "load_writer", NAMES)
        recording = cocotb.start_soon(probe.record())
        await offer(source, load.beats(), chances(rng, gap))
        await FallingEdge(dut.clk)
        recording.cancel()
        check(probe, load, f"{kind}, seed {seed}, LOAD {number}: {load.fields}")
        note(load)


def check(probe: Probe, load: Load, where: str) -> None:
    """Compare word by word, and the cycles of beats and words."""
    cycles = probe.when("beats__valid")
    passes = load.passes()
    assert len(cycles) == len(passes), f"{where}: {len(cycles)} cycles, not {len(passes)}"
    words = iter(load.words())
    for number, (cycle, (writes, takes)) in enumerate(zip(cycles, passes, strict=True)):
        row, last = probe.cycles[cycle], number == len(passes) - 1
        assert row["write_valid"].bit_count() == writes, f"{where}: step {number}"
        assert row["done"] == last, f"{where}: done at step {number}"
        assert row["beats__ready"] == takes, f"{where}: beat of step {number}"
        wanted = sorted(islice(words, writes))
        found = sorted(written(row, f"{where}: word of step {number}"))
        assert found == wanted, f"{where}: words of step {number}"
        CORNERS.hit("a word of each pixel of a cycle", writes == PIXELS)
        beat_ends = 0 < writes < PIXELS or PIXELS == 1
        CORNERS.hit("a beat ends before a cycle has all its pixels", beat_ends)
    assert next(words, None) is None, f"{where}: words are missing"
    quiet = set(range(len(probe.cycles))) - set(cycles)
    assert not any(probe.cycles[n]["write_valid"] or probe.cycles[n]["done"] for n in quiet)


def written(row: dict[str, int], where: str) -> Iterator[tuple[int, int, int, tuple[int, ...]]]:
    """Yield the words of a cycle: stored row, stored column, channel word and bytes."""
    for lane in range(LANES):
        if row["write_valid"] >> lane & 1:
            write = LAYOUT.from_bits(row["write"] >> lane * LAYOUT.size & (1 << LAYOUT.size) - 1)
            bank = bank_of(write.row, write.column, banks=ARCH.banks)
            assert bank % LANES == lane, f"{where}: bank {bank} in lane {lane}"
            assert write.enable == (1 << CHANNELS) - 1 and not write.raw and not write.to_memory
            content = tuple(unpack(write.data, bits=8, count=CHANNELS))
            yield write.row, write.column, write.word, content


def note(load: Load) -> None:
    """Record which corners this LOAD has."""
    fields = load.fields
    size = fields["pixel_bytes"] or CHANNELS * fields["output_channel_words"]
    width = fields["memory_columns"] if load.packed else fields["columns"]
    row_bytes, rows = width * size, fields["rows"]
    CORNERS.hit("one pixel", (rows, width) == (1, 1))
    CORNERS.hit("the data end inside a beat", rows * row_bytes % ARCH.port_bytes != 0)
    CORNERS.hit("the data end with a beat", rows * row_bytes % ARCH.port_bytes == 0)
    CORNERS.hit("a row ends inside a beat", rows > 1 and row_bytes % ARCH.port_bytes != 0)
    if not load.packed:
        CORNERS.hit("several channel words", fields["output_channel_words"] > 1)
        if ARCH.pair_words:
            pairs = load.pairs()
            CORNERS.hit("words of two pixels in a cycle", any(len(each[0]) > 1 for each in pairs))
            CORNERS.hit("no room for two words", any(full for _, _, full in pairs))
        return
    last = (fields["columns"] - 1) * fields["window_stride"] + fields["window_pixels"]
    end = fields["window_padding"] + width
    CORNERS.hit("fewer channels than bytes", fields["pixel_channels"] < size)
    CORNERS.hit("pixels outside the row, left", fields["window_padding"] > 0)
    CORNERS.hit("pixels outside the row, right", last > end)
    CORNERS.hit("pixels behind the last window", last < end)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
