"""What fewer digits save on a chip: cycles of its layers by the compiler and the cycle model.

A group of one digit saves cycles only with what the chip makes of it: shorter rows of weights, or
rows that two groups share. So the network is compiled with more and more of its groups lowered, in
all layers at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.family import Family
from hwgen.chip.protocols import Architecture
from hwgen.chip.runs import Prediction
from hwgen.commands.context import Context
from hwgen.commands.families import InstalledFamily, load_architecture
from hwgen.fit.digits import exactly, nearest
from hwgen.fit.lowered import Step, digits_after, in_order
from hwgen.fit.text import unpruned
from hwgen.network import QuantizedNetwork
from hwgen.network.sparsity import ALPHA
from hwgen.report.types import Source

SHARES = 8
"""Networks that are compiled for each count of digits: 1/8, 2/8 .. of the groups of each layer."""

Curve = list[tuple[int, float]]
"""Groups of a layer that are lowered, and its cycles."""


Maps = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Chip:
    """An architecture, its family, and the file that it came from."""

    family: InstalledFamily
    arch: Architecture
    file: Path

    @property
    def source(self) -> Source:
        """The architecture, for a report."""
        return Source(name=self.arch.name, file=str(self.file), digest=self.arch.digest)


def chip_of(file: Path) -> Chip:
    """Return the chip of an architecture file, or of the name of one that ships."""
    family, arch = load_architecture(file)
    return Chip(family=family, arch=arch, file=file)


def priced(
    context: Context,
    network: QuantizedNetwork,
    steps: Sequence[Step],
    chip: Chip,
    image: NDArray[Any],
) -> list[Step]:
    """Return the steps, what each saves in cycles of its layer, those of least price first.

    image: (1, H, W, C), whose cycles count. Steps that save no cycle are left out.
    """
    from golden.network import infer

    maps, found = infer(network, image), []
    for digits in sorted({step.digits for step in steps}):
        layers = by_layer(step for step in steps if step.digits == digits)
        curves = curves_of(context, network, maps, layers, chip)
        for layer, chosen in layers.items():
            found += [
                replace(step, saved=cycles)
                for step, cycles in zip(chosen, savings(curves[layer]), strict=True)
                if cycles > 0
            ]
    return in_order(found)


def curves_of(
    context: Context,
    network: QuantizedNetwork,
    maps: Maps,
    layers: Mapping[str, Sequence[Step]],
    chip: Chip,
) -> dict[str, Curve]:
    """Return cycles of each layer behind more and more of its steps; maps: of the given network."""
    curves: dict[str, Curve] = {layer: [] for layer in layers}
    with context.progress("networks", total=SHARES + 1) as advance:
        for share in range(SHARES + 1):
            counts = {layer: len(of) * share // SHARES for layer, of in layers.items()}
            chosen = [step for layer, of in layers.items() for step in of[: counts[layer]]]
            cycles = cycles_of_layers(network, predicted(rounded(network, chosen), chip, maps))
            for layer, count in counts.items():
                curves[layer].append((count, cycles[layer]))
            advance()
    return curves


def predicted(network: QuantizedNetwork, chip: Chip, maps: Maps) -> Prediction:
    """Return what the cycle model says of one run; maps: of its image, as for `predict`."""
    program = chip.family.need(Family.compiler).compile_network(network, chip.arch)
    model = chip.family.need(Family.cycle_model)
    return model.CycleModel(program, chip.arch).predict(maps)


def cycles_of(network: QuantizedNetwork, chip: Chip, image: NDArray[Any]) -> int:
    """Return the cycles of one image, (1, H, W, C)."""
    from golden.network import infer

    return predicted(network, chip, infer(network, image)).cycles


def by_layer(steps: Iterable[Step]) -> dict[str, list[Step]]:
    """Return the steps of each layer, those of least loss first."""
    found: dict[str, list[Step]] = {}
    for step in sorted(steps, key=lambda each: each.loss):
        found.setdefault(step.layer, []).append(step)
    return found


def rounded(network: QuantizedNetwork, steps: Sequence[Step]) -> QuantizedNetwork:
    """Return the network with the nearest weights of as many digits as the steps say.

    It takes nearly the cycles of the network behind the steps; its answers are others.
    """
    parameters = dict(network.parameters)
    for layer, groups in digits_after(steps).items():
        given = parameters[layer]
        weights = given.weights.reshape(len(given.weights), -1).copy()
        free = unpruned(weights)
        for group, digits in groups.items():
            part = slice(group * ALPHA, (group + 1) * ALPHA)
            new = nearest(weights[part], exactly(digits)) if digits else 0
            weights[part] = np.where(free[part], new, 0)
        parameters[layer] = replace(given, weights=weights.reshape(given.weights.shape))
    return replace(network, parameters=parameters)


def savings(curve: Curve) -> list[float]:
    """Return what each step of a layer saves, by the steepest straight lines along its curve.

    A group that is lowered alone may save nothing, and one more then saves twice: both get half.
    """
    hull: Curve = []
    for point in curve:
        if hull and hull[-1][0] == point[0]:
            continue
        while len(hull) > 1 and slope(*hull[-2:]) >= slope(hull[-1], point):
            hull.pop()
        hull.append(point)
    return [
        -slope(before, behind)
        for before, behind in pairwise(hull)
        for _ in range(behind[0] - before[0])
    ]


def slope(before: tuple[int, float], behind: tuple[int, float]) -> float:
    """Return cycles for each group more; before: of fewer groups."""
    return (behind[1] - before[1]) / (behind[0] - before[0])


def cycles_of_layers(network: QuantizedNetwork, prediction: Prediction) -> dict[str, float]:
    """Return cycles of each layer; of one without a step: of the layer whose step computes it.

    A convolution whose map goes into a residual sum alone has no step of its own.
    """
    found: dict[str, float] = {}
    for step in prediction.steps:
        found[step.layer] = found.get(step.layer, 0) + step.end - step.begin
    readers = {name: layer.name for layer in network.layers for name in layer.inputs}
    for layer in reversed(network.layers):
        if layer.name not in found and layer.name in readers:
            found[layer.name] = found.get(readers[layer.name], 0)
    return found
