"""The race of equal areas: the sparse chip beside the best dense chip that is at most as large.

    python -m hwgen_studies.dbpim_paper.area_race NETWORK ARCH --data SET --results JSON \
        --cost JSON --run JSON --out FILE --json FILE

sweeps dense and sparse chips over cores, macros and SIMD lanes, and writes the page, its picture
beside it, and the report.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hwgen.commands.context import Context
from hwgen.commands.digests import versions
from hwgen.commands.images import choose_images
from hwgen.commands.origin import commit, machine
from hwgen.commands.points import REFUSED, Point, Result, run_points
from hwgen.commands.subject import Subject, load_subject, with_switches
from hwgen.commands.sweep import chips_of
from hwgen.errors import FormatError, HwgenError
from hwgen.files.load import validate_spec
from hwgen.files.output import write_text
from hwgen.files.shipped import shown
from hwgen.report.files import write_report
from hwgen.report.run import RunReport
from hwgen.report.training_record import read_known
from hwgen.report.types import Source
from hwgen_studies.dbpim_paper.area_race_page import (
    AreaChip,
    AreaRaceReport,
    Kind,
    PaperNetwork,
    area_race_page,
    area_race_picture,
)
from hwgen_studies.dbpim_paper.clock import clock_of
from hwgen_studies.dbpim_paper.published import NETWORKS
from hwgen_studies.dbpim_paper.race_networks import training_of
from hwgen_studies.networks.report import ResultsReport
from hwgen_studies.options import page_options

SIZES: dict[str, tuple[int, ...]] = {
    "cores": (4, 8),
    "macros_per_core": (4, 8),
    "simd_lanes": (8, 16, 32, 64, 128),
    "lanes_per_requantizer": (1, 4, 8),
}
"""What varies; 8 cores of 8 macros are the most that a chip can have."""
KINDS: dict[Kind, str] = {"dense": "none", "sparse": "all"}
"""Switches of both kinds of chips."""
PJ_IN_UJ = 1e6


def measure(
    context: Context,
    network: Path,
    arch: Path,
    *,
    data: str | None,
    results: Path,
    cost: Path,
    run: Path,
    workers: int,
    command: str,
) -> AreaRaceReport:
    """Return all chips with time, area and energy of one image.

    results: JSON of `hwgen results` with the paper's networks on the same chip
    cost: JSON of `hwgen cost` of the architecture
    run: JSON of `hwgen run` of the network on the architecture
    """
    from hwgen.dbpim.model.energy import DIRECT_QUEUE, default_table

    subject = load_subject(network, arch, KINDS["sparse"])
    clock, cycles_rtl = clock_of(cost, subject.arch), simulated(run, subject)
    batch = choose_images(subject.network, data, 1)
    dense = with_switches(subject, KINDS["dense"])
    direct: Any = dense.arch
    shallow = replace(dense, arch=replace(direct, queue_depth=DIRECT_QUEUE))
    subjects = [dense, subject, *swept(shallow), *swept(subject)]
    points = [Point(subject=each, batch=batch) for each in subjects]
    with context.progress("chips", len(points)) as done:
        found = run_points(context, points, workers=workers, on_done=lambda *_: done())
    same, sparse, *others = [
        chip_of(each, result) for each, result in zip(subjects, found, strict=True)
    ]
    if same is None or sparse is None:
        raise FormatError(
            field="ARCH",
            allowed="a chip that runs the network, sparse and dense",
            given=next(result[REFUSED] for result in found[:2] if REFUSED in result),
            source=str(arch),
        )
    table = default_table()
    return AreaRaceReport(
        format="hwgen.report.area_race",
        version=1,
        network=replace(subject.network_source, file=shown(network)),
        weights=training_of(network, subject.network)[0],
        architecture=replace(subject.arch_source, file=shown(arch)),
        images_name=Path(batch.about.name).name,
        images_digest=batch.about.digest,
        table=Source(name=table.name, file="configs/energy/dbpim_45nm.yaml", digest=table.digest),
        area_uncertainty=table.area_uncertainty,
        clock=clock,
        sizes={key: list(values) for key, values in SIZES.items()},
        same_macros=same,
        sparse=sparse,
        cycles_rtl=cycles_rtl,
        chips=[chip for chip in others if chip is not None],
        refused=sum(chip is None for chip in others),
        paper_networks=list(paper_networks(results)),
        commit=commit(),
        machine=machine(),
        command=command,
        versions=versions(),
    )


def simulated(run: Path, subject: Subject) -> int:
    """Return the cycles of one image in Verilog; FormatError for another run, or an unequal one."""
    content = read_known(run, "hwgen.report.run", (5,))
    report = validate_spec(RunReport, content, source=str(run))
    given = report.setting
    what = f"one image of {subject.network_source.name} on {subject.arch.name} in Verilog, equal"
    wanted = (subject.network_source.digest, subject.arch.digest)
    if (given.network.digest, given.architecture.digest) != wanted:
        found = f"{given.network.name} on {given.architecture.name}, or another version of one"
    elif not report.equal or report.cycles_rtl is None or len(report.images) != 1:
        found = f"{len(report.images)} images, equal {report.equal}"
    else:
        return report.cycles_rtl
    raise FormatError(field="--run", allowed=what, given=found, source=str(run))


def swept(subject: Subject) -> Iterator[Subject]:
    """Yield the network on each chip of the sweep that the family has."""
    for chip in chips_of(subject, SIZES):
        if chip.arch is not None:
            yield replace(subject, arch=chip.arch)


def chip_of(subject: Subject, result: Result) -> AreaChip | None:
    """Return the figures of a chip; None: it refuses the network.

    A dense chip is one without switch, masks and deep queues, which it does not need, unless its
    queues are those of the sparse chip.
    """
    from hwgen.dbpim import model
    from hwgen.dbpim.model.energy import DIRECT_QUEUE

    if REFUSED in result:
        return None
    arch: Any = subject.arch
    sparse = arch.sparsity.weight_bits
    direct = not sparse and arch.queue_depth == DIRECT_QUEUE
    assume = model.Assumptions(direct=direct)
    whole, memories = (
        sum(
            model.parts_pj(
                result["events"],
                result["cycles"],
                arch,
                assume=replace(assume, logic_leaks=leaks),
            ).values()
        )
        / PJ_IN_UJ
        for leaks in (True, False)
    )
    return AreaChip(
        kind="sparse" if sparse else "dense",
        **{key: getattr(arch, key) for key in SIZES},
        queue_depth=arch.queue_depth,
        cycles=result["cycles"],
        load_cycles=result["load"],
        area_mm2=sum(model.area_um2(arch, assume=assume).values()) / 1e6,
        energy_uj=whole,
        energy_without_logic_leakage_uj=memories,
    )


def paper_networks(results: Path) -> Iterator[PaperNetwork]:
    """Yield the runs of the paper's networks, one image a run, dense and sparse."""
    content = read_known(results, "hwgen.report.results", (1,))
    report = validate_spec(ResultsReport, content, source=str(results))
    for name in NETWORKS:
        runs = {
            row.case.sparsity: row
            for row in report.rows
            if row.case.network.startswith(f"cifar100_{name}")
            and row.case.batch == 1
            and row.outcome == "equal"
        }
        dense, sparse = (runs.get(switches) for switches in KINDS.values())
        if dense is None or sparse is None or not (dense.measured and sparse.measured):
            continue
        yield PaperNetwork(
            name=name,
            training=sparse.case.training.state,
            short=sparse.case.training.short,
            accuracy=sparse.case.training.accuracy,
            dense_cycles=dense.measured.cycles_model,
            sparse_cycles=sparse.measured.cycles_model,
            commit=sparse.case.commit,
        )


def main(arguments: Sequence[str]) -> int:
    """Measure and write; return the exit code."""
    parser = page_options("dbpim-area-race", __doc__)
    parser.add_argument("network", type=Path)
    parser.add_argument("arch", type=Path)
    parser.add_argument(
        "--results", type=Path, required=True, help="JSON of hwgen results with its networks"
    )
    parser.add_argument("--cost", type=Path, required=True, help="JSON of hwgen cost of the chip")
    parser.add_argument("--run", type=Path, required=True, help="JSON of hwgen run on the chip")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args(arguments)
    data = "" if given.data is None else f" --data {Path(given.data).name}"
    command = (
        f"python -m hwgen_studies.dbpim_paper.area_race {given.network.name} {given.arch.name}"
        f"{data} --results {given.results.name} --cost {given.cost.name} --run {given.run.name}"
    )
    try:
        report = measure(
            Context(work=given.work),
            given.network,
            given.arch,
            data=given.data,
            results=given.results,
            cost=given.cost,
            run=given.run,
            workers=given.workers,
            command=command,
        )
        picture = given.out.with_suffix(".svg")
        write_text(picture, area_race_picture(report), what="picture")
        write_text(given.out, area_race_page(report, picture.name), what="page")
        write_report(report, given.json)
    except HwgenError as error:
        print(f"dbpim-area-race: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
