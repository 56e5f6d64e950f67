"""Compare a simulation with golden and the cycle model: each image, run and step by itself.

`compare` decides `equal`. It never compares sums: errors in two images or steps cannot cancel.
Elements are compared here, cycles and counters in `hwgen.commands.compare_runs`.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.runs import Prediction
from hwgen.chip.runs import SimulatedRun as Run
from hwgen.chip.tiling import LayerTiling
from hwgen.commands.compare_runs import all_equal, first_in_runs, run_records, step_sums, total
from hwgen.commands.engines import Maps
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.maps import FeatureMap
from hwgen.report.run import ChipRun, Difference, RunLayer, StepSum


@dataclass(frozen=True, kw_only=True)
class Results:
    """Results of the engines; empty for an engine that did not run.

    modes: name of the mode of each image; run_images: images of one run; maps: golden's
    unstored: layers whose maps the chip never stores whole, by the network
    predictions: the cycle model's, one for each run; runs: the simulation's
    compared: whether there was a simulation; timed: its memory has the timing that the model knows
    zero_bit_planes: fraction of bit planes without a one, by layer
    switch_cycles_max: what a switch of the mode costs at most; None: there was none
    seconds: wall time of each engine that ran; `rtl` includes a build of the simulator
    """

    modes: Sequence[str]
    run_images: int = 1
    maps: Maps
    unstored: Collection[str] = ()
    predictions: Sequence[Prediction] = ()
    runs: Sequence[Run] = ()
    compared: bool = False
    timed: bool = True
    zero_bit_planes: Mapping[str, float | None]
    switch_cycles_max: int | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self.modes)

    @property
    def fused(self) -> set[str]:
        """Maps that are never stored whole and that no run has; each other one is compared."""
        found = {name for run in self.runs for maps in run.maps for name in maps}
        return set(self.unstored) - found if self.compared else set()


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The outcome of a comparison.

    equal: there is no first difference; None: nothing was compared
    mismatches: elements that differ, by layer name; image_equal: of each image
    first: the first difference
    """

    equal: bool | None
    runs: list[ChipRun]
    steps: list[StepSum]
    mismatches: Mapping[str, int]
    image_equal: list[bool | None]
    first: Difference | None


@dataclass(frozen=True, kw_only=True)
class DifferingMap:
    """A map of one image in one run that differs from golden's.

    expected, found: None if golden or the run has none
    """

    image: int
    run_index: int
    run: Run
    layer: str
    expected: NDArray[Any] | None
    found: NDArray[Any] | None

    @property
    def mismatches(self) -> int:
        """Number of elements that differ; all of them where the shapes differ."""
        if self.expected is None or self.found is None:
            return sum(each.size for each in (self.expected, self.found) if each is not None)
        if self.found.shape != self.expected.shape:
            return max(self.found.size, self.expected.size)
        return int((self.found != self.expected).sum())


def compare(network: QuantizedNetwork, results: Results) -> Comparison:
    """Return the comparison."""
    runs = run_records(
        results.predictions,
        results.runs,
        images=results.images,
        run_images=results.run_images,
        compared=results.compared,
        timed=results.timed,
    )
    steps = step_sums(runs)
    if not results.compared:
        nothing: list[bool | None] = [None] * results.images
        return Comparison(
            equal=None, runs=runs, steps=steps, mismatches={}, image_equal=nothing, first=None
        )
    differing = list(differing_maps(network, results))
    wrong = {each.image for each in differing} | set(not_run_once(results))
    wrong |= set(in_other_modes(network, results))
    mismatches: Counter[str] = Counter()
    for each in differing:
        mismatches[each.layer] += each.mismatches
    first = first_of(network, differing, results, runs)
    return Comparison(
        equal=first is None,
        runs=runs,
        steps=steps,
        mismatches=mismatches,
        image_equal=[image not in wrong for image in range(results.images)],
        first=first,
    )


def differing_maps(network: QuantizedNetwork, results: Results) -> Iterator[DifferingMap]:
    """Yield every map that differs, in the order of images and layers, unknown ones last."""
    layers = (INPUT, *(layer.name for layer in network.layers))
    places = [
        (image, place, index)
        for index, run in enumerate(results.runs)
        for place, image in enumerate(run.images)
        if image < results.images
    ]
    for image, place, index in sorted(places):
        run = results.runs[index]
        found = run.maps[place]
        for name in dict.fromkeys((*layers, *found)):
            if name in results.fused and name not in network.graph.outputs:
                continue
            each = DifferingMap(
                image=image,
                run_index=index,
                run=run,
                layer=name,
                expected=results.maps[name][image] if name in layers else None,
                found=found.get(name),
            )
            if each.mismatches:
                yield each


def not_run_once(results: Results) -> list[int]:
    """Return the images that did not run exactly once, and those that were not given."""
    ran = Counter(image for run in results.runs for image in run.images)
    given = Counter(range(results.images))
    return [image for image in sorted({*ran, *given}) if ran[image] != given[image]]


def in_other_modes(network: QuantizedNetwork, results: Results) -> dict[int, str]:
    """Return the images that ran in another mode than asked for, each with this mode."""
    names = dict(enumerate(network.graph.modes))
    ran = {
        image: names.get(mode, str(mode))
        for run in results.runs
        for image, mode in zip(run.images, run.modes or [0] * len(run.images), strict=False)
        if image < results.images
    }
    return {image: mode for image, mode in sorted(ran.items()) if mode != results.modes[image]}


def first_of(
    network: QuantizedNetwork,
    differing: Sequence[DifferingMap],
    results: Results,
    runs: Sequence[ChipRun],
) -> Difference | None:
    """Return the first difference: elements, images that did not run, or in no such mode, runs."""
    for each in differing:
        return element(each, results.modes[each.image])
    for image in not_run_once(results):
        mode = results.modes[image] if image < results.images else None
        return Difference(what="image", image=image, mode=mode)
    for image, found in in_other_modes(network, results).items():
        mode = results.modes[image]
        return Difference(what="mode", image=image, mode=mode, expected=mode, found=found)
    return first_in_runs(runs)


def element(differing: DifferingMap, mode: str) -> Difference:
    """Return the first element of a map that differs, or its shape if that differs."""
    where: dict[str, Any] = {
        "run": differing.run_index,
        "image": differing.image,
        "mode": mode,
        "layer": differing.layer,
    }
    expected, found = differing.expected, differing.found
    if expected is None or found is None or found.shape != expected.shape:
        shapes = ["nothing" if each is None else str(each.shape) for each in (expected, found)]
        return Difference(what="map", **where, expected=shapes[0], found=shapes[1])
    y, x, channel = (int(place) for place in np.argwhere(found != expected)[0])
    cycle = differing.run.written_at(differing.image, differing.layer, (y, x, channel))
    ends = [step.end for step in differing.run.steps if step.layer == differing.layer]
    retired = max(ends, default=None)
    return Difference(
        what="element",
        **where,
        y=y,
        x=x,
        channel=channel,
        expected=int(expected[y, x, channel]),
        found=int(found[y, x, channel]),
        cycle=retired if cycle is None else cycle,
        cycle_of="write" if cycle is not None else "retirement" if ends else None,
    )


def compare_layers(
    network: QuantizedNetwork,
    tilings: Sequence[LayerTiling],
    results: Results,
    comparison: Comparison,
) -> list[RunLayer]:
    """Return a row for each layer, and for what the chip does around them: sums over steps.

    The shape of a map is the largest one of the modes that ran.
    """
    tiled = {tiling.name: tiling for tiling in tilings}
    steps: dict[str, list[StepSum]] = {}
    for step in comparison.steps:
        steps.setdefault(step.layer, []).append(step)
    modes = {network.graph.modes.index(mode) for mode in results.modes}
    shapes = {layer.name: largest_shape(layer.output, modes) for layer in network.layers}
    kinds = {layer.name: layer.op for layer in network.layers}
    fused = results.fused - {INPUT}
    rows = []
    for name in row_names(network, steps, fused):
        mismatches = comparison.mismatches.get(name, 0)
        layer_steps = steps.get(name, [])
        compared = results.compared and name in shapes and name not in fused
        as_predicted = all_equal([step.equal for step in layer_steps])
        rows.append(
            RunLayer(
                name=name,
                kind=kinds.get(name, "chip"),
                images=results.images,
                shape=shapes.get(name),
                fused=name in fused,
                **placement(tiled.get(name)),
                zero_bit_columns=results.zero_bit_planes.get(name),
                equal=as_predicted and not mismatches if results.compared and layer_steps else None,
                in_time=all_equal([step.in_time for step in layer_steps]),
                mismatches=mismatches if compared else None,
                cycles_rtl=total([step.cycles_rtl for step in layer_steps]),
                cycles_model=total([step.cycles_model for step in layer_steps]),
                cycles_compute_rtl=None,
                cycles_compute_model=None,
                load_cycles_rtl=None,
                load_cycles_model=None,
            )
        )
    return rows


def row_names(
    network: QuantizedNetwork, steps: Collection[str], fused: Collection[str]
) -> list[str]:
    """Return the rows in the order of the steps; a fused layer without one precedes its reader."""
    if not steps:
        return [layer.name for layer in network.layers]
    readers = {name: layer.name for layer in network.layers for name in layer.inputs}
    names = list(steps)
    for layer in reversed(network.layers):
        if layer.name in fused and layer.name not in steps:
            reader = readers.get(layer.name)
            names.insert(names.index(reader) if reader in names else len(names), layer.name)
    return names


def largest_shape(feature: FeatureMap, modes: Collection[int]) -> tuple[int, int, int]:
    """Return height, width and the most channels of a map in some modes."""
    height, width, _ = feature.shape
    return height, width, max(feature.channels_in(mode) for mode in modes)


def placement(tiling: LayerTiling | None) -> dict[str, Any]:
    """Return where a layer runs on its chip; None in each field for a step of the chip itself."""
    keys = ("sets", "share", "weights_kept")
    return {key: getattr(tiling, key) if tiling else None for key in keys}
