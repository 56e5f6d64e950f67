"""`hwgen fit --rule lowered`: fewer digits for the groups of filters that bear it.

Tests: `tests/commands/test_fit.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.commands import fitting
from hwgen.commands.context import Context
from hwgen.commands.images import Batch
from hwgen.commands.lower_costs import Chip, chip_of, priced
from hwgen.errors import DataError, FormatError
from hwgen.fit import Fitted, refitted
from hwgen.fit.lowered import Step, digits_after, fewer_digits, in_order, steps_of_layer
from hwgen.fit.measured import Moments
from hwgen.fit.text import unpruned
from hwgen.network import Conv, Linear, QuantizedNetwork
from hwgen.network.sparsity import ALPHA
from hwgen.report.fit import FitReport, FittedLayer


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Images with a purpose each, none with two.

    measuring: for the sums of the layers; deciding: for how far to go; judging: for the report
    """

    measuring: NDArray[Any]
    deciding: Batch
    judging: Batch


def parts_of(batch: Batch, calibration: int) -> Parts:
    """Return the first `calibration` images, and the halves of the others."""
    middle = (len(batch.images) + calibration) // 2
    if not calibration < middle < len(batch.images):
        raise DataError(
            f"the images must be at least {calibration + 2}: {calibration} measure, the others"
            f" decide and judge; got {len(batch.images)}"
        )
    return Parts(
        measuring=batch.images[:calibration],
        deciding=batch.part(slice(calibration, middle)),
        judging=batch.part(slice(middle, None)),
    )


class Lowering:
    """The steps of one network, and the networks behind some of them.

    seed: of the windows that are measured
    chip: whose cycles the steps shall save; None: they shall save digits times output positions
    """

    def __init__(
        self,
        context: Context,
        network: QuantizedNetwork,
        parts: Parts,
        *,
        seed: int,
        chip: Chip | None = None,
    ) -> None:
        self.network, self.parts = network, parts
        self._context, self._seed, self._chip = context, seed, chip
        self.steps = self._ordered_steps()
        self._classes = {
            id(batch): self.classes(network, batch) for batch in (parts.deciding, parts.judging)
        }

    def _ordered_steps(self) -> list[Step]:
        """Measure each layer of the given network."""
        found: list[Step] = []

        def measure(
            network: QuantizedNetwork, layer: fitting.Weighted, old: NDArray[Any], new: NDArray[Any]
        ) -> QuantizedNetwork:
            if may_change(layer):
                found.extend(self._steps(layer, old))
            return network

        fitting.layer_by_layer(self._context, self.network, self.parts.measuring, measure)
        if self._chip is None:
            return in_order(found)
        return priced(self._context, self.network, found, self._chip, self.parts.measuring[:1])

    def _steps(self, layer: fitting.Weighted, maps: NDArray[Any]) -> list[Step]:
        given = self.network.parameters[layer.name]
        weights = given.weights.reshape(len(given.weights), -1).astype(np.int64)
        rows = fitting.samples(layer, maps, self._zero_point(layer), 0, self._seed)
        factors = given.multiplier[0].astype(np.float64) * 2.0 ** -given.shift[0].astype(np.float64)
        output = layer.output
        return steps_of_layer(
            layer.name,
            weights,
            unpruned(weights),
            moments_of(rows),
            positions=output.height * output.width,
            factors=factors,
        )

    def _zero_point(self, layer: fitting.Weighted) -> int:
        return self.network.map_of(layer.inputs[0]).quantization[0].zero_point

    def after(self, steps: Sequence[Step]) -> QuantizedNetwork:
        """Return the network behind some steps; the means of all sums stay."""
        digits = digits_after(steps)

        def change(
            network: QuantizedNetwork, layer: fitting.Weighted, old: NDArray[Any], new: NDArray[Any]
        ) -> QuantizedNetwork:
            if not may_change(layer):
                return network
            return self._lowered(network, layer, old, new, digits.get(layer.name, {}))

        if not steps:
            return self.network
        return fitting.layer_by_layer(self._context, self.network, self.parts.measuring, change)

    def _lowered(
        self,
        network: QuantizedNetwork,
        layer: fitting.Weighted,
        old: NDArray[Any],
        new: NDArray[Any],
        digits: dict[int, int],
    ) -> QuantizedNetwork:
        """Return the network with a layer whose groups have some digits each."""
        given = network.parameters[layer.name]
        weights = given.weights.reshape(len(given.weights), -1).astype(np.int64)
        before, behind = (
            fitting.samples(layer, maps, self._zero_point(layer), 0, self._seed)
            for maps in (old, new)
        )
        moments, free = moments_of(behind), unpruned(weights)
        result, gains = weights.copy(), np.ones(len(weights))
        for group, count in digits.items():
            part = slice(group * ALPHA, (group + 1) * ALPHA)
            result[part], gains[part] = fewer_digits(
                weights[part], free[part], moments, digits=count
            )
        real = gains[:, np.newaxis] * result
        shift = weights @ before.mean(axis=0) - real @ behind.mean(axis=0)
        fitted = Fitted(weights=result, gains=gains, shift=shift)
        parameters = refitted(given, fitted, zero_point=self._zero_point(layer))
        return replace(network, parameters={**network.parameters, layer.name: parameters})

    def classes(self, network: QuantizedNetwork, batch: Batch) -> NDArray[np.int64]:
        """Return the class of each image."""
        classes: NDArray[np.int64] = self.answers(network, batch).argmax(axis=1)
        return classes

    def answers(self, network: QuantizedNetwork, batch: Batch) -> NDArray[np.float64]:
        """Return the answer to each image, (images, elements)."""
        from golden.network import answer

        answers: NDArray[np.float64] = network.scores(answer(network, batch.images))
        return answers.astype(np.float64)

    def right(self, network: QuantizedNetwork, batch: Batch) -> float:
        """Return the fraction of right classes, without labels of the classes as before."""
        wanted = self._classes[id(batch)] if batch.labels is None else batch.labels
        given = self._classes[id(batch)] if network is self.network else None
        classes = self.classes(network, batch) if given is None else given
        return float(np.mean(classes == wanted))

    def within(self, budget_percent: float) -> list[Step]:
        """Return as many steps as lose at most so many percent points on the deciding images.

        By bisection, as if each step lost something.
        """
        batch = self.parts.deciding
        least = self.right(self.network, batch) - budget_percent / 100
        low, high = 0, len(self.steps) + 1
        while high - low > 1:
            middle = (low + high) // 2
            right = self.right(self.after(self.steps[:middle]), batch)
            self._context.say(f"{middle} of {len(self.steps)} steps: {100 * right:.2f}%")
            low, high = (middle, high) if right >= least else (low, middle)
        return self.steps[:low]


def may_change(layer: fitting.Weighted) -> bool:
    """Return whether the groups of a layer may get fewer digits: not those of raw sums."""
    return not layer.output.raw and not (isinstance(layer, Conv) and layer.groups > 1)


def moments_of(rows: NDArray[np.float64]) -> Moments:
    """Return the moments of inputs (positions, places)."""
    small = rows.shape[1] <= fitting.MOST_PLACES
    return Moments(
        squares=(rows**2).mean(axis=0), second=rows.T @ rows / len(rows) if small else None
    )


def lowered(fit: fitting.FitRequest, network: QuantizedNetwork, batch: Batch) -> FitReport:
    """Write a network with fewer digits than the most, `phi`, that its weights have already."""
    check_digits(network, fit.phi, Path(fit.network))
    chip = chip_of(Path(fit.arch)) if fit.arch is not None else None
    parts = parts_of(batch, fit.calibration)
    lowering = Lowering(fit.quiet, network, parts, seed=fit.seed, chip=chip)
    steps = lowering.within(fit.budget)
    changed = lowering.after(steps)
    return fit.report(
        network,
        changed,
        lowered_layers(network, changed, steps),
        measured=fit.calibration,
        about=batch.about,
        judged=lowering.parts.judging,
        deciding=len(lowering.parts.deciding.images),
        chip=chip,
    )


def check_digits(network: QuantizedNetwork, phi: int, file: Path) -> None:
    """Refuse a network with a filter of more digits: the other rules come first."""
    if any(fitting.filters_of_digits(network)[phi + 1 :]):
        raise FormatError(
            field="the weights of a network for the rule lowered",
            allowed=f"of at most {phi} signed digits (fit it by another rule first)",
            given="more digits",
            source=str(file),
        )


def lowered_layers(
    network: QuantizedNetwork, lowered: QuantizedNetwork, steps: Sequence[Step]
) -> list[FittedLayer]:
    """Return what changed layer by layer; losses are those of the steps, measured one by one."""
    found = []
    for layer in network.layers:
        if not isinstance(layer, Conv | Linear) or fitting.is_depthwise(network, layer):
            continue
        mine = {step.group: step.loss for step in steps if step.layer == layer.name}
        weights = lowered.parameters[layer.name].weights
        scales = [each.parameters[layer.name].weight_scale for each in (network, lowered)]
        found.append(
            FittedLayer(
                name=layer.name,
                kind=layer.op,
                filters=len(weights),
                filters_above=0,
                finer_filters=int((scales[1] < scales[0]).sum()),
                zero_weights=float(np.mean(weights == 0)),
                relative_loss=sum(mine.values()),
            )
        )
    return found
