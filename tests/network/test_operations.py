"""Nodes of a graph carry the attributes of their operation."""

import pytest

from hwgen.network.operations import OPERATIONS, Mean, Node, Plain, Refused


def test_a_sentence_names_a_node() -> None:
    node = Node(op="relu", name="r", operator="Relu", inputs=("a",), outputs=("b",))
    assert (node.label, node.attributes) == ("node r (Relu)", Plain())


@pytest.mark.parametrize("op", [op for op, kind in OPERATIONS.items() if kind is not Mean])
def test_attributes_of_another_operation(op: str) -> None:
    with pytest.raises(TypeError, match=f"the attributes of {op} must be .*, got Mean"):
        Node(
            op=op,
            name="n",
            operator="N",
            inputs=(),
            outputs=("z",),
            attributes=Mean(axes=()),
        )


def test_a_node_is_refused_for_itself_unless_it_is_said() -> None:
    assert not Refused(what="axis", allowed="1", given="2").dependent
