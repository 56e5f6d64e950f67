"""The three engines that images run on: golden, the cycle model, the simulation."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.family import Family
from hwgen.chip.limits import RunLimits
from hwgen.chip.mode_protocols import ModePredictor, ModeSimulation
from hwgen.chip.protocols import Program
from hwgen.chip.runs import Prediction
from hwgen.chip.runs import SimulatedRun as Run
from hwgen.chip.trouble import NO_TROUBLE, Trouble
from hwgen.commands import speed
from hwgen.commands.context import Context, timed
from hwgen.commands.families import InstalledFamily
from hwgen.commands.images import Batch
from hwgen.commands.subject import Subject, model_of
from hwgen.errors import DataError, MissingToolError
from hwgen.network import QuantizedNetwork
from hwgen.network.drawn import drawn_maps

Maps = Mapping[str, Any]
"""All maps of all images by layer name, the image under `input`.

NHWC, or a list of (height, width, channels) where the images have several modes.
"""

Engine = Literal["golden", "model", "rtl"]
"""What computes."""

HANGING, SLACK_CYCLES, SLACK_STORES = 2, 100_000, 10_000
"""A run hangs after so many times what is predicted, and so much more."""


MOST_STALLS = 95
"""Percent of cycles; a chip whose memory hardly moves looks like one that hangs."""


@dataclass(frozen=True)
class Window:
    """Clock cycles whose waves are written: from `first` to `last` (None: to the end).

    depth: levels of instances whose signals are written; None: all
    """

    first: int
    last: int | None
    depth: int | None = None


def expected_maps(context: Context, subject: Subject, batch: Batch, *, sums_by: Any = None) -> Maps:
    """Return every map of every image, as golden computes it, or as densities draw it.

    sums_by: sums of layers by devices that err; None: exact
    """
    if subject.densities is not None:
        return drawn_maps(subject.densities, len(batch.images))
    from golden.network import infer
    from golden.states import calls

    with context.progress("golden"):
        if subject.network.states:
            check_calls(subject.network, len(batch.images), exact=sums_by is None)
            return calls(subject.network, batch.images)
        return in_modes(
            batch,
            lambda images, mode: infer(subject.network, images, mode=mode, sums_by=sums_by),
        )


def check_calls(network: QuantizedNetwork, count: int, *, exact: bool) -> None:
    """Refuse more calls of a network with states than it has positions, and devices that err."""
    positions = network.starts
    if positions and count > positions:
        raise DataError(
            f"the calls of {network.graph.name} must be at most its {positions} positions, got"
            f" {count}"
        )
    if not exact:
        raise DataError(
            f"a network on devices that err must be without states, got {network.graph.name}"
        )


def expected_answers(context: Context, subject: Subject, batch: Batch) -> Any:
    """Return golden's answers, (images, height, width, channels), without the maps before them.

    A list of (height, width, channels) where the images have several modes.
    """
    from golden.network import answer

    name = subject.network.answer
    if subject.network.states:
        return expected_maps(context, subject, batch)[name]
    with context.progress("golden"):
        return in_modes(
            batch, lambda images, mode: {name: answer(subject.network, images, mode=mode)}
        )[name]


def expected_outputs(
    context: Context, subject: Subject, batch: Batch, *, sums_by: Any = None
) -> Maps:
    """Return golden's maps of all outputs of the network, as `expected_answers` those of one.

    sums_by: sums of layers by devices that err; None: exact
    """
    from golden.network import outputs

    if subject.network.states:
        maps = expected_maps(context, subject, batch, sums_by=sums_by)
        return {name: maps[name] for name in subject.network.graph.outputs}
    with context.progress("golden"):
        return in_modes(
            batch,
            lambda images, mode: outputs(subject.network, images, mode=mode, sums_by=sums_by),
        )


def golden_accuracy(context: Context, subject: Subject, batch: Batch) -> float:
    """Return the fraction of the labelled images of one mode that golden gets right."""
    classes = subject.network.scores(expected_answers(context, subject, batch)).argmax(axis=1)
    return float(np.count_nonzero(classes == batch.labels)) / len(batch.images)


def in_modes(batch: Batch, maps_of: Callable[[NDArray[Any], int], Maps]) -> Maps:
    """Return the maps of all images, each in its mode; maps_of: of images in one mode."""
    modes = np.array(batch.modes)
    several = dict.fromkeys(batch.modes)
    if len(several) == 1:
        return maps_of(batch.images, batch.modes[0])
    found: dict[str, list[Any]] = {}
    for mode in several:
        places = np.flatnonzero(modes == mode)
        for name, maps in maps_of(batch.images[places], mode).items():
            of_all = found.setdefault(name, [None] * len(modes))
            for place, one in zip(places, maps, strict=True):
                of_all[place] = one
    return found


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
    context: Context, subject: Subject, program: Program, maps: Maps, modes: Sequence[int]
) -> list[Prediction]:
    """Return the cycle model's prediction for each run; modes: of each image."""
    runs = maps_of_runs(program, maps, len(modes))
    model = model_of(context, subject).CycleModel(program, subject.arch)
    size = program.facts.images
    found: list[Prediction] = []
    with context.progress("cycle model", len(runs)) as done:
        for index, run in enumerate(runs):
            if subject.family.offers(Family.modes):
                of_run = modes[index * size : (index + 1) * size]
                found.append(cast(ModePredictor, model).predict(run, modes=of_run))
            elif subject.network.graph.positions:
                found.append(cast(Any, model).predict(run, position=index))
            else:
                found.append(model.predict(run))
            done()
    return found


def zero_bit_planes(
    subject: Subject, program: Program, maps: Maps, images: int
) -> dict[str, float | None]:
    """Return the fraction of bit planes without a one, by layer; None for a layer without weights.

    Empty if the family does not count them.
    """
    if not subject.family.offers(Family.bit_activity):
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
    counter = subject.family.need(Family.bit_activity).ColumnCounter(program, subject.arch)
    zero: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for run in maps_of_runs(program, maps, images):
        for name, count in counter.count(run).items():
            zero[name] += count.zero
            total[name] += count.total
    return {name: (zero[name], count) for name, count in total.items()}


def default_engine(family: InstalledFamily) -> Literal["model", "rtl"]:
    """Return `rtl` for a family whose chips can be simulated, else `model`.

    Raises MissingToolError where this machine lacks what simulates them.
    """
    if not family.offers(Family.simulation):
        return "model"
    try:
        from hwgen.chip.sim.toolchain import find_verilator

        find_verilator()
    except MissingToolError as error:
        raise MissingToolError(f"{error}; --engine model predicts without it") from None
    return "rtl"


def limits_of(
    predictions: Sequence[Prediction], storing: Sequence[str], trouble: Trouble = NO_TROUBLE
) -> RunLimits:
    """Return after which cycles and stored words a run hangs: twice the longest one, and slack.

    It foresees the cycles of all runs.

    storing: events of which each stored word has at least one
    trouble: of the memory, which makes it longer
    """
    words = (run.lines + sum(run.events.get(name, 0) for name in storing) for run in predictions)
    return RunLimits(
        cycles=longer(HANGING * max(run.cycles for run in predictions) + SLACK_CYCLES, trouble),
        stores=HANGING * max(words) + SLACK_STORES,
        foreseen=longer(all_cycles(predictions), trouble),
    )


def all_cycles(predictions: Sequence[Prediction]) -> int:
    """Return the cycles of a simulation: of the load of the weights, and of all runs."""
    return predictions[0].loading + sum(run.cycles for run in predictions)


def longer(cycles: int, trouble: Trouble) -> int:
    """Return the cycles of a chip that always waits for its memory, which stalls or answers late.

    A chip asks for beats: an address for each sixteen of them is more than it needs.
    """
    late = cycles // 16 * (trouble.latency or 0)
    return (cycles + late) * 100 // (100 - trouble.stall)


def simulate(
    context: Context,
    subject: Subject,
    program: Program,
    batch: Batch,
    *,
    predictions: Sequence[Prediction],
    window: Window | None = None,
    seed: int,
    trouble: Trouble = NO_TROUBLE,
    calls: Sequence[tuple[int, int]] = (),
    others: Sequence[Program] = (),
) -> Sequence[Run]:
    """Simulate the Verilog and return each run.

    calls: of a network with states, position and program of each, 0: `program`, n: others[n - 1]
    predictions: of all runs, which say how long it takes, and when a run counts as hanging
    seed: of the content of memories at power-on
    """
    from hwgen.chip.sim.simulator import BUILDING, SHORT_CYCLES, WAITING
    from hwgen.chip.sim.waves import Waves

    simulation = subject.family.need(Family.simulation)
    cycles = all_cycles(predictions)
    waves = (
        None if window is None else Waves(first=window.first, last=window.last, depth=window.depth)
    )
    builds, said = context.work / "sim", list[str]()
    options: dict[str, Any] = {"waves": waves, "seed": seed, "builds": builds, "trouble": trouble}
    options["limits"] = limits_of(predictions, simulation.STORING, trouble)
    if subject.replacements:
        options["replacements"] = subject.replacements
    if calls:
        call = cast(Any, simulation).Call
        turns = [call(position=position, program=number) for position, number in calls]
        options |= {"calls": turns, "others": others}
    given = subject.arch, program, batch.images
    # Short runs may have a slower simulator.
    digest = f"{subject.arch.digest}{' short' if cycles <= SHORT_CYCLES else ''}"
    told = speed.forecast(subject.arch.name, cycles, speed.cycles_per_second(builds, digest))
    usual = window is None and trouble == NO_TROUBLE and not subject.replacements
    if told is not None and usual:
        context.say(told)
    seconds: dict[str, float] = {}
    runs: Sequence[Run]
    with context.told(f"the RTL of {subject.arch.name}") as tell, timed(seconds, "rtl"):

        def say(text: str) -> None:
            said.append(text)
            tell(text)

        options["say"] = say
        if subject.family.offers(Family.modes):
            of_modes = cast(ModeSimulation, simulation)
            runs = of_modes.simulate(*given, modes=batch.modes, **options)
        else:
            runs = simulation.simulate(*given, **options)
    built = BUILDING, WAITING
    if usual and not any(text.startswith(built) for text in said):
        speed.remember(builds, digest, cycles=cycles, seconds=seconds["rtl"])
    return runs
