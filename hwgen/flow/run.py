"""`hwgen run`: the same images through golden, cycle model and RTL, side by side."""

from pathlib import Path
from typing import Literal

import numpy as np

from hwgen.flow.compare import Results, compare_layers
from hwgen.flow.context import Context
from hwgen.flow.engines import Window, expected_maps, predicted_cycles, simulate, zero_columns
from hwgen.flow.images import Batch
from hwgen.flow.protocols import Program
from hwgen.flow.subject import Subject, program_of
from hwgen.report.run import RunReport

Engine = Literal["golden", "model", "rtl"]


def run_network(
    context: Context,
    subject: Subject,
    batch: Batch,
    *,
    engine: Engine,
    program: Path | None = None,
    window: Window | None = None,
    seed: int = 1,
) -> RunReport:
    """Run images and compare; `golden` has maps only, `model` cycles too, `rtl` everything.

    program: instead of compiling; window: clock cycles whose waves shall be written
    seed: of what memories hold at power-on in the simulation
    """
    compiled = program_of(context, subject, program)
    maps = expected_maps(context, subject, batch)
    if engine == "golden":
        results = Results(maps=maps, zero_columns={})
    else:
        count = len(batch.images)
        results = Results(
            maps=maps,
            predictions=predicted_cycles(context, subject, compiled, maps, count),
            runs=(
                simulate(context, subject, compiled, batch, window=window, seed=seed)
                if engine == "rtl"
                else ()
            ),
            zero_columns=zero_columns(subject, compiled, maps, count),
        )
    return report_of(subject, batch, compiled, results, engine=engine, seed=seed)


def report_of(
    subject: Subject,
    batch: Batch,
    program: Program,
    results: Results,
    *,
    engine: Engine,
    seed: int,
) -> RunReport:
    """Return the report of what was found."""
    tilings = subject.family.compiler.tiling(program, subject.arch)
    layers = compare_layers(tilings, results, len(batch.images))
    model, runs = results.predictions, results.runs
    cycles = {
        "cycles_model": sum(each.cycles for each in model) if model else None,
        "load_cycles_model": sum(each.load for each in model) if model else None,
        "cycles_rtl": sum(each.cycles for each in runs) if runs else None,
        "load_cycles_rtl": sum(each.load_cycles for each in runs) if runs else None,
    }
    mismatches = sum(layer.mismatches or 0 for layer in layers) if runs else None
    in_time = cycles["load_cycles_rtl"] == cycles["load_cycles_model"] and all(
        layer.cycles_rtl == layer.cycles_model for layer in layers
    )
    classes = predicted_classes(subject, results)
    labels = batch.labels
    return RunReport(
        format="hwgen.report.run",
        version=1,
        engine=engine,
        setting=subject.setting(program, batch),
        seeds={"power_on": seed} if engine == "rtl" else {},
        equal=mismatches == 0 and in_time if runs else None,
        accuracy=None if labels is None else float(np.mean(labels == classes)),
        predictions=classes,
        waves=str(runs[0].waves) if runs and runs[0].waves else None,
        images=len(batch.images),
        mismatches=mismatches,
        cycles_compute_rtl=without_load(cycles["cycles_rtl"], cycles["load_cycles_rtl"]),
        cycles_compute_model=without_load(cycles["cycles_model"], cycles["load_cycles_model"]),
        **cycles,
        layers=layers,
    )


def without_load(cycles: int | None, load: int | None) -> int | None:
    """Return the cycles in which nothing waited for a load alone."""
    return None if cycles is None or load is None else cycles - load


def predicted_classes(subject: Subject, results: Results) -> list[int]:
    """Return the class of each image: by the simulation if there was one, else by golden."""
    head = subject.network.layers[-1].name
    logits = [run.logits for run in results.runs] or list(results.maps[head])
    return [int(np.argmax(row)) for row in logits]
