"""The rows of `hwgen results` as Markdown, for a page, and as a table, for the terminal."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from hwgen.report.sheet import Sheet
from hwgen.report.tables import NOTHING, number, table
from hwgen_studies.networks.report import Case, Measured, ResultRow, ResultsReport

KEYS = ("network", "chip", "sparsity", "batch")
COLUMNS = (*KEYS, "accuracy", "model cycles", "RTL cycles", "outcome")
HOW = (*KEYS, "trained", "simulation, s", "commit", "command")
COUNTED = (*KEYS, "steps", "maps compared / fused", "load stalls", "bit columns")
LEGEND = (
    "A row is one run of a complete network. `equal`: every element of each compared map, and each"
    " step, counter and cycle of each run, was measured and is exactly golden's or the cycle"
    " model's; a fused map is never stored whole, its consumer is compared. Load stalls: cycles in"
    " which nothing computes because a load is pending. Bit columns: measured mean of bit planes"
    " with a one in a group of inputs, of 8. Cycles are sums over the images of the row. The"
    " simulation's wall time is without the build of the simulator."
)
SHORT = (
    "\\* random weights or a short training: accuracy and bit columns are not those of a trained"
    " network."
)
SHOWN = ("network", "sparsity", "batch", "steps", "model", "rtl", "compared/fused", "s", "outcome")


def results_page(report: ResultsReport) -> str:
    """Return a page of Markdown: each run, trained networks first, then how it was run."""
    archs = ", ".join(
        f"`{name}`" for name in sorted({row.case.architecture for row in report.rows})
    )
    lines = [f"# Complete networks on the chip {archs}".rstrip(), "", LEGEND, ""]
    if any(row.case.training.short for row in report.rows):
        lines += [SHORT, ""]
    commands = list(dict.fromkeys(row.case.command for row in report.rows))
    machines = list(dict.fromkeys(row.case.machine for row in report.rows))
    ordered = sorted(report.rows, key=lambda row: row.case.training.short)
    lines += Sheet(COLUMNS, map(outcome_cells, ordered)).markdown()
    how = ([*how_cells(row), f"[{commands.index(row.case.command) + 1}]"] for row in ordered)
    lines += ["", "## How each was run", "", *Sheet(HOW, how).markdown()]
    lines += [
        "",
        "## What was counted",
        "",
        *Sheet(COUNTED, map(counted_cells, ordered)).markdown(),
    ]
    lines += ["", "## Commands", ""]
    lines += [f"{place}. `{command}`" for place, command in enumerate(commands, 1)]
    lines += ["", f"Run on: {'; '.join(machines)}."]
    lines += failures(report.rows)
    return "\n".join(lines) + "\n"


def key_cells(case: Case) -> Iterator[str]:
    """Yield the cells that name a run."""
    yield case.network
    yield case.architecture
    yield case.sparsity
    yield str(case.batch)


def outcome_cells(row: ResultRow) -> Iterator[str]:
    """Yield the cells of a row of outcomes."""
    found = row.measured
    yield from key_cells(row.case)
    yield accuracy(row.case)
    yield number(None if found is None else found.cycles_model)
    yield number(None if found is None else found.cycles_rtl)
    yield row.outcome if row.outcome in ("equal", "not simulated") else f"**{row.outcome}**"


def accuracy(case: Case) -> str:
    """Return the accuracy of a network with its base, marked after a short training."""
    training = case.training
    if training.accuracy is None:
        return NOTHING
    base = "" if training.accuracy_float is None else f", float {training.accuracy_float:.2%}"
    return f"{training.accuracy:.2%} of {training.test_images}{mark(case)}{base}"


def mark(case: Case) -> str:
    """Return the mark of figures that a longer training changes."""
    return "\\*" if case.training.short else ""


def how_cells(row: ResultRow) -> Iterator[str]:
    """Yield the cells of how a run was made, but for the last one."""
    yield from key_cells(row.case)
    yield row.case.training.state
    yield NOTHING if row.measured is None else seconds(row.measured)
    yield row.case.commit or NOTHING


def counted_cells(row: ResultRow) -> Iterator[str]:
    """Yield the cells of what a run counted; dashes for one that failed."""
    case, found = row.case, row.measured
    yield from key_cells(case)
    if found is None:
        yield from [NOTHING] * 4
        return
    stalls = found.load_cycles_model if found.cycles_rtl is None else found.load_cycles_rtl
    yield number(found.steps)
    yield maps(found)
    yield number(stalls)
    yield NOTHING if found.bit_columns is None else f"{found.bit_columns:.2f}{mark(case)}"


def maps(found: Measured) -> str:
    """Return how many maps of an image were compared and how many are fused."""
    return f"{found.maps_compared} / {found.maps_fused}"


def seconds(found: Measured) -> str:
    """Return the wall time of the simulation in seconds, or a dash."""
    return f"{found.seconds['rtl']:,.0f}" if "rtl" in found.seconds else NOTHING


def failures(rows: Sequence[ResultRow]) -> Iterator[str]:
    """Yield why runs failed and where runs differ."""
    wrong = [row for row in rows if row.outcome not in ("equal", "not simulated")]
    if wrong:
        yield from ("", "## Failures and differences", "")
    for row in wrong:
        why = row.failure if row.measured is None else row.measured.difference
        yield f"- {row.case.network}, sparsity {row.case.sparsity}, batch {row.case.batch}: {why}"


def results_table(report: ResultsReport) -> RenderableType:
    """Return the rows for the terminal."""
    rows = table(SHOWN, left=2)
    for row in report.rows:
        found, case = row.measured, row.case
        counts = [NOTHING] * 5
        if found is not None:
            cycles = [number(found.cycles_model), number(found.cycles_rtl)]
            counts = [number(found.steps), *cycles, maps(found), seconds(found)]
        rows.add_row(case.network, case.sparsity, str(case.batch), *counts, row.outcome)
    return rows
