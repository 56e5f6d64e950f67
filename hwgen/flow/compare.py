"""Hold a simulation against golden and the cycle model, layer by layer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.flow.engines import Maps
from hwgen.flow.protocols import ImageRun, Prediction
from hwgen.report.run import RunLayer
from hwgen.spec.tiling import LayerTiling


@dataclass(frozen=True, kw_only=True)
class Results:
    """What the engines that ran have found; empty where one did not.

    maps: golden's; predictions: the cycle model's; runs: the simulation's, one for each image
    zero_columns: share of bit columns without a one by layer
    """

    maps: Maps
    predictions: Sequence[Prediction] = ()
    runs: Sequence[ImageRun] = ()
    zero_columns: Mapping[str, float | None]


def compare_layers(tilings: Sequence[LayerTiling], results: Results, images: int) -> list[RunLayer]:
    """Return a row for each retirement: the layers, and what the chip does around them."""
    tiled = {tiling.name: tiling for tiling in tilings}
    names = list(tiled)
    if results.predictions:
        names = [layer.name for layer in results.predictions[0].layers]
    model = summed([layer.cycles for layer in each.layers] for each in results.predictions)
    rtl = summed(np.diff(run.retirements, prepend=0).tolist() for run in results.runs)
    return [
        RunLayer(
            name=name,
            **what_it_is(tiled.get(name)),
            zero_bit_columns=results.zero_columns.get(name),
            images=images,
            mismatches=differences(name, results, head=tilings[-1].name) if name in tiled else None,
            cycles_rtl=rtl[number] if rtl else None,
            cycles_model=model[number] if model else None,
            cycles_compute_rtl=None,
            cycles_compute_model=None,
            load_cycles_rtl=None,
            load_cycles_model=None,
        )
        for number, name in enumerate(names)
    ]


def summed(lists: Iterable[Sequence[int]]) -> list[int]:
    """Return the sums over images, position by position; nothing for no images."""
    return [sum(column) for column in zip(*lists, strict=True)]


def what_it_is(tiling: LayerTiling | None) -> dict[str, Any]:
    """Return the facts of a layer, or those of a step of the chip itself."""
    if tiling is None:
        return dict.fromkeys(("shape", "sets", "share", "weights_kept")) | {"kind": "chip"}
    return {
        "kind": tiling.kind,
        "shape": tiling.shape,
        "sets": tiling.sets,
        "share": tiling.share,
        "weights_kept": tiling.weights_kept,
    }


def differences(name: str, results: Results, *, head: str) -> int | None:
    """Return the elements of a layer's maps in which simulation and golden differ."""
    if not results.runs:
        return None
    found = [run.logits if name == head else run.maps[name] for run in results.runs]
    return sum(map(unequal, found, results.maps[name]))


def unequal(given: NDArray[Any], expected: NDArray[Any]) -> int:
    """Return how many elements differ; all of them when the shapes do."""
    if given.shape != expected.shape:
        return max(given.size, expected.size)
    return int((given != expected).sum())
