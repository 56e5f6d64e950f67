"""A network in every width by both mappings, as measured in RTL: rows, and a page of Markdown."""

from collections.abc import Iterator
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.sheet import Sheet
from hwgen.report.tables import number
from hwgen.report.types import Count, Digest
from hwgen_studies.cadnn_paper.cycle_parts import PARTS

LEGEND = (
    "One row a width: some images, each in a run of its own, image in and answer out included."
    " `equal`: every element of each compared map of every image is golden's; every step, counter,"
    " event and cycle of every run is the cycle model's; a fused map is never stored whole, its"
    " consumer is compared. Cycles are those of one image and the same for all."
    " `positions`: idle sub-arrays and free segments compute other positions; `seed`: one kernel a"
    " sub-array, one position at a time. Weight rows: written after the load, in all runs."
    " `studies/results` has the events of each run."
)
COLUMNS = (
    *("mapping", "width", "images", "model cycles", "RTL cycles", "of the widest", "outcome"),
    *("maps compared / fused", "weight rows"),
)
PARTS_LEGEND = (
    "Cycles of one image by cause, from the events and steps of the runs above: what all sub-arrays"
    " do in the mean. The bound counts the ANDs that the layers need."
)
LOAD_COLUMNS = ("mapping", "bytes", "weight rows", "model cycles", "RTL cycles")

Outcome = Literal["equal", "differs"]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class WidthRow:
    """Some images in one mode, each in a run of its own.

    cycles_*, events: of one image; ratio: of its cycles to those of the widest mode
    parts: cycles of an image by cause, see `cycle_parts`
    mismatches: elements that differ from golden's, in all maps of all images
    weight_row_writes: by the chip's counter, after the load
    outcome: `equal` if every image and every run is by itself
    """

    mapping: str
    mode: str
    images: Count
    cycles_model: Count
    cycles_rtl: Count
    ratio: float
    maps_compared: Count
    maps_fused: Count
    mismatches: Count
    events: dict[str, int]
    parts: dict[str, float]
    weight_row_writes: Count
    simulation_seconds: float
    outcome: Outcome


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LoadRow:
    """The load of a program, a command of its own."""

    mapping: str
    bytes: Count
    weight_row_writes: Count
    cycles_model: Count
    cycles_rtl: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class WidthsReport:
    """What was measured, and of what.

    machine: its kind; commit: of the code, with + where files differ from it
    """

    format: Literal["hwgen.report.mram_widths"]
    version: Literal[1]
    network: str
    network_digest: Digest
    architecture: str
    configuration_digest: Digest
    images_name: str
    images_digest: Digest
    commit: str | None
    machine: str
    command: str
    loads: list[LoadRow]
    rows: list[WidthRow]

    @property
    def sound(self) -> bool:
        """Whether everything equals golden and the model."""
        loads = all(load.cycles_rtl == load.cycles_model for load in self.loads)
        return loads and all(row.outcome == "equal" for row in self.rows)


def widths_page(report: WidthsReport) -> str:
    """Return the page."""
    lines = [f"# {report.network} in every width on {report.architecture}", "", LEGEND, ""]
    lines += Sheet(COLUMNS, map(cells, report.rows)).markdown()
    lines += ["", "## Where the cycles go", "", PARTS_LEGEND, ""]
    widths = [f"{row.mapping} {row.mode}" for row in report.rows]
    lines += Sheet(("cause", *widths), part_cells(report)).markdown()
    lines += ["", "## Load", "", "The port brings the program once, before the first image.", ""]
    lines += Sheet(LOAD_COLUMNS, map(load_cells, report.loads)).markdown()
    lines += ["", "## Circumstances", ""]
    lines += [
        f"- network: {report.network}, digest {report.network_digest[:16]}",
        f"- images: {report.images_name}, digest {report.images_digest[:16]}",
        f"- architecture: {report.architecture}, digest {report.configuration_digest[:16]}",
        f"- commit: {report.commit or 'unknown'}; machine: {report.machine}",
        f"- command: `{report.command}`",
    ]
    return "\n".join(lines) + "\n"


def cells(row: WidthRow) -> Iterator[str]:
    """Yield the cells of a width."""
    yield from (row.mapping, row.mode, number(row.images))
    yield from (number(row.cycles_model), number(row.cycles_rtl), f"{row.ratio:.3f}")
    yield row.outcome if row.outcome == "equal" else f"**{row.outcome}**"
    yield f"{row.maps_compared} / {row.maps_fused}"
    yield number(row.weight_row_writes)


def part_cells(report: WidthsReport) -> Iterator[list[str]]:
    """Yield a row for each cause, then the sums."""
    for part, meaning in PARTS.items():
        yield [meaning, *(number(round(row.parts[part])) for row in report.rows)]
    yield ["all", *(number(row.cycles_model) for row in report.rows)]


def load_cells(load: LoadRow) -> Iterator[str]:
    """Yield the cells of a load."""
    yield load.mapping
    yield from (number(load.bytes), number(load.weight_row_writes))
    yield from (number(load.cycles_model), number(load.cycles_rtl))
