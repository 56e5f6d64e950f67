"""What benches of a given chip are told is what the chip has."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.crossbar.compiler.lowering import Lowering
from hwgen.crossbar.compiler.quantized import crossbar_network
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.record import confirm, design_of
from hwgen.crossbar.rtl import array_engine
from hwgen.crossbar.rtl.macro import Macro
from hwgen.network.check import check_network
from tests.crossbar.model.layers import conv
from tests.verif.crossbar.test_chip import partners
from tests.verif.crossbar.test_given_arch import run_array, run_conductor, run_network, run_small
from tests.verif.crossbar.whole import (
    answers_design,
    chip_for,
    joined_design,
    joined_network,
    small_components,
)
from verif.coverage import TOLD
from verif.crossbar.array_case import ArrayCase
from verif.crossbar.given_network import network_for
from verif.crossbar.given_sizes import array_sizes, different, engines, small_sizes
from verif.crossbar.small_parts import alone


def joined() -> Chip:
    """Functions and concatenations."""
    return chip_for(joined_design(), "joined")


def answers() -> Chip:
    """Two answers, each of a layer of its own."""
    return chip_for(answers_design(), "answers")


def raw() -> Chip:
    """A convolution whose sums are the answer."""
    first = conv("conv0", (), (3, 3), (5, 5), window=(3, 1, 1))
    second = conv("conv1", (0,), (3, 3), (5, 5), window=(3, 1, 1))
    answer = replace(second, activation="none", raw_bits=32)
    network = CrossbarNetwork(name="raw", input_channels=3, input_side=5, layers=(first, answer))
    found = confirm(
        network,
        small_components(joined_network(), 16, 128),
        point=Point(rram_ratio=None, cell_bits=2, side=16, dac_bits=2),
        rules=STRICT,
        power_w=50.0,
        design=design_of([1, 1], [1, 1], [-1, -1], [1, 1]),
    )
    return chip_for(found, "raw")


CHIPS: dict[str, Callable[[], Chip]] = {
    "partners": partners,
    "joined": joined,
    "answers": answers,
    "raw": raw,
}


@pytest.mark.dear("partners")
@pytest.mark.promise(
    "benches at a given crossbar chip have the sizes of its arrays and small parts, and pass; a"
    " network of its layers is drawn, and runs equal in each element, start and cycle"
)
@pytest.mark.parametrize("name", CHIPS)
def test_arrays_have_the_sizes_of_the_chip(name: str) -> None:
    chip = CHIPS[name]()
    found = array_sizes(chip).values()
    held = [(layer, macro) for layer, macro in engines(chip) if layer.cut is not None]
    for sizes, (layer, macro) in zip(found, held, strict=True):
        case = ArrayCase(**sizes)
        assert case.sizes == array_engine.array_sizes(chip, layer.place, macro)
        assert case.cut == layer.cut


@pytest.mark.dear("raw")
@pytest.mark.parametrize("name", CHIPS)
def test_small_parts_are_modules_of_the_chip(name: str) -> None:
    """But for chains, whose first, middle and last one stand for all, and what is in no macro."""
    chip = CHIPS[name]()
    modules = {
        module
        for one in chip.macros
        for module in verilog_modules(Macro(chip=chip, macro=one.macro))
    }
    benches = set()
    for (bench, where), sizes in small_sizes(chip).items():
        if bench in ("chain", "result_collector", "window_counter"):
            continue
        (part,) = alone(bench, **sizes).parts
        assert part.module_name in modules, f"{bench}, {where}"
        benches.add(bench)
    assert benches >= {"packer", "pad", "requantizer", "receiver", "loader"}


@pytest.mark.dear("answers")
@pytest.mark.parametrize("name", CHIPS)
def test_a_drawn_network_is_that_of_the_chip(name: str) -> None:
    chip = CHIPS[name]()
    network = network_for(chip, seed=1)
    check_network(network, source="test")
    assert len(Lowering(chip, network).program)

    def shape(layer: CrossbarLayer) -> CrossbarLayer:
        return replace(layer, activation="none", limits=None)

    found = crossbar_network(network).layers
    assert [*map(shape, found)] == [shape(each.layer) for each in chip.layers]


@pytest.mark.dear
def test_a_bench_of_each_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An array whose sums travel on, and a scratchpad."""
    monkeypatch.setenv(TOLD, "1")
    chip = partners()
    run_array(list(array_sizes(chip).values())[-1], tmp_path)
    run_small("pad", small_sizes(chip)["pad", "macro 0"], tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", CHIPS)
def test_all_benches_of_a_chip(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOLD, "1")
    chip = CHIPS[name]()
    for sizes in different(array_sizes(chip)).values():
        run_array(sizes, tmp_path)
    for (bench, _), sizes in different(small_sizes(chip)).items():
        run_small(bench, sizes, tmp_path)
    run_conductor(chip, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", CHIPS)
def test_the_network_of_a_chip(name: str, tmp_path: Path) -> None:
    run_network(CHIPS[name](), tmp_path)
