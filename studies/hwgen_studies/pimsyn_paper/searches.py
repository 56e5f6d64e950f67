"""The searches that the figures of a paper are made of, each done once and cached."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hwgen.commands.context import Context
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.pages.networks import load_network
from hwgen.crossbar.pages.searching import CODE
from hwgen.files.digests import digest_of, digest_of_code

if TYPE_CHECKING:
    from hwgen.crossbar.synthesis.result import Progress, SearchResult
    from hwgen.jobs.executors import Executor
    from hwgen.jobs.store import Store

PUBLISHED = "hwgen_studies.pimsyn_paper.published_search.pieces:run"

COMPARED = 10_000
"""Evaluations of each search in a comparison, unless the person says otherwise."""

METHODS: dict[str, dict[str, Any]] = {
    "text": {"variant": "text", "equal": True},
    "code": {"variant": "code"},
    "proportional": {"variant": "text", "equal": True, "duplication": "proportional"},
    "none": {"variant": "text", "equal": True, "duplication": "none"},
    "identical": {"variant": "text", "equal": True, "macros": "identical"},
    "unshared": {"variant": "text", "equal": True, "sharing": False},
}
"""The published search as its text and its code say, and the ablations of the text, which have as
many evaluations for each weight duplication as the whole search has."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a person asks for.

    networks: by name; evaluations: of each search, None: as many as suits it
    """

    networks: tuple[str, ...]
    power_w: float
    components: Path
    rules: Rules
    seed: int
    evaluations: int | None
    workers: int


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What a published search reached; None stands for a search that found nothing."""

    efficiency_gops_per_w: float
    throughput_gops: float
    peak_w: float


@dataclass(frozen=True, kw_only=True)
class Searches:
    """All that a search needs.

    tell: takes what is going on, in words
    known: networks that were loaded
    """

    request: Request
    components: Components
    executor: "Executor"
    store: "Store"
    tell: Callable[[str], None]
    known: dict[str, CrossbarNetwork] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """Evaluations of each search in a comparison."""
        return self.request.evaluations or COMPARED

    def network(self, name: str) -> CrossbarNetwork:
        """Return a network that ships, or that of an ONNX file."""
        if name not in self.known:
            self.known[name] = load_network(name)
        return self.known[name]

    def bounded(
        self,
        name: str,
        power_w: float,
        *,
        evaluations: int | None,
        sharing: bool = True,
        nodes: int | None = None,
    ) -> "SearchResult | None":
        """Return what the default search finds; None: nothing fits.

        nodes: that are bounded at most; None: as many as suits the network
        """
        from hwgen.crossbar.synthesis import search as dse
        from hwgen.crossbar.synthesis.state import Budget

        def on_progress(progress: "Progress") -> None:
            self.tell(
                f"{name} at {power_w:.3g} W: {progress.evaluations:,} evaluations, best"
                f" {progress.best_gops_per_w:,.1f} GOPS/W"
            )

        result = dse.synthesize(
            self.network(name),
            self.components,
            power_w=power_w,
            rules=self.request.rules,
            seed=self.request.seed,
            budget=Budget(evaluations=evaluations, nodes=nodes, sharing=sharing),
            executor=self.executor,
            store=self.store,
            on_progress=on_progress,
        )
        if result is not None and result.stopped_early:
            # What is finished is in the store; half of a comparison is none.
            raise KeyboardInterrupt
        return result

    def published(self, names: tuple[str, ...]) -> dict[tuple[str, str], Reached | None]:
        """Return what each published method reaches for each network, by network and method."""
        from hwgen.jobs.store import run_stored

        keys = [(name, method) for name in names for method in METHODS]
        tasks = [self.task(name, METHODS[method]) for name, method in keys]
        done = 0

        def on_done(index: int, result: object, fresh: bool) -> None:
            nonlocal done
            done += 1
            self.tell(f"published search, {done} of {len(tasks)}: {' '.join(keys[index])}")

        results = run_stored(self.executor, PUBLISHED, tasks, self.store, on_done)
        return {key: self.reached(key[0], got) for key, got in zip(keys, results, strict=True)}

    def task(self, name: str, method: dict[str, Any]) -> dict[str, Any]:
        """Return a published search as a piece of work; genes are judged by the closed form."""
        problem = [asdict(self.network(name)), asdict(self.components)]
        return {
            "problem": json.dumps(problem, sort_keys=True),
            "power_w": self.request.power_w,
            "rules": self.request.rules,
            "method": {**method, "exact": False},
            "evaluations": self.compared,
            "seed": self.request.seed,
        }

    def operations(self, name: str) -> float:
        """Return the operations of an image; published rules take groups for dense."""
        from hwgen.crossbar.model.tables import operations_of

        made: float = operations_of(self.network(name), self.request.rules)
        return made

    def reached(self, name: str, found: dict[str, Any]) -> Reached | None:
        """Return the figures of what a search found."""
        cost = found["cost"]
        if cost is None:
            return None
        return Reached(
            efficiency_gops_per_w=cost["efficiency_gops_per_w"],
            throughput_gops=self.operations(name) / (cost["interval_steps"] * cost["step_ns"]),
            peak_w=cost["peak_w"],
        )


@contextmanager
def searches(context: Context, request: Request, components: Components) -> Iterator[Searches]:
    """Open executor and store for a number of searches."""
    from hwgen.jobs.executors import make_executor
    from hwgen.jobs.store import Store

    code = [digest_of_code(*CODE, PUBLISHED.partition(":")[0].rpartition(".")[0]), np.__version__]
    store = Store(context.work / "search", code=digest_of(code))
    with (
        context.status("searching") as tell,
        make_executor(request.workers, None) as executor,
    ):
        yield Searches(
            request=request, components=components, executor=executor, store=store, tell=tell
        )
