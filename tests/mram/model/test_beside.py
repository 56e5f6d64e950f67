"""Layers beside the bound of the cells, and the page that says so."""

from collections import defaultdict
from pathlib import Path
from statistics import median

import pytest

from hwgen.mram.compiler import compile_network
from hwgen.mram.facts.program import Program
from hwgen.mram.model import CycleModel, SplitCost
from hwgen.mram.model.beside import Beside, beside_bound
from hwgen.network import Conv, QuantizedNetwork
from tests.mram.compiler.archs import arch_of
from tests.mram.compiler.test_mobile import NETWORKS
from tests.mram.compiler.test_walks import matrices

PAGE = Path(__file__).parents[3] / "docs" / "mram-compiler.md"
ARCH = arch_of("paper_any")


def found_of(network: QuantizedNetwork) -> tuple[Program, list[Beside]]:
    """Return the program of a network, and its layers beside their bounds."""
    program = compile_network(network, ARCH, layer_cost=SplitCost(ARCH))
    return program, beside_bound(CycleModel(program, ARCH).predict().found, ARCH)


def kind(network: QuantizedNetwork, program: Program, layer: str) -> str:
    """Return the kind of a layer with weights, which an addition may have taken in."""
    inside = {step.layer: step.fused[0] for step in program.facts.modes[0].steps if step.fused}
    (own,) = (each for each in network.layers if each.name == inside.get(layer, layer))
    if not isinstance(own, Conv):
        return "others"
    return "depthwise" if own.groups > 1 else "1 x 1" if own.kernel == (1, 1) else "others"


def test_a_matrix_beside_its_bound() -> None:
    """64 x 64 products of 64 pairs of bits, of 64 x 512 columns: eight cycles."""
    _, (found,) = found_of(matrices(1, channels=64))
    assert (found.bound, found.cycles) == (8, 94)
    # Of four segments of 72 columns 64 are used; 16 of 64 sub-arrays do 64 ANDs.
    assert found.filled == 4 * 64 / 512
    assert found.busy == 64 * 16 / (94 * 64)
    assert found.ratio == pytest.approx(1 / (found.filled * found.busy))


@pytest.mark.promise("a page says how far each kind of layer is from the bound of its cells")
@pytest.mark.parametrize("name", NETWORKS)
def test_the_table_of_the_page_is_that_of_the_model(name: str) -> None:
    network = NETWORKS[name]()
    program, found = found_of(network)
    kinds = defaultdict[str, list[Beside]](list)
    for each in found:
        kinds[kind(network, program, each.layer)].append(each)
    said = PAGE.read_text()
    for what, layers in kinds.items():
        numbers = (
            median(layer.ratio for layer in layers),
            min(layer.ratio for layer in layers),
            median(layer.filled for layer in layers),
            median(layer.busy for layer in layers),
        )
        ratio, best, filled, busy = numbers
        line = f"| {name} | {what} | {len(layers)} | {ratio:.1f} | {best:.1f} |"
        assert f"{line} {filled:.2f} | {busy:.2f} |" in said
