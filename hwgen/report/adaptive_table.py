"""The table of a network with several modes on its chip.

Tests: `tests/commands/test_adaptive.py`.
"""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table

from hwgen.report.adaptive import AdaptiveMode, AdaptiveReport
from hwgen.report.tables import in_words, percent, same, table

PJ_OF_NJ = 1000


def adaptive_parts(report: AdaptiveReport) -> Iterator[RenderableType]:
    """Yield the table of the modes, then what the stream shows."""
    stream = report.stream
    yield f"{report.network.name} on {report.architecture.name}: {report.network.file}"
    yield (
        f"accuracy on {report.test_images} test images; all else in RTL: means of"
        f" {report.images} images in each mode"
    )
    yield ""
    yield modes_table(report.modes)
    yield ""
    yield (
        f"a stream of {len(stream.images)} images in one run visits every switch:"
        f" {stream.weight_row_writes_after_load} rows of weights written after the load, a switch"
        f" costs at most {stream.switch_cycles_max} cycles"
    )
    yield f"picture: {report.picture}"
    for run in [*report.runs, stream]:
        if run.first_difference is not None:
            yield f"first difference: {in_words(run.first_difference)}"


def modes_table(modes: Sequence[AdaptiveMode]) -> Table:
    """Return a column for each mode."""
    rows = table(["", *(mode.name for mode in modes)])
    for cells in (*gain_rows(modes), *event_rows(modes), *energy_rows(modes)):
        rows.add_row(*cells)
    rows.add_row("RTL, golden, model", *(same(mode.equal) for mode in modes))
    return rows


def gain_rows(modes: Sequence[AdaptiveMode]) -> Iterator[list[str]]:
    """Yield accuracy, cycles and arrays at work."""
    yield ["accuracy", *(percent(mode.accuracy) for mode in modes)]
    yield ["cycles of an image", *(f"{mode.cycles_rtl:,.0f}" for mode in modes)]
    yield ["of the widest", *(percent(mode.cycles_fraction) for mode in modes)]
    most = [max(mode.active_arrays.values()) for mode in modes]
    yield ["active arrays, most of a layer", *map(str, most)]


def event_rows(modes: Sequence[AdaptiveMode]) -> Iterator[list[str]]:
    """Yield the events of an image that happen in any mode."""
    for event in modes[0].events_rtl:
        counts = [mode.events_rtl[event] for mode in modes]
        if any(counts):
            yield [event.replace("_", " "), *(f"{count:,.0f}" for count in counts)]


def energy_rows(modes: Sequence[AdaptiveMode]) -> Iterator[list[str]]:
    """Yield the energy of an image, in nJ."""
    for name, field in (("energy, nJ", "total_pj"), ("of it leakage, nJ", "leakage_pj")):
        yield [name, *(f"{getattr(mode, field) / PJ_OF_NJ:,.1f}" for mode in modes)]
