"""`hwgen model --trace`: the first run of a network as a timeline."""

from dataclasses import replace
from typing import Any

from hwgen.chip.family import Family
from hwgen.commands.context import Context
from hwgen.commands.engines import expected_maps, maps_of_runs, predicted_cycles
from hwgen.commands.images import Batch
from hwgen.commands.subject import Subject, program_of
from hwgen.report.trace import trace_text


def trace_network(context: Context, subject: Subject, batch: Batch) -> str:
    """Return the trace of the first run: its steps, and its units where the family shows them."""
    size = subject.run_images
    first = replace(batch, images=batch.images[:size], modes=batch.modes[:size])
    program = program_of(context, subject)
    maps = expected_maps(context, subject, first)
    (prediction,) = predicted_cycles(context, subject, program, maps, first.modes)
    tracks = []
    if subject.family.offers(Family.timeline):
        (run,) = maps_of_runs(program, maps, size)
        of_modes = {"modes": first.modes} if subject.family.offers(Family.modes) else {}
        show: Any = subject.family.need(Family.timeline).timeline
        with context.progress("timeline"):
            tracks = list(show(program, subject.arch, run, **of_modes))
    name = f"{subject.network.graph.name} on {subject.arch.name}, {subject.arch.clock_mhz:g} MHz"
    return trace_text(name, prediction.steps, tracks)
