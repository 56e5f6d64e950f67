"""What the compiler knows while it goes from layer to layer."""

from dataclasses import dataclass

from hwgen.compiler.dbpim.cost import LayerCost
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.program import Region
from hwgen.spec.network import QuantizedNetwork


@dataclass(frozen=True, kw_only=True)
class Task:
    """A network, an architecture, and where the maps lie, by layer name.

    layer_cost: judges splits of a layer; None: the compiler's own estimate
    """

    network: QuantizedNetwork
    arch: Arch
    regions: dict[str, Region]
    layer_cost: LayerCost | None
