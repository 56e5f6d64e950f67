"""A search as a person sees it: compiled once, resumed, told of, and refused in words."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from hwgen.chip.synthesis_request import Context
from hwgen.crossbar.facts.rules import MERITS, Objective
from hwgen.crossbar.pages.problem import Problem
from hwgen.crossbar.pages.synthesis_table import merit_digits, shares_of
from hwgen.errors import ConfigError, DesignError
from hwgen.files.digests import digest_of, digest_of_code, versions
from hwgen.files.shipped import shown
from hwgen.jobs.store import Store

if TYPE_CHECKING:
    from hwgen.crossbar.synthesis.result import Progress, SearchResult
    from hwgen.jobs.executors import Executor

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

OURS = "bounded"
"""Name of our search in reports."""

RESUME = "the same command goes on where this one stopped"


def search(context: Context, problem: Problem) -> "SearchResult":
    """Return the answer of the search, resumed where an earlier one of the same kind stopped."""
    from hwgen.crossbar.synthesis import search as dse
    from hwgen.crossbar.synthesis.compiling import must_compile
    from hwgen.crossbar.synthesis.state import Budget
    from hwgen.jobs.executors import make_executor

    request = problem.request
    if not must_compile():
        refuse_hopeless(problem)
    other = request.other_search()
    code = [digest_of_code(*CODE, *([other.package] if other else [])), versions()]
    refused: Counter[str] = Counter()
    with (
        context.status(f"synthesizing {problem.network.name}") as tell,
        make_executor(request.workers, request.scheduler) as executor,
    ):
        try:
            if must_compile():
                look_first(context, problem)
                compile_once(context, executor)
            result = dse.synthesize(
                problem.network,
                problem.components,
                power_w=request.power_w,
                rules=problem.rules,
                objective=request.objective,
                identical=request.identical,
                seed=request.seed,
                budget=Budget(
                    method=other.name if other else OURS,
                    evaluations=request.evaluations,
                    time_limit_s=request.time_limit_s,
                ),
                executor=executor,
                store=Store(context.work / "search", code=digest_of(code)),
                on_progress=told(context, tell, request.objective),
                refused=refused,
                adopt=other.stage if other else None,
            )
        except KeyboardInterrupt:
            context.say(f"stopped before a chip was found; {RESUME}")
            raise
    if result is None:
        refuse_power(problem, refused)
    if result.stopped_early:
        context.say(f"stopped early; {RESUME}")
    return result


def look_first(context: Context, problem: Problem) -> None:
    """Say what one copy of the weights needs and brings, or refuse the budget; nothing compiles."""
    from hwgen.crossbar.synthesis.first_look import first_look

    request, name = problem.request, problem.network.name
    look = first_look(
        problem.network,
        problem.components,
        problem.rules,
        request.power_w,
        identical=request.identical,
    )
    if request.power_w < look.nothing_below_w:
        if look.least_w is not None:
            refuse_least(problem, look.least_w)
        raise ConfigError(
            field="--power-w",
            allowed=f"above the {look.nothing_below_w:g} that every design of {name} needs",
            given=f"{request.power_w:g}",
            source="command line",
        )
    if look.gops_per_w:
        least = "" if look.least_w is None else f" needs {look.least_w:g} W, and"
        watts = f"{request.power_w:g} W about {look.gops_per_w:,.1f} GOPS/W"
        context.say(f"one copy of the weights of {name}{least} brings with {watts}")


def compile_once(context: Context, executor: "Executor") -> None:
    """Compile the search in one worker, and say so; the others load what it compiles."""
    context.say("the search is compiled once, by one process: one to two minutes")
    for _ in executor.run("hwgen.crossbar.synthesis.compiling:compile_once", [{}]):
        pass


def told(
    context: Context, tell: Callable[[str], None], objective: Objective
) -> "Callable[[Progress], None]":
    """Return what puts the progress of a search into words, and prints what has become better."""
    best, bound = 0.0, math.inf

    def on_progress(progress: "Progress") -> None:
        nonlocal best, bound
        line = progress_line(progress, objective)
        tell(line)
        closer = progress.bound_gops_per_w < bound * (1 - CLOSER)
        if progress.best_gops_per_w > best * (1 + BETTER) or (best > 0 and closer):
            best, bound = progress.best_gops_per_w, progress.bound_gops_per_w
            context.say(line)

    return on_progress


def progress_line(progress: "Progress", objective: Objective) -> str:
    """Return value, bound and gap of the best design so far."""
    best, bound = progress.best_gops_per_w, progress.bound_gops_per_w
    said = f"{merit_digits(best, objective, 1)} {MERITS[objective]}"
    line = f"{progress.evaluations:,} evaluations, best {said}"
    if not math.isfinite(bound):
        return line
    gap = f", gap {100 * (bound / best - 1):.1f}%" if best > 0 else ""
    return f"{line}, bound {merit_digits(bound, objective, 1)}{gap}"


def refuse_hopeless(problem: Problem) -> None:
    """Refuse a budget below what any design needs, before anything is searched."""
    from hwgen.crossbar.model.least import nothing_below_w

    least = nothing_below_w(problem.network, problem.components, problem.rules)
    if problem.request.power_w < least:
        refuse_power(problem)


def refuse_power(problem: Problem, refused: Mapping[str, int] | None = None) -> NoReturn:
    """Say how many watts would do; refused: designs that a search looked at, by reason."""
    from hwgen.crossbar.model.least import least_power_w

    given = problem.network, problem.components, problem.rules
    refuse_least(problem, least_power_w(*given, identical=problem.request.identical), refused)


def refuse_least(
    problem: Problem, least: float | None, refused: Mapping[str, int] | None = None
) -> NoReturn:
    """Say that these watts would do; None: that none would."""
    request, name = problem.request, problem.network.name
    if least is None:
        raise DesignError(
            f"{name} fits no chip of these components, whatever the power budget"
            f" ({shown(problem.table)})"
        )
    if least <= request.power_w:
        raise DesignError(
            f"the search found no chip for {name} within {request.power_w:g} W, though one"
            f" needs {least:g} W: give it more --evaluations, or more time{seen(refused)}"
        )
    raise ConfigError(
        field="--power-w",
        allowed=f"at least {least:g} for one copy of the weights of {name}{seen(refused)}",
        given=f"{request.power_w:g}",
        source="command line",
    )


def seen(refused: Mapping[str, int] | None) -> str:
    """Return how many designs a search looked at, and why it took none."""
    if not refused:
        return ""
    count = sum(refused.values())
    return f" (of {count:,} designs {shares_of(refused, count)})"


@contextmanager
def simulating(context: Context) -> Iterator[None]:
    """Show that streams of images are simulated, and say what to do after an interrupt."""
    with context.status("simulating a stream of images"):
        try:
            yield
        except KeyboardInterrupt:
            context.say(f"stopped before a stream of images was simulated; {RESUME}")
            raise
