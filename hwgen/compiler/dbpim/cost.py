"""Choose the split of a layer: by a cycle model that the caller gives, or by an estimate."""

from collections.abc import Callable, Sequence
from typing import Protocol

from hwgen.compiler.dbpim.split import Split
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.stream import Packet


class LayerCost(Protocol):
    """Cycles of one split of a layer; the lowest wins, of equal ones that with fewest sets."""

    def __call__(self, layer: str, packets: Sequence[Packet]) -> float:
        """Return the cost of the layer's instruction and its tiles, as they would be sent."""


def estimate(split: Split, arch: Arch) -> int:
    """Return max(cycles of the busiest set, beats of the memory port).

    A set computes each of its groups for all vectors of its first core, which has the most, and
    stalls one cycle for every row that is written. The port sends every tile once for each chunk.
    """
    busiest = max(
        sum(split.count(0) * group.cycles(arch) + split.chunks * group.rows for group in groups)
        for groups in split.sets
    )
    beats = sum(group.beats(arch) for groups in split.sets for group in groups)
    return max(busiest, split.chunks * beats)


def cheapest(
    splits: Sequence[Split],
    arch: Arch,
    *,
    packets: Callable[[Split], Sequence[Packet]],
    layer: str,
    layer_cost: LayerCost | None,
) -> Split:
    """Return the split of lowest cost; `packets` encodes a split for `layer_cost`."""
    if layer_cost is None:
        return min(splits, key=lambda split: estimate(split, arch))
    return min(splits, key=lambda split: layer_cost(layer, packets(split)))
