"""What a search found, as a table and as a picture."""

from dataclasses import replace

import pytest
from rich.console import Console

from hwgen.report.explore import (
    ExploredChip,
    ExploredNetwork,
    ExploredRun,
    ExploreReport,
)
from hwgen.report.explore_plot import explore_picture
from hwgen.report.explore_table import explore_table
from hwgen.report.types import Images, Source

DIGEST = "0" * 64


def chip(area: float, cycles: int | None, *, front: bool = False, **values: int) -> ExploredChip:
    run = (
        None
        if cycles is None
        else ExploredRun(cycles_model=cycles, time_us=1.5, energy_uj=None, with_outside_uj=None)
    )
    return ExploredChip(
        values=dict(values),
        area_mm2=area,
        objective=None if cycles is None else cycles / 500,
        runs=[] if run is None else [run],
        refused=None if run else "too small",
        front=front,
    )


def made() -> ExploreReport:
    first = chip(6, 3456, cores=8, rows=4)
    best = chip(4, 2000, front=True, cores=4, rows=4)
    return ExploreReport(
        format="hwgen.report.explore",
        version=3,
        networks=[
            ExploredNetwork(
                network=Source(name="mine", file="mine.npz", digest=DIGEST),
                data=Images(name="set", split="test", images=1, digest=DIGEST),
            )
        ],
        start=Source(name="theirs", file="theirs.yaml", digest=DIGEST),
        configuration={},
        energy_table=None,
        objective="latency",
        area_mm2=5,
        smallest_mm2=1.25,
        seed=1,
        keys={"cores": [4, 8], "rows": [4], "words": [8]},
        drawn=9,
        illegal=1,
        too_large=2,
        too_small=3,
        chips=[first, chip(3, None, cores=2, rows=4), best],
        best=best,
        computed=3,
        seconds=6.0,
        versions={},
    )


def text_of(report: ExploreReport) -> str:
    console = Console(width=200)
    with console.capture() as shown:
        console.print(explore_table(report))
    return shown.get()


def test_a_table_has_a_column_for_each_chip_of_the_front() -> None:
    text = text_of(made())
    lines = [line.split() for line in text.splitlines()]
    assert text.startswith("mine: chips of at most 5 mm2 with the least latency")
    assert ["start", "1"] in lines and ["mm2", "6", "4"] in lines
    assert ["cycles", "3,456", "2,000"] in lines and ["uJ", "-", "-"] in lines
    assert ["cores", "8", "4"] in lines
    assert "in all columns: rows=4, words=-" in text
    assert "9 chips drawn: 3 predicted, 2 larger, 3 smaller than 1.25 mm2, 1 illegal" in text
    assert "1 of the predicted chips refuse a network" in text
    assert "3 predictions in 6 s, 30 a minute" in text


def test_several_networks_have_their_mean() -> None:
    one = made()
    both = [replace(each, runs=each.runs * 2) for each in one.chips]
    report = replace(one, networks=one.networks * 2, chips=both)
    assert any(line.split()[:2] == ["mean", "cycles"] for line in text_of(report).splitlines())


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_picture_has_the_same_bytes_every_time(kind: str) -> None:
    picture = explore_picture(made(), kind)
    assert picture == explore_picture(made(), kind)
    if kind == "svg":
        words = "theirs", "front", "mm2", "latency, cycles"
        assert all(word in picture.decode() for word in words)
    refusing = replace(made(), chips=[chip(6, None, cores=8), *made().chips[1:]])
    assert explore_picture(refusing, kind) != picture
