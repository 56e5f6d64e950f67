"""Limits that follow from widths of fields: each stands once, and the others follow it."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from pydantic import TypeAdapter

from golden.dbpim.weight_decoder import decode as golden_cells
from hwgen.chip.fields import decode, encode
from hwgen.dbpim.facts.arch import MOST_GROUPS, MOST_MACROS, Arch, MacroSize, load_arch
from hwgen.dbpim.facts.instructions import (
    CELL,
    CELL_BITS,
    MOST_CORES,
    PACKETS,
    PIXEL_BYTES,
    ROW_BITS,
    Opcode,
    Operation,
    Space,
    core_count,
    field_bits,
    field_limit,
    instruction_bits,
    of_core,
    packet_bits,
)
from hwgen.dbpim.facts.timing import TAP_WORDS
from hwgen.dbpim.model.state import CORE_TYPE
from hwgen.network.sparsity import PHI_LIMIT

ROOT = Path(__file__).parents[3]
LAYERS = (Opcode.CONV, Opcode.SIMD)
MAP_FIELDS = (
    "input_height",
    "input_width",
    "input_channel_words",
    "input_image_rows",
    "input_image_columns",
    "output_width",
    "output_end_row",
    "output_channel_words",
    "output_image_rows",
    "output_image_columns",
    of_core("input_first", 3),
    of_core("keep_rows", 3),
)
LARGEST = replace(
    load_arch(ROOT / "configs/dbpim/paper.yaml"),
    cores=MOST_CORES,
    macros_per_core=MOST_MACROS,
    macro=MacroSize(compartments=64, columns=128, rows=256),
    tile_rows=128,
    buffer_bytes=1 << 20,
    mask_bytes=4096,
    logit_entries=64,
).widths
"""Of the chip with the largest sizes."""

SINGLE = {
    Opcode.BEGIN: 128,
    Opcode.STORE: 128,
    Opcode.END: 64,
    Opcode.TILE: 128,
    Opcode.TAPS: 64,
    Opcode.TABLE: 64,
}
"""Bits of packets without fields of cores: those of the fields in whole units of 64."""


def test_width_and_limit_of_a_field() -> None:
    assert (field_bits(Opcode.CONV, "stride_y"), field_limit(Opcode.CONV, "stride_y")) == (7, 127)
    assert field_bits(Opcode.TILE, "mask_words") == 12
    assert field_limit(Opcode.SIMD, "padding_top") == 15


@pytest.mark.promise(
    "a chip with fewer cores has shorter packets, whose fields are those of a larger chip"
)
def test_cores_that_a_field_needs() -> None:
    assert core_count("keep_first_0") == 1
    assert core_count(of_core("word_count", 7)) == 8
    assert [core_count(name) for name in ("keep_first", "input_base", "input_base_3")] == [0] * 3


@pytest.mark.parametrize("opcode", SINGLE)
def test_packets_without_fields_of_cores_have_one_length(opcode: Opcode) -> None:
    assert {packet_bits(opcode, cores) for cores in range(MOST_CORES + 1)} == {SINGLE[opcode]}


@pytest.mark.parametrize(
    ("opcode", "common", "of_a_core"),
    [
        # Opcode to window 8 + 90 + 35, columns in memory and rows 50, output 42; keep 2 x 10.
        (Opcode.LOAD, 221, 20),
        # Layer 269, chunk_vectors 16, raw 1; eight fields of 10 bits and `vectors` of 16.
        (Opcode.CONV, 426, 106),
        # Layer 269, arithmetic 77, words 30, second map 63; second_first and words 3 x 10.
        (Opcode.SIMD, 439, 126),
    ],
)
def test_packets_of_fewer_cores_are_shorter(opcode: Opcode, common: int, of_a_core: int) -> None:
    for cores in (1, 2, 4, 8):
        whole_units = -(-(common + cores * of_a_core) // 64)
        assert packet_bits(opcode, cores) == 64 * whole_units


def test_the_longest_instruction_is_that_of_the_simd_unit() -> None:
    assert [instruction_bits(cores) for cores in (1, 2, 8)] == [576, 704, 1472]


@pytest.mark.parametrize("opcode", [Opcode.LOAD, *LAYERS])
def test_fields_of_cores_stand_last_core_by_core(opcode: Opcode) -> None:
    """Without the fields of its last cores, a packet is that of a smaller chip."""
    needs = [core_count(field.name) for field in PACKETS[opcode]]
    assert needs == sorted(needs)
    assert {needs.count(core) for core in range(1, MOST_CORES + 1)} == {needs.count(1)}


@pytest.mark.promise("every size that an architecture may have fits its fields")
@pytest.mark.parametrize("opcode", LAYERS)
def test_fields_that_share_a_limit_have_one_width(opcode: Opcode) -> None:
    assert {field_bits(opcode, name) for name in MAP_FIELDS} == {ROW_BITS}
    for one, other in (("kernel_height", "kernel_width"), ("stride_y", "stride_x")):
        assert field_bits(opcode, one) == field_bits(opcode, other)
    assert field_bits(opcode, "input_base") == field_bits(opcode, "output_base")
    assert field_bits(Opcode.SIMD, "second_base") == field_bits(opcode, "input_base")
    assert field_bits(opcode, "active_cores", LARGEST) == MOST_CORES


def test_every_core_and_macro_has_its_bits() -> None:
    sets = (Opcode.TILE, Opcode.TAPS, Opcode.TABLE, Opcode.FLOATS)
    assert {field_bits(opcode, "cores", LARGEST) for opcode in sets} == {MOST_CORES}
    assert field_limit(Opcode.TILE, "turn", LARGEST) == MOST_MACROS - 1


@pytest.mark.parametrize(
    ("size", "opcode", "field"),
    [
        ("tile_rows", Opcode.TILE, "rows"),
        ("logit_entries", Opcode.STORE, "words"),
        ("psum_entries", Opcode.CONV, "chunk_vectors"),
    ],
)
def test_the_largest_size_fits_its_field(size: str, opcode: Opcode, field: str) -> None:
    largest = TypeAdapter(Arch).json_schema()["properties"][size]["maximum"]
    assert largest <= field_limit(opcode, field, LARGEST)


def test_bytes_of_the_longest_word_have_their_bits() -> None:
    longest = TypeAdapter(MacroSize).json_schema()["properties"]["compartments"]["maximum"]
    assert field_limit(Opcode.SIMD, "enable_end", LARGEST) >= longest
    assert field_limit(Opcode.SIMD, "rotate", LARGEST) >= longest - 1
    assert field_limit(Opcode.LOAD, "window_pixels", LARGEST) >= longest
    assert field_limit(Opcode.LOAD, "pixel_bytes") >= max(PIXEL_BYTES)
    assert field_limit(Opcode.TAPS, "taps") >= 2 * TAP_WORDS


def test_names_have_their_bits() -> None:
    assert field_limit(Opcode.SIMD, "operation") >= max(Operation)
    assert {field_bits(opcode, "space") for opcode in (Opcode.LOAD, Opcode.STORE)} == {2}
    assert max(Space) <= field_limit(Opcode.STORE, "space")
    assert {field_bits(opcode, "opcode") for opcode in Opcode} == {8}


@pytest.mark.promise("what is written into a packet is read from it, bit for bit")
def test_fields_are_packed_from_the_lowest_bit() -> None:
    values = {"opcode": 0x11, "cores": 0x80, "taps": 9}
    assert encode(PACKETS[Opcode.TAPS], values) == 0x098011
    assert decode(PACKETS[Opcode.TAPS], 0x098011) == values


def test_fields_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="taps must fit 8 bits, got 256"):
        encode(PACKETS[Opcode.TAPS], {"opcode": 0x11, "cores": 1, "taps": 256})
    with pytest.raises(ValueError, match="those of the table, differing: more, taps"):
        encode(PACKETS[Opcode.TAPS], {"opcode": 0x11, "cores": 1, "more": 1})


def test_every_filter_has_its_columns() -> None:
    most_columns = max(get_args(MacroSize.__annotations__["columns"]))
    assert (
        field_bits(Opcode.TILE, "filter_enable", LARGEST) == most_columns // PHI_LIMIT * PHI_LIMIT
    )


@pytest.mark.promise(
    "the largest core that an architecture may have fits the tables of the cycle model"
)
def test_tables_of_the_model_have_room_for_the_largest_core() -> None:
    for name in ("read", "issue_left", "outstanding", "result_ring", "result_head", "popped"):
        assert CORE_TYPE[name].shape[0] == MOST_MACROS
    assert CORE_TYPE["queue_ring"].shape[0] == MOST_GROUPS


def test_cells_of_a_code_are_those_that_golden_decodes() -> None:
    for nibble in range(1 << CELL_BITS):
        cell = golden_cells(np.array([nibble], np.uint8))
        values = {"q": cell.q[0], "negative": cell.negative[0], "index": cell.index[0]}
        assert encode(CELL, {name: int(value) for name, value in values.items()}) == nibble


def test_the_model_has_room_for_the_largest_core() -> None:
    """Without compilation numpy checks each access."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.dbpim.facts.largest_core"],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "held\n", done.stderr
