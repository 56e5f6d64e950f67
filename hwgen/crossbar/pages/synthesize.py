"""`hwgen synthesize`: a network and a power budget in; architecture, schedule and report out."""

from pathlib import Path

from hwgen.chip.synthesis_request import Context, SynthesisRequest
from hwgen.crossbar.pages.problem import problem_of
from hwgen.crossbar.pages.reported import erring_report, synthesis_report
from hwgen.crossbar.pages.searching import search, simulating
from hwgen.crossbar.pages.synthesis_files import Synthesis, earlier_output, write_files
from hwgen.files.digests import versions
from hwgen.files.folder import refuse_foreign, replace_folder
from hwgen.files.shipped import shown
from hwgen.report.types import Source


def synthesize_network(context: Context, request: SynthesisRequest) -> Synthesis:
    """Search, confirm the best design, and write all that is known of it."""
    from hwgen.crossbar.pages.accuracy import FAMILY, options_of
    from hwgen.crossbar.pages.curve import accuracy_picture, curve_of
    from hwgen.crossbar.pages.synthesis_page import synthesis_page
    from hwgen.crossbar.synthesis.result import finish

    problem = problem_of(context, request)
    network, components = problem.network, problem.components
    folder = Path(request.out or context.work / "synthesis" / problem.name)
    refuse_foreign(folder, earlier_output)
    chips = None if request.effects is None else request.erring_chips(FAMILY)
    curve = None if chips is None else curve_of(context, problem, chips)
    result = search(context, problem) if curve is None else curve.best
    with simulating(context):
        found = finish(network, components, result, problem.name, **options_of(chips))
        network_file, table = shown(Path(request.network_file)), shown(problem.table)
        report = synthesis_report(
            result,
            found,
            network=Source(name=network.name, file=network_file, digest=network.digest),
            components=Source(name=components.name, file=table, digest=components.digest),
            versions=versions(),
        )
    picture = None
    if chips is not None and curve is not None:
        report = erring_report(report, curve.accuracy, chips.writing(found.arch))
        picture = accuracy_picture(curve.accuracy)
    made = Synthesis(
        folder=folder,
        arch=found.arch,
        schedule=found.schedule,
        report=report,
        page=synthesis_page(report, found.arch, found.schedule),
        curve=picture,
    )
    replace_folder(folder, earlier_output, lambda fresh: write_files(made, fresh))
    return made
