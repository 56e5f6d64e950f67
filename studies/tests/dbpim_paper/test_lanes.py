"""The sweep of SIMD lanes: which point is chosen, and what the page says."""

from types import SimpleNamespace
from typing import cast

import pytest
from hwgen_studies.dbpim_paper import lanes

from hwgen.report.sweep import SweepPoint, SweepReport

FIRST = {(64, 1): (1000, 6.0), (64, 8): (1004, 4.0), (32, 1): (1003, 4.5), (32, 8): (1006, 3.0)}
SECOND = {(64, 1): (500, 8.0), (64, 8): (503, 6.0), (32, 1): (600, 6.0), (32, 8): (700, 5.0)}


def report(figures: dict[tuple[int, int], tuple[int, float]]) -> SweepReport:
    """A sweep with these cycles and areas; a point of 16 lanes is refused."""
    points = [point(at, cycles, area) for at, (cycles, area) in figures.items()]
    return cast(SweepReport, SimpleNamespace(points=[*points, point((16, 1), None, None)]))


def point(at: tuple[int, int], cycles: int | None, area: float | None) -> SweepPoint:
    return SweepPoint(
        values=dict(zip((lanes.LANES, lanes.SHARED), at, strict=True)),
        refused=None if cycles else "too many",
        cycles_model=cycles,
        load_cycles_model=0 if cycles else None,
        time_us=1.0 if cycles else None,
        utilization=0.5 if cycles else None,
        energy_uj=1.0 if cycles else None,
        with_outside_uj=2.0 if cycles else None,
        area_mm2=area,
    )


@pytest.fixture
def points() -> list[lanes.Point]:
    return lanes.points_of([report(FIRST), report(SECOND)], [0.005, 0.02])


def test_the_smallest_within_all_limits_is_chosen(points: list[lanes.Point]) -> None:
    within = {(one.lanes, one.shared) for one in points if one.within}
    assert within == {(64, 1), (64, 8)}
    best = lanes.chosen(points)
    assert (best.lanes, best.shared, best.cycles, best.area_mm2) == (64, 8, [1004, 503], 4.0)


def test_the_page_says_why_a_point_is_none(points: list[lanes.Point]) -> None:
    report = lanes.LanesReport(
        format="hwgen.report.dbpim_lanes", version=1, commit="abc", command="all", points=points
    )
    page = lanes.page(report, ["a.svg", "b.svg"])
    assert "| 64 | 8 | 1,004 | 0.40% | 503 | 0.60% | 4.000 | 0.669 | the least |" in page
    assert "| 32 | 1 | 1,003 | 0.30% | 600 | 20.00% | 4.500 | 0.752 | too slow |" in page
    assert "| 16 |" not in page and "- commit: abc" in page
