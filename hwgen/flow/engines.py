"""The three engines that images run on: golden, the cycle model, the simulation."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from hwgen.errors import DataError
from hwgen.flow.capabilities import BIT_ACTIVITY, SIMULATION
from hwgen.flow.context import Context
from hwgen.flow.images import Batch
from hwgen.flow.load import load
from hwgen.flow.protocols import Bytes, Prediction, Program, Run
from hwgen.flow.subject import Subject, model_of

Maps = Mapping[str, NDArray[Any]]
"""All maps of all images by layer name, NHWC, the image under `input`."""


@dataclass(frozen=True)
class Window:
    """Clock cycles whose waves are written: from `first` to `last` (None: to the end)."""

    first: int
    last: int | None


def golden() -> Any:
    """Return the reference, which is the same for all families."""
    return load("golden.network")


def expected_maps(context: Context, subject: Subject, batch: Batch) -> Maps:
    """Return every map of every image, as golden computes it."""
    with context.progress("golden"):
        maps: Maps = golden().infer(subject.network, batch.images)
    return maps


def expected_answers(context: Context, subject: Subject, images: Bytes) -> NDArray[Any]:
    """Return golden's answers, (images, height, width, channels), without the maps before them."""
    with context.progress("golden"):
        answers: NDArray[Any] = golden().answer(subject.network, images)
    return answers


def maps_of_runs(program: Program, maps: Maps, images: int) -> list[Maps]:
    """Return the maps of each run; the images must fill all runs."""
    size = program.facts.images
    if images % size:
        raise DataError(
            f"--images must be a multiple of {size}, the images of one run, got {images}"
        )
    return [
        {name: found[first : first + size] for name, found in maps.items()}
        for first in range(0, images, size)
    ]


def predicted_cycles(
    context: Context, subject: Subject, program: Program, maps: Maps, images: int
) -> list[Prediction]:
    """Return the cycle model's prediction for each run."""
    runs = maps_of_runs(program, maps, images)
    model = model_of(context, subject).CycleModel(program, subject.arch)
    found = []
    with context.progress("cycle model", len(runs)) as done:
        for run in runs:
            found.append(model.predict(run))
            done()
    return found


def zero_bit_planes(
    subject: Subject, program: Program, maps: Maps, images: int
) -> dict[str, float | None]:
    """Return the fraction of bit planes without a one, by layer; None for a layer without weights.

    Empty if the family does not count them.
    """
    if not subject.family.offers(BIT_ACTIVITY):
        return {}
    counted = bit_planes(subject, program, maps, images)
    found = {name: zero / total for name, (zero, total) in counted.items() if total}
    return {layer.name: found.get(layer.name) for layer in subject.network.layers}


def bit_planes(
    subject: Subject, program: Program, maps: Maps, images: int
) -> dict[str, tuple[int, int]]:
    """Return the bit planes without a one and all of them, by layer with weights.

    A bit plane is one bit position of a group of inputs.
    """
    counter = subject.family.need(BIT_ACTIVITY).ColumnCounter(program, subject.arch)
    zero: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for run in maps_of_runs(program, maps, images):
        for name, count in counter.count(run).items():
            zero[name] += count.zero
            total[name] += count.total
    return {name: (zero[name], count) for name, count in total.items()}


def simulate(
    context: Context,
    subject: Subject,
    program: Program,
    batch: Batch,
    *,
    window: Window | None,
    seed: int,
) -> Sequence[Run]:
    """Simulate the Verilog and return each run; seed: of the content of memories at power-on."""
    simulation = subject.family.need(SIMULATION)
    waves = (
        None
        if window is None
        else load("hwgen.sim.waves").Waves(first=window.first, last=window.last)
    )
    with context.progress(f"simulating {subject.arch.name}"):
        return simulation.simulate(
            subject.arch,
            program,
            batch.images,
            waves=waves,
            seed=seed,
            builds=context.work / "sim",
            say=context.say,
        )
