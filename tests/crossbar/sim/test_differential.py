"""Verilog of differential cells: exact, and with devices that err every element is golden's."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import yaml
from amaranth.hdl import Mux

from golden.network import infer
from hwgen.crossbar.compiler import compile_network
from hwgen.crossbar.facts.arch import Arch, arch_of, arch_text
from hwgen.crossbar.facts.storage import storage
from hwgen.crossbar.model import CycleModel
from hwgen.crossbar.model.record import make_arch
from hwgen.crossbar.rtl import bank
from hwgen.crossbar.rtl.conversions import Lane
from hwgen.crossbar.sim import simulate
from hwgen.errors import ConfigError
from tests.crossbar.sim.test_effects_of_providers import drawn
from tests.crossbar.sim.test_read_noise import STALLS, Case, wrong_elements
from tests.golden.crossbar.test_effects import with_effects
from tests.golden.crossbar.test_levels import TABLE
from tests.golden.crossbar.test_nonlinear import nonlinear
from tests.verif.crossbar.random_chips import cheap
from tests.verif.crossbar.whole import (
    answers_design,
    answers_network,
    design,
    joined_design,
    joined_network,
)
from verif.common.drawing import Drawing, draw_images

EFFECTS = {
    "variation": with_effects(variation=0.2),
    "stuck": with_effects(stuck_at_zero=0.05, stuck_at_full=0.05),
    "trimmed": with_effects(variation=0.1, offset_lsb=3.0, trimmed=True),
    "clipped": with_effects(bits_below_lossless=6),
    "levels": replace(with_effects(offset_lsb=0.5), levels=replace(TABLE, time_s=3600.0)),
    "noise": with_effects(variation=0.1, deviation=1.0, offset_lsb=1.0),
    "bent": nonlinear(((0, 3.0), (250, -2.5), (258, 1.5)), deviation=0.5, variation=0.1),
    "bent and clipped": nonlinear(((0, 2.0), (3, -2.0)), bits_below_lossless=6, variation=0.1),
}


def erring(arch: Arch) -> Arch:
    """Return a chip that has all effects."""
    return replace(arch, effects=True, read_noise=True, nonlinear_converters=True)


@cache
def small() -> Case:
    """Return a network on a small chip that errs."""
    arch = make_arch(answers_design(cells="differential"), "answers")
    return answers_network(), erring(arch)


def joined() -> Case:
    """Return concatenations, tables, a pooling, several copies, and a layer over two macros."""
    return joined_network(), make_arch(joined_design("differential"), "joined")


def least() -> Case:
    """Return a network of one pixel, one channel and one sum, with bit steps of one bit."""
    drawing = Drawing(5, modes=("full",), shape=(1, 1, 1))
    network = drawing.build(drawing.linear(drawing.conv("input", (1,)), (1,), bits=32))
    sizes = {"side": 16, "dac_bits": 1, "cell_bits": 1}
    found = design(network, copies=[1, 1], macros=[1, 1], cells="differential", **sizes)
    return network, make_arch(found, "least")


def plain() -> Case:
    """Return a network on the chip without effects."""
    return answers_network(), make_arch(answers_design(cells="differential"), "answers")


def wrong_exact(case: Case) -> int:
    """Return the elements of two images that differ from the network; cycles are the model's."""
    network, arch = case
    images, program = draw_images(network, 2, seed=3), compile_network(network, arch, images=2)
    wanted = infer(network, images)
    with cheap():
        (run,) = simulate(arch, program, images)
    predicted = CycleModel(program, arch).predict()
    assert (run.cycles, run.load_cycles) == (predicted.cycles, predicted.load)
    assert {name: run.events[name] for name in predicted.events} == dict(predicted.events)
    wrong = 0
    for image, maps in zip(run.images, run.maps, strict=True):
        for name, found in maps.items():
            wrong += int((found.reshape(wanted[name][image].shape) != wanted[name][image]).sum())
    return wrong


@pytest.mark.dear("plain")
@pytest.mark.promise(
    "a chip of differential cells gives the answers of its network in Verilog, every element of"
    " every map, in the cycles and with the events of its model"
)
@pytest.mark.parametrize("make", [plain, least, joined], ids=["plain", "least", "joined"])
def test_every_element_is_that_of_the_network(make: Callable[[], Case]) -> None:
    assert wrong_exact(make()) == 0


@pytest.mark.dear("variation")
@pytest.mark.promise(
    "a chip of differential cells errs in Verilog as golden does: every element, for variation,"
    " stuck cells, levels, offsets, trims, clipping on both sides, noise and a table of codes"
)
@pytest.mark.parametrize("name", EFFECTS)
def test_every_element_is_goldens(name: str) -> None:
    for seed, trouble in enumerate(STALLS[:2], 1):
        assert wrong_elements(small(), EFFECTS[name], seed, trouble=trouble) == 0


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_drawn_networks(seed: int) -> None:
    """Layers that read several maps, or have groups, over several macros."""
    network, arch, _ = drawn(seed, "differential")
    assert wrong_exact((network, replace(arch, effects=False))) == 0
    effects = with_effects(
        variation=0.1, stuck_at_full=0.02, offset_lsb=2.0, trimmed=bool(seed % 2)
    )
    assert wrong_elements((network, arch), effects, seed) == 0


def without_negative(patch: pytest.MonkeyPatch) -> None:
    """Convert the positive column alone."""
    patch.setitem(bank.PAIR, "negative", "")


def without_sign(patch: pytest.MonkeyPatch) -> None:
    """Clip as a converter of offset cells does."""
    patch.setattr("hwgen.crossbar.rtl.conversions.code_range", lambda bits, pairs: (0, 2**bits - 1))


def clipped_above_alone(patch: pytest.MonkeyPatch) -> None:
    """Let all negative codes through, whatever bits a converter has."""
    code_of = Lane._code

    def code(lane: Any, m: Any, column: Any) -> Any:
        given, kept = lane.code.as_signed(), code_of(lane, m, column)
        return Mux(given < 0, given, kept)

    patch.setattr(Lane, "_code", code)


@pytest.mark.dear("without_negative-variation")
@pytest.mark.promise("a chip of differential cells that leaves a sign or a clip out is seen")
@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize(
    ("plant", "name"),
    [
        (without_negative, "variation"),
        (without_sign, "variation"),
        (clipped_above_alone, "clipped"),
    ],
)
def test_planted_faults_are_seen(
    plant: Callable[[pytest.MonkeyPatch], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert wrong_elements(small(), EFFECTS[name], 1) > 0


@pytest.mark.promise(
    "a file without `cells` has the digest that it had; differential cells under published rules,"
    " and unknown ones, are one sentence"
)
def test_a_file_says_its_cells() -> None:
    offset = make_arch(answers_design(), "answers")
    assert "differential" not in arch_text(offset) and "cells:" not in arch_text(offset)
    _, pair = plain()
    given = yaml.safe_load(arch_text(pair))
    assert given["point"]["cells"] == "differential"
    assert given["fabric"]["encoding"]["input_sum_bits"] is None
    assert arch_of(given, "chip.yaml") == pair and pair.digest != offset.digest
    other = given | {"point": given["point"] | {"cells": "ternary"}}
    with pytest.raises(ConfigError, match=r"point.cells must be 'offset' or 'differential'"):
        arch_of(other, "chip.yaml")
    with pytest.raises(ConfigError, match="must be"):
        arch_of(given | {"point": given["point"] | {"cells": "offset"}}, "chip.yaml")


def test_a_program_has_both_cells() -> None:
    network, arch = plain()
    offset = make_arch(answers_design(), "answers")
    pair = compile_network(network, arch)
    flits = pair.beats - compile_network(network, offset).beats
    columns = sum(held.conversions for layer in arch.fabric.layers for held in layer.held)
    # 16 rows of 2 bits are half a flit, a pair a whole one; either takes one.
    assert flits == 0 and columns > 0
    cells = {one.name: one.bits for one in storage(arch)}["cells"]
    assert cells == {one.name: one.bits for one in storage(offset)}["cells"]
