"""All modes of a network on one chip: accuracy, cycles, events, energy, and a switched stream."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hwgen.chip.family import Family
from hwgen.commands.context import Context
from hwgen.commands.engines import golden_accuracy
from hwgen.commands.images import choose_images
from hwgen.commands.modes import choose_stream, every_switch
from hwgen.commands.run import run_network
from hwgen.commands.subject import Subject, load_subject, program_of
from hwgen.files.output import write_text
from hwgen.report.adaptive import AdaptiveMode, AdaptiveReport
from hwgen.report.run import RunReport

PICTURE = "modes.svg"


def run_adaptive(
    context: Context, network_file: Path, arch_file: Path, *, images: int
) -> AdaptiveReport:
    """Run the same images in each mode of a network, and a stream with every switch, in RTL.

    images: of each mode. The picture goes to the work folder. Raises FamilyError for a family
    without modes or energies.
    """
    subject = load_subject(network_file, arch_file)
    names = subject.network.graph.modes
    everything = choose_images(subject.network, None, None)
    modes: list[AdaptiveMode] = []
    runs: list[RunReport] = []
    for mode, name in enumerate(names):
        chosen, batch = choose_stream(subject, None, images=images, batch=1, modes=[name])
        runs.append(run_network(context, chosen, batch, engine="rtl"))
        in_mode = replace(everything, modes=(mode,) * len(everything.images))
        accuracy = golden_accuracy(context, subject, in_mode)
        widest = modes[0].cycles_rtl if modes else None
        modes.append(mode_of(context, chosen, mode, runs[-1], accuracy=accuracy, widest=widest))
    tour = [names[mode] for mode in every_switch(len(names))]
    chosen, batch = choose_stream(subject, None, images=None, batch=None, modes=tour)
    stream = run_network(context, chosen, batch, engine="rtl")
    return AdaptiveReport(
        equal=all(run.equal is True for run in [*runs, stream]),
        network=subject.network_source,
        architecture=subject.arch_source,
        images=images,
        test_images=len(everything.images),
        modes=modes,
        runs=runs,
        stream=stream,
        picture=str(draw(context, modes)),
    )


def mode_of(
    context: Context,
    subject: Subject,
    mode: int,
    run: RunReport,
    *,
    accuracy: float,
    widest: float | None,
) -> AdaptiveMode:
    """Return the figures of a mode; run: of the images in it; widest: cycles of the widest mode."""
    family, arch = subject.family, subject.arch
    count = len(run.images)
    cycles = run.cycles_rtl or 0
    counts: dict[str, int] = {}
    for each in run.runs:
        for name, number in (each.events_rtl or {}).items():
            counts[name] = counts.get(name, 0) + number
    energy = family.need(Family.energy)
    spent = {name: pj / count for name, pj in energy.energy_pj(counts, arch).items()}
    leakage = energy.leakage_pj(cycles, subject.timed.arch) / count
    program = program_of(context, subject)
    return AdaptiveMode(
        name=subject.network.graph.modes[mode],
        accuracy=accuracy,
        equal=run.equal is True,
        cycles_rtl=cycles / count,
        cycles_fraction=1.0 if widest is None else cycles / count / widest,
        active_arrays=dict(family.need(Family.modes).active_arrays(program, arch, mode=mode)),
        events_rtl={name: number / count for name, number in counts.items()},
        energy_pj=spent,
        leakage_pj=leakage,
        total_pj=sum(spent.values()) + leakage,
    )


def draw(context: Context, modes: Sequence[AdaptiveMode]) -> Path:
    """Write the picture of the modes; return its file."""
    from hwgen.report.adaptive_plot import modes_picture

    path = context.work / PICTURE
    write_text(path, modes_picture(modes), what="picture")
    return path
