"""Chips larger than those that ship: more compartments, columns, rows, cores and macros a core."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.facts.arch import Arch, MacroSize, Sparsity, with_sparsity
from hwgen.dbpim.facts.instructions import Opcode, packet_bits
from hwgen.dbpim.model import CycleModel
from tests.dbpim.compiler.executor import execute
from tests.verif.dbpim.chips import check_chip, compiled
from tests.verif.dbpim.test_sizes import network
from verif.dbpim.component import small
from verif.dbpim.random_network import random_images

CELLS, MACROS = 1024, 4
"""Most cells of a macro and most macros of a chip whose Verilog is run here."""


def chip(
    name: str,
    compartments: int,
    columns: int,
    rows: int,
    *,
    cores: int = 1,
    macros: int = 1,
    port: int = 64,
) -> Arch:
    """Return a chip of a size; the rest follows from it."""
    return replace(
        small(),
        name=name,
        cores=cores,
        macros_per_core=macros,
        macro=MacroSize(compartments=compartments, columns=columns, rows=rows),
        tile_rows=rows // 2,
        buffer_bytes=1 << 14,
        psum_entries=2 * max(8, macros),
        mask_bytes=min(4096, compartments * max(2, rows)),
        simd_lanes=min(8, macros * compartments),
        switch_rate=4,
        bus_words=min(2, macros),
        logit_entries=64,
        port_bits=port,
    )


AXES = {
    each.name: each
    for each in (
        chip("rows_256", 8, 16, 256),
        chip("compartments_32", 32, 16, 4),
        chip("compartments_64", 64, 16, 4),
        chip("columns_32", 16, 32, 4),
        chip("columns_64", 32, 64, 4),
        chip("columns_128", 64, 128, 4),
        chip("cores_16", 4, 8, 4, cores=16),
        chip("macros_16", 4, 8, 4, macros=16),
    )
}
"""One chip at the end of each range; a word of masks fills the port of `compartments_64`."""

SHAPES = [
    (compartments, columns, rows)
    for compartments in (4, 8, 16, 32, 64)
    for columns in (8, 16, 32, 64, 128)
    for rows in (2, 4, 8, 16, 32)
    if columns <= 2 * compartments and compartments * columns * rows <= CELLS
    if compartments > 16 or columns > 16
]


def drawn(seed: int) -> Arch:
    """Return a chip of a drawn size, with more compartments or columns than 16."""
    rng = random.Random(seed)
    shape = SHAPES[seed % len(SHAPES)]
    cores, macros = rng.choice([(1, 2), (2, 1), (2, 2), (4, 1), (1, 4)])
    port = rng.choice([64, 128, 256, 512])
    base = chip(f"drawn_{seed}", *shape, cores=cores, macros=macros, port=port)
    sparse = [rng.random() < 0.7 for _ in range(3)]
    return replace(
        base,
        packed_weights=rng.random() < 0.5,
        one_digit=rng.choice(["none", "coded"]),
        cells=rng.choice(["combinational", "synchronous"]),
        array_cycles=rng.choice([1, 2]),
        sparsity=Sparsity(weight_bits=sparse[0], weight_values=sparse[1], input_bits=sparse[2]),
    )


DRAWN = [drawn(seed) for seed in range(12)]
LARGEST = replace(
    chip("largest", 64, 128, 256, cores=16, macros=16, port=256), buffer_bytes=1 << 17
)


QUICK = ("columns_64", "compartments_64", "largest")


def sparse_and_dense() -> Iterator[Any]:
    """Yield chips with all switches and with none, marked where a run takes seconds."""
    for each in (*AXES.values(), *DRAWN[:3], LARGEST):
        for switches in ("all", "none"):
            quick = each.name in QUICK and switches == "all"
            arch = with_sparsity(each, switches)
            yield pytest.param(
                arch, id=f"{each.name}-{switches}", marks=() if quick else pytest.mark.long
            )


@pytest.mark.dear("columns_64-all")
@pytest.mark.promise("a chip of any size runs the program that its fields of packets describe")
@pytest.mark.parametrize("arch", list(sparse_and_dense()))
def test_programs_of_large_chips_compute_the_network(arch: Arch) -> None:
    images = random_images(network(), 1, seed=1)
    program, golden = compiled(network(), arch), infer(network(), images)
    maps = execute(program, arch, images).maps
    for name, found in maps.items():
        np.testing.assert_array_equal(found, golden[name], err_msg=name)
    assert CycleModel(program, arch).predict(golden).cycles > 0


@pytest.mark.promise(
    "the header of a tile has 128 bits up to 32 columns, 192 at 64 and 256 at 128; smaller chips"
    " have the fields that they had"
)
def test_bits_of_the_header() -> None:
    def bits(arch: Arch) -> int:
        return packet_bits(Opcode.TILE, arch.cores, arch.widths)

    thin, wide = (
        replace(LARGEST, macro=replace(LARGEST.macro, columns=columns)) for columns in (32, 64)
    )
    paired = replace(thin, macro=replace(thin.macro, columns=16), one_digit="paired")
    assert [bits(each) for each in (small(), paired, thin, wide, LARGEST)] == [
        128,
        128,
        128,
        192,
        256,
    ]
    assert "second_group" in {field.name for field in paired.packets[Opcode.TILE]}
    assert small().widths == replace(small(), cores=8, macros_per_core=8, psum_entries=16).widths


def test_drawn_sizes_are_small_enough_and_differ() -> None:
    assert len({each.digest for each in DRAWN}) == len(DRAWN)
    assert {each.macro.compartments for each in DRAWN} >= {16, 32, 64}
    for each in DRAWN:
        size = each.macro
        assert size.compartments * size.columns * size.rows <= CELLS
        assert each.cores * each.macros_per_core <= MACROS


@pytest.mark.long
@pytest.mark.parametrize("arch", AXES.values(), ids=AXES)
def test_each_axis(arch: Arch, tmp_path: Path) -> None:
    check_chip(network(), arch, random_images(network(), 1, seed=1), tmp_path)


@pytest.mark.promise("Verilog of chips with drawn sizes above 16 equals golden and the cycle model")
@pytest.mark.long
@pytest.mark.parametrize("arch", DRAWN, ids=lambda arch: arch.name)
def test_drawn_sizes(arch: Arch, tmp_path: Path) -> None:
    check_chip(network(), arch, random_images(network(), 1, seed=1), tmp_path)
