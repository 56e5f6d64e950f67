"""What the host computes of maps at the end of a network: indices, lengths, distances.

The network ends at the maps, as it does in front of what a file computes of lists.

Tests: `tests/importers/onnx/test_host.py`.
"""

from collections.abc import Mapping

import onnx

from hwgen.importers.integer.nodes import Addition, Multiplication
from hwgen.importers.onnx.qdq.functions import ORDER_KEPT
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Operation, Real, Step, Value

HOST = frozenset(
    {"ArgMax", "ArgMin", "Hardmax", "LpNormalization", "ReduceL1", "ReduceL2", "ReduceSum",
     "ReduceSumSquare", "TopK"}
)  # fmt: skip
"""Operators at the end that no layer is made of."""
OF_TWO_MAPS = (Addition, Multiplication)
"""Nodes that the host computes where nothing quantizes them."""


def is_head(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> bool:
    """Return whether a node at the end of the network is the host's."""
    of_maps = any(isinstance(each, Real) and not each.integer for each in inputs)
    return proto.op_type in HOST and proto.output[0] in state.endings and of_maps


def maps_before(
    state: State, name: str, real: Real
) -> tuple[Mapping[str, None], Mapping[Step, None]]:
    """Return the tensors of maps in front of what the host computes of a tensor, and its nodes.

    The tensor itself, and no node, where the network can end there.
    """
    base = real.base
    if isinstance(base, Operation):
        own = Step(name=base.name, operator=base.operator, moves=False)
        names, steps = base.inputs, (own, *real.trail)
        computed = base.kind in OF_TWO_MAPS
    else:
        names, steps = (base,), real.trail
        computed = not real.plain and any(
            not each.moves and each.operator not in ORDER_KEPT for each in steps
        )
    if not computed or not all(isinstance(state.values.get(each), Real) for each in names):
        return {name: None}, {}
    return dict.fromkeys(names), dict.fromkeys(steps)
