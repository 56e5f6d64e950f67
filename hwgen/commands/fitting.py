"""Weights of a trained network with few signed digits, without training, layer by layer."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hwgen.commands.context import Context
from hwgen.commands.families import architectures
from hwgen.commands.fields import (
    Count,
    Data,
    File,
    ImageCount,
    Network,
    NetworkOut,
    Real,
    Seed,
    Whole,
)
from hwgen.commands.images import Batch
from hwgen.commands.lower_costs import Chip, cycles_of
from hwgen.commands.request import Says, Working
from hwgen.errors import DataError, FormatError
from hwgen.files.digests import versions
from hwgen.fit import Fitted, measured, refitted, text_rule
from hwgen.fit.digits import digits_of
from hwgen.fit.measured import Moments
from hwgen.fit.prune import pruned
from hwgen.network import INPUT, Conv, Linear, QuantizedNetwork
from hwgen.network.file import save_network
from hwgen.network.pruning import WEAKEST
from hwgen.network.quantization import HALF_UP
from hwgen.report.fit import FitReport, FittedLayer
from hwgen.report.types import Images, Source

MOST_PLACES = 2400
"""Places of a filter up to which the products of its inputs are measured, else their squares."""
POSITIONS = 8192
"""Windows of a layer that are measured at most."""
INT8_BITS = 8

Weighted = Conv | Linear
Change = Callable[[QuantizedNetwork, Weighted, NDArray[Any], NDArray[Any]], QuantizedNetwork]
"""Changes one layer of a network: its inputs in the given network, then behind the changes."""


@dataclass(frozen=True)
class FitRequest(Working):
    """What `hwgen fit` is told, and its report."""

    network: Network
    out: NetworkOut
    _: KW_ONLY
    phi: Annotated[
        Annotated[Whole, Field(ge=1, le=2)], Says("signed digits of a weight at most")
    ] = 2
    data: Data = None
    calibration: Annotated[
        Count, Says("measure with the first N images; judge by the others", metavar="N")
    ] = 64
    rule: Annotated[
        Literal["measured", "text", "lowered"],
        Says(
            "measured: of least change of the sums; text: as published, no images; lowered:"
            " fewer than the digits given, for the groups of filters that bear it"
        ),
    ] = "measured"
    budget: Annotated[
        Annotated[Real, Field(ge=0)],
        Says("lowered: points of accuracy that may be lost", metavar="PERCENT"),
    ] = 1.0
    arch: Annotated[
        File | None,
        Says(
            "lowered: a chip, or the name of one that ships; filters come first that save cycles"
            " on it [default: that save digits times output positions]",
            metavar="ARCH",
            complete=architectures,
        ),
    ] = None
    images: ImageCount = None
    prune: Annotated[
        Annotated[Real, Field(ge=0, le=0.99)],
        Says("blocks of each layer set to zero", metavar="SHARE"),
    ] = 0.0
    prune_rule: Annotated[
        str,
        Says(
            "which blocks: weakest, or a rule of an installed package; see add-a-sparsity.md",
            metavar="NAME",
        ),
    ] = WEAKEST
    seed: Annotated[Seed, Says("of the positions that are measured")] = 1

    def report(
        self,
        network: QuantizedNetwork,
        fitted: QuantizedNetwork,
        layers: list[FittedLayer],
        *,
        measured: int,
        about: Images,
        judged: Batch,
        deciding: int = 0,
        chip: Chip | None = None,
    ) -> FitReport:
        """Write the fitted network; return what it changed.

        measured, deciding: images that each did; judged: those that give accuracy and agreement
        chip: on which the first judged one gives cycles
        """
        from golden.network import answer

        save_network(fitted, Path(self.out))
        lowered = self.rule == "lowered"
        before, after = (answer(each, judged.images) for each in (network, fitted))
        pixel = network.map_of(network.answer).shape[:2] == (1, 1)
        classes = [
            each.scores(maps).argmax(axis=1) for each, maps in ((network, before), (fitted, after))
        ]
        cycles = (
            [cycles_of(each, chip, judged.images[:1]) for each in (network, fitted)] if chip else []
        )
        difference = np.abs(before.astype(np.float64) - after.astype(np.float64))
        return FitReport(
            format="hwgen.report.fit",
            version=1,
            network=Source(name=network.graph.name, file=str(self.network), digest=network.digest),
            fitted=Source(name=fitted.graph.name, file=str(self.out), digest=fitted.digest),
            rule=self.rule,
            phi=self.phi,
            prune=0.0 if lowered else self.prune,
            prune_rule=WEAKEST if lowered else self.prune_rule,
            seed=self.seed,
            data=about,
            calibration_images=measured,
            deciding_images=deciding,
            budget_percent=self.budget if lowered else None,
            judged_images=len(judged.images),
            architecture=chip.source if chip else None,
            cycles=cycles,
            filters_of_digits=filters_of_digits(fitted),
            layers=layers,
            accuracy_before=accuracy(classes[0], judged),
            accuracy_after=accuracy(classes[1], judged),
            top_class=float(np.mean(classes[0] == classes[1])) if pixel else None,
            mean_difference=float(difference.mean()),
            versions=versions(),
        )


def with_few_digits(network: QuantizedNetwork, phi: int = 2) -> QuantizedNetwork:
    """Return a network of one mode with weights by the published rule, without any image."""
    parameters = dict(network.parameters)
    for layer in network.layers:
        if isinstance(layer, Conv | Linear) and not is_depthwise(network, layer):
            given = parameters[layer.name]
            weights = text_rule(given.weights.reshape(len(given.weights), -1), limit=phi)
            same = Fitted(
                weights=weights, gains=np.ones(len(weights)), shift=np.zeros(len(weights))
            )
            zero_point = network.map_of(layer.inputs[0]).quantization[0].zero_point
            parameters[layer.name] = refitted(given, same, zero_point=zero_point)
    return replace(network, parameters=parameters)


def check_rounding(network: QuantizedNetwork, file: Path) -> None:
    """Refuse a network that rounds as a runtime does: the fitted one would no longer."""
    found = network.roundings - {HALF_UP}
    if found:
        raise FormatError(
            field="the rounding of the network",
            allowed=f"{HALF_UP} (hwgen import --kernels {HALF_UP})",
            given=min(found),
            source=str(file),
        )


def filters_of_digits(network: QuantizedNetwork) -> list[int]:
    """Return how many filters have 0, 1, 2 and more digits in a weight; depthwise ones apart."""
    found = np.zeros(4, np.int64)
    for layer in network.layers:
        if isinstance(layer, Conv | Linear) and not is_depthwise(network, layer):
            weights = network.parameters[layer.name].weights
            most = digits_of(weights.reshape(len(weights), -1)).max(axis=1)
            found += np.bincount(most.clip(max=3), minlength=4)
    counts: list[int] = found.tolist()
    return counts


def check_fittable(network: QuantizedNetwork, file: Path) -> None:
    """Refuse networks of several modes, and weights that are no int8 integers."""
    modes = network.graph.modes
    if len(modes) > 1:
        raise FormatError(
            field="the modes of a network to fit",
            allowed="one",
            given=f"{len(modes)} ({', '.join(modes)})",
            source=str(file),
        )
    for layer in network.layers:
        if isinstance(layer, Conv | Linear) and (
            layer.weight_bits > INT8_BITS or layer.weight_grid != "integer"
        ):
            raise FormatError(
                field=f"the weights of layer {layer.name} of a network to fit",
                allowed="integers of at most 8 bits",
                given=f"{layer.weight_bits} bits, grid {layer.weight_grid}",
                source=str(file),
            )


def remaining(batch: Batch, calibration: int) -> Batch:
    """Return the images that did not measure; all if there are no others."""
    if len(batch.images) <= calibration:
        return batch
    labels = None if batch.labels is None else batch.labels[calibration:]
    return replace(batch, images=batch.images[calibration:], labels=labels)


def accuracy(classes: NDArray[np.int64], batch: Batch) -> float | None:
    """Return the fraction of images of the right class; None where labels are not known."""
    return None if batch.labels is None else float(np.mean(classes == batch.labels))


def fit_network(
    context: Context, network: QuantizedNetwork, images: NDArray[Any], rule: FitRequest
) -> tuple[QuantizedNetwork, list[FittedLayer]]:
    """Return the network with weights of few digits, and what that changed, layer by layer.

    Each layer is measured behind the fitted ones before it. Depthwise layers stay: chips compute
    them without bit cells.
    """
    report = []

    def change(
        fitted: QuantizedNetwork, layer: Weighted, before: NDArray[Any], behind: NDArray[Any]
    ) -> QuantizedNetwork:
        changed, found = fit_layer(fitted, layer, before, behind, rule)
        report.append(found)
        return changed

    return layer_by_layer(context, network, images, change), report


def layer_by_layer(
    context: Context, network: QuantizedNetwork, images: NDArray[Any], change: Change
) -> QuantizedNetwork:
    """Return the network with each layer of weights changed behind the changed ones before it."""
    from golden.network import infer_layer

    if not len(images):
        raise DataError("the images to measure with must be at least 1, got none")
    fitted = network
    old: dict[str, NDArray[Any]] = {INPUT: images}
    new: dict[str, NDArray[Any]] = {INPUT: images}
    last = {name: layer.name for layer in network.layers for name in layer.inputs}
    with context.progress("layers", total=len(network.layers)) as advance:
        for layer in network.layers:
            if isinstance(layer, Conv | Linear) and not is_depthwise(network, layer):
                source = layer.inputs[0]
                fitted = change(fitted, layer, old[source], new[source])
            for maps, holder in ((old, network), (new, fitted)):
                inputs = [maps[name] for name in layer.inputs]
                maps[layer.name] = infer_layer(holder, layer, inputs)
                for name in set(layer.inputs):
                    if last[name] == layer.name:
                        del maps[name]
            advance()
    return fitted


def is_depthwise(network: QuantizedNetwork, layer: Conv | Linear) -> bool:
    """Return whether a layer has one input channel a filter."""
    channels = network.map_of(layer.inputs[0]).channels
    return isinstance(layer, Conv) and layer.groups == channels > 1


def fit_layer(
    network: QuantizedNetwork,
    layer: Conv | Linear,
    old: NDArray[Any],
    new: NDArray[Any],
    rule: FitRequest,
) -> tuple[QuantizedNetwork, FittedLayer]:
    """Return the network with one fitted layer; old, new: its inputs before and behind the fit."""
    given = network.parameters[layer.name]
    zero_point = network.map_of(layer.inputs[0]).quantization[0].zero_point
    weights = given.weights.reshape(len(given.weights), -1).astype(np.int64)
    result, gains = np.empty_like(weights), np.ones(len(weights))
    shift, loss, whole = np.zeros(len(weights)), np.zeros(len(weights)), np.zeros(len(weights))
    groups = layer.groups if isinstance(layer, Conv) else 1
    filters = len(weights) // groups
    for group in range(groups):
        part = slice(group * filters, (group + 1) * filters)
        before = samples(layer, old, zero_point, group, rule.seed)
        behind = samples(layer, new, zero_point, group, rule.seed)
        squares = (behind**2).mean(axis=0)
        small = weights.shape[1] <= MOST_PLACES and rule.rule != "text"
        second = behind.T @ behind / len(behind) if small else None
        moments = Moments(squares=squares, second=second)
        start = weights[part]
        if rule.prune:
            start = pruned(start, squares, rule.prune, rule=rule.prune_rule)
        if rule.rule == "text":
            result[part] = text_rule(start, limit=rule.phi)
        else:
            result[part], gains[part] = measured(
                start, moments, limit=rule.phi, scaled=not layer.output.raw
            )
        real = gains[part, np.newaxis] * result[part]
        mean_before, mean_behind = before.mean(axis=0), behind.mean(axis=0)
        shift[part] = weights[part] @ mean_before - real @ mean_behind
        loss[part] = moments.loss(real - weights[part])
        whole[part] = moments.loss(weights[part].astype(np.float64))
    if rule.rule == "text":
        shift[:] = 0
    parameters = refitted(
        given, Fitted(weights=result, gains=gains, shift=shift), zero_point=zero_point
    )
    changed = replace(network, parameters={**network.parameters, layer.name: parameters})
    return changed, FittedLayer(
        name=layer.name,
        kind=layer.op,
        filters=len(weights),
        filters_above=int((digits_of(weights).max(axis=1) > rule.phi).sum()),
        finer_filters=int((gains < 1).sum()),
        zero_weights=float(np.mean(result == 0)),
        relative_loss=float(loss.sum() / whole.sum()) if whole.sum() else 0.0,
    )


def samples(
    layer: Conv | Linear, maps: NDArray[Any], zero_point: int, group: int, seed: int
) -> NDArray[np.float64]:
    """Return inputs of filters at some positions, minus the zero point: (positions, places)."""
    rng = np.random.default_rng(seed)
    if isinstance(layer, Linear):
        rows = maps.reshape(len(maps), -1)
    else:
        from golden.ops.windows import windows

        seen = windows(
            maps, kernel=layer.kernel, stride=layer.stride, padding=layer.padding, fill=zero_point
        )
        channels = maps.shape[3] // layer.groups
        seen = seen[..., group * channels : (group + 1) * channels]
        images, height, width = seen.shape[:3]
        count = images * height * width
        picked = rng.choice(count, POSITIONS, replace=False) if count > POSITIONS else None
        places = np.arange(count) if picked is None else np.sort(picked)
        image, rest = np.divmod(places, height * width)
        row, column = np.divmod(rest, width)
        rows = seen[image, row, column].reshape(len(places), -1)
    centred: NDArray[np.float64] = rows.astype(np.float64) - zero_point
    return centred
