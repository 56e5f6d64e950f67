"""`hwgen synthesize`: a network and a power budget in; architecture, schedule and report out."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from hwgen.commands.context import Context
from hwgen.commands.digests import digest_of, digest_of_code, versions
from hwgen.commands.synthesis import RUN_FILES, Synthesize
from hwgen.crossbar.facts.arch import Arch, arch_text
from hwgen.crossbar.facts.buildable import check_buildable
from hwgen.crossbar.facts.components import Components, load_components
from hwgen.crossbar.facts.layout import check_rules
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import STRICT, Rules, rules_of
from hwgen.crossbar.facts.schedule import Schedule, save_schedule
from hwgen.crossbar.pages.networks import load_problem
from hwgen.crossbar.pages.reported import synthesis_report
from hwgen.crossbar.pages.synthesis import SynthesisReport
from hwgen.crossbar.pages.synthesis_table import shares_of
from hwgen.errors import ConfigError, DesignError
from hwgen.files.folder import refuse_foreign, replace_folder
from hwgen.files.output import write_text
from hwgen.files.shipped import shipped_folder, shown
from hwgen.report.files import report_text
from hwgen.report.types import Source

if TYPE_CHECKING:
    from hwgen.crossbar.model.record import Confirmed
    from hwgen.crossbar.synthesis.result import Candidate, Progress, SearchResult
    from hwgen.jobs.executors import Executor

MOST_W = 1e6
COMPONENTS = shipped_folder() / "crossbar" / "components.yaml"
FILES = ("architecture.yaml", "schedule.npz", "report.json", "report.html")
ARCHITECTURE, SCHEDULE, REPORT, PAGE = FILES
CODE = (
    "hwgen.chip",
    "hwgen.crossbar.facts",
    "hwgen.crossbar.model",
    "hwgen.crossbar.synthesis",
    "hwgen.jobs",
)
"""Packages that decide what a search finds."""

BETTER, CLOSER = 0.001, 0.01
"""Shares by which a value, and its bound, have become better if a line says so."""

RESUME = "the same command goes on where this one stopped"


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """What was written: the folder, and what lies in it."""

    folder: Path
    arch: Arch
    schedule: Schedule
    report: SynthesisReport
    page: str

    @property
    def within_budget(self) -> bool:
        """Whether the chip needs no more than the power budget."""
        return self.report.within_budget


def synthesize_network(context: Context, request: Synthesize) -> Synthesis:
    """Search, confirm the best design, and write all that is known of it."""
    from hwgen.crossbar.model.breakdown import break_down
    from hwgen.crossbar.model.record import make_arch, make_schedule
    from hwgen.crossbar.pages.synthesis_page import synthesis_page

    check_power(request.power_w)
    table = Path(request.components or COMPONENTS)
    rules = rules_of(request.rules)
    network, components = load_problem(
        request.network_file, load_components(table), request.image_size, rules=rules
    )
    check_rules(network, rules)
    check_objective(request)
    check_identical(request)
    if not points(components, rules):
        raise ConfigError(
            field="adcs.resolutions",
            allowed="at least one that a crossbar, its cells and its DACs ask for",
            given=", ".join(f"{adc.bits} bits" for adc in components.adcs.resolutions),
            source=str(table),
        )
    say_unbuildable(context, network, components, rules)
    name = name_of(network, request)
    folder = Path(request.out or context.work / "synthesis" / name)
    refuse_foreign(folder, earlier_output)
    result = search(context, request, network, components, rules)
    with simulating(context):
        confirmed = confirm(network, components, result, result.best)
        arch = make_arch(confirmed, name)
        schedule = make_schedule(confirmed, arch)
        report = synthesis_report(
            result,
            arch,
            schedule,
            breakdown=break_down(confirmed, arch),
            network=Source(
                name=network.name, file=shown(Path(request.network_file)), digest=network.digest
            ),
            components=Source(name=components.name, file=shown(table), digest=components.digest),
            confirm=lambda each: (
                confirmed if each == result.best else confirm(network, components, result, each)
            ),
            versions=versions(),
        )
    page: str = synthesis_page(report, arch, schedule)
    made = Synthesis(folder=folder, arch=arch, schedule=schedule, report=report, page=page)
    replace_folder(folder, earlier_output, lambda fresh: write_files(made, fresh))
    return made


def say_unbuildable(
    context: Context, network: CrossbarNetwork, components: Components, rules: Rules
) -> None:
    """Say what no generator builds of shapes alone; a network that has weights was refused."""
    try:
        if rules == STRICT:
            check_buildable(network, components, points(components, rules))
    except ConfigError as error:
        context.say(f"the chip will have a price, but no Verilog: {error}")


def check_power(power_w: float) -> None:
    """Refuse a budget that is no power."""
    if not (math.isfinite(power_w) and 0 < power_w <= MOST_W):
        raise ConfigError(
            field="--power-w",
            allowed=f"above 0 and at most {MOST_W:,.0f}",
            given=f"{power_w:g}",
            source="command line",
        )


def check_objective(request: Synthesize) -> None:
    """Refuse to search for streams as the published search does."""
    if request.objective == "stream" and request.method != "bounded":
        raise ConfigError(
            field="--objective",
            allowed="image with the published search",
            given=f"{request.objective} with --method {request.method}",
            source="command line",
        )


def check_identical(request: Synthesize) -> None:
    """Refuse identical macros by the public code's search, whose own break the budget."""
    if request.identical and request.method == "code":
        raise ConfigError(
            field="--identical",
            allowed="used with --method bounded or text, since identical macros of the public code"
            " exceed the power budget",
            given=f"--method {request.method}",
            source="command line",
        )


def name_of(network: CrossbarNetwork, request: Synthesize) -> str:
    """Return a name for a design that tells what it was made for."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", network.name)[:40]
    stream = "-stream" if request.objective == "stream" else ""
    identical = "-identical" if request.identical else ""
    return f"{plain}-{request.power_w:g}w-{request.rules}{stream}{identical}"


def search(
    context: Context,
    request: Synthesize,
    network: CrossbarNetwork,
    components: Components,
    rules: Rules,
) -> "SearchResult":
    """Return the answer of the search, resumed where an earlier one of the same kind stopped."""
    from hwgen.crossbar.synthesis import search as dse
    from hwgen.crossbar.synthesis.budget import Budget
    from hwgen.crossbar.synthesis.compiling import must_compile
    from hwgen.jobs.executors import make_executor
    from hwgen.jobs.store import Store

    if not must_compile():
        refuse_hopeless(request, network, components, rules)
    code = [digest_of_code(*CODE), versions()]
    refused: Counter[str] = Counter()
    with (
        context.status(f"synthesizing {network.name}") as tell,
        make_executor(request.workers, request.scheduler) as executor,
    ):
        try:
            if must_compile():
                compile_once(context, executor)
                refuse_hopeless(request, network, components, rules)
            result = dse.synthesize(
                network,
                components,
                power_w=request.power_w,
                rules=rules,
                objective=request.objective,
                identical=request.identical,
                seed=request.seed,
                budget=Budget(
                    method=request.method,
                    evaluations=request.evaluations,
                    time_limit_s=request.time_limit_s,
                ),
                executor=executor,
                store=Store(context.work / "search", code=digest_of(code)),
                on_progress=told(context, tell),
                refused=refused,
            )
        except KeyboardInterrupt:
            context.say(f"stopped before a chip was found; {RESUME}")
            raise
    if result is None:
        refuse_power(request, network, components, rules, refused)
    if result.stopped_early:
        context.say(f"stopped early; {RESUME}")
    return result


def compile_once(context: Context, executor: "Executor") -> None:
    """Compile the search in one worker, and say so; the others load what it compiles."""
    context.say("the search is compiled once, by one process: one to two minutes")
    for _ in executor.run("hwgen.crossbar.synthesis.compiling:compile_once", [{}]):
        pass


def told(context: Context, tell: Callable[[str], None]) -> "Callable[[Progress], None]":
    """Return what puts the progress of a search into words, and prints what has become better."""
    best, bound = 0.0, math.inf

    def on_progress(progress: "Progress") -> None:
        nonlocal best, bound
        line = progress_line(progress)
        tell(line)
        closer = progress.bound_gops_per_w < bound * (1 - CLOSER)
        if progress.best_gops_per_w > best * (1 + BETTER) or (best > 0 and closer):
            best, bound = progress.best_gops_per_w, progress.bound_gops_per_w
            context.say(line)

    return on_progress


def progress_line(progress: "Progress") -> str:
    """Return value, bound and gap of the best design so far."""
    best, bound = progress.best_gops_per_w, progress.bound_gops_per_w
    line = f"{progress.evaluations:,} evaluations, best {best:,.1f} GOPS/W"
    if not math.isfinite(bound):
        return line
    gap = f", gap {100 * (bound / best - 1):.1f}%" if best > 0 else ""
    return f"{line}, bound {bound:,.1f}{gap}"


def refuse_hopeless(
    request: Synthesize, network: CrossbarNetwork, components: Components, rules: Rules
) -> None:
    """Refuse a budget below what any design needs, before anything is searched."""
    from hwgen.crossbar.model.least import nothing_below_w

    least = nothing_below_w(network, components, rules)
    if request.power_w < least:
        refuse_power(request, network, components, rules)


def refuse_power(
    request: Synthesize,
    network: CrossbarNetwork,
    components: Components,
    rules: Rules,
    refused: Mapping[str, int] | None = None,
) -> NoReturn:
    """Say how many watts would do; refused: designs that a search looked at, by reason."""
    from hwgen.crossbar.model.least import least_power_w

    least = least_power_w(network, components, rules, identical=request.identical)
    if least is None:
        raise DesignError(
            f"{network.name} fits no chip of these components, whatever the power budget"
            f" ({shown(Path(request.components or COMPONENTS))})"
        )
    if least <= request.power_w:
        raise DesignError(
            f"the search found no chip for {network.name} within {request.power_w:g} W, though one"
            f" needs {least:g} W: give it more --evaluations, or more time{seen(refused)}"
        )
    raise ConfigError(
        field="--power-w",
        allowed=f"at least {least:g} for one copy of the weights of {network.name}{seen(refused)}",
        given=f"{request.power_w:g}",
        source="command line",
    )


def seen(refused: Mapping[str, int] | None) -> str:
    """Return how many designs a search looked at, and why it took none."""
    if not refused:
        return ""
    count = sum(refused.values())
    return f" (of {count:,} designs {shares_of(refused, count)})"


def confirm(
    network: CrossbarNetwork,
    components: Components,
    result: "SearchResult",
    candidate: "Candidate",
) -> "Confirmed":
    """Return a design of a search, evaluated once more, exactly and by itself."""
    from hwgen.crossbar.model import record

    confirmed: Confirmed = record.confirm(
        network,
        components,
        point=candidate.point,
        rules=result.rules,
        power_w=result.power_w,
        design=record.design_of(**candidate.chosen.as_json()),
        identical=result.identical,
    )
    reached = float(confirmed.cost.efficiency)
    expected = candidate.efficiency_gops_per_w
    if result.objective == "stream":  # what is confirmed is one image
        reached, expected = float(confirmed.cost.energy_nj), candidate.energy_nj
    if reached != expected:
        unit = "nJ an image" if result.objective == "stream" else "GOPS/W"
        raise DesignError(
            f"a design of the search must reach {expected!r} {unit} when it"
            f" is evaluated again, got {reached!r}"
        )
    return confirmed


@contextmanager
def simulating(context: Context) -> Iterator[None]:
    """Show that streams of images are simulated, and say what to do after an interrupt."""
    with context.status("simulating a stream of images"):
        try:
            yield
        except KeyboardInterrupt:
            context.say(f"stopped before a stream of images was simulated; {RESUME}")
            raise


def write_files(made: Synthesis, folder: Path) -> None:
    """Write all files into an empty folder."""
    (folder / ARCHITECTURE).write_text(arch_text(made.arch), encoding="utf-8")
    save_schedule(made.schedule, folder / SCHEDULE)
    (folder / REPORT).write_text(report_text(made.report), encoding="utf-8")
    (folder / PAGE).write_text(made.page, encoding="utf-8")


def write_page(made: Synthesis, path: Path) -> None:
    """Write the page to where a person wants it, too."""
    write_text(path, made.page, what="page")


def earlier_output(folder: Path) -> set[str]:
    """Return the files of an earlier synthesis in a folder; nothing if it is none."""
    try:
        content: Any = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        ours = content["format"] == "hwgen.report.synthesize"
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    return {*FILES, *RUN_FILES} if ours else set()
