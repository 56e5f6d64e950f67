"""`hwgen paper mlperf-tiny`: published int8 networks, compared with LiteRT, fitted and run.

Each file is imported, compared with its runtime layer by layer, and fitted to two signed digits.
The chip runs it dense, as published with `weight_bits` off and on, and fitted with all switches on.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from hwgen.chip.family import Family
from hwgen.commands.against import Compare, Target
from hwgen.commands.context import Context
from hwgen.commands.fields import File
from hwgen.commands.fit import Fit
from hwgen.commands.imports import ImportNetwork
from hwgen.commands.origin import commit, machine
from hwgen.commands.subject import load_chip
from hwgen.errors import ConfigError
from hwgen.files.digests import digest_of, digest_of_code, digest_of_file, versions
from hwgen.network.file import load_network
from hwgen.report.agreement import AgreementReport
from hwgen.report.files import write_report
from hwgen.report.fit import FitReport
from hwgen.report.imports import ImportReport
from hwgen.report.types import Source
from hwgen_studies.mlperf_tiny.images import Inputs, write_inputs
from hwgen_studies.mlperf_tiny.report import (
    DENSE,
    SPARSE,
    MlperfTinyReport,
    TinyNetwork,
    Weights,
    with_speedups,
)
from hwgen_studies.mlperf_tiny.request import TinyRequest
from hwgen_studies.networks.report import ResultRow
from hwgen_studies.networks.request import ResultsRequest
from hwgen_studies.networks.run import run_cases

SUFFIX = ".tflite"
PHI = 2
CALIBRATION = 64
"""Inputs that measure the fit; the others judge it."""
RUN_IMAGES = 2
"""Inputs that the chip runs, unless the request says otherwise."""
DIGITS = "weight_bits"
"""The switch that a fit to few signed digits helps."""
KERNELS = ("reference", "default")
CODE = ("golden", "hwgen.fit", "hwgen.commands", "hwgen.importers", "hwgen.network")
"""Packages that decide agreement and fit."""

Report = TypeVar("Report")


def mlperf_tiny(request: TinyRequest) -> MlperfTinyReport:
    """Return what was measured of each file in the folder of the request.

    Reports of agreement and fit, and the rows of runs, are cached in the work folder.
    """
    context, files = request.quiet, files_of(request)
    arch_file = needed(request.architecture, "ARCH", "an architecture (.yaml)")
    family, arch = load_chip(arch_file, None)
    floats = "float32" in getattr(arch, "rounding", ())
    switches = [each for each in family.need(Family.sparsity).SWITCHES if each != DIGITS]
    networks = []
    for file in files:
        context.say(f"{file.stem}: import, comparison and fit")
        networks.append(
            network_of(
                context,
                request,
                file,
                ",".join(switches),
                floats=floats,
            )
        )
    return MlperfTinyReport(
        format="hwgen.report.paper_mlperf_tiny",
        version=1,
        architecture=Source(name=arch.name, file=arch_file.name, digest=arch.digest),
        seed=request.seed,
        networks=networks,
        commit=commit(),
        machine=machine(),
        versions=versions(),
    )


def files_of(request: TinyRequest) -> list[Path]:
    """Return the files of the request: all of the folder, or those that it names."""
    folder = needed(request.published, "--published", f"a folder with {SUFFIX} files")
    known = {file.stem: file for file in sorted(folder.glob(f"*{SUFFIX}"))}
    names = list(known) if request.networks is None else list(request.networks)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ConfigError(
            field="--networks",
            allowed=f"some of {','.join(known) or 'no names'} ({SUFFIX} files of {folder})",
            given=unknown[0] if unknown else "nothing",
            source="command line",
        )
    return [known[name] for name in names]


def needed(path: File | None, option: str, what: str) -> Path:
    """Return a path that must be given."""
    if path is None:
        raise ConfigError(field=option, allowed=what, given="none", source="command line")
    return Path(path)


def network_of(
    context: Context, request: TinyRequest, file: Path, switches: str, *, floats: bool
) -> TinyNetwork:
    """Return what was measured of one file; switches: all but that of digits.

    Layers are compared with LiteRT's reference kernels, answers with its default ones. A chip that
    rounds as float32 (floats) runs what the default kernels compute.
    """
    folder = context.work / "mlperf-tiny" / file.stem
    published, fitted = folder / f"{file.stem}.npz", folder / f"{file.stem}-fit.npz"
    imported = ImportNetwork(file, published, kernels="half_up").run()
    assert isinstance(imported, ImportReport)
    reference, default = (folder / f"{file.stem}-{kernels}.npz" for kernels in KERNELS)
    ImportNetwork(file, reference, kernels="reference").run()
    ImportNetwork(file, default, kernels="default").run()
    inputs = write_inputs(load_network(published), folder, data=request.data, seed=request.seed)
    agreement = compared(context, reference, file, inputs.layers, "reference")
    answers = compared(context, default, file, inputs.answers, "default")
    judged = inputs.answers if inputs.labelled else inputs.layers
    fit = fit_of(context, published, fitted, judged)
    run = default if floats else published
    kinds: tuple[tuple[Weights, Path, str], ...] = (
        ("published", run, DENSE),
        ("published", run, switches),
        ("published", run, SPARSE),
        ("fitted", fitted, SPARSE),
    )
    runs = [
        (weights, row_of_run(context, request, inputs, network=network, sparsity=sparsity))
        for weights, network, sparsity in kinds
    ]
    return TinyNetwork(
        name=file.stem,
        file=replace(imported.file, file=file.name),
        largest_import_steps=imported.content.largest_steps,
        inputs=inputs.what,
        agreement=without_folders(agreement),
        answers=without_folders(answers),
        fit=replace(
            fit,
            network=without_folder(fit.network),
            fitted=without_folder(fit.fitted),
            data=replace(fit.data, name=Path(fit.data.name).name),
        ),
        runs=with_speedups(runs),
    )


def compared(
    context: Context, network: Path, file: Path, inputs: Path, kernels: Target
) -> AgreementReport:
    """Return how golden and LiteRT agree on inputs, with the kernels that the network rounds as."""
    facts = [digest_of_file(path) for path in (network, file, inputs)]
    request = Compare(network, file, data=str(inputs), kernels=kernels, context=context)
    return cached(
        network.parent / f"compare-{identity(facts)}.json",
        AgreementReport,
        lambda: request.of_network(network, file),
    )


def fit_of(context: Context, network: Path, fitted: Path, inputs: Path) -> FitReport:
    """Return what the fit to two digits changed; write the fitted network."""
    facts = [digest_of_file(path) for path in (network, inputs)]

    made = Fit(
        network,
        fitted,
        phi=PHI,
        data=str(inputs),
        calibration=CALIBRATION,
        context=context,
    ).run
    path = network.parent / f"fit-{identity(facts)}.json"
    found = cached(path, FitReport, made)
    if not fitted.is_file() or load_network(fitted).digest != found.fitted.digest:
        found = written(path, made())
    return found


def row_of_run(
    context: Context,
    request: TinyRequest,
    inputs: Inputs,
    *,
    network: Path,
    sparsity: str,
) -> ResultRow:
    """Return the row of a run of the first inputs."""
    (row,) = run_cases(
        ResultsRequest(
            [network],
            request.architecture,
            data=str(inputs.layers),
            sparsity=[sparsity],
            images=request.images or RUN_IMAGES,
            engine=request.engine,
            runs=network.parent / "runs",
            context=context,
        )
    )
    return row


def identity(facts: Sequence[str]) -> str:
    """Return a short digest of inputs and code."""
    return digest_of([*facts, digest_of_code(*CODE)])[:16]


def cached(path: Path, kind: type[Report], make: Callable[[], Report]) -> Report:
    """Return the report of a file, or make and write it."""
    if path.is_file():
        return TypeAdapter(kind).validate_json(path.read_bytes())
    return written(path, make())


def written(path: Path, report: Report) -> Report:
    """Write a report and return it."""
    write_report(report, path)
    return report


def without_folder(source: Source) -> Source:
    """Return an input with the name of its file in the place of the path."""
    return replace(source, file=Path(source.file).name)


def without_folders(report: AgreementReport) -> AgreementReport:
    """Return a report with names of files in the place of paths."""
    return replace(
        report,
        network=without_folder(report.network),
        file=without_folder(report.file),
        data=replace(report.data, name=Path(report.data.name).name),
    )
