"""The page of the race with every limit tried: what it says of chips made up by hand."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hwgen_studies.dbpim_paper import race_limits
from hwgen_studies.dbpim_paper.array_prices import Price
from hwgen_studies.dbpim_paper.race_limits import (
    Plain,
    RaceLimitsReport,
    Smaller,
    load_race,
    page,
    plain,
    smaller,
    taller_by_density,
    untried_keys,
)
from hwgen_studies.dbpim_paper.race_search import ALL_KINDS, Best, Step, StepSearch
from hwgen_studies.dbpim_paper.six_kinds import Measured

from hwgen.commands.context import Context
from hwgen.files.load import validate_spec
from hwgen.jobs.executors import SerialExecutor
from hwgen.network.file import load_network

LIMIT = Step(
    key="macro.rows",
    value=1,
    refused="macro.rows must be greater than or equal to 2, got 1",
    line="hwgen/dbpim/facts/arch.py:96",
)


def chip(name: str, cycles: int, mm2: float, energy_uj: float) -> Best:
    """Return a chip that is as large by `latches` as half by `density`; twice the rows: worse."""
    return Best(
        name=name,
        what=f"what {name} is",
        network="cifar10_resnet20_50",
        values={"macro.rows": 2, "macro.columns": 128},
        cycles=cycles,
        areas_mm2={"latches": mm2, "density": 2 * mm2},
        predicted=16,
        chip_uj=energy_uj / 2,
        energy_uj=energy_uj,
        steps=[
            LIMIT,
            Step(
                key="macro.rows",
                value=4,
                products={
                    "latches": 1.25 * cycles * mm2 / 1000,
                    "density": 0.9 * 2 * cycles * mm2 / 1000,
                },
            ),
        ],
    )


def report() -> RaceLimitsReport:
    """Return the dense chip, masks of a quarter of its product, all others of twice of it."""
    sizes = {"best_dense": (40_000, 2.0, 80.0), "best_masks": (20_000, 1.0, 40.0)}
    return RaceLimitsReport(
        format="hwgen.report.race_limits",
        version=1,
        prices={
            "latches": Price(bit=4.0, column=0.5, row=0.25, source="a"),
            "density": Price(bit=0.3, column=22.0, row=0.001, source="b"),
        },
        best=[chip(each.name, *sizes.get(each.name, (80_000, 2.0, 80.0))) for each in ALL_KINDS],
        smaller=[
            Smaller(
                mode="0.5x",
                macs=1000,
                accuracy=0.9,
                cycles=30_000,
                product=60.0,
                energy_uj=50.0,
            )
        ],
        plain=[
            Plain(
                network="cifar10_resnet20_50",
                cycles=4000,
                least=2000,
                spent=400.0,
                least_spent=200.0,
                beside="best_masks",
                beside_spent=160.0,
            )
        ],
        points=16,
        commit="abc",
        machine="none",
        command="made by hand",
        versions={},
    )


@pytest.mark.promise(
    "the page of the race's limits tells each step of each key of each best chip, or the line that"
    " refuses it"
)
def test_ratios_by_hand() -> None:
    found = page(report())
    assert "128 columns a macro: masks and zero planes 4.00 (4.00 by `density`) times" in found
    assert "**What loses to the dense chip?** What best_dense4 is, what best_masks4 is" in found
    assert "masks and zero planes 2.00 times less than the dense chip, two digits 1.00" in found
    assert "Energy x cycles is least for what best_masks is: 4.00 times less." in found
    assert "the best chips have 2 rows" in found
    assert "| `best_masks` | `macro.rows` | 2 | refused, hwgen/dbpim/facts/arch.py:96" in found
    assert "| 1.250, 0.900 |" in found
    assert "| `best_masks` | `macro.columns` | 128 | - | - |" in found
    assert "Of 8 chips 0 have every key stepped both ways" in found
    assert "(20.0 kilocycles x mm2): none of at least 90 % takes as little." in found
    assert "| 4,000 | 2,000 | 400 | 200 | `best_masks` | 160 | 1.25 |" in found
    assert "would take 200 us x mm2 of `cifar10_resnet20_50`" in found
    # 81.1 million operations in 20 uJ, and in 20,000 cycles of 314 MHz on 1 mm2.
    assert "| `best_masks` | - | - | 4.06 | 1.27 |" in found
    assert "paper), 28 nm, peak, a whole chip | 8.8 | 0.88 | 3.7 | 0.35 |" in found
    assert "| 0.5x | 1,000 | 90.00 % | 30,000 | 60.0 | 50.0 |" in found


def test_a_smaller_network_that_wins_is_said() -> None:
    given = report()
    won = replace(given, smaller=[replace(given.smaller[0], product=19.0)])
    assert "0.5x at 90.00 % takes 19.0 where the pruned network takes 20.0" in page(won)


def test_what_is_not_proved() -> None:
    given = report()
    assert untried_keys(given.best[0]) == ["macro.columns"]
    assert taller_by_density(given) == [each.name for each in given.best]


def test_plain_arrays_have_areas_and_clock_of_the_race() -> None:
    race = load_race(Path(__file__).parents[3] / "studies/results/dbpim-race.json")
    first = plain(race)[0]
    assert (first.network, first.beside) == ("cifar10_resnet20_50", "best_masks")
    assert first.cycles == race.mac.cycles and first.spent == pytest.approx(race.mac_spent)
    assert first.beside_spent == race.of("best_masks").by_netlist
    assert first.least < 0.75 * first.cycles
    assert first.least_spent / first.spent == pytest.approx(first.least / first.cycles)


def test_modes_run_as_networks_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def predicted(self: Measured, arch: object) -> dict[str, object]:
        network = self._subject.network
        assert len(network.graph.modes) == 1
        seen.append(network.graph.maps["conv1"].channels)
        return {"cycles": 1000 * len(seen), "events": {}, "outside_bytes": 0}

    monkeypatch.setattr(Measured, "predicted", predicted)
    monkeypatch.setattr(StepSearch, "area_mm2", lambda self, arch, table="latches": 2.0)
    monkeypatch.setattr(StepSearch, "energy_uj", lambda self, arch, result: (1.0, 3.0))
    measured = Measured(Context(work=tmp_path, console=None), ALL_KINDS[0], SerialExecutor())
    best = chip("best_dense", 1, 1.0, 1.0)
    found = smaller(StepSearch(measured, {}, 1), replace(best, values={"macro.rows": 4}))
    assert [each.mode for each in found] == ["1.0x", "0.75x", "0.5x", "0.25x"]
    assert seen == [16, 8, 8, 8]
    assert [each.product for each in found] == [2.0, 4.0, 6.0, 8.0]
    whole = load_network(race_limits.network_file(race_limits.MODES))
    assert len(whole.graph.modes) == 4


def test_a_report_is_read_back() -> None:
    from dataclasses import asdict

    text = json.dumps(asdict(report()))
    again = validate_spec(RaceLimitsReport, json.loads(text), source="written")
    assert page(again) == page(report())
