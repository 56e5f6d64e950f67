"""Networks of several outputs: all of them lie in memory, and the stream gives each byte."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.dbpim.facts.program_file import load_program, save_program
from hwgen.errors import CompileError, FormatError, RefusedNodesError
from tests.dbpim.compiler.archs import SMALL, draw_arch
from tests.dbpim.compiler.test_execute import check
from verif.common.drawing import with_outputs
from verif.dbpim.random_network import Recipe, draw_recipe, random_network

RECIPE = Recipe(kinds=("conv", "residual", "max_pool", "stride"), end="byte_conv")


def check_outputs(seed: int) -> None:
    """Check a random network of several outputs on a random chip with up to four images."""
    network = with_outputs(random_network(draw_recipe(seed), seed=seed), seed=seed)
    try:
        program, _ = check(network, draw_arch(seed), images=1 + seed % 4, seed=seed)
    except (CompileError, RefusedNodesError) as error:
        assert "must fit the logit buffer" in str(error) or "activation buffer" in str(error)
    else:
        assert tuple(plan.layer for plan in program.facts.answers) == network.graph.outputs


@pytest.mark.dear("9")
@pytest.mark.promise(
    "a dbpim chip writes every output of a network to memory: random networks of up to four outputs"
    " give golden's bytes in each"
)
@pytest.mark.parametrize("seed", range(20))
def test_random(seed: int) -> None:
    check_outputs(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20, 200))
def test_many_random(seed: int) -> None:
    check_outputs(seed)


def test_outputs_follow_one_another_in_memory(tmp_path: Path) -> None:
    """In the order of the file, no two at one place; a program file keeps them."""
    network = with_outputs(random_network(RECIPE, seed=3), seed=3)
    program, _ = check(network, SMALL, images=2)
    plans = program.facts.answers
    assert len(plans) > 1
    starts = [offset for plan in plans for offset in plan.offsets]
    ends = [offset + plan.size for plan in plans for offset in plan.offsets]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
    save_program(program, tmp_path / "program.npz")
    assert load_program(tmp_path / "program.npz").facts == program.facts
    plans[1].offsets.append(0)
    save_program(program, tmp_path / "program.npz")
    with pytest.raises(FormatError, match=r"further\.0\.offsets"):
        load_program(tmp_path / "program.npz")


def test_an_output_that_an_addition_reads_is_not_taken_into_it() -> None:
    network = random_network(RECIPE, seed=1)
    program, _ = check(network, SMALL)
    fused = {name for step in program.facts.steps for name in step.fused}
    assert fused
    name = min(fused)
    graph = network.graph
    both = type(graph)(**{**vars(graph), "outputs": (name, network.answer)})
    kept, found = check(type(network)(**{**vars(network), "graph": both}), SMALL)
    assert name not in {each for step in kept.facts.steps for each in step.fused}
    assert np.ptp(found.maps[name]) > 0
