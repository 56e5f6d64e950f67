"""Networks of several outputs: all of them lie in memory, in the file's order."""

from dataclasses import replace
from pathlib import Path

import pytest

from golden.network import infer
from hwgen.errors import CompileError
from hwgen.mram.compiler import compile_network
from hwgen.mram.compiler import modes as modes_of_compiler
from hwgen.mram.facts import Arch, Program
from hwgen.mram.facts.in_memory import in_memory
from hwgen.mram.facts.program_file import load_program, save_program
from hwgen.network import QuantizedNetwork
from tests.mram.compiler.archs import arch_of
from tests.mram.compiler.executor import Chip
from tests.mram.compiler.nets import images_of, residual
from tests.mram.compiler.test_execute import check
from verif.common.drawing import with_outputs
from verif.mram.random_network import OfOnes, draw_adaptive

ARCH = arch_of("tiny", answer_entries=1024)


def checked(network: QuantizedNetwork, arch: Arch = ARCH, *, seed: int = 3) -> Program:
    """Compile a network and compare all outputs and maps of all modes with golden."""
    program = compile_network(network, arch)
    check(network, arch, Chip(program, arch), seed=seed)
    return program


def blocks(seed: int) -> QuantizedNetwork:
    return residual(seed, widths=((4, 3), (8, 5)), size=4)


def residual_outputs(seed: int) -> QuantizedNetwork:
    return with_outputs(blocks(seed), seed=seed)


@pytest.mark.promise(
    "an mram chip writes every output of a network to memory: random networks of two to four"
    " outputs give golden's elements in each, in every mode"
)
@pytest.mark.parametrize("seed", range(12))
def test_random(seed: int) -> None:
    network = with_outputs(
        draw_adaptive(8, 8, seed=seed, channels=4, modes=1 + seed % 4), seed=seed
    )
    program = checked(network, seed=seed)
    assert 2 <= len(program.facts.answers) <= 4
    stores = [step for step in program.facts.modes[0].steps if step.kind == "answer"]
    assert len(stores) == len(network.graph.outputs)


@pytest.mark.parametrize("seed", range(20))
def test_sizes_of_one(seed: int) -> None:
    network = OfOnes(seed).build()
    if len(network.layers) > 1:
        checked(with_outputs(network, seed=seed), seed=seed)


def test_outputs_follow_one_another_in_memory(tmp_path: Path) -> None:
    network = residual_outputs(2)
    program = checked(network)
    plans = program.facts.answers
    assert tuple(plan.layer for plan in plans) == network.graph.outputs and len(plans) > 1
    images = images_of(network, 2, seed=1)
    maps = infer(network, images)
    memory = in_memory(program, ARCH, images, maps)
    ends = [each.offsets[0] + each.layout.size for each in memory.answers]
    starts = [each.offsets[0] for each in memory.answers]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
    assert memory.answer_stride >= ends[-1] and memory.answers[0].offsets[1] == memory.answer_stride
    save_program(program, tmp_path / "program.npz")
    assert load_program(tmp_path / "program.npz").facts == program.facts


def test_an_output_that_an_addition_reads_is_not_taken_into_it() -> None:
    network = blocks(1)
    fused = {name for step in checked(network).facts.modes[0].steps for name in step.fused}
    layers = {layer.name: layer for layer in network.layers}
    name = min(each for each in fused if layers[each].op == "conv")
    graph = replace(network.graph, outputs=(name, network.answer))
    steps = checked(replace(network, graph=graph)).facts.modes[0].steps
    assert name not in {each for step in steps for each in step.fused}
    assert [step.op for step in steps if step.layer == name] == ["conv", "copy"]


def test_a_shortcut_is_no_output() -> None:
    network = blocks(1)
    (name,) = (layer.name for layer in network.layers if layer.op == "shortcut")
    graph = replace(network.graph, outputs=(name, network.answer))
    with pytest.raises(CompileError, match="an output must be computed by itself"):
        compile_network(replace(network, graph=graph), ARCH)


def test_a_compiler_that_stores_all_at_one_place_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = modes_of_compiler.ModeRecords._answer
    monkeypatch.setattr(
        modes_of_compiler.ModeRecords,
        "_answer",
        lambda self, unit, plan: answer(self, unit, plan) | {"outside": 0},
    )
    with pytest.raises(AssertionError):
        checked(residual_outputs(2))
