"""In which order the operations of a chip are granted, and what holds them apart in time."""

from collections.abc import Iterator

from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.operations import PER_BIT, TRAVELS, OperationName

Key = tuple[int, OperationName]
"""A layer, and the name of one of its operations."""

RISING = ("transfer", "send", "gather", "chain")
"""Of the travels of one layer the later one here goes first; `result` has the place of `send`."""


def to_next(layer: ChipLayer, k: int) -> int:
    """Return the steps from the start of an operation to that of the next one, at least."""
    operation = layer.operations[k]
    following = layer.operations[k + 1].name if k + 1 < len(layer.operations) else ""
    both = operation.name in PER_BIT and following in PER_BIT
    return operation.steps if both else operation.busy


def back(layer: ChipLayer, k: int) -> int:
    """Return the steps from the next operation to this one of the next block; 0: none.

    Registers between two operations are taken over while the last step of the second one runs.
    """
    if k + 1 == len(layer.operations) or layer.operations[k].name in PER_BIT:
        return 0
    return max(1, layer.operations[k + 1].busy - 1)


def travels_in_order(chip: Chip) -> list[Key]:
    """Return all operations that travel, who goes first at a link first: the later layer."""
    keys = [
        (layer.place, operation.name)
        for layer in chip.layers
        for operation in layer.operations
        if operation.name in TRAVELS
    ]
    return sorted(
        keys,
        key=lambda key: (key[0], RISING.index("send" if key[1] == "result" else key[1])),
        reverse=True,
    )


def pairs(chip: Chip) -> Iterator[tuple[ChipLayer, ChipLayer, int]]:
    """Yield each layer that shares ADCs, its mate, and the steps that keep them apart.

    A layer may multiply that many steps after its mate began, when the mate's conversions, of all
    bits and a bit step behind, end before its own begin.
    """
    for layer in chip.layers:
        if layer.mate is not None:
            mate = chip.layers[layer.mate]
            yield layer, mate, (chip.bit_steps + 1) * mate.clocks_per_bit - layer.clocks_per_bit
