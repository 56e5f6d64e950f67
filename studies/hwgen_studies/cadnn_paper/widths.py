"""A network in every width by both mappings on the RTL of an MRAM chip, measured and tabulated.

    python -m hwgen_studies.cadnn_paper.widths NETWORK ARCH --data SET --out FILE --json FILE

writes the page and the report; the exit code is 1 if something differs.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hwgen.chip.family import Family
from hwgen.commands.compare import Results, compare
from hwgen.commands.context import Context
from hwgen.commands.images import Batch, choose_images
from hwgen.commands.origin import commit, machine
from hwgen.commands.run import results_of
from hwgen.commands.subject import Subject, load_subject, program_of
from hwgen.errors import HwgenError
from hwgen.files.digests import digest_of
from hwgen.files.output import write_text
from hwgen.mram.facts.program import Mapping
from hwgen.report.files import write_report
from hwgen_studies.cadnn_paper.counts import POSITIONS, SEED
from hwgen_studies.cadnn_paper.cycle_parts import cycle_parts
from hwgen_studies.cadnn_paper.widths_report import LoadRow, WidthRow, WidthsReport, widths_page
from hwgen_studies.options import page_options

MAPPINGS: tuple[Mapping, ...] = (POSITIONS, SEED)


def measure(
    context: Context, network: Path, arch: Path, *, data: str | None, images: int
) -> WidthsReport:
    """Return what `images` images take in each mode by each mapping; each image is a run.

    data: as for `hwgen run`
    """
    subject = load_subject(network, arch)
    batch = choose_images(subject.network, data, images)
    rows: list[WidthRow] = []
    loads: list[LoadRow] = []
    for mapping in MAPPINGS:
        program = mapped_program(context, subject, mapping)
        subject.family.need(Family.simulation).prepare(
            subject.arch, program, batch.images, builds=context.work / "sim", say=context.say
        )
        of_mapping: list[WidthRow] = []
        for mode, name in enumerate(subject.network.graph.modes):
            of_mode = replace(batch, modes=(mode,) * images)
            results = results_of(context, subject, of_mode, program, simulated=True)
            widest = of_mapping[0].cycles_rtl if of_mapping else results.runs[0].cycles
            of_mapping.append(width_row(subject, results, mapping=mapping, widest=widest))
            context.say(f"{mapping} {name}: {of_mapping[-1].outcome}")
        rows += of_mapping
        loads.append(load_row(subject, program, results, mapping=mapping))
    return WidthsReport(
        format="hwgen.report.mram_widths",
        version=1,
        network=subject.network.graph.name,
        network_digest=subject.network.digest,
        architecture=subject.arch.name,
        configuration_digest=digest_of(subject.configuration),
        images_name=Path(batch.about.name).name,
        images_digest=batch.about.digest,
        commit=commit(),
        machine=machine(),
        command=command_of(subject, batch),
        loads=loads,
        rows=rows,
    )


def command_of(subject: Subject, batch: Batch) -> str:
    """Return the command that measures the same, without folders."""
    return (
        "python -m hwgen_studies.cadnn_paper.widths"
        f" {subject.network_file.name} {subject.arch_file.name}"
        f" --data {Path(batch.about.name).name} --images {len(batch.images)}"
    )


def mapped_program(context: Context, subject: Subject, mapping: Mapping) -> Any:
    """Return the program by one of the mappings: ours as `hwgen run` compiles it."""
    from hwgen.mram import compiler

    if mapping == POSITIONS:
        return program_of(context, subject)
    arch: Any = subject.arch
    return compiler.compile_network(subject.network, arch, mapping=mapping)


def width_row(subject: Subject, results: Results, *, mapping: str, widest: int) -> WidthRow:
    """Return the row of a mode; widest: cycles of an image in the widest one."""
    comparison = compare(subject.network, results)
    runs: Sequence[Any] = results.runs
    first = runs[0]
    layers = {layer.name for layer in subject.network.layers}
    fused = layers & results.fused
    predicted: Any = results.predictions[0]
    arch: Any = subject.arch
    alike = {(run.cycles, tuple(sorted(run.events.items()))) for run in runs}
    return WidthRow(
        mapping=mapping,
        mode=results.modes[0],
        images=results.images,
        cycles_model=results.predictions[0].cycles,
        cycles_rtl=first.cycles,
        ratio=round(first.cycles / widest, 4),
        maps_compared=len(layers - fused),
        maps_fused=len(fused),
        mismatches=sum(comparison.mismatches.values()),
        events=dict(first.events),
        parts=cycle_parts(predicted.found, arch),
        weight_row_writes=sum(run.weight_row_writes for run in runs),
        simulation_seconds=results.seconds["rtl"],
        outcome="equal" if comparison.equal and len(alike) == 1 else "differs",
    )


def load_row(subject: Subject, program: Any, results: Results, *, mapping: str) -> LoadRow:
    """Return the load before the runs of the results."""
    model: Any = subject.family.need(Family.cycle_model).CycleModel(program, subject.arch)
    run: Any = results.runs[0]
    return LoadRow(
        mapping=mapping,
        bytes=len(program.image),
        weight_row_writes=run.counters["weight_row_writes"],
        cycles_model=model.predict_load(),
        cycles_rtl=run.loading,
    )


def main(arguments: Sequence[str]) -> int:
    """Measure and write; return the exit code."""
    parser = page_options("mram-results", __doc__)
    parser.add_argument("network", type=Path)
    parser.add_argument("arch", type=Path)
    parser.add_argument("--images", type=int, default=4, help="of each width")
    given = parser.parse_args(arguments)
    try:
        report = measure(
            Context(work=given.work),
            given.network,
            given.arch,
            data=given.data,
            images=given.images,
        )
        write_text(given.out, widths_page(report), what="page")
        write_report(report, given.json)
    except HwgenError as error:
        print(f"mram-results: {error}", file=sys.stderr)
        return 2
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
