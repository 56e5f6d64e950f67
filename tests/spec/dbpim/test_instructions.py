"""Limits that follow from widths of fields: each stands once, and the others follow it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from golden.dbpim.weight_decoder import decode as golden_cells
from hwgen.model.dbpim.state import CORE_TYPE
from hwgen.spec.dbpim.arch import MOST_CORES, MOST_GROUPS, MOST_MACROS, Arch
from hwgen.spec.dbpim.instructions import (
    CELL,
    CELL_BITS,
    Opcode,
    encode,
    field_bits,
    field_limit,
)
from hwgen.spec.sparsity import PHI_LIMIT

ROOT = Path(__file__).parents[3]
LAYERS = (Opcode.CONV, Opcode.POOL, Opcode.ADD)
MAP_FIELDS = (
    "input_height",
    "input_width",
    "input_channel_words",
    "output_width",
    "output_channel_words",
)


def test_width_and_limit_of_a_field() -> None:
    assert (field_bits(Opcode.CONV, "stride"), field_limit(Opcode.CONV, "stride")) == (5, 31)
    assert field_bits(Opcode.TILE, "mask_words") == 12
    assert field_limit(Opcode.POOL, "padding") == 7


@pytest.mark.parametrize("opcode", LAYERS)
def test_fields_that_share_a_limit_have_one_width(opcode: Opcode) -> None:
    assert {field_bits(opcode, name) for name in MAP_FIELDS} == {8}
    assert field_bits(opcode, "kernel_height") == field_bits(opcode, "kernel_width")
    assert field_bits(opcode, "input_base") == field_bits(opcode, "output_base")
    assert field_bits(opcode, "active_cores") == MOST_CORES


def test_every_core_and_macro_has_its_bits() -> None:
    assert field_bits(Opcode.TILE, "cores") == MOST_CORES
    assert 1 << field_limit(Opcode.CONV, "cores_per_set_log2") >= MOST_CORES
    assert field_limit(Opcode.CONV, "last_core_in_set") >= MOST_CORES - 1
    assert field_limit(Opcode.CONV, "count_extra") >= MOST_CORES - 1
    assert field_limit(Opcode.CONV, "last_positions") >= MOST_MACROS
    assert field_limit(Opcode.TILE, "turn") >= MOST_MACROS - 1


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
    assert largest <= field_limit(opcode, field)


def test_every_filter_has_its_columns() -> None:
    most_columns = 16
    assert field_bits(Opcode.TILE, "filter_enable") == most_columns // PHI_LIMIT * PHI_LIMIT


def test_tables_of_the_model_have_room_for_the_largest_core() -> None:
    for name in ("read", "issue_left", "outstanding", "result_ring", "result_head", "popped"):
        assert CORE_TYPE[name].shape[0] == MOST_MACROS
    assert CORE_TYPE["queue_ring"].shape[0] == MOST_GROUPS


def test_cells_of_a_code_are_those_that_golden_decodes() -> None:
    for nibble in range(1 << CELL_BITS):
        cell = golden_cells(np.array([nibble], np.uint8))
        values = {"q": cell.q[0], "negative": cell.negative[0], "index": cell.index[0]}
        assert encode(CELL, {name: int(value) for name, value in values.items()}) == nibble


def test_the_limit_of_macros_can_be_raised_where_it_stands() -> None:
    """Wider fields let an architecture have more macros, and the model has room for them."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.spec.dbpim.raised_limit"],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "held\n", done.stderr
