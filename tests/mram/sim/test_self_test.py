"""The self-test of an MRAM chip holds a 0 and a 1 in each cell that it counts."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.self_test import Part
from hwgen.chip.sim.stuck import CellArray
from hwgen.mram.compiler import compile_network
from hwgen.mram.facts.arch import load_arch
from hwgen.mram.facts.program import Program
from hwgen.mram.facts.records import parameter_fields
from hwgen.mram.facts.stream import Content, LaneParameters, decode_program
from hwgen.mram.sim.self_test import far_apart, parts, read_bits

ROOT = Path(__file__).parents[3]
TINY = load_arch(ROOT / "configs/mram/tiny.yaml")


@cache
def compiled() -> dict[str, tuple[Part, Program, Content]]:
    """The parts by name, with their programs and what these hold."""
    found = {}
    for part in parts(TINY):
        program = compile_network(part.network, TINY)
        content = decode_program(program.image, TINY, source=part.name)
        found[part.name] = part, program, content
    return found


@pytest.mark.promise(
    "the programs of a self-test of mram/tiny hold both values in each cell of its rows of weights,"
    " of its image banks and, but for the highest bits of multipliers, of its parameters"
)
def test_each_cell_of_weights_has_both_values() -> None:
    one, other = (compiled()[name][2].weights for name in ("weights_0", "weights_1"))
    assert one.shape == (TINY.weight_rows, TINY.sub_arrays, TINY.array.columns)
    assert (one ^ other)[:, :, : TINY.input_columns].all()
    # What no segment has is never written with a 1.
    assert not (one | other)[:, :, TINY.input_columns :].any()


def test_maps_fill_all_banks() -> None:
    for name in ("banks_0", "banks_1"):
        part, program, _ = compiled()[name]
        places = [step.output for step in program.facts.modes[0].steps if step.output]
        assert {place.bank for place in places} == {0, 1, 2, 3}
        assert (part.images[0] ^ part.images[1] == 255).all()
    # The last pixel of the second image ends the bank.
    assert part.images[0].size == TINY.bank_bytes
    assert [far_apart(side) for side in (8, 16, 32)] == [(1, 7), (2, 7), (2, 6)]


def test_parameters_have_both_values() -> None:
    names = [name for name in compiled() if name.startswith(("biases", "scales"))]
    contents = [compiled()[name][2] for name in names]
    words = [list(content.parameters) for content in contents]
    assert {len(each) for each in words} == {TINY.parameter_entries}
    assert {len(content.records) for content in contents} == {TINY.record_entries}
    ones = [0] * TINY.parameter_entries
    zeros = [0] * TINY.parameter_entries
    for each in words:
        for place, word in enumerate(each):
            ones[place] |= packed(word)
            zeros[place] |= ~packed(word)
    lanes = range(TINY.block)
    lane = (1 << 54) - 1 ^ 1 << 47  # all but the highest bit of the multiplier
    both = sum(lane << 54 * number for number in lanes)
    inner = range(4, TINY.parameter_entries - 4)
    assert all(ones[place] & both == zeros[place] & both == both for place in inner)


def packed(word: Sequence[LaneParameters]) -> int:
    """Return a parameter word as a number."""
    number, place = 0, 0
    for lane in word:
        for field in parameter_fields(TINY):
            number |= (int(getattr(lane, field.name)) & (1 << field.bits) - 1) << place
            place += field.bits
    return number


def test_what_nothing_reads_does_not_count() -> None:
    def array(path: str) -> CellArray:
        return CellArray(path=path, module="m", words=64, bits=512, read_bits=512)

    assert read_bits(array("records"), TINY) == 0
    assert read_bits(array("parameters"), TINY) == 108
    assert read_bits(array("datapath.octet_0.array_1.sub_array.cells"), TINY) == 54
    assert read_bits(array("datapath.banks.bank_0.sub_array.cells"), TINY) == 512


def test_sums_show_every_bit() -> None:
    for name in ("weights_0", "banks_0"):
        part = compiled()[name][0]
        assert all(layer.output.raw for layer in part.network.layers if layer.op == "conv")
    weights = compiled()["banks_0"][0].network.parameters
    assert all(np.count_nonzero(each.weights) == each.weights.size for each in weights.values())
