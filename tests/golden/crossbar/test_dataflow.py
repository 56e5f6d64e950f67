"""The graph of IRs: operations, parameters and dependencies, by hand and by counting."""

from pathlib import Path

import pytest

from golden.crossbar.dataflow import compile_dataflow
from golden.crossbar.ir import Dataflow, Node, Operation
from hwgen.crossbar.facts.components import load_components
from hwgen.crossbar.facts.layout import Choice, floorplan
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from tests.crossbar.model.layers import conv, fc, layer, pool

ROOT = Path(__file__).parents[3]
COMPONENTS = load_components(ROOT / "configs" / "crossbar" / "components.yaml")
POINT = Point(rram_ratio=None, cell_bits=2, side=128, dac_bits=1)
"""8 cells a weight, 16 bit steps."""

LAYERS = (
    conv("one", (), (3, 200), (8, 8), window=(3, 1, 1)),
    pool("half", (0,), 200, (8, 4), window=(2, 2, 0)),
    conv("two", (1,), (200, 10), (4, 4), window=(3, 1, 1), activation="none"),
    fc("last", (2,), (160, 5), activation="sigmoid"),
)


def compiled(
    layers: tuple[CrossbarLayer, ...],
    copies: tuple[int, ...],
    macros: tuple[int, ...],
    partner: tuple[int, ...] = (),
    rules: Rules = PUBLISHED,
) -> Dataflow:
    network = CrossbarNetwork(name="net", input_channels=3, input_side=8, layers=layers)
    choice = Choice(
        copies=copies,
        macros=macros,
        partner=partner or (-1,) * len(layers),
        clocks=(1,) * len(layers),
    )
    return compile_dataflow(network, COMPONENTS, POINT, rules, choice)


@pytest.fixture
def flow() -> Dataflow:
    return compiled(LAYERS, (16, 1, 3, 1), (1, 0, 4, 2))


def names(flow: Dataflow, place: int) -> list[str]:
    return [operation.name for operation in flow.layers[place].operations]


def test_operations(flow: Dataflow) -> None:
    matrix = ["load", "mvm", "adc", "shift_add", "addition"]
    assert names(flow, 0) == [*matrix, "relu", "store"]
    assert names(flow, 1) == ["load", "pool", "store"]
    assert names(flow, 2) == ["transfer", *matrix, "store", "merge"]
    assert names(flow, 3) == ["transfer", *matrix, "sigmoid", "store", "merge"]


def test_parameters(flow: Dataflow) -> None:
    """Layer `two`: 1800 rows are 15 tiles, 10 outputs 1; 3 copies in 4 macros.

    Rows are split in ceil(4 / 3) = 2, copies in ceil(4 / 2) = 2, so a macro holds 2 copies of 900
    rows. A block brings 2 new columns and a window of 3 of 100 channels.
    """
    bits = {operation.name: operation for operation in flow.layers[2].operations}
    crossbars = 3 * 15 * 8
    assert bits["transfer"] == Operation(
        ir="transfer", vec_width=(2 * 1 + 3) * 100, src=(0,), dst=(1, 2, 3, 4)
    )
    assert bits["load"] == Operation(ir="load", vec_width=900 * 2 * 8)
    assert bits["mvm"] == Operation(ir="mvm", per_bit=True, xb_num=crossbars)
    assert bits["adc"] == Operation(ir="adc", per_bit=True, vec_width=crossbars * 128)
    assert bits["shift_add"].vec_width == crossbars * 128
    assert bits["addition"] == Operation(ir="alu", aluop="addition", vec_width=3 * 10 * 15 * 8)
    assert bits["store"] == Operation(ir="store", vec_width=2 * 10)
    assert bits["merge"] == Operation(ir="merge", vec_width=2 * 10, macro_num=4)


def test_blocks_and_needs(flow: Dataflow) -> None:
    """16 of 64 pixels a block are two rows of 8: a row of the pooling, as many blocks, needs one.

    Layer `two` computes 3 pixels of a row of 4 a block, each with a window of 3 rows and columns of
    a map of 4 x 4 in blocks of 4, a row each. Its pixels 3, 6, 9, 12, 15 and 16 end in rows 1, 2,
    3, 3, 4, 4, and need rows 2, 3, 4, 4, 4, 4.
    """
    assert [one.blocks for one in flow.layers] == [4, 4, 6, 1]
    assert flow.layers[0].needs == ()
    assert flow.layers[1].needs == ((0, (0, 1, 2, 3)),)
    assert flow.layers[2].needs == ((1, (1, 2, 3, 3, 3, 3)),)
    assert flow.layers[3].needs == ((2, (5,)),)


def test_edges_of_a_node(flow: Dataflow) -> None:
    first_bit = {(edge.kind, edge.target) for edge in flow.edges_from(Node(0, 1, 2, 0))}
    assert first_bit == {
        ("inter-bit", Node(0, 1, 2, 1)),
        ("inter-operation", Node(0, 1, 3, 0)),
        ("inter-block", Node(0, 2, 2, 0)),
    }
    assert [edge.target for edge in flow.edges_from(Node(0, 1, 2, 7))] == [Node(0, 1, 2, 8)]
    assert list(flow.edges_from(Node(0, 1, 2, 15))) == []
    assert [(edge.kind, edge.target) for edge in flow.edges_from(Node(1, 2, 2, 0))] == [
        ("inter-block", Node(1, 3, 2, 0)),
        ("inter-layer", Node(2, 1, 0, 0)),
    ]


def test_every_ir_once_and_no_circle(flow: Dataflow) -> None:
    nodes = list(flow.nodes())
    assert len(nodes) == len(set(nodes)) == 4 * (4 + 48) + 4 * 3 + 6 * (5 + 48) + (6 + 48)
    behind: dict[Node, int] = dict.fromkeys(nodes, 0)
    for edge in flow.edges():
        behind[edge.target] += 1
    ready = [node for node in nodes if behind[node] == 0]
    done = 0
    while ready:
        done += 1
        for edge in flow.edges_from(ready.pop()):
            behind[edge.target] -= 1
            if behind[edge.target] == 0:
                ready.append(edge.target)
    assert done == len(nodes)


def test_two_layers_in_the_same_macros() -> None:
    """The second layer's outputs come together in the first macro of the pair."""
    flow = compiled(LAYERS, (16, 1, 2, 1), (3, 0, 0, 1), partner=(2, -1, 0, -1))
    assert flow.layers[0].operations[-1].macro_num == 3
    assert flow.layers[2].operations[0].src == (2,)
    assert flow.layers[2].operations[0].dst == (0, 1, 2)
    assert flow.layers[3].operations[0].src == (0,)


def test_a_layer_waits_for_both_its_providers() -> None:
    layers = (
        conv("one", (), (3, 8), (4, 4), window=(1, 1, 0)),
        conv("other", (), (3, 8), (4, 4), window=(1, 1, 0)),
        layer("sum", "eltwise", (0, 1), (8, 8), (4, 4)),
    )
    flow = compiled(layers, (4, 2, 1), (1, 1, 0))
    assert flow.layers[2].blocks == 8
    assert flow.layers[2].needs == (
        (0, (0, 0, 1, 1, 2, 2, 3, 3)),
        (1, tuple(range(8))),
    )
    assert flow.layers[2].operations[0].src == (0, 1)


def test_groups_are_dense_as_published() -> None:
    layers = (conv("one", (), (8, 8), (4, 4), window=(3, 1, 1), groups=8),)
    strict = compiled(layers, (1,), (1,), rules=STRICT)
    published = compiled(layers, (1,), (1,))
    # Strict: a transfer of the image comes first.
    assert strict.layers[0].operations[1].vec_width == 72 * 1 * 8
    assert published.layers[0].operations[0].vec_width == 72 * 8
    wide = (conv("one", (), (64, 64), (4, 4), window=(3, 1, 1), groups=2),)
    strict, published = (compiled(wide, (1,), (1,), rules=r) for r in (STRICT, PUBLISHED))
    assert strict.layers[0].operations[2].xb_num == 3 * 2 * 8
    assert published.layers[0].operations[1].xb_num == 5 * 8


def test_snake() -> None:
    """Five macros stand in 3 rows of 2: 0 1 / 3 2 / 4; routes go along the row first.

    Nodes are numbered row by row, so macros 2, 3 and 4 stand at 3, 2 and 4.
    """
    network = CrossbarNetwork(name="net", input_channels=3, input_side=8, layers=LAYERS)
    choice = Choice(
        copies=(64, 1, 9, 1), macros=(1, 0, 3, 1), partner=(-1, -1, -1, -1), clocks=(1, 1, 1, 1)
    )
    plan = floorplan(network, COMPONENTS, POINT, STRICT, choice)
    assert (plan.macros, plan.mesh_rows, plan.mesh_columns) == (5, 3, 2)
    assert [plan.position(macro) for macro in range(5)] == [(0, 0), (0, 1), (1, 1), (1, 0), (2, 0)]
    assert [plan.node(macro) for macro in range(5)] == [0, 1, 3, 2, 4]
    assert plan.route(0, 2) == [(0, 1), (1, 3)]
    assert plan.route(2, 0) == [(3, 2), (2, 0)]
    assert plan.hops(1, 4) == 3
