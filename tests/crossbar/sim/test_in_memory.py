"""Answers as they lie in memory: what a comparison reads of a run, and what an export expects."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from golden.network import outputs
from hwgen.crossbar.compiler import compile_network
from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.facts.image_io import answer_stride, packed_answer, results
from hwgen.crossbar.facts.program import Program
from hwgen.crossbar.model.record import make_arch
from hwgen.crossbar.sim.by_hand import answer_lines
from hwgen.crossbar.sim.chip_run import ChipRun, Stores, digits_of
from hwgen.crossbar.sim.maps import elements_of
from hwgen.crossbar.sim.simulate import maps_of_images
from hwgen.network import QuantizedNetwork
from tests.verif.crossbar.whole import answers_design, answers_network
from verif.common.drawing import draw_images

IMAGES = 2
Maps = dict[str, np.ndarray]


@dataclass(frozen=True)
class Made:
    """A network whose answers are read and joined, its chip, and its outputs by golden."""

    network: QuantizedNetwork
    chip: Chip
    program: Program
    wanted: Maps


@pytest.fixture(scope="module")
def made() -> Made:
    network = answers_network()
    arch = make_arch(answers_design(), "answers")
    return Made(
        network=network,
        chip=described(arch),
        program=compile_network(network, arch),
        wanted=outputs(network, draw_images(network, IMAGES, seed=3)),
    )


def memory_of(made: Made, image: int) -> bytes:
    """Return an answer in memory, all results of which are there."""
    maps = [plan.map for plan in made.program.facts.layers]
    found = b"".join(
        packed_answer(made.chip, travel, made.wanted[maps[travel.owner]][image])
        for travel in results(made.chip)
    )
    return found.ljust(answer_stride(made.chip), b"\0")


def no_stores(chip: Chip) -> Stores:
    """Return that no macro was seen to store anything."""
    nothing: dict[str, Any] = {
        name: np.zeros(0, np.int64) for name in ("start", "cycle", "macro", "layer")
    }
    enables, words = np.zeros((0, chip.word_elements), bool), np.zeros((0, digits_of(chip)[1]))
    return Stores(**nothing, enables=enables, words=words.astype(np.uint8))


@pytest.mark.promise(
    "every output of a network leaves a crossbar chip, and is compared as it lies in memory, by"
    " an export too"
)
def test_every_output_is_read_in_memory(made: Made) -> None:
    """Whatever stores were seen; of other layers nothing is known without them."""
    assert len(results(made.chip)) == len(made.network.graph.outputs) == 2
    answers = {n: np.frombuffer(memory_of(made, n), np.uint8) for n in range(IMAGES)}
    run = ChipRun(number=0, stores=no_stores(made.chip), answers=answers)
    found = maps_of_images(run, made.program, made.chip)
    for image, maps in enumerate(found):
        for name in made.network.graph.outputs:
            assert np.array_equal(maps[name], made.wanted[name][image])
        assert {name for name, each in maps.items() if each.size} == set(made.wanted)


def test_an_export_expects_every_output(made: Made) -> None:
    lines = list(answer_lines(made.chip, made.program, made.wanted))
    words: dict[tuple[int, int], int] = {}
    for line in lines:
        _, image, index, word = line.split()
        words[int(image), int(index)] = int(word, 16)
    assert len(words) == len(lines)
    for image in range(IMAGES):
        memory = np.frombuffer(memory_of(made, image), "<u4")
        own = {index: word for (of, index), word in words.items() if of == image}
        assert own == {index: int(memory[index]) for index in own}
        assert sorted(own) == list(range(len(own)))
        assert not memory[len(own) :].any()


@pytest.mark.dear("2")
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_elements_of_any_width(made: Made, bits: int) -> None:
    """Lines of stores have the highest digit of a word first."""
    chip = replace(made.chip, activation_bits=bits)
    drawn = np.random.default_rng(bits).integers(0, 1 << bits, (3, chip.word_elements))
    enables = np.random.default_rng(1).random(drawn.shape) < 0.5
    texts = [
        f"{sum(int(value) << (bits * place) for place, value in enumerate(word)):x}".zfill(
            digits_of(chip)[1]
        )
        for word in drawn
    ]
    digits = np.array([[int(digit, 16) for digit in text] for text in texts], np.uint8)
    zeros = np.zeros(3, np.int64)
    stores = Stores(
        start=zeros, cycle=zeros, macro=zeros, layer=zeros, enables=enables, words=digits
    )
    assert elements_of(stores, chip).tolist() == drawn[enables].tolist()
