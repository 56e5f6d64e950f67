"""Bench of `tile_loader`: the bodies of tiles with gaps, every strobe in its cycle."""

from itertools import chain
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from hwgen.dbpim.facts.instructions import PARAMETER_BITS, Coding, Opcode
from hwgen.dbpim.facts.packing import codings
from hwgen.dbpim.facts.stream import header_beats
from verif.common.chances import chances
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.dbpim.random_tiles import Tile, beats_of, random_tile
from verif.stream import Stream, offer, reset

ARCH = arch_from_environment()
TILES = 12
PER_BEAT = ARCH.port_bits // PARAMETER_BITS
MASKS = ARCH.sparse_parts
STROBES = (
    *("push", "parameters_write", "row_write", "done"),
    *(("mask_write",) if MASKS else ()),
)
INPUTS = ("start", "beats__valid", "beats__ready", "beats__payload")
DATA = (
    *("parameters_index", "parameters_data", "row_cells"),
    *(("row_meta",) if MASKS else ()),
)
CORNERS = Corners(
    *(("one mask word", "all mask words") if MASKS else ()),
    "with parameters",
    "without parameters",
    "one row",
    "as many rows as a tile may have",
    *(f"rows of coding {coding.name}" for coding in codings(ARCH)),
    *(("parameters of two filter groups",) if ARCH.pairs else ()),
)


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.5])
async def bodies_match_golden(dut: Any, seed: int, gap: float) -> None:
    """Masks, parameters and rows come out in their documented cycles."""
    rng = np.random.default_rng(seed)
    source = Stream(dut, "tile_loader__beats")
    await reset(dut, source.valid, dut.tile_loader__start)
    for _ in range(TILES):
        tile = random_tile(rng, ARCH, cores=1)
        probe = Probe(dut, "tile_loader", (*INPUTS, *STROBES, *DATA))
        dut.tile_loader__header.value = tile.header()
        dut.tile_loader__start.value = 1
        recording = cocotb.start_soon(probe.record())
        await FallingEdge(dut.clk)
        dut.tile_loader__start.value = 0
        header = header_beats(Opcode.TILE, ARCH)
        await offer(source, beats_of(tile.packet(), ARCH)[header:], chances(rng, gap))
        await FallingEdge(dut.clk)
        recording.cancel()
        check(probe, tile, f"seed {seed}")
        note(tile)


def check(probe: Probe, tile: Tile, where: str) -> None:
    """Check the effect of each beat, one after the other."""
    valid = iter(probe.when("beats__valid"))
    taken = probe.when("beats__valid", "beats__ready")
    strobes = {name: probe.when(name) for name in STROBES}
    masks = tile.mask_beats()
    mask_cycles = [next(valid) for _ in masks]
    assert strobes.get("mask_write", []) == mask_cycles, f"{where}: mask beats"
    assert strobes["push"] == (mask_cycles or probe.when("start"))[-1:], f"{where}: push"
    shown = [probe.cycles[cycle]["beats__payload"] for cycle in mask_cycles]
    assert shown == masks, f"{where}: mask words"

    words = tile.parameter_words()
    parameter_cycles = [next(valid) for _ in words]
    assert strobes["parameters_write"] == parameter_cycles, f"{where}: one filter in each cycle"
    for number, (cycle, word) in enumerate(zip(parameter_cycles, words, strict=True)):
        row = probe.cycles[cycle]
        assert (row["parameters_index"], row["parameters_data"]) == (number, word), where
    ends = [n for n in range(len(words)) if n % PER_BEAT == PER_BEAT - 1 or n == len(words) - 1]

    rows = [[next(valid) for _ in range(count)] for count in tile.row_beats]
    written = [beats[-1] + 1 for beats in rows]
    assert strobes["row_write"] == written, f"{where}: one cycle after the last beat of a row"
    for cycle, wanted in zip(written, tile.rows(), strict=True):
        got = probe.cycles[cycle]["row_cells"], probe.cycles[cycle].get("row_meta", 0)
        assert got == wanted, f"{where}: cells and metadata"
    assert strobes["done"] == [rows[-1][-1]], f"{where}: done"
    expected = [*mask_cycles, *(parameter_cycles[n] for n in ends), *chain.from_iterable(rows)]
    assert taken == expected, f"{where}: cycles in which beats are taken"


def note(tile: Tile) -> None:
    """Record which corners this tile has."""
    if MASKS:
        CORNERS.hit("one mask word", len(tile.masks) == 1)
        CORNERS.hit("all mask words", len(tile.masks) == ARCH.mask_words)
    CORNERS.hit("with parameters", bool(tile.parameters))
    CORNERS.hit("without parameters", not tile.parameters)
    CORNERS.hit("one row", len(tile.codes) == 1)
    CORNERS.hit("as many rows as a tile may have", len(tile.codes) == ARCH.tile_rows)
    if ARCH.pairs:
        CORNERS.hit("parameters of two filter groups", len(tile.parameters) > ARCH.filters)
    CORNERS.hit(f"rows of coding {Coding(tile.others['coding']).name}")


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
