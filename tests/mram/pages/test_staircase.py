"""Staircases: their cycles are the model's, on loaded weights for any table; files are fresh."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.mram.compiler import compile_network, recompile
from hwgen.mram.compiler.staircase import LayerStep, needed, staircases
from hwgen.mram.facts import Arch, load_arch
from hwgen.mram.facts.arch import ArraySize
from hwgen.mram.facts.program import Program
from hwgen.mram.model import CycleModel, SplitCost
from hwgen.mram.pages.staircase import main, staircase_text
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network
from tests.mram.compiler.archs import arch_of
from tests.mram.compiler.nets import chain
from verif.mram.width_tables import draw_widths, retabled

CONFIGS = Path(__file__).parents[3] / "configs"
DIGITS = CONFIGS / "networks" / "cadnn_digits.npz"
SMALL = CONFIGS / "mram" / "small.yaml"
STAIRS = CONFIGS / "train" / "staircases"
LAYERS = {"conv1": ("input",), "conv2": ("conv1",), "conv3": ("max_pool",), "head": ("conv3",)}
"""Layers with weights of the digits network, and the map that each reads."""


def digits() -> tuple[QuantizedNetwork, Arch]:
    """Return the shipped network and its chip."""
    return load_network(DIGITS), load_arch(SMALL)


def lowest(steps: list[LayerStep], outputs: int, inputs: int) -> int:
    """Return the cycles of the lowest step that holds a layer."""
    return min(s.cycles for s in steps if outputs <= s.outputs and inputs <= s.inputs)


def assert_steps_are_the_models(
    program: Program, network: QuantizedNetwork, arch: Arch, steps: dict[str, list[LayerStep]]
) -> None:
    """Compare the cycles of each layer with weights in each mode."""
    model = CycleModel(program, arch)
    for mode in range(len(network.graph.modes)):
        found = {each.layer: each.cycles for each in model.predict(modes=[mode]).found}
        for name, (source,) in LAYERS.items():
            outputs = network.map_of(name).channels_in(mode)
            inputs = network.map_of(source).channels_in(mode)
            assert found[name] == lowest(steps[name], outputs, inputs), (name, mode)


@pytest.mark.promise(
    "staircases are the cycles of the model, also of tables that arrive after load, and the"
    " committed files are fresh"
)
def test_steps_of_loaded_weights_are_the_models() -> None:
    """The four modes of the program, and random tables that arrive after load."""
    network, arch = digits()
    cost = SplitCost(arch)
    steps = staircases(network, arch, layer_cost=cost, loaded=True)
    program = compile_network(network, arch, layer_cost=cost)
    assert_steps_are_the_models(program, network, arch, steps)
    for seed in range(3):
        other = retabled(network, {"drawn": draw_widths(network, seed)})
        later = recompile(program, other, arch, layer_cost=cost)
        assert_steps_are_the_models(later, other, arch, steps)


def test_a_program_of_its_own_reaches_the_steps() -> None:
    network, arch = digits()
    cost = SplitCost(arch)
    steps = staircases(network, arch, layer_cost=cost)
    slim = retabled(
        network, {"slim": {"conv1": 12, "conv2": 8, "max_pool": 8, "conv3": 16, "average_pool": 16}}
    )
    assert_steps_are_the_models(compile_network(slim, arch, layer_cost=cost), slim, arch, steps)
    loaded = staircases(network, arch, layer_cost=cost, loaded=True)
    for name, each in loaded.items():
        for step in each:
            assert lowest(steps[name], step.outputs, step.inputs) <= step.cycles


def test_a_linear_layer_over_rows_has_one_step() -> None:
    """Cells of such a layer belong to a mode; its kernels take two rounds here."""
    arch = arch_of("tiny", array=ArraySize(rows=128, columns=64))
    window: dict[str, Any] = {"kernel": (1, 1), "stride": (1, 1), "padding": (0, 0, 0, 0)}
    network = chain(
        6, channels=((4, 3, 2),), shape=(4, 3, 3), pooled=False, head=(11, 9, 4), **window
    )
    cost = SplitCost(arch)
    program = compile_network(network, arch, layer_cost=cost)
    steps = CycleModel(program, arch).predict(modes=[0]).found
    rounds = [step.cycles for step in steps if step.layer == "linear_1"]
    assert len(rounds) == 2
    (found,) = staircases(network, arch, layer_cost=cost, loaded=True)["linear_1"]
    assert (found.outputs, found.inputs, found.cycles) == (11, 4, sum(rounds))
    (alone,) = staircases(network, arch, layer_cost=cost)["linear_1"]
    assert alone.cycles <= found.cycles


def test_steps_that_another_holds_are_left_out() -> None:
    low = LayerStep(outputs=4, inputs=4, cycles=9)
    wide = LayerStep(outputs=8, inputs=8, cycles=9)
    fast = LayerStep(outputs=4, inputs=8, cycles=5)
    assert needed([low, wide]) == [wide]
    assert needed([low, fast, wide]) == [fast, wide]
    assert needed([low, replace(wide, cycles=10)]) == [low, replace(wide, cycles=10)]


def test_the_files_are_what_the_model_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(DIGITS), str(SMALL)]) == 0
    assert capsys.readouterr().out == (STAIRS / "adaptive_cnn_small.yaml").read_text()
    network, arch = digits()
    assert staircase_text(network, arch) == staircase_text(network, arch)
    resnet20 = load_network(CONFIGS / "networks" / "cadnn_cifar10_resnet20.npz")
    made = staircase_text(resnet20, load_arch(CONFIGS / "mram" / "paper.yaml"), loaded=True)
    assert made == (STAIRS / "resnet20_paper.yaml").read_text()


def test_mistakes_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(DIGITS)]) == 2
    assert capsys.readouterr().err.startswith("usage: ")
    assert main([str(DIGITS), str(tmp_path / "none.yaml")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1
