"""The roundings and multipliers of layers, as far as a chip's requantizers have them."""

from collections.abc import Iterator, Sequence

from hwgen.network.add import Add
from hwgen.network.graph import Layer, QuantizedNetwork
from hwgen.network.layer import Requantized
from hwgen.network.quantization import HALF_UP, SHIFT_HIGH, Rounding
from hwgen.network.weights import Weighted

REMEDIES: dict[Rounding, str] = {
    "float32": (
        "set `rounding: [half_up, float32]` in the architecture, or import the network with"
        " `--kernels half_up`"
    ),
    "tflite": "import the network with `--kernels default` or `--kernels half_up`",
}
"""What helps where a chip lacks the rounding of a network."""


def factor_refusals(
    network: QuantizedNetwork,
    layer: Layer,
    *,
    roundings: Sequence[Rounding],
    multiplier_bits: int,
    factor_bits: int,
) -> Iterator[tuple[str, str, object]]:
    """Yield what of a layer the requantizers of a chip cannot scale.

    roundings: of the chip; multiplier_bits: of its multipliers; factor_bits: of those of an `add`
    """
    if isinstance(layer, Weighted):
        given = network.parameters[layer.name]
        multiplier = int(given.multiplier.max(initial=0))
        shift = int(given.shift.max(initial=0))
    elif isinstance(layer, Requantized):
        multiplier = max(max(entry.multipliers) for entry in layer.requantization)
        shift = max(entry.shift for entry in layer.requantization)
    else:
        return
    bits = factor_bits if isinstance(layer, Add) else multiplier_bits
    if layer.rounding not in roundings:
        allowed = f"{' or '.join(roundings)}, as the architecture says,"
        yield "rounding", allowed, f"{layer.rounding}: {REMEDIES[layer.rounding]}"
    elif multiplier >> bits:
        yield "multipliers", f"below 2^{bits}", multiplier
    elif layer.rounding == HALF_UP and shift > SHIFT_HIGH:
        yield "shifts", f"at most {SHIFT_HIGH}", shift
