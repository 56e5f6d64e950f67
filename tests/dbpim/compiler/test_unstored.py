"""Which maps a chip never stores whole: by the network and the instructions, not by the facts."""

from dataclasses import replace

import pytest

from hwgen.dbpim.compiler import compile_network, unstored
from hwgen.dbpim.facts.program import Program
from tests.dbpim.compiler.archs import SMALL
from tests.dbpim.compiler.test_execute import RESNET20


def without_bytes(program: Program) -> Program:
    """Return a program whose facts say that no step stores bytes of a map."""
    steps = [replace(step, whole_words=False) for step in program.facts.steps]
    return replace(program, facts=replace(program.facts, steps=steps))


@pytest.mark.promise(
    "fused maps follow from the network and the instructions; any other unchecked map differs"
)
def test_convolutions_that_additions_take_in() -> None:
    program = compile_network(RESNET20, SMALL)
    blocks = [(stage, block) for stage in (1, 2, 3) for block in (1, 2, 3)]
    expected = {f"stage{stage}_block{block}_conv2" for stage, block in blocks}
    for given in (program, without_bytes(program)):
        assert unstored(RESNET20, given, SMALL) == expected
