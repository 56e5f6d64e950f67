"""The roundings and multipliers of layers, as far as a chip's requantizers have them."""

from collections.abc import Iterator, Sequence

from hwgen.network.graph import Layer, QuantizedNetwork
from hwgen.network.layer import Requantized
from hwgen.network.quantization import ANY_SUMS, HALF_UP, Rounding
from hwgen.network.weights import Weighted


def factor_refusals(
    network: QuantizedNetwork,
    layer: Layer,
    *,
    roundings: Sequence[Rounding] = (HALF_UP,),
    most: int = ANY_SUMS.multiplier_high,
) -> Iterator[tuple[str, str, object]]:
    """Yield the rounding of a layer that a chip does not have, and multipliers above `most`."""
    if isinstance(layer, Weighted):
        given = network.parameters[layer.name].multiplier
        largest = int(given.max()) if given.size else 0
    elif isinstance(layer, Requantized):
        largest = max(max(entry.multipliers) for entry in layer.requantization)
    else:
        return
    if layer.rounding not in roundings:
        yield "rounding", " or ".join(roundings), layer.rounding
    elif largest > most:
        yield "multipliers", f"at most {most}", largest
