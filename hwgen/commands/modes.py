"""A stream of images under a schedule of modes, and what a switch of the mode costs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from hwgen.chip.family import Family
from hwgen.chip.runs import Prediction
from hwgen.chip.runs import SimulatedRun as Run
from hwgen.commands.images import Batch, Data, choose_images
from hwgen.commands.subject import Subject
from hwgen.errors import DataError, with_near


def choose_stream(
    subject: Subject,
    data: Data,
    *,
    images: int | None,
    batch: int | None,
    modes: Sequence[str] | None,
) -> tuple[Subject, Batch]:
    """Return the images to run, each with its mode, and the subject with the size of a run.

    data: see `choose_images`; images: how many; None: those of one run, at least one of each entry
        of the schedule
    batch: images of a run; None: 1, with a schedule of several entries all images
    modes: the schedule: the mode of each image by its name; after the last entry it begins again;
        None or empty: the widest mode
    """
    schedule = schedule_of(subject, modes) if modes else (0,)
    count = max(batch or 1, len(schedule)) if images is None else images
    chosen = choose_images(subject.network, data, count)
    size = batch or (count if len(schedule) > 1 else 1)
    in_modes = tuple(schedule[index % len(schedule)] for index in range(count))
    return replace(subject, run_images=size), replace(chosen, modes=in_modes)


def schedule_of(subject: Subject, names: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers of modes; refuse a network without modes, and a chip that has none."""
    graph = subject.network.graph
    if len(graph.modes) == 1:
        raise DataError(
            f"a network for --mode and --modes must have several modes, got {graph.name} with"
            f" {graph.modes[0]} alone ({subject.network_file})"
        )
    subject.family.need(Family.modes)
    for name in names:
        if name not in graph.modes:
            raise DataError(
                f"a mode must be one of {', '.join(graph.modes)}, got"
                f" {with_near(name or 'nothing', graph.modes)} ({subject.network_file})"
            )
    return tuple(graph.modes.index(name) for name in names)


def weight_row_writes(subject: Subject, runs: Sequence[Run]) -> int | None:
    """Return the rows of weights that the runs wrote; None for a family without modes."""
    if not runs or not subject.family.offers(Family.modes):
        return None
    return sum(run.weight_row_writes for run in runs)


def switch_cycles_max(
    modes: Sequence[int],
    runs: Sequence[Run],
    simulate: Callable[[Sequence[int]], Sequence[Run]],
) -> int | None:
    """Return the cycles that the most expensive switch of a stream costs; None without a switch.

    The cost is measured: the image after the switch takes so many cycles more than the same image
    takes in the same place when the image before it has its mode.

    modes: of the images of `runs`; simulate: runs the same images in other modes
    """
    switches = [at for at in range(1, len(modes)) if modes[at] != modes[at - 1]]
    taken, costs = cycles_of_images((run, run.images) for run in runs), []
    # In one stream every second image can get the mode of the image behind it.
    for parity in (0, 1):
        measured = [at for at in switches if at % 2 == parity]
        if measured:
            plain = list(modes)
            for at in measured:
                plain[at - 1] = modes[at]
            without = cycles_of_images((run, run.images) for run in simulate(plain))
            costs += [taken[at] - without[at] for at in measured]
    return max(costs, default=None)


def cycles_of_images(
    runs: Iterable[tuple[Run | Prediction, Sequence[int]]],
) -> dict[int, int]:
    """Return the cycles of each image, by index, as far as they are known.

    runs: observed or predicted ones, and the indices of their images
    """
    found: dict[int, int] = {}
    for run, images in runs:
        alone = (run.cycles,) if len(images) == 1 else ()
        found |= dict(zip(images, run.image_cycles or alone, strict=False))
    return found
