"""The race as tables for the terminal, and as a page of Markdown."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType

from hwgen.report.files import report_text
from hwgen.report.sheet import Sheet
from hwgen.report.tables import NOTHING, percent, table
from hwgen_studies.dbpim_paper.clock import at_clock, clock_words
from hwgen_studies.dbpim_paper.published import TITLES
from hwgen_studies.dbpim_paper.report import RaceReport, RaceRow, RaceRun

NAME = "dbpim-paper"
BEFORE = ["network", "batch", "switches", "cycles", "compute"]
BEHIND = ["x end to end", "x compute", "over bound", "utilization", "uJ", "saved", "strict", "KB"]
"""Columns of the runs before and behind the times."""
DENSE = "none"
WORDS = (
    "Compute: cycles without load-stall cycles, in which nothing computes because a load is"
    " pending. Conv+FC: std/pw-conv and FC layers, with the additions that they compute on the way."
    " Over bound: their cycles, without those in which their cells wait for a load, over those of"
    " macros that are all busy all the time, with full rows, at the measured bit planes. Saved:"
    " energy on the chip over the dense chip with the same trees and post-processing units; strict:"
    " over one without switch and with queues of two groups. Leakage is that of the memories; that"
    " of logic is left out, and the area leaves out the parts that its row names."
)
"""What the columns of the runs mean."""


def race_table(report: RaceReport) -> RenderableType:
    """Return a row for each run, and below them each published figure beside ours."""
    shown = Sheet(columns_of(report), run_cells(report), 3).rich()
    rows = table(["figure", "where", "published", "ours", "unit", "deviation", "why"], left=2)
    reasons = reasons_of(report)
    for row in printed(report):
        rows.add_row(*row_cells(row), f"\\[{reasons.index(row.reason) + 1}]")
    lines = (f"\\[{place}] {reason}" for place, reason in enumerate(reasons, 1))
    refused = [f"refused: {sentence}" for sentence in report.refused]
    return Group(title(report), "", shown, "", *refused, rows, "", *lines)


def columns_of(report: RaceReport) -> list[str]:
    """Return the columns of the runs; each time is at one clock, or at two."""
    times = ["conv+FC ms", "ms"]
    if report.clock is not None:
        slower = f"at {report.clock.mhz:.0f} MHz"
        times = ["conv+FC ms", slower, "ms", slower]
    return [*BEFORE, *times, *BEHIND]


def times_of(run: RaceRun, report: RaceReport) -> Iterator[str]:
    """Yield the times of a run, each at one clock, or at two."""
    for time_ms in (run.conv_fc_ms, run.time_ms):
        yield f"{time_ms:.3f}"
        if report.clock is not None:
            yield at_clock(time_ms, report.clock_mhz, report.clock)


def title(report: RaceReport) -> str:
    """Return what ran where."""
    return (
        f"{report.paper} on {report.architecture.name}, {report.clock_mhz:g} MHz,"
        f" {report.port_bits}-bit port; figures of one image, loading included"
    )


def printed(report: RaceReport) -> list[RaceRow]:
    """Return the rows with a published figure, and those without a run of their own."""
    shown = ("conv_fc_over_bound_", "area", "peak", "energy_uj_resnet18_sparse")
    return [row for row in report.rows if row.published is not None or row.figure.startswith(shown)]


def reasons_of(report: RaceReport) -> list[str]:
    """Return every reason of the printed rows once."""
    return list(dict.fromkeys(row.reason for row in printed(report)))


def dense_runs(runs: Sequence[RaceRun]) -> Mapping[tuple[str, int], RaceRun]:
    """Return the dense run of each network and batch."""
    return {(run.network, run.batch): run for run in runs if run.switches == DENSE}


def run_cells(report: RaceReport) -> Iterator[list[str]]:
    """Yield the cells of each run."""
    dense = dense_runs(report.runs)
    for run in report.runs:
        against = dense.get((run.network, run.batch))
        cycles = None if against is None else against.cycles
        compute = None if against is None else against.compute_cycles
        total = None if against is None else against.total_uj
        strict = None if against is None else against.strict_energy_uj
        yield [
            *(TITLES.get(run.network, run.network), str(run.batch), run.switches),
            *(f"{run.cycles:,.0f}", f"{run.compute_cycles:,.0f}"),
            *times_of(run, report),
            ratio(cycles, run.cycles),
            ratio(compute, run.compute_cycles),
            ratio(run.conv_fc_without_load_cycles, run.bound_cycles),
            percent(run.utilization),
            figure(run.total_uj),
            saved(total, run.total_uj),
            saved(strict, run.total_uj),
            figure(None if run.memory_bytes is None else run.memory_bytes / 1024),
        ]


def ratio(one: float | None, other: float) -> str:
    """Return one figure over another."""
    return f"{one / other:.2f}" if one is not None and other else NOTHING


def saved(dense: float | None, ours: float | None) -> str:
    """Return what is saved, in percent."""
    return percent(1 - ours / dense) if dense and ours is not None else NOTHING


def figure(value: float | None) -> str:
    """Return a figure with four digits, or a dash."""
    return NOTHING if value is None else f"{value:,.4g}"


def row_cells(row: RaceRow) -> Iterator[str]:
    """Yield the cells of a row but for the reason."""
    yield row.label
    yield row.where
    yield figure(row.published)
    yield figure(row.ours)
    yield row.unit
    yield NOTHING if row.deviation_percent is None else f"{row.deviation_percent:+.1f}%"


def race_page(report: RaceReport) -> str:
    """Return the page of Markdown."""
    return "\n".join(page_lines(report)) + "\n"


def page_lines(report: RaceReport) -> Iterator[str]:
    """Yield the lines of the page."""
    yield f"# {report.paper}: the race"
    yield ""
    yield f"{title(report)}. {clock_words(report.clock_mhz, report.clock)} {WORDS}"
    yield ""
    networks = (
        [TITLES.get(each.name, each.name), each.weights, each.images, figure(each.bit_planes)]
        for each in report.networks
    )
    yield from Sheet(["network", "weights", "images", "bit planes"], networks).markdown()
    yield from ("", *Sheet(columns_of(report), run_cells(report)).markdown(), "")
    yield from (f"- refused: {sentence}" for sentence in report.refused)
    reasons = reasons_of(report)
    heads = ["figure", "where", "published", "ours", "unit", "deviation", "why"]
    rows = ([*row_cells(row), reasons.index(row.reason) + 1] for row in printed(report))
    yield from (*Sheet(heads, rows).markdown(), "")
    for place, reason in enumerate(reasons, 1):
        yield f"{place}. {reason}"


def race_files(report: RaceReport) -> dict[str, str]:
    """Return page and JSON by name."""
    return {f"{NAME}.md": race_page(report), f"{NAME}.json": report_text(report)}
