"""One case of `hwgen results`: a network runs on a chip, and what it measures becomes a row."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from hwgen.chip.family import Family
from hwgen.chip.protocols import Program
from hwgen.commands.compare import Results
from hwgen.commands.context import Context, timed
from hwgen.commands.engines import bit_planes
from hwgen.commands.families import code_of_families
from hwgen.commands.fields import images_of
from hwgen.commands.images import Batch, choose_images
from hwgen.commands.origin import commit, machine
from hwgen.commands.run import results_of
from hwgen.commands.run_report import report_of
from hwgen.commands.subject import Subject, load_subject, program_of
from hwgen.files.digests import digest_of, digest_of_array, digest_of_code
from hwgen.files.shipped import network_file
from hwgen.report.files import write_report
from hwgen.report.run import RunReport
from hwgen.report.tables import in_words
from hwgen.report.training_record import read_record, training_state, weights_of
from hwgen_studies.networks.report import Case, Measured, ResultRow, Training, row_of
from hwgen_studies.networks.request import CaseRequest

ACTIVATION_BITS = 8
REPORTS = "reports"
"""Folder, beside the records, of the whole reports of the runs."""

Engine = Literal["model", "rtl"]


def case_of(
    subject: Subject, batch: Batch, *, engine: Engine, sparsity: str, data: str | None
) -> Case:
    """Return the case of a subject; data: the option --data, for the command."""
    images = len(batch.images)
    source = "" if data is None else f" --data {Path(data).name}"
    return Case(
        network=subject.network.graph.name,
        network_digest=subject.network.digest,
        training=training_of(subject),
        architecture=subject.arch.name,
        configuration_digest=digest_of(subject.configuration),
        sparsity=sparsity,
        engine=engine,
        batch=subject.run_images,
        images=images,
        images_name=Path(batch.about.name).name,
        images_digest=batch.about.digest,
        code=digest_of_code("golden", *code_of_families()),
        commit=commit(),
        machine=machine(),
        command=(
            f"hwgen run {subject.network_file.name} {subject.arch_file.name}{source}"
            f" --batch {subject.run_images} --images {images} --sparsity {sparsity}"
            f" --engine {engine}"
        ),
    )


def training_of(subject: Subject) -> Training:
    """Return how a network was trained, by the record beside its file."""
    network = subject.network
    about = read_record(network_file(subject.network_file), network.digest)
    weights = weights_of(about, network.graph.dataset)
    if about is None:
        return Training(
            state=weights, short=weights == "random weights", accuracy=None, test_images=None
        )
    share = about["recipe"]["pruning"]["share"]
    state = f"{share:.0%} of blocks pruned: {training_state(about)}"
    return Training(
        state=f"{weights}, {state}" if weights == "not recorded" else state,
        short=weights == "short training",
        accuracy=about["accuracy"]["integer"],
        test_images=about["test_images"],
        accuracy_float=about["accuracy"].get("float"),
    )


def run_case(request: CaseRequest) -> ResultRow:
    """Run one case; write its row to `record` and its whole report into a folder beside it."""
    context, engine, record = request.quiet, request.engine, Path(request.record)
    arch, data = Path(request.architecture), images_of(request.data)
    subject = load_subject(Path(request.network), arch, request.sparsity, run_images=request.batch)
    chosen = choose_images(subject.network, data, request.images)
    named = None if data is None else str(data)
    case = case_of(subject, chosen, engine=engine, sparsity=request.sparsity, data=named)
    seconds: dict[str, float] = {}
    with timed(seconds, "compile"):
        program = program_of(context, subject)
    if engine == "rtl":
        with timed(seconds, "build"):
            prepare(context, subject, program, chosen)
    results = results_of(context, subject, chosen, program, simulated=engine == "rtl")
    report = report_of(
        subject,
        chosen,
        program,
        results,
        results.maps[subject.network.answer],
        tilings=subject.family.need(Family.compiler).tiling(program, subject.arch),
        engine=engine,
        seed=1,
    )
    seconds |= results.seconds
    row = row_of(case, measured_of(subject, program, results, report, seconds))
    write_report(report, record.parent / REPORTS / record.name)
    write_report(row, record)
    return row


def prepare(context: Context, subject: Subject, program: Program, batch: Batch) -> None:
    """Build the simulator, so that the time of the simulation is that of the simulation alone."""
    subject.family.need(Family.simulation).prepare(
        subject.arch, program, batch.images, builds=context.work / "sim", say=context.say
    )


def measured_of(
    subject: Subject,
    program: Program,
    results: Results,
    report: RunReport,
    seconds: Mapping[str, float],
) -> Measured:
    """Return the counts of a run."""
    layers = {layer.name for layer in subject.network.layers}
    fused = layers & results.fused
    difference = report.first_difference
    return Measured(
        program_digest=digest_of_array(program.image),
        steps=len(report.runs[0].steps),
        maps=len(layers),
        maps_compared=len(layers - fused) if results.compared else 0,
        maps_fused=len(fused),
        mismatches=report.mismatches,
        runs=len(results.runs) if results.compared else len(report.runs),
        runs_equal=sum(run.equal is True for run in report.runs),
        images_equal=sum(image.equal is True for image in report.images),
        cycles_model=report.cycles_model or 0,
        cycles_rtl=report.cycles_rtl,
        load_cycles_model=report.load_cycles_model or 0,
        load_cycles_rtl=report.load_cycles_rtl,
        bit_columns=bit_columns(subject, program, results),
        difference=None if difference is None else in_words(difference),
        seconds=dict(seconds),
    )


def bit_columns(subject: Subject, program: Program, results: Results) -> float | None:
    """Return the mean bit planes with a one in a group of inputs, over all layers."""
    if not subject.family.offers(Family.bit_activity):
        return None
    counted = bit_planes(subject, program, results.maps, results.images).values()
    zero, total = (sum(found) for found in zip(*counted, strict=True)) if counted else (0, 0)
    return round(ACTIVATION_BITS * (1 - zero / total), 3) if total else None
