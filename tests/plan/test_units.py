"""Units: what hangs together between borders."""

from hwgen.plan.units import TensorFacts, Unit, UnitGraph, in_units

FACTS = TensorFacts(type="uint8", sides=(1, 2, 3, 3))


def graph_of(*units: Unit) -> UnitGraph:
    """Return a graph of units whose tensors are all borders; the last writes the output."""
    names = {name for unit in units for name in (*unit.inputs, *unit.outputs)}
    return UnitGraph(
        units=units,
        tensors=dict.fromkeys(names, FACTS),
        names=[],
        operators=[],
        inputs=("x",),
        outputs=units[-1].outputs,
    )


def unit(inputs: str, outputs: str, products: int = 0) -> Unit:
    """Return a unit; names are letters."""
    return Unit(nodes=(), inputs=tuple(inputs), outputs=tuple(outputs), products=products)


def test_nodes_between_borders_are_one_unit() -> None:
    reads = {0: ["x"], 1: ["a"], 2: ["b"], 3: ["b", "c"]}
    writes = {"a": 0, "b": 1, "c": 2, "y": 3}
    assert in_units(reads, writes, {"b"}) == [(0, 1), (2, 3)]
    assert in_units(reads, writes, {"b", "c"}) == [(0, 1), (2,), (3,)]


def test_units_that_wait_for_each_other_are_one() -> None:
    # 0 and 2 hang together by the real number r, and 1 stands between them.
    reads = {0: ["x"], 1: ["a"], 2: ["b", "r"]}
    writes = {"a": 0, "r": 0, "b": 1, "y": 2}
    assert in_units(reads, writes, {"a", "b"}) == [(0, 1, 2)]


def test_ends_are_what_crosses() -> None:
    graph = graph_of(unit("x", "a"), unit("a", "b"), unit("ab", "c"))
    assert graph.ends_of((1,)) == (("a",), ("b",))
    assert graph.ends_of((1, 2)) == (("a",), ("c",))
    assert graph.ends_of((0, 1, 2)) == (("x",), ("c",))
    assert graph.before == [0, 1, 3]


def test_a_unit_with_other_numbers_than_bytes_stays() -> None:
    graph = graph_of(unit("x", "a"), unit("a", "b"))
    real = dict(graph.tensors) | {"x": TensorFacts(type="float32", sides=(1,))}
    other = UnitGraph(**(vars(graph) | {"tensors": real}))
    assert other.staying() == {0: "reads numbers that are no bytes"}
