"""The search by steps of every key: where it goes, and what it says of each step."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hwgen_studies.dbpim_paper.race_search import (
    ALL_KINDS,
    WIDE,
    StepSearch,
    line_of,
    neighbours,
    sizes,
)
from hwgen_studies.dbpim_paper.six_kinds import Measured

from hwgen.commands.context import Context
from hwgen.dbpim.facts.arch import Arch
from hwgen.jobs.executors import SerialExecutor

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    context = Context(work=tmp_path_factory.mktemp("work"), console=None)
    return Measured(context, ALL_KINDS[0], SerialExecutor())


def search(measured: Measured, points: int, monkeypatch: pytest.MonkeyPatch) -> StepSearch:
    """Return a search of chips that take 1000 cycles a core and a row, all of 1 mm2."""

    def predicted(self: Measured, arch: Arch) -> dict[str, Any]:
        cycles = 1000 * (arch.cores + arch.macro.rows)
        return {"cycles": cycles, "events": {}, "outside_bytes": 0}

    monkeypatch.setattr(Measured, "predicted", predicted)
    monkeypatch.setattr(
        StepSearch, "area_mm2", lambda self, arch, table: 1.0 + (table == "density")
    )
    monkeypatch.setattr(StepSearch, "energy_uj", lambda self, arch, result: (1.0, 2.0))
    prices: Any = SimpleNamespace(area_um2=lambda arch: {"all": 1e6})
    monkeypatch.setattr(measured, "_prices", prices)
    return StepSearch(measured, {}, points)


@pytest.mark.promise(
    "the search of the race ends where every step of every key is worse, or refused by a line of"
    " the generator"
)
def test_a_search_ends_where_no_step_is_better(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = search(measured, 200, monkeypatch).run()
    assert (best.values["cores"], best.values["macro.rows"]) == (1, 2)
    assert (best.cycles, best.product(), best.predicted < 200) == (3000, 3.0, True)
    steps = {(step.key, step.value): step for step in best.steps}
    assert set(steps) == {(key, now * by) for key, now in best.values.items() for by in (0.5, 2)}
    assert steps["cores", 2].products == {"latches": 4.0, "density": 8.0}
    for key in ("cores", "macro.rows"):
        refused = steps[key, best.values[key] / 2]
        assert not refused.products and refused.line
        name, _, line = refused.line.partition(":")
        text = (ROOT / name).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        assert text.startswith(f"    {key.rpartition('.')[2]}: Annotated[")


def test_a_search_takes_as_many_chips_as_it_may(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = search(measured, 9, monkeypatch).run()
    assert best.predicted == 9
    assert len(best.steps) < 2 * len(best.values)


def test_a_step_changes_one_key_and_what_must_follow(measured: Measured) -> None:
    arch = measured.arch(WIDE)
    found = {(key, value): near for key, value, near in neighbours(measured, arch)}
    taller = found["macro.rows", 4.0]
    assert isinstance(taller, Arch) and taller.tile_rows == 2
    assert {key for key, value in sizes(taller).items() if value != sizes(arch)[key]} == {
        "macro.rows",
        "tile_rows",
    }
    fewer = found["macros_per_core", 4.0]
    assert isinstance(fewer, Arch) and fewer.bus_words == 4


@pytest.mark.parametrize(
    ("kind", "step", "said"),
    [
        (0, ("macro.columns", 256), "    columns: Literal["),
        (0, ("tile_rows", 2), '"tile_rows": ('),
        (0, ("bus_words", 16), '"bus_words": ('),
        (5, ("macro.columns", 32), 'raise FieldError("macro.columns"'),
    ],
)
def test_the_line_that_refuses_a_step(
    measured: Measured, kind: int, step: tuple[str, float], said: str
) -> None:
    """By the sizes of `WIDE`: a field, two sizes together, what pairs of filters allow."""
    own = Measured(measured.context, ALL_KINDS[kind], SerialExecutor())
    found = {(key, value): near for key, value, near in neighbours(own, own.arch(WIDE))}
    refused = found[step]
    assert isinstance(refused, str)
    name, _, line = line_of(refused).partition(":")
    assert said in (ROOT / name).read_text(encoding="utf-8").splitlines()[int(line) - 1]
