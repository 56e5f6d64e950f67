"""What the page of `hwgen paper dbpim` has of the race: where time and energy go.

Bars are plain HTML with the colours of the page, so that they are readable in light and dark.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hwgen_studies.dbpim_paper.clock import clock_words
from hwgen_studies.dbpim_paper.published import TITLES
from hwgen_studies.dbpim_paper.report import RaceReport, RaceRun
from hwgen_studies.dbpim_paper.table import (
    WORDS,
    columns_of,
    dense_runs,
    printed,
    reasons_of,
    row_cells,
    run_cells,
    title,
)

TEMPLATE = "dbpim_paper/race.html"
DENSE, SPARSE, WEIGHTS = "none", "all", "weight_values,weight_bits"
KINDS = {
    "conv_fc": "std/pw-conv and FC",
    "depthwise": "dw-conv",
    "multiply": "multiply",
    "other": "pool, unfused add, tables",
    "around": "around the layers",
}
COLOURS = 12
"""Colours of the page: `c0` and so on."""
LEAST_FRACTION = 0.002
"""A smaller part of a bar has no place in it."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of a bar: percent of the width of the picture."""

    name: str
    colour: int
    percent: float
    value: float


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One line of a picture; text: behind the bar."""

    label: str
    pieces: list[Piece]
    text: str
    first: bool


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Bars with a legend, and the same figures as a table.

    about: what is drawn, in a sentence; unit: of the figures
    """

    name: str
    about: str
    unit: str
    legend: list[tuple[str, int]]
    bars: list[Bar]


def race_parts(report: RaceReport) -> dict[str, Any]:
    """Return what the template asks for."""
    reasons = reasons_of(report)
    return {
        "report": report,
        "about": title(report),
        "words": f"{clock_words(report.clock_mhz, report.clock)} {WORDS}",
        "columns": columns_of(report),
        "runs": list(run_cells(report)),
        "rows": [([*row_cells(row)], reasons.index(row.reason) + 1) for row in printed(report)],
        "reasons": reasons,
        "pictures": [picture for picture in pictures(report) if picture.bars],
    }


def pictures(report: RaceReport) -> Iterator[Picture]:
    """Yield all pictures, those without an energy model left out."""
    batches = sorted({run.batch for run in report.runs})
    for batch in batches:
        yield where_time_goes(report, batch)
    for batch in batches:
        yield where_energy_goes(report, batch)
    yield time_by_kind(report, batches[0] if batches else 1)
    for batch in batches:
        yield gains(report, batch)
    for batch in batches:
        yield weight_sparsity(report, batch)


def where_time_goes(report: RaceReport, batch: int) -> Picture:
    """Return the causes of the cycles, dense and with all switches."""
    runs = [run for run in report.runs if run.batch == batch and run.switches in (DENSE, SPARSE)]
    return stacked(
        f"Where time goes, batch {batch}",
        "Cycles of an image by cause, in percent of those of the same chip: the dense chip (none)"
        " and all three kinds of sparsity (all). Busy cells hold weights and have a position.",
        "% of its cycles",
        [(run, {key: 100 * part / run.cycles for key, part in run.causes.items()}) for run in runs],
        texts=[f"{run.cycles:,.0f} cycles, {run.time_ms:.3f} ms" for run in runs],
    )


def where_energy_goes(report: RaceReport, batch: int) -> Picture:
    """Return the parts of the energy, dense and with all switches."""
    runs = [
        run
        for run in report.runs
        if run.batch == batch and run.switches in (DENSE, SPARSE) and run.energy_uj
    ]
    dense = dense_runs(report.runs)
    whole = {
        run.network: dense[run.network, batch].total_uj or 1
        for run in runs
        if (run.network, batch) in dense
    }
    return stacked(
        f"Where energy goes, batch {batch}",
        "Energy of an image on the chip by part, in percent of that of the dense chip.",
        "% of the dense chip",
        [
            (
                run,
                {
                    k: 100 * e / whole.get(run.network, run.total_uj or 1)
                    for k, e in (run.energy_uj or {}).items()
                },
            )
            for run in runs
        ],
        texts=[f"{run.total_uj:,.4g} uJ" for run in runs],
    )


def time_by_kind(report: RaceReport, batch: int) -> Picture:
    """Return the time by kind of layer, as Fig. 13."""
    runs = [run for run in report.runs if run.batch == batch and run.switches == SPARSE]
    return stacked(
        f"Time by kind of layer (Fig. 13), batch {batch}",
        "All three kinds of sparsity, in percent of the cycles of an image.",
        "% of its cycles",
        [
            (run, {KINDS[kind]: 100 * part / run.cycles for kind, part in run.kinds.items()})
            for run in runs
        ],
        texts=[f"{run.time_ms:.3f} ms" for run in runs],
    )


def gains(report: RaceReport, batch: int) -> Picture:
    """Return the speed-up end to end by switches, as Fig. 12."""
    dense = dense_runs(report.runs)
    runs = [
        run
        for run in report.runs
        if run.batch == batch and run.switches != DENSE and (run.network, batch) in dense
    ]
    values = [(run, {run.switches: dense[run.network, batch].cycles / run.cycles}) for run in runs]
    return stacked(
        f"Speed-up and energy by kind of sparsity (Fig. 12), batch {batch}",
        "End to end over the dense chip, loading included; behind each bar the change of energy.",
        "x",
        values,
        texts=[
            f"{parts[run.switches]:.2f}x{saving(dense[run.network, batch], run)}"
            for run, parts in values
        ],
    )


def weight_sparsity(report: RaceReport, batch: int) -> Picture:
    """Return the speed-up of std/pw-conv and FC layers by weight sparsity alone, as Fig. 11."""
    dense = dense_runs(report.runs)
    runs = [
        run
        for run in report.runs
        if run.batch == batch and run.switches == WEIGHTS and (run.network, batch) in dense
    ]
    found = [dense[run.network, batch].conv_fc_cycles / run.conv_fc_cycles for run in runs]
    return stacked(
        f"Sparsity of weights alone (Fig. 11), batch {batch}",
        "Std/pw-conv and FC layers over the dense chip, no bit plane of the inputs skipped; behind"
        " each bar the change of the energy of the whole network.",
        "x",
        [(run, {run.switches: value}) for run, value in zip(runs, found, strict=True)],
        texts=[
            f"{value:.2f}x{saving(dense[run.network, batch], run)}"
            for run, value in zip(runs, found, strict=True)
        ],
    )


def saving(dense: RaceRun, run: RaceRun) -> str:
    """Return the energy that a run saves, as text behind a bar."""
    if dense.total_uj is None or run.total_uj is None:
        return ""
    return f", energy {100 * (run.total_uj / dense.total_uj - 1):+.0f} %"


def stacked(
    name: str,
    about: str,
    unit: str,
    found: Sequence[tuple[RaceRun, Mapping[str, float]]],
    *,
    texts: Sequence[str],
) -> Picture:
    """Return a bar for each run, cut into its parts; the longest bar fills the picture."""
    names = list(dict.fromkeys(key for _, parts in found for key in parts))
    largest = sorted(names, key=lambda key: -sum(parts.get(key, 0.0) for _, parts in found))
    colours = {key: place % COLOURS for place, key in enumerate(largest)}
    longest = max((sum(parts.values()) for _, parts in found), default=1.0)
    bars, before = [], None
    for (run, parts), text in zip(found, texts, strict=True):
        bars.append(
            Bar(
                label=f"{TITLES.get(run.network, run.network)} {words(run.switches)}",
                pieces=[
                    Piece(
                        name=words(key),
                        colour=colours[key],
                        percent=100 * parts[key] / longest,
                        value=parts[key],
                    )
                    for key in largest
                    if parts.get(key, 0.0) > LEAST_FRACTION * longest
                ],
                text=text,
                first=run.network != before,
            )
        )
        before = run.network
    shown = {piece.name for bar in bars for piece in bar.pieces}
    return Picture(
        name=name,
        about=about,
        unit=unit,
        legend=[(words(key), colours[key]) for key in largest if words(key) in shown],
        bars=bars,
    )


def words(name: str) -> str:
    """Return a name as people write it."""
    return name.replace("_", " ").replace(",", " + ")
