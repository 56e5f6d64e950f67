"""The operations that a block of a layer goes through, in their order."""

from typing import Literal, get_args

OperationName = Literal[
    "transfer",
    "load",
    "mvm",
    "adc",
    "shift_add",
    "addition",
    "pool",
    "eltwise",
    "chain",
    "activation",
    "gather",
    "store",
    "merge",
    "send",
    "result",
]
"""A layer has those that it needs; `merge` belongs to published rules alone."""

OPERATIONS: tuple[OperationName, ...] = get_args(OperationName)

PER_BIT: tuple[OperationName, ...] = ("mvm", "adc", "shift_add")
"""Repeated for each bit step of a block, without a gap."""

TRAVELS: tuple[OperationName, ...] = ("transfer", "chain", "gather", "merge", "send", "result")
"""What needs links of the mesh."""
