"""Cycles of packed rows by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts import Arch, load_arch
from hwgen.dbpim.model import CycleModel
from hwgen.network import INPUT
from verif.dbpim.network_builder import NetworkBuilder

SMALL = load_arch(Path("configs/dbpim/small.yaml"))


def cycles(rows: int, arch: Arch) -> int:
    """Return the cycles of a layer with one position and one tile of so many rows, and a head."""
    net = NetworkBuilder(name="rows", shape=(1, 1, 8 * rows), seed=1)
    now = net.conv(INPUT, np.full((8, 8 * rows), 3, np.int8), kernel=(1, 1), padding=0)
    net.linear(now, np.full((2, 8), 3, np.int8), head=True)
    network, image = net.build(), np.zeros((1, 1, 1, 8 * rows), np.uint8)
    program = compile_network(network, arch)
    assert max(step.rows_loaded for step in program.facts.steps) == rows
    return CycleModel(program, arch).predict(infer(network, image)).cycles


@pytest.mark.promise(
    "packed rows follow each other without gaps on every port, and are read as they were written"
)
@pytest.mark.parametrize(
    ("port", "saved"), [(64, (1, 4)), (128, (0, 2)), (256, (0, 1)), (512, (0, 0))]
)
def test_the_last_packed_row_comes_a_beat_earlier(port: int, saved: tuple[int, int]) -> None:
    """A row has 7 pieces of 64 bits, or 8 flat ones; the head adds one row more.

    Of 1 row the beats saved at 64 bits are 1, of 4 rows 4; at 128 bits 4 rows are 14 beats, not 16,
    at 256 bits 7, not 8. Zeros take a cycle a row, so the layer ends with the beats of its rows.
    """
    macro = replace(SMALL.macro, rows=8)
    arch = replace(SMALL, port_bits=port, macro=macro, tile_rows=4, packed_weights=False)
    packed = replace(arch, packed_weights=True)
    found = [cycles(rows, arch) - cycles(rows, packed) for rows in (1, 4)]
    head = 1 if port == 64 else 0
    assert found == [count + head for count in saved]
