"""`hwgen paper dbpim --parts figures`: sweep of Fig. 11, time of Fig. 13, power.

All of it is the cycle model's and the table of energies'; the accuracies of Fig. 10 are those of a
table of trainings. A prediction is cached by its content: an interrupted command goes on.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from hwgen.commands.context import Context
from hwgen.commands.fields import path_of
from hwgen.commands.images import drawn_images
from hwgen.commands.origin import commit
from hwgen.commands.points import REFUSED, Result
from hwgen.commands.subject import Subject, load_chip
from hwgen.files.digests import digest_of_file, versions
from hwgen.files.shipped import shown
from hwgen.network.file import load_network
from hwgen.report.types import Source
from hwgen_studies.dbpim_paper import race
from hwgen_studies.dbpim_paper.accuracy import nominal, read_rows, zero_digits
from hwgen_studies.dbpim_paper.figures_rows import figure_rows
from hwgen_studies.dbpim_paper.race_networks import (
    Entry,
    drawn_file,
    entries,
    multiplications,
    pruned_of,
)
from hwgen_studies.dbpim_paper.race_points import CONV_FC
from hwgen_studies.dbpim_paper.race_rows import peak_tops
from hwgen_studies.dbpim_paper.race_runs import DENSE, SPARSE, WEIGHTS
from hwgen_studies.dbpim_paper.report import FiguresReport, PowerPoint, SweepPoint
from hwgen_studies.dbpim_paper.request import DbpimRequest

SWEPT = ("vgg19", "resnet18", "mobilenetv2")
"""Networks of Fig. 11."""
SHARES = (0.0, 0.2, 0.4, 0.6)
"""Blocks that are pruned: sparsity of 75 to 90 % with two digits a weight."""
TWO_DIGITS: Final = "two digits"


def figures(request: DbpimRequest) -> FiguresReport:
    """Return all figures on the chip of the request, or on that of the paper."""
    began, context = time.monotonic(), request.quiet
    arch_file = Path(request.architecture or race.ARCHITECTURE)
    family, loaded = load_chip(arch_file, SPARSE)
    arch: Any = loaded
    clock = race.given_clock(request, arch)
    found = entries(context, race.folder_of(request), path_of(request.data), images=1)
    swept = [(share, drawn(context, name, share)) for name in SWEPT for share in SHARES]
    swept += [(share, each) for each in found if (share := pruned_of(each)) is not None]
    subjects = {
        id(each): Subject(
            network=each.network,
            network_file=each.file,
            family=family,
            arch=arch,
            arch_file=arch_file,
        )
        for each in [*found, *(each for _, each in swept)]
    }
    asked = [(each, SPARSE) for each in found]
    asked += [(each, DENSE) for each in first_of(swept).values()]
    asked += [(each, WEIGHTS) for _, each in swept]
    cases = [race.case_of(subjects[id(each)], each, switches, 1) for each, switches in asked]
    results = race.results_of(context, cases, workers=request.workers)
    ran = [(c, r) for c, r in zip(cases, results, strict=True) if REFUSED not in r]
    whole = [(case, result) for case, result in ran if case.switches == SPARSE]
    training = path_of(request.training)
    report = FiguresReport(
        format="hwgen.report.paper_dbpim_figures",
        version=1,
        paper="DB-PIM",
        architecture=Source(name=arch.name, file=shown(arch_file), digest=arch.digest),
        clock_mhz=arch.clock_mhz,
        clock=clock,
        peak_tops=peak_tops(arch),
        commit=commit(),
        seconds=0.0,
        trainings=None
        if training is None
        else Source(name=training.stem, file=shown(training), digest=digest_of_file(training)),
        networks=[race.network_of(each, cases, results) for each in found],
        rows=[],
        accuracy=read_rows(training) if training else [],
        sweep=list(sweep_points(swept, ran)),
        runs=[race.run_of(case, result) for case, result in whole],
        power=[power_of(case, result) for case, result in whole],
        refused=[
            f"{case.entry.name}, {case.switches}: {result[REFUSED]}"
            for case, result in zip(cases, results, strict=True)
            if REFUSED in result
        ],
        versions=versions(),
    )
    took = round(time.monotonic() - began, 1)
    return replace(report, rows=list(figure_rows(report)), seconds=took)


def drawn(context: Context, name: str, share: float) -> Entry:
    """Return a network with drawn weights, a fraction of its blocks pruned, and a drawn image."""
    file = drawn_file(context, name, pruned=share)
    network = load_network(file)
    return Entry(
        name=name,
        file=file,
        network=network,
        images=drawn_images(network, count=1),
        weights="drawn",
        trained=False,
        pictures="drawn images",
    )


def first_of(swept: Sequence[tuple[float, Entry]]) -> dict[str, Entry]:
    """Return the least pruned entry of each network, whose dense run stands for all of them.

    A dense chip computes pruned blocks as any others, and no energy of it depends on weights.
    """
    return {entry.name: entry for _, entry in reversed(swept)}


def sweep_points(
    swept: Sequence[tuple[float, Entry]], ran: Sequence[tuple[race.Case, Result]]
) -> Iterator[SweepPoint]:
    """Yield the networks that the dense and the sparse chip ran.

    swept: with the fraction of their blocks that is pruned
    """
    found = {(id(case.entry), case.switches): (case, result) for case, result in ran}
    first = first_of(swept)
    for share, entry in swept:
        dense, sparse = found.get((id(first[entry.name]), DENSE)), found.get((id(entry), WEIGHTS))
        if dense is not None and sparse is not None:
            (dense_cycles, dense_uj), (cycles, energy_uj) = conv_fc(*dense), conv_fc(*sparse)
            yield SweepPoint(
                network=entry.name,
                weights=entry.weights,
                network_digest=entry.network.digest,
                pruned=share,
                sparsity=nominal(TWO_DIGITS, share),
                zero_digits=zero_digits(entry.network),
                cycles=cycles,
                dense_cycles=dense_cycles,
                energy_uj=energy_uj,
                dense_uj=dense_uj,
            )


def conv_fc(case: race.Case, result: Result) -> tuple[float, float]:
    """Return cycles and microjoules of the std/pw-conv and FC layers of a run."""
    from hwgen.dbpim import model

    arch: Any = case.point.subject.arch
    cycles = sum(result["causes"].get(CONV_FC, {}).values())
    memories = model.Assumptions(logic_leaks=False)
    parts = model.parts_pj(result["conv_fc_events"], cycles, arch, assume=memories)
    return cycles, sum(parts.values()) / race.PJ_IN_UJ


def power_of(case: race.Case, result: Result) -> PowerPoint:
    """Return power and work of a whole network; case: of one image."""
    from hwgen.dbpim import model

    arch: Any = case.point.subject.arch
    time_ms = race.milliseconds(result["cycles"], arch)
    whole, memories = (
        sum(model.parts_pj(result["events"], result["cycles"], arch, assume=assume).values())
        for assume in (model.Assumptions(), model.Assumptions(logic_leaks=False))
    )
    return PowerPoint(
        network=case.entry.name,
        multiplications=multiplications(case.entry.network),
        time_ms=time_ms,
        power_mw=whole / race.PJ_IN_UJ / time_ms,
        power_memories_mw=memories / race.PJ_IN_UJ / time_ms,
    )
