"""Parameter words of the DPU: bias, multiplier and shift of each kernel, equal words once.

Tests: `tests/mram/compiler/test_step_list.py`.
"""

from collections.abc import Sequence

from hwgen.mram.compiler.units import Unit
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.stream import NO_KERNEL, LaneParameters
from hwgen.network import AveragePool, Conv, Linear, QuantizedNetwork, Rescale
from hwgen.network.quantization import MULTIPLIER_LOW

UNCHANGED = LaneParameters(bias=0, multiplier=MULTIPLIER_LOW, shift=15)
"""Parameters that leave a value as it is: M / 2**s = 1."""

Word = tuple[LaneParameters, ...]


class Words:
    """Parameter words of all records."""

    def __init__(self, arch: Arch) -> None:
        self._arch = arch
        self.words: list[Word] = []
        self._known: dict[tuple[Word, ...], int] = {}

    def parameter(
        self, unit: Unit, network: QuantizedNetwork, mode: int, *, first: int, kernels: int
    ) -> int:
        """Return the index of the first word of kernels `first` on."""
        lanes = lanes_of(unit, network, mode, first, kernels)
        size = self._arch.block
        lanes += [NO_KERNEL] * (-len(lanes) % size)
        words = tuple(tuple(lanes[at : at + size]) for at in range(0, len(lanes), size))
        if words not in self._known:
            self._known[words] = len(self.words)
            self.words += words
        return self._known[words]


def lanes_of(
    unit: Unit, network: QuantizedNetwork, mode: int, first: int, kernels: int
) -> list[LaneParameters]:
    """Return the parameters of each kernel."""
    layer = unit.layer
    if isinstance(layer, Conv | Linear):
        return weighted_lanes(layer, network, mode, range(first, first + kernels))
    lane = UNCHANGED
    if isinstance(layer, AveragePool | Rescale):
        zero = network.map_of(layer.inputs[0]).quantization[mode].zero_point
        if isinstance(layer, AveragePool) and layer.center is not None:
            zero = layer.center
        taps = layer.kernel[0] * layer.kernel[1] if isinstance(layer, AveragePool) else 1
        factors = layer.requantization[mode]
        lane = LaneParameters(
            bias=-taps * zero, multiplier=factors.multipliers[0], shift=factors.shift
        )
    return [lane] * kernels


def weighted_lanes(
    layer: Conv | Linear, network: QuantizedNetwork, mode: int, kernels: Sequence[int]
) -> list[LaneParameters]:
    """Return the parameters of some kernels of a layer with weights."""
    given = network.parameters[layer.name]
    bias = [int(given.bias[mode, kernel]) for kernel in kernels]
    if layer.output.raw:
        return [NO_KERNEL._replace(bias=each) for each in bias]
    return [
        LaneParameters(
            bias=each,
            multiplier=int(given.multiplier[mode, kernel]),
            shift=int(given.shift[mode, kernel]),
        )
        for each, kernel in zip(bias, kernels, strict=True)
    ]
