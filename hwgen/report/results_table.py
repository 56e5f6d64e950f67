"""The rows of `hwgen results` as Markdown, for a page, and as a table, for the terminal."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from hwgen.report.results import Case, Measured, ResultRow, ResultsReport
from hwgen.report.tables import NOTHING, number, table

COLUMNS = (
    "network",
    "trained",
    "accuracy",
    "chip",
    "sparsity",
    "batch",
    "steps",
    "model cycles",
    "RTL cycles",
    "outcome",
    "maps compared / fused",
    "load stalls",
    "bit columns",
    "simulation, s",
    "commit",
    "machine",
    "command",
)
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
    """Return a page of Markdown: a row for each run, and the commands below."""
    archs = ", ".join(
        f"`{name}`" for name in sorted({row.case.architecture for row in report.rows})
    )
    lines = [f"# Complete networks on the chip {archs}".rstrip(), "", LEGEND, ""]
    if any(row.case.training.short for row in report.rows):
        lines += [SHORT, ""]
    lines += [line(COLUMNS), line(["---"] * len(COLUMNS))]
    commands = list(dict.fromkeys(row.case.command for row in report.rows))
    for row in report.rows:
        lines.append(line([*cells(row), f"[{commands.index(row.case.command) + 1}]"]))
    lines += ["", "## Commands", ""]
    lines += [f"{place}. `{command}`" for place, command in enumerate(commands, 1)]
    lines += failures(report.rows)
    return "\n".join(lines) + "\n"


def line(values: Sequence[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(value.replace('|', '/') for value in values)} |"


def cells(row: ResultRow) -> Iterator[str]:
    """Yield the cells of a row but for the last one."""
    case, training = row.case, row.case.training
    yield case.network
    yield training.state
    yield accuracy(case)
    yield case.architecture
    yield case.sparsity
    yield str(case.batch)
    yield from measured_cells(row)
    yield case.commit or NOTHING
    yield case.machine


def accuracy(case: Case) -> str:
    """Return the accuracy of a network, marked after a short training."""
    training = case.training
    if training.accuracy is None:
        return NOTHING
    return f"{training.accuracy:.2%} of {training.test_images}{mark(case)}"


def mark(case: Case) -> str:
    """Return the mark of figures that a longer training changes."""
    return "\\*" if case.training.short else ""


def measured_cells(row: ResultRow) -> Iterator[str]:
    """Yield the cells of what was measured; dashes for a run that failed."""
    found = row.measured
    if found is None:
        yield from [NOTHING, NOTHING, NOTHING, f"**{row.outcome}**", *[NOTHING] * 4]
        return
    stalls = found.load_cycles_model if found.cycles_rtl is None else found.load_cycles_rtl
    yield number(found.steps)
    yield number(found.cycles_model)
    yield number(found.cycles_rtl)
    yield row.outcome if row.outcome in ("equal", "not simulated") else f"**{row.outcome}**"
    yield maps(found)
    yield number(stalls)
    yield NOTHING if found.bit_columns is None else f"{found.bit_columns:.2f}{mark(row.case)}"
    yield seconds(found)


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
