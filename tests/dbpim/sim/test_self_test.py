"""The self-test of a DB-PIM chip fills its buffers, its rings and its tables."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from golden.network import outputs
from hwgen.chip.self_test import Part
from hwgen.chip.sim.stuck import CellArray
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.sim.self_test import parts, read_bits

ROOT = Path(__file__).parents[3]
TINY = load_arch(ROOT / "configs/dbpim/tiny.yaml")


@cache
def compiled() -> dict[str, tuple[Part, Program]]:
    """The parts by name, with their programs."""
    return {part.name: (part, compile_network(part.network, TINY)) for part in parts(TINY)}


@pytest.mark.promise(
    "the programs of a self-test of dbpim/tiny store both values in each cell of the activation"
    " buffers, and read each weight alone"
)
def test_maps_fill_the_buffers() -> None:
    for name in ("buffers_0", "buffers_1"):
        part, program = compiled()[name]
        places = [step.output for step in program.facts.steps if step.output is not None]
        words: set[int] = set()
        for place in places:
            words |= set(range(place.base, place.base + place.words))
        assert words == set(range(TINY.bank_words))
        assert (part.images[0] ^ part.images[1] == 255).all()
        (found,) = outputs(part.network, part.images).values()
        assert (found[0] ^ found[1] == 255).all()
    (one,), (other,) = (compiled()[f"buffers_{each}"][0].network.tables.values() for each in (0, 1))
    assert (one ^ other == 255).all()
    assert len(set(one[0].tolist())) == 256


def test_an_output_is_one_weight() -> None:
    part, _ = compiled()["weights"]
    found = outputs(part.network, part.images)
    for name, parameters in part.network.parameters.items():
        seen = found[name].astype(int) - 128
        channels = part.images.argmax(axis=-1)
        assert (seen == parameters.weights[:, 0, 0].T[channels]).all()
        assert set(channels.ravel().tolist()) == set(range(part.network.graph.input.channels))


def test_partial_sums_are_stored() -> None:
    _, program = compiled()["weights"]
    steps = [step for step in program.facts.steps if step.kind == "conv"]
    assert any(step.tiles > 1 and step.chunks > 0 for step in steps)
    assert max(step.weight_rows for step in steps) >= 2 * TINY.macro.rows


def test_each_tap_is_met_alone() -> None:
    part, _ = compiled()["taps"]
    weights = next(iter(part.network.parameters.values())).weights
    height, width = weights.shape[1:3]
    met = np.zeros((height, width), bool)
    for image in part.images[:4, :, :, 0]:
        for top in range(image.shape[0] - height + 1):
            for left in range(image.shape[1] - width + 1):
                window = image[top : top + height, left : left + width]
                assert window.sum() == 1
                met |= window == 1
    assert met.all()


def test_instructions_do_not_count() -> None:
    def array(path: str) -> CellArray:
        return CellArray(path=path, module="m", words=4, bits=8, read_bits=8)

    assert read_bits(array("sequencer.queue.words"), TINY) == 0
    assert read_bits(array("core_0.activation_buffer.bank_0"), TINY) == 8
