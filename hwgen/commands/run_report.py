"""The report of a run: what golden, cycle model and RTL say, compared image by image.

Tests: `tests/commands/test_modes.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.protocols import Program
from hwgen.chip.tiling import LayerTiling
from hwgen.chip.trouble import NO_TROUBLE, Trouble
from hwgen.commands.compare import Comparison, Results, compare, compare_layers
from hwgen.commands.compare_runs import all_equal, in_time, total
from hwgen.commands.engines import Engine
from hwgen.commands.images import Batch
from hwgen.commands.modes import cycles_of_images, weight_row_writes
from hwgen.commands.prices import Prices, counted_events
from hwgen.commands.schedules import schedule_keys, starts_of
from hwgen.commands.subject import Subject
from hwgen.network import QuantizedNetwork
from hwgen.report.run import Memory, RunImage, RunReport
from hwgen.report.types import ReplacedPart
from hwgen.report.writing import RunEffects


def report_of(
    subject: Subject,
    batch: Batch,
    program: Program | None,
    results: Results,
    expected: Iterable[NDArray[Any]],
    *,
    tilings: Sequence[LayerTiling],
    engine: Engine,
    seed: int,
    trouble: Trouble = NO_TROUBLE,
    replaced: Sequence[ReplacedPart] = (),
    energy: Prices | None = None,
    effects: RunEffects | None = None,
) -> RunReport:
    """Return the report of the results; expected: golden's answers.

    energy: by the table of a person; None: by that of the family
    effects: of devices that err; None: golden is exact
    """
    network = subject.network
    comparison = compare(network, results)
    starts = starts_of(subject, program, results.predictions, results.runs)
    golden_classes = classes_of(network, list(expected))
    classes = (
        classes_of(network, simulated_answers(network, results))
        if results.compared
        else golden_classes
    )
    waves = [run.waves for run in results.runs if run.waves]
    sums: dict[str, Any] = sums_over_runs(comparison)
    counted = results.runs if results.compared else results.predictions
    prices, events, images = (
        energy or Prices(subject.family),
        counted_events(counted),
        results.images,
    )
    cycles, chip = sum(each.cycles for each in counted), subject.timed
    return RunReport(
        format="hwgen.report.run",
        version=6,
        engine=engine,
        setting=subject.setting(program, batch),
        replaced=list(replaced),
        effects=effects,
        time_us=chip.time_us(cycles / images) if counted else None,
        clock=chip.clock,
        modes=list(network.graph.modes),
        seeds={"power_on": seed} if engine == "rtl" else {},
        equal=comparison.equal and not (starts and starts.first),
        in_time=all_equal([in_time(run) for run in comparison.runs]),
        first_difference=comparison.first or (starts.first if starts else None),
        accuracy=accuracy_of(golden_classes, batch.labels),
        predictions=classes,
        waves=str(waves[0]) if waves else None,
        mismatches=sum(comparison.mismatches.values()) if results.compared else None,
        **sums,
        **schedule_keys(starts, compared=results.compared),
        image_energy=prices.image(
            events,
            cycles,
            chip.arch,
            images=images,
            outside_bytes=prices.outside_bytes(events, subject.arch, program, images=images),
        ),
        memory=memory_of(trouble, sums) if results.compared else None,
        weight_row_writes_after_load=weight_row_writes(subject, results.runs),
        switch_cycles_max=results.switch_cycles_max,
        runs=comparison.runs,
        steps=comparison.steps,
        layers=compare_layers(network, tilings, results, comparison),
        images=run_images(batch, results, comparison, classes),
    )


def memory_of(trouble: Trouble, sums: Mapping[str, int | None]) -> Memory | None:
    """Return what the memory did and the cycles that it cost; None: as the model assumes."""
    if trouble == Trouble(seed=trouble.seed):
        return None
    rtl, model = sums["cycles_rtl"], sums["cycles_model"]
    return Memory(
        latency=trouble.latency,
        stall_percent=trouble.stall,
        stall_seed=trouble.seed,
        error_address=trouble.error_address,
        more_cycles=None if rtl is None or model is None else rtl - model,
    )


def run_images(
    batch: Batch, results: Results, comparison: Comparison, classes: Sequence[int | None]
) -> list[RunImage]:
    """Return a row for each image."""
    rtl = cycles_of_images((run, run.images) for run in results.runs)
    images = (run.images for run in comparison.runs)
    model = cycles_of_images(zip(results.predictions, images, strict=False))
    labels = batch.labels
    return [
        RunImage(
            index=index,
            mode=mode,
            label=None if labels is None else int(labels[index]),
            cycles_rtl=rtl.get(index),
            cycles_model=model.get(index),
            equal=comparison.image_equal[index],
            class_=classes[index],
        )
        for index, mode in enumerate(results.modes)
    ]


def sums_over_runs(comparison: Comparison) -> dict[str, int | None]:
    """Return cycles and load-stall cycles of all runs."""
    found: dict[str, int | None] = {}
    for side in ("rtl", "model"):
        cycles = total([getattr(run, f"cycles_{side}") for run in comparison.runs])
        load = total([getattr(run, f"load_cycles_{side}") for run in comparison.runs])
        compute = None if cycles is None or load is None else max(0, cycles - load)
        found |= {
            f"cycles_{side}": cycles,
            f"load_cycles_{side}": load,
            f"cycles_compute_{side}": compute,
        }
    return found


def simulated_answers(network: QuantizedNetwork, results: Results) -> list[NDArray[Any] | None]:
    """Return the simulation's answer to each image; None where it gave none."""
    answers: list[NDArray[Any] | None] = [None] * results.images
    for run in results.runs:
        for image, maps in zip(run.images, run.maps, strict=True):
            if image < results.images:
                answers[image] = maps.get(network.answer)
    return answers


def classes_of(
    network: QuantizedNetwork, answers: Sequence[NDArray[Any] | None]
) -> list[int | None]:
    """Return the class of each answer, the lowest of equals.

    None unless the answer is 1 x 1 and the network names classes, and for an answer that a
    simulation gave in another shape or not at all.
    """
    answer = network.map_of(network.answer)
    if answer.shape[:2] != (1, 1) or not network.graph.class_names:
        return [None] * len(answers)
    return [
        int(np.argmax(network.scores(found[np.newaxis])))
        if found is not None and found.shape == answer.shape
        else None
        for found in answers
    ]


def accuracy_of(classes: Sequence[int | None], labels: NDArray[np.int64] | None) -> float | None:
    """Return the fraction of right classes; None without labels or classes."""
    if labels is None or None in classes:
        return None
    return float(np.mean(labels == np.array(classes)))
