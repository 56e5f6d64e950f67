"""Cycles of a bus of several words: results of several cores, and pixels of an image, at once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.chip.compiled import compiled
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.model import CycleModel
from hwgen.dbpim.model.prediction import StepCycles
from hwgen.dbpim.model.state import (
    IN_MEMORY,
    STEP_TYPE,
    WORK_TYPE,
    Ints,
    Sizes,
    Table,
    new_cores,
    sizes_of,
)
from hwgen.dbpim.model.writing import LANE_REGISTERS, WRITTEN_BANK, WRITTEN_ROW, is_stored
from hwgen.network import INPUT
from verif.dbpim.network_builder import NetworkBuilder

WIDE = replace(load_arch(Path("configs/dbpim/wide.yaml")), switch_rate=8)
CHANNELS = WIDE.macro.compartments
SIDE = 8


def first_steps(lanes: int) -> list[StepCycles]:
    """Return the LOAD, and a convolution whose results every core of the head reads."""
    net = NetworkBuilder(name="lanes", shape=(SIDE, SIDE, CHANNELS), seed=1)
    now = net.conv(INPUT, np.full((CHANNELS, CHANNELS), 3, np.int8), kernel=(1, 1), padding=0)
    net.linear(now, np.full((2, SIDE * SIDE * CHANNELS), 3, np.int8), head=True)
    network, arch = net.build(), replace(WIDE, bus_words=lanes)
    maps = infer(network, np.ones((1, SIDE, SIDE, CHANNELS), np.uint8))
    return list(CycleModel(compile_network(network, arch), arch).predict(maps).found[:2])


def test_two_lanes_take_two_words_a_cycle() -> None:
    """64 pixels of 8 bytes, and results of four cores."""
    one, two = first_steps(1), first_steps(2)
    assert one[0].cycles - two[0].cycles == SIDE * SIDE // 2
    assert two[1].causes["write_bus"] < one[1].causes["write_bus"]


@pytest.mark.promise(
    "words for different lanes go at once, and a private result waits for its own banks alone"
)
@pytest.mark.parametrize(
    ("row", "column", "stored"),
    [(5, 0, False), (5, 1, True), (5, 2, False), (3, 0, True), (IN_MEMORY, 0, True)],
)
def test_a_private_result_waits_for_its_own_bank_alone(
    row: int, column: int, *, stored: bool
) -> None:
    """The core keeps rows 4 to 7, and has a result for row 6, column 1."""
    sizes = sizes_of(WIDE, begin_beats=1)
    (core, *_) = new_cores(sizes)
    fields, work = np.zeros(1, STEP_TYPE)[0], np.zeros(1, WORK_TYPE)[0]
    fields["opcode"], work["keep_first"], work["keep_rows"] = Opcode.CONV, 4, 4
    last = WIDE.requantize_cycles - 1
    core["stage_row"][last], core["stage_column"][last] = 6, 1
    lanes = np.zeros((sizes.bus_words, LANE_REGISTERS), np.int64)
    lanes[:, WRITTEN_ROW] = IN_MEMORY
    bank = (column + sizes.skew * row) % sizes.macros
    lanes[bank, WRITTEN_ROW], lanes[bank, WRITTEN_BANK] = row, bank
    tables = (np.array([each]) for each in (core, fields, work))
    assert ask(lanes, *tables, sizes) is stored


@compiled
def ask(lanes: Ints, core: Table, fields: Table, work: Table, sizes: Sizes) -> bool:
    """Return `is_stored` of the first records."""
    return is_stored(lanes, core[0], fields[0], work[0], sizes)
