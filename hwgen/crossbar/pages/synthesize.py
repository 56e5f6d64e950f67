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
    from hwgen.crossbar.pages.limited import limited_search
    from hwgen.crossbar.synthesis.result import finish

    problem = problem_of(context, request)
    network, components = problem.network, problem.components
    folder = Path(request.out or context.work / "synthesis" / problem.name)
    refuse_foreign(folder, earlier_output)
    chips = None if request.effects is None else request.erring_chips(FAMILY)
    if chips is None:
        result, accuracy = search(context, problem), None
    else:
        result, accuracy = limited_search(context, problem, chips)
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
    if chips is not None and accuracy is not None:
        report = erring_report(report, accuracy, chips.writing(found.arch))
    made = Synthesis(folder=folder, arch=found.arch, schedule=found.schedule, report=report)
    replace_folder(folder, earlier_output, lambda fresh: write_files(made, fresh))
    return made
