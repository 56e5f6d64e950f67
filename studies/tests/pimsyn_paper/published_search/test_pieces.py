"""A published search in pieces finds what it finds in one, resumes, and ends early with a design.

The network is so small that every test runs whole searches.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hwgen_studies.pimsyn_paper.published_search.pieces import BATCH, Workers
from hwgen_studies.pimsyn_paper.published_search.search import Found, search
from hwgen_studies.pimsyn_paper.published_search.tasks import PublishedSearch, Winner

from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.jobs.executors import ProcessExecutor, SerialExecutor
from hwgen.jobs.store import Store, run_stored
from hwgen.jobs.tasks import Executor
from studies.tests.pimsyn_paper.published_search.cases import SMALL, problem
from studies.tests.pimsyn_paper.published_search.test_search import VARIANTS, WATTS, facts, small

EVALUATIONS = 2_000
TEXT = PublishedSearch(variant="text", exact=False)

Json = dict[str, Any]


class Told:
    """Does pieces, and remembers what was done and told; raises an interrupt when it is time."""

    def __init__(self, executor: Executor, store: Store | None = None, last: int = 10**9) -> None:
        self.executor, self.store, self.last = executor, store, last
        self.batches: list[str] = []
        self.computed = 0
        self.told: list[tuple[int, float]] = []

    def run(self, function: str, pieces: list[Json]) -> list[Any]:
        if len(self.batches) == self.last:
            raise KeyboardInterrupt
        self.batches.append(function.partition(":")[2])

        def on_done(_index: int, _result: object, fresh: bool) -> None:
            self.computed += fresh

        return run_stored(self.executor, function, pieces, self.store, on_done)

    def tell(self, evaluations: int, best: Winner | None) -> None:
        self.told.append((evaluations, best.cost.efficiency if best else 0.0))


def in_pieces(
    told: Told,
    method: PublishedSearch = TEXT,
    late: Callable[[], bool] = lambda: False,
    rules: Rules = PUBLISHED,
) -> tuple[Found, Workers]:
    given = problem(SMALL, power_w=WATTS, rules=rules)
    text = json.dumps([asdict(given.network), asdict(given.components)])
    workers = Workers(problem=text, run=told.run, tell=told.tell, late=late)
    return search(given, method, evaluations=EVALUATIONS, seed=1, mapper=workers), workers


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
@pytest.mark.parametrize("variant", VARIANTS)
def test_pieces_find_the_same(variant: Any, rules: Rules) -> None:
    method = PublishedSearch(variant=variant, exact=False)
    alone = small(method, EVALUATIONS, rules=rules)
    told = Told(SerialExecutor())
    found, workers = in_pieces(told, method, rules=rules)
    assert facts(found) == facts(alone)
    assert found.exact_evaluations == alone.exact_evaluations
    assert 0 < found.exact_evaluations < found.evaluations <= EVALUATIONS
    assert not workers.stopped
    assert told.told[-1] == (found.evaluations, found.best.cost.efficiency if found.best else 0)
    assert told.told == sorted(told.told)


def test_processes_find_the_same() -> None:
    with ProcessExecutor(2) as executor:
        found, _ = in_pieces(Told(executor))
    assert facts(found) == facts(small(TEXT, EVALUATIONS))


@pytest.mark.parametrize("last", ["first", "second"])
def test_resumes(last: str, tmp_path: Path) -> None:
    whole = Told(SerialExecutor())
    uninterrupted, _ = in_pieces(whole)
    first_best = whole.batches.index("partition") + 1
    until = first_best + (last == "second")
    assert until < len(whole.batches)
    store = Store(tmp_path, code="c")
    part = Told(SerialExecutor(), store, last=until)
    found, workers = in_pieces(part)
    assert workers.stopped
    assert part.told == whole.told[: len(part.told)]
    assert found.best is not None
    assert found.evaluations < uninterrupted.evaluations
    assert len(part.told) == BATCH * (until - first_best + 1)
    rest = Told(SerialExecutor(), store)
    assert facts(in_pieces(rest)[0]) == facts(uninterrupted)
    assert part.computed + rest.computed == whole.computed
    assert rest.computed > 0


def test_an_interrupt_before_a_design_is_passed_on() -> None:
    with pytest.raises(KeyboardInterrupt):
        in_pieces(Told(SerialExecutor(), last=0))


def test_a_time_limit_ends_it_with_a_design() -> None:
    told = Told(SerialExecutor())
    found, workers = in_pieces(told, late=lambda: True)
    assert workers.stopped
    assert found.best is not None
    assert told.batches.count("partition") == 1
