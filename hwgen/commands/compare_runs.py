"""Compare each run of a simulation with the cycle model: each step, counter and event by itself."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Literal

from hwgen.chip.runs import Prediction, summed
from hwgen.chip.runs import SimulatedRun as Run
from hwgen.chip.step import Step
from hwgen.report.run import ChipRun, Difference, RunStep, StepSum


def run_records(
    predictions: Sequence[Prediction],
    runs: Sequence[Run],
    *,
    images: int,
    run_images: int,
    compared: bool,
    timed: bool = True,
) -> list[ChipRun]:
    """Return a record for each run.

    images: of all runs; run_images: of one, of which the last may have fewer
    compared: there was a simulation, and a missing run differs; timed: cycles are compared, too
    """
    return [
        run_record(
            prediction,
            run,
            index=index,
            images=range(index * run_images, (index + 1) * run_images)[
                : images - index * run_images
            ],
            compared=compared,
            timed=timed,
        )
        for index, (prediction, run) in enumerate(zip_longest(predictions, runs))
    ]


def run_record(
    prediction: Prediction | None,
    run: Run | None,
    *,
    index: int,
    images: Sequence[int],
    compared: bool,
    timed: bool,
) -> ChipRun:
    """Return one run by the cycle model and by the simulation; images: that belong to it."""
    steps = run_steps(prediction, run, compared=compared, timed=timed)
    return ChipRun(
        index=index,
        images=list(images if run is None else run.images),
        cycles_rtl=run.cycles if run else None,
        cycles_model=prediction.cycles if prediction else None,
        load_cycles_rtl=run.load_cycles if run else None,
        load_cycles_model=prediction.load if prediction else None,
        counters_rtl=counters_of(run, timed=timed) if run else None,
        counters_model=counters_of(prediction, timed=timed) if prediction else None,
        events_rtl=dict(run.events) if run else None,
        events_model=dict(prediction.events) if prediction else None,
        steps=steps,
        timed=timed,
        equal=runs_agree(prediction, run, steps, images=images, timed=timed) if compared else None,
    )


def counters_of(side: Prediction | Run, *, timed: bool) -> dict[str, int]:
    """Return what was counted of a run beside its cycles, by name.

    Of what not every chip counts, a count of 0 is left out.

    timed: with what a slower memory changes
    """
    further = {"weight_row_writes_after_load": side.weight_row_writes}
    if timed:
        further |= {"loading": side.loading, "held_clocks": side.held_clocks}
        further |= {f"image_cycles.{n}": count for n, count in enumerate(side.image_cycles)}
    return dict(side.counters) | {name: count for name, count in further.items() if count}


def runs_agree(
    prediction: Prediction | None,
    run: Run | None,
    steps: Sequence[RunStep],
    *,
    images: Sequence[int],
    timed: bool,
) -> bool:
    """Return whether a run is exactly as predicted; without `timed` its cycles may be others.

    images: that belong to it. Where steps have events, these add up to those of the run.
    """
    if prediction is None or run is None:
        return False
    return (
        list(run.images) == list(images)
        and (not timed or (run.cycles, run.load_cycles) == (prediction.cycles, prediction.load))
        and counters_of(run, timed=timed) == counters_of(prediction, timed=timed)
        and dict(run.events) == dict(prediction.events)
        and len(run.step_events) == len(prediction.own_events)
        and (not run.step_events or summed(run.step_events) == dict(run.events))
        and all(step.equal for step in steps)
    )


def in_time(run: ChipRun) -> bool | None:
    """Return whether cycles, counters and steps are as predicted; None: nothing was compared."""
    if run.equal is None or not run.timed:
        return None
    return not any(True for _ in differing_counters(run)) and all(
        step.in_time for step in run.steps
    )


def run_steps(
    prediction: Prediction | None, run: Run | None, *, compared: bool, timed: bool
) -> list[RunStep]:
    """Return the steps of a run from both sides; a step that one side lacks differs."""
    model = prediction.steps if prediction else ()
    rtl = run.steps if run else ()
    found = []
    counts = events_by_step(prediction, run, max(len(model), len(rtl)))
    for expected, given, events in zip_longest(model, rtl, counts):
        known: Step = expected or given
        same = expected == given if timed else labels(expected) == labels(given)
        found.append(
            RunStep(
                name=known.name,
                layer=known.layer,
                begin_rtl=given.begin if given else None,
                end_rtl=given.end if given else None,
                begin_model=expected.begin if expected else None,
                end_model=expected.end if expected else None,
                in_time=same if compared and timed else None,
                events=events,
                equal=same and not events if compared else None,
            )
        )
    return found


def events_by_step(
    prediction: Prediction | None, run: Run | None, steps: int
) -> list[dict[str, tuple[int, int]]]:
    """Return the events of each step that differ; of a step that the run does not count, all."""
    if run is None:
        return [{}] * steps
    own = prediction.own_events if prediction else ()
    known = prediction.events if prediction else {}
    found = [
        differing_counts(expected or {}, counted or {}, known)
        for expected, counted in zip_longest(own, run.step_events)
    ]
    return [*found, *({} for _ in range(steps))][:steps]


def labels(step: Step | None) -> tuple[str, str] | None:
    """Return what names a step; None: there is none."""
    return None if step is None else (step.name, step.layer)


def differing_counts(
    expected: Mapping[str, int], found: Mapping[str, int], known: Collection[str]
) -> dict[str, tuple[int, int]]:
    """Return the events of a step that differ, and those that the model does not know.

    known: every event of the model; those that are not expected happen beside other steps
    """
    names = (*expected, *(name for name in found if name not in known and name not in expected))
    return {
        name: (expected.get(name, 0), found.get(name, 0))
        for name in names
        if found.get(name, 0) != expected.get(name, 0)
    }


def step_sums(runs: Sequence[ChipRun]) -> list[StepSum]:
    """Return the steps of the program with their cycles, summed over runs."""
    steps: dict[tuple[str, str], list[RunStep]] = {}
    for run in runs:
        for step in run.steps:
            steps.setdefault((step.name, step.layer), []).append(step)
    return [
        StepSum(
            name=name,
            layer=layer,
            cycles_rtl=total([cycles(step.begin_rtl, step.end_rtl) for step in each]),
            cycles_model=total([cycles(step.begin_model, step.end_model) for step in each]),
            in_time=all_equal([step.in_time for step in each]),
            equal=all_equal([step.equal for step in each]),
        )
        for (name, layer), each in steps.items()
    ]


def cycles(begin: int | None, end: int | None) -> int | None:
    """Return the length of a step in cycles; None for a missing step."""
    return None if begin is None or end is None else max(0, end - begin)


def total(values: Sequence[int | None]) -> int | None:
    """Return the sum of the measured values; None if there is none."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def all_equal(verdicts: Sequence[bool | None]) -> bool | None:
    """Return whether all are equal; None if nothing was compared."""
    known = [verdict for verdict in verdicts if verdict is not None]
    return all(known) if known else None


def first_in_runs(runs: Sequence[ChipRun]) -> Difference | None:
    """Return the first difference of the first run that is not as predicted."""
    for run in runs:
        if run.equal is False:
            for found in (*differing_steps(run), *differing_counters(run), *differing_events(run)):
                return found
            return Difference(what="run", run=run.index)
    return None


def differing_steps(run: ChipRun) -> Iterator[Difference]:
    """Yield the steps whose begin or end differs, then the events of steps that differ.

    Without timing a step differs that one side does not have.
    """
    for step in run.steps:
        lacking = (step.begin_rtl is None) != (step.begin_model is None)
        if lacking if step.in_time is None else not step.in_time:
            begins = step.begin_rtl != step.begin_model
            yield Difference(
                what="step",
                run=run.index,
                layer=step.name,
                name="begin" if begins else "end",
                expected=step.begin_model if begins else step.end_model,
                found=step.begin_rtl if begins else step.end_rtl,
            )
    for step in run.steps:
        for name, (expected, found) in step.events.items():
            yield Difference(
                what="event",
                run=run.index,
                layer=step.name,
                name=name,
                expected=expected,
                found=found,
            )


def differing_counters(run: ChipRun) -> Iterator[Difference]:
    """Yield the counters of the chip that differ."""
    model: dict[str, int | None] = {}
    rtl: dict[str, int | None] = {}
    if run.timed:
        model = {"cycles": run.cycles_model, "load_cycles": run.load_cycles_model}
        rtl = {"cycles": run.cycles_rtl, "load_cycles": run.load_cycles_rtl}
    expected, found = model | (run.counters_model or {}), rtl | (run.counters_rtl or {})
    yield from differing("counter", run, expected, found)


def differing_events(run: ChipRun) -> Iterator[Difference]:
    """Yield the events whose counts differ."""
    yield from differing("event", run, run.events_model or {}, run.events_rtl or {})


def differing(
    what: Literal["counter", "event"],
    run: ChipRun,
    expected: Mapping[str, int | None],
    found: Mapping[str, int | None],
) -> Iterator[Difference]:
    """Yield the entries that differ between two mappings, or are missing in one."""
    for name in dict.fromkeys((*expected, *found)):
        if expected.get(name) != found.get(name):
            yield Difference(
                what=what,
                run=run.index,
                name=name,
                expected=expected.get(name),
                found=found.get(name),
            )
