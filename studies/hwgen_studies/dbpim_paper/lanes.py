"""Lanes of the SIMD units and their requantizers: area against cycles, by `hwgen explore --grid`.

    python -m hwgen_studies.dbpim_paper.lanes --data SET --out FILE --json FILE

sweeps `paper` with a network of convolutions, and `paper_rows` with a transformer, over
both keys. It writes the page, a picture of each sweep beside it, and the reports. Cycles are the
model's, of one image, areas those of the table, memories included.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hwgen.commands.context import Context
from hwgen.commands.origin import commit
from hwgen.commands.sweep import Sweep
from hwgen.errors import HwgenError
from hwgen.files.output import write_text
from hwgen.report.files import write_report
from hwgen.report.sheet import Sheet
from hwgen.report.sweep import SweepPoint, SweepReport
from hwgen.report.tables import number
from hwgen_studies.options import page_options

LANES, SHARED = "simd_lanes", "lanes_per_requantizer"
KEYS: Mapping[str, Sequence[int]] = {LANES: (8, 16, 32, 64), SHARED: (1, 2, 4, 8, 16)}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network on a chip, and by how much its cycles may grow over those of the largest units."""

    network: str
    arch: str
    most: float


CASES = (
    Case(network="cifar10_resnet20_50", arch="dbpim/paper", most=0.005),
    Case(network="cifar10_cct", arch="dbpim/paper_rows", most=0.02),
)


@dataclass(frozen=True, kw_only=True)
class Point:
    """Values of both keys.

    cycles: of each case; growth: of those over the fastest point's; area_mm2: of the chip of the
        first case; within: no case grows by more than it may
    """

    lanes: int
    shared: int
    cycles: Sequence[int]
    growth: Sequence[float]
    area_mm2: float
    within: bool


@dataclass(frozen=True, kw_only=True)
class LanesReport:
    """All points, and what made them."""

    format: Literal["hwgen.report.dbpim_lanes"]
    version: Literal[1]
    commit: str
    command: str
    points: Sequence[Point]


def points_of(reports: Sequence[SweepReport], limits: Sequence[float]) -> list[Point]:
    """Return the points that all sweeps have figures of; those that were refused are left out."""
    found = [{place(point): point for point in report.points} for report in reports]
    best = [min(cycles_of(each) for each in points.values() if known(each)) for points in found]
    return [
        point_of([points[at] for points in found], best, limits)
        for at in found[0]
        if all(at in points and known(points[at]) for points in found)
    ]


def point_of(each: Sequence[SweepPoint], best: Sequence[int], limits: Sequence[float]) -> Point:
    """Return one point; each: of it in the sweeps; best: the fewest cycles of each."""
    cycles = [cycles_of(one) for one in each]
    growth = [own / least - 1 for own, least in zip(cycles, best, strict=True)]
    lanes, shared = place(each[0])
    return Point(
        lanes=lanes,
        shared=shared,
        cycles=cycles,
        growth=growth,
        area_mm2=each[0].area_mm2 or 0.0,
        within=all(own <= most for own, most in zip(growth, limits, strict=True)),
    )


def chosen(points: Sequence[Point]) -> Point:
    """Return the point with the least area x cycles of the first case, of those within limits."""
    return min((one for one in points if one.within), key=lambda one: one.area_mm2 * one.cycles[0])


def place(point: SweepPoint) -> tuple[int, int]:
    """Return the values of both keys."""
    return int(point.values[LANES]), int(point.values[SHARED])


def known(point: SweepPoint) -> bool:
    """Return whether a point has cycles."""
    return point.cycles_model is not None


def cycles_of(point: SweepPoint) -> int:
    """Return the cycles of a point that has some."""
    assert point.cycles_model is not None
    return point.cycles_model


def page(report: LanesReport, pictures: Sequence[str]) -> str:
    """Return the page; pictures: names of the files, one of each case."""
    points = report.points
    best, fastest = chosen(points), min(points, key=lambda one: one.growth[0])
    limits = " and ".join(f"{100 * one.most:g} % of {one.network}'s" for one in CASES)
    whole = fastest.area_mm2 * fastest.cycles[0]
    heads = ["lanes", "lanes a requantizer"]
    heads += [head for case in CASES for head in (f"`{case.network}`", "more")]
    heads += ["mm2", "mm2 x cycles", ""]
    ordered = sorted(points, key=lambda one: (-one.lanes, one.shared))
    rows = (cells(one, whole, least=one == best) for one in ordered)
    lines = [
        "# Lanes of the SIMD units: area against cycles",
        "",
        f"The least area x cycles of the points that cost at most {limits} cycles:"
        f" {best.lanes} lanes a core, of which {best.shared} share a requantizer."
        f" The fastest: {fastest.lanes} and {fastest.shared}."
        " Cycles are the model's, of one image (the Verilog's are the same), areas those of the"
        " 45 nm table, memories included.",
        "",
        *(
            f"![{one.network} on {one.arch}]({name})"
            for one, name in zip(CASES, pictures, strict=True)
        ),
        "",
        *Sheet(heads, rows).markdown(),
        "",
        f"- commit: {report.commit}",
        f"- command: {report.command}",
    ]
    return "\n".join(lines) + "\n"


def cells(point: Point, whole: float, *, least: bool) -> Iterator[str]:
    """Yield the cells of a point; whole: mm2 times cycles of the fastest one."""
    yield from (f"{point.lanes}", f"{point.shared}")
    for cycles, growth in zip(point.cycles, point.growth, strict=True):
        yield from (number(cycles), f"{growth:.2%}")
    yield from (f"{point.area_mm2:.3f}", f"{point.area_mm2 * point.cycles[0] / whole:.3f}")
    yield "the least" if least else "" if point.within else "too slow"


def main(arguments: Sequence[str]) -> int:
    """Sweep and write; return the exit code."""
    parser = page_options("dbpim-lanes", __doc__)
    given = parser.parse_args(arguments)
    pictures = [given.out.with_name(f"{given.out.stem}-{case.network}.svg") for case in CASES]
    try:
        reports = [
            swept(case, given.data, context=Context(work=given.work), picture=picture)
            for case, picture in zip(CASES, pictures, strict=True)
        ]
        report = LanesReport(
            format="hwgen.report.dbpim_lanes",
            version=1,
            commit=commit() or "-",
            command="python -m hwgen_studies.dbpim_paper.lanes",
            points=points_of(reports, [case.most for case in CASES]),
        )
        write_text(given.out, page(report, [each.name for each in pictures]), what="page")
        write_report(report, given.json)
    except HwgenError as error:
        print(f"dbpim-lanes: {error}", file=sys.stderr)
        return 2
    return 0


def swept(case: Case, data: str | None, *, context: Context, picture: Path) -> SweepReport:
    """Return the sweep of a case, and draw it."""
    return Sweep(
        network=Path(case.network),
        architecture=Path(case.arch),
        keys=KEYS,
        data=data,
        context=context,
        plot=picture,
    ).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
