"""Crossbars that err by golden and by AIHWKIT-Lightning, a simulator of analog tiles in torch.

`python -m hwgen_studies.lightning [SEEDS]` prints the table of docs/device-effects.md. It needs
`pip install aihwkit-lightning`, and no data but the digits that ship. Both compute all layers of
`digits_small_cnn`, with the same cells and mapping, one copy of each layer. A crossbar is an
`AnalogLinear` there: its weights are levels of cells, its inputs bits, its output range and
resolution those of the converter; shifts and sums behind it are digital. Variation is drawn by
torch and set as weights, since Lightning draws only additive noise itself.

Tests: `studies/tests/test_lightning.py`.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from golden.crossbar.effects import erring
from golden.crossbar.encoding import encode
from golden.network import predict
from golden.ops.windows import windows
from hwgen.chip.effects import DeviceEffects
from hwgen.commands.effects import devices_of
from hwgen.commands.images import choose_images
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.pages.accuracy import Copied
from hwgen.files.load import validate_spec
from hwgen.files.shipped import networks
from hwgen.network import Conv, Linear, QuantizedNetwork
from hwgen.network.file import load_network

Ints = NDArray[np.int64]
Crossbar = Callable[[torch.Tensor], torch.Tensor]
"""Digits of inputs (pixels, rows) to codes (pixels, columns), floats."""

POINT = Point(rram_ratio=None, cell_bits=2, side=128, dac_bits=1)
EFFECTS = (
    ("ADC 1 bit less", 0.0, 1),
    ("ADC 2 bits less", 0.0, 2),
    ("ADC 3 bits less", 0.0, 3),
    ("variation 5 %", 0.05, 0),
    ("variation 10 %", 0.1, 0),
)
"""Names, variation of the cells, and bits that converters have less than lossless."""


def plain(levels: torch.Tensor, most: int) -> Crossbar:
    """Return a crossbar in torch alone."""
    return lambda given: torch.clamp(torch.round(given @ levels.T), 0, most)


def analog_linear(levels: torch.Tensor, most: int) -> Crossbar:
    """Return a crossbar of Lightning; levels: (columns, rows); most: the last code."""
    configs = import_module("aihwkit_lightning.simulator.configs")
    config = configs.TorchInferenceRPUConfig()
    given = config.pre_post.input_range
    given.enable, given.learn_input_range, given.init_from_data = True, False, 0
    given.init_value = 1.0
    largest = float(levels.abs().max()) or 1.0
    config.forward.out_bound, config.forward.out_res = most / largest, 2 * most
    linear = import_module("aihwkit_lightning.nn").AnalogLinear
    made = linear(levels.shape[1], levels.shape[0], bias=False, rpu_config=config)
    made.weight.data = levels
    return cast(Crossbar, made.eval())


@dataclass
class Tiles:
    """All crossbars of a network, made when a layer is first computed.

    variation: deviation of the logarithm of a level; adc_bits: of the converters
    make: makes a crossbar of levels (columns, rows) and the last code
    """

    chip: Copied
    variation: float
    adc_bits: int
    seed: int
    make: Callable[[torch.Tensor, int], Crossbar] = analog_linear
    made: dict[str, list[tuple[Crossbar, Ints]]] = field(default_factory=dict)

    def __call__(
        self, network: QuantizedNetwork, layer: Conv | Linear, maps: NDArray[Any], mode: int
    ) -> Ints:
        """Return the sums of a layer without groups, as `golden.network` asks for them."""
        held = network.parameters[layer.name]
        inputs, shape = rows_of(network, layer, maps, mode)
        if layer.name not in self.made:
            weights = held.weights.reshape(len(held.weights), -1).T.astype(np.int64)
            self.made[layer.name] = list(self._tiles(weights))
        side = self.chip.point.side
        parts = [
            self._products(inputs[:, place * side : (place + 1) * side], *tile)
            for place, tile in enumerate(self.made[layer.name])
        ]
        sums: Ints = np.sum(parts, axis=0).reshape(*shape, -1) + held.bias[mode]
        return sums

    def _tiles(self, weights: Ints) -> Iterator[tuple[Crossbar, Ints]]:
        """Yield each row tile and its flips; weights: (rows, columns)."""
        drawn = torch.Generator().manual_seed(1000 * self.seed + len(self.made))
        bits, side = self.chip.point.cell_bits, self.chip.point.side
        for first in range(0, len(weights), side):
            tile = weights[first : first + side]
            stored = encode(tile, weight_bits=self.chip.weight_bits, cell_bits=bits)
            cells = stored.cells.transpose(0, 2, 1).reshape(-1, len(tile))
            levels = self.levels(cells, drawn)
            yield self.make(levels, (1 << self.adc_bits) - 1), stored.flips

    def levels(self, cells: Ints, drawn: torch.Generator) -> torch.Tensor:
        """Return what cells (columns, rows) came to hold; drawn: of this row tile."""
        noise = torch.randn(cells.shape, generator=drawn)
        return torch.from_numpy(cells).float() * torch.exp(self.variation * noise)

    def _products(self, inputs: Ints, crossbar: Crossbar, flips: Ints) -> Ints:
        """Return the products of a row tile from its codes, by shifts and adds."""
        point, total = self.chip.point, np.zeros((len(inputs), flips.size), np.int64)
        with torch.no_grad():
            for step in range(self.chip.bit_steps):
                shift = step * point.dac_bits
                digits = inputs >> shift & (1 << point.dac_bits) - 1
                codes = crossbar(torch.from_numpy(digits).float())
                # A step there is one but for the last bits of a float.
                total += np.rint(codes.numpy()).astype(np.int64) << shift
        whole = inputs.sum(axis=1)[:, np.newaxis]
        sampled = total.reshape(len(inputs), *flips.shape)
        full = ((1 << point.cell_bits) - 1) * whole[..., np.newaxis]
        weights = np.int64(1) << point.cell_bits * np.arange(len(flips))
        signed = np.where(flips == 1, full - sampled, sampled)
        offset = whole << self.chip.weight_bits - 1
        products: Ints = np.einsum("psc,s->pc", signed, weights) - offset
        return products


def rows_of(
    network: QuantizedNetwork, layer: Conv | Linear, maps: NDArray[Any], mode: int
) -> tuple[Ints, tuple[int, ...]]:
    """Return the inputs (pixels, rows) of a layer without groups, and the shape of its pixels."""
    if isinstance(layer, Linear):
        seen = maps.reshape(len(maps), 1, 1, -1)
    else:
        zero_point = network.map_of(layer.inputs[0]).quantization[mode].zero_point
        how: dict[str, Any] = {"stride": layer.stride, "padding": layer.padding}
        kernel = network.parameters[layer.name].weights.shape[1:3]
        seen = windows(maps, kernel=kernel, fill=zero_point, **how)
        seen = seen.reshape(*seen.shape[:3], -1)
    return seen.reshape(-1, seen.shape[-1]).astype(np.int64), seen.shape[:-1]


def chip_of(network: QuantizedNetwork) -> Copied:
    """Return the chip that both compute: 8-bit weights and maps, converters that lose nothing."""
    return Copied(point=POINT, weight_bits=8, activation_bits=8)


def golden_effects(variation: float, less: int) -> DeviceEffects:
    """Return a file of effects with these alone."""
    plain = asdict(devices_of(Path("effects/exact"), 1).given)
    plain["cells"]["variation"] = variation
    plain["converters"]["bits_below_lossless"] = less
    return validate_spec(DeviceEffects, plain, source="study")


def measured(
    network: QuantizedNetwork, images: Any, labels: Any, chips: Sequence[Any]
) -> tuple[list[float], float]:
    """Return the accuracy of each chip, and images a second."""
    began = time.perf_counter()
    found = [float(np.mean(predict(network, images, sums_by=each) == labels)) for each in chips]
    return found, len(images) * len(chips) / (time.perf_counter() - began)


def told(found: Sequence[float]) -> str:
    """Return mean and range of accuracies."""
    return f"{100 * np.mean(found):.1f} ({100 * min(found):.1f} to {100 * max(found):.1f}) %"


def main(seeds: int = 20) -> None:
    """Print a row for each effect, golden and Lightning side by side, on one thread."""
    torch.set_num_threads(1)
    network = load_network(networks()["digits_small_cnn"])
    batch, chip = choose_images(network, None, None), chip_of(network)
    print("| effect | golden | AIHWKIT-Lightning | images a second |")
    print("| --- | --- | --- | --- |")
    for name, variation, less in EFFECTS:
        effects, adc_bits = golden_effects(variation, less), POINT.adc_bits - less
        numbers = range(1, 1 + (seeds if variation else 1))
        ours = [erring(network, cast(Any, chip), effects, seed) for seed in numbers]
        theirs = [Tiles(chip, variation, adc_bits, seed) for seed in numbers]
        found = [measured(network, batch.images, batch.labels, each) for each in (ours, theirs)]
        speeds = " and ".join(f"{speed:.0f}" for _, speed in found)
        print(f"| {name} | {told(found[0][0])} | {told(found[1][0])} | {speeds} |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
