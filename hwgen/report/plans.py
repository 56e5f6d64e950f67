"""What commands report of a plan: a network that is cut between a chip and its host.

Tests: `tests/commands/test_plans.py`.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass
from rich.console import Group, RenderableType

from hwgen.files.load import EXACT
from hwgen.report.imports import FloatDistance
from hwgen.report.run import RunReport
from hwgen.report.tables import NOTHING, number, percent, table
from hwgen.report.types import Count, Images, NotNegative, Source

LEAST_TOLD = 1024
"""Bytes from which they are told in kB."""
MOST_OPERATORS = 8
"""Of the host, by name in the first line."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class PieceInfo:
    """A piece of a plan.

    products: multiply-accumulates of a call; reasons: why those of a host piece are not on the chip
    reads, writes: tensors of the file
    steps: by which the piece differed at most from the runtime when it was cut
    run: what `run` or `model` tells of it; milliseconds: of a host piece, as the user gave them
    """

    name: str
    where: Literal["chip", "host"]
    operators: dict[str, Count]
    products: Count
    reasons: list[str]
    reads: list[str]
    writes: list[str]
    steps: Count
    run: RunReport | None = None
    milliseconds: NotNegative | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class PlanSeen:
    """Answers of the whole plan beside those of the file in its runtime.

    by_piece: elements that differ of the borders of each piece, fed the runtime's own; null where
        the file was not at hand
    """

    runtime: str
    images: Count
    elements: Count
    equal: Count
    largest: NotNegative
    by_piece: dict[str, Count] | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class PlanReport:
    """A plan, as `import`, `info`, `model`, `run` and `compare` report it.

    chip: that it was cut for; exact: whether that rounds as the runtime
    share: of the products on the chip; null: the file has none
    crossing_bytes: of a call, between chip and host
    runtime, setting: that chose the cut; apart: the first border that is another by the runtime of
        here; empty: none, or the same runtime
    cycles: of all calls on the chip; null: nothing ran; total_ms: of a call, where the user gave
        the times of all host pieces
    equal: whether chip and golden are equal; null: nothing was compared
    """

    format: Literal["hwgen.report.plan"]
    version: Literal[1]
    plan: Source
    file: Source | None
    chip: str
    exact: bool
    products: Count
    chip_products: Count
    share: Annotated[float, Field(ge=0, le=1)] | None
    crossing_bytes: Count
    runtime: str
    setting: str
    pieces: list[PieceInfo]
    lines: list[str]
    seen: PlanSeen | None
    apart: str = ""
    data: Images | None = None
    cycles: Count | None = None
    total_ms: NotNegative | None = None
    equal: bool | None = None
    from_float: list[FloatDistance] = Field(default_factory=list)
    versions: dict[str, str]


def first_line(report: PlanReport) -> str:
    """Return the share of the chip, the pieces, what the host computes and what crosses."""
    chips = [piece for piece in report.pieces if piece.where == "chip"]
    hosts = [piece for piece in report.pieces if piece.where == "host"]
    on_chip = "no multiply-accumulates in the file"
    if report.share is not None:
        of_all = f"{percent(report.share)} of {number(report.products)} multiply-accumulates"
        on_chip = f"{of_all} on {report.chip} in {pieces(len(chips))}"
    operators: dict[str, int] = {}
    for piece in hosts:
        for name in piece.operators:
            operators.setdefault(name, 0)
    names = [each for each in operators if each not in ("QuantizeLinear", "DequantizeLinear")]
    told = ", ".join(names[:MOST_OPERATORS]) or "the ends of the file"
    more = len(names) - MOST_OPERATORS
    told += f" and {more} more" if more > 0 else ""
    crossing = f"{told_bytes(report.crossing_bytes)} of an image cross"
    return f"{on_chip}; on the host: {told} ({pieces(len(hosts))}, {crossing})"


def pieces(count: int) -> str:
    """Return a number of pieces in words."""
    return f"{count} piece{'' if count == 1 else 's'}"


def told_bytes(count: int) -> str:
    """Return bytes, from a kB on in kB."""
    return f"{count} bytes" if count < LEAST_TOLD else f"{count / LEAST_TOLD:.1f} kB"


def plan_table(report: PlanReport) -> RenderableType:
    """Return the first line, the pieces, and what is known of their equality."""
    ran = any(piece.run is not None for piece in report.pieces)
    columns = ["piece", "where", "operators", "products"]
    rows = table([*columns, "cycles", "equal"] if ran else columns, left=3)
    for piece in report.pieces:
        operators = [f"{count} {name}" for name, count in piece.operators.items()]
        more = len(operators) - 3
        told = ", ".join(operators[:3]) + (f", {more} kinds more" if more > 0 else "")
        rows.add_row(
            piece.name,
            piece.where,
            told,
            number(piece.products),
            *(run_cells(piece) if ran else ()),
        )
    return Group(first_line(report), "", rows, "", *plan_lines(report))


def run_cells(piece: PieceInfo) -> tuple[str, str]:
    """Return the cycles of a piece, and whether it was equal."""
    if piece.run is None:
        return NOTHING, NOTHING
    equal = piece.run.equal
    return number(piece.run.cycles), NOTHING if equal is None else "equal" if equal else "differs"


def plan_lines(report: PlanReport) -> Iterator[str]:
    """Yield what is known besides."""
    yield from report.lines
    for piece in report.pieces:
        yield from (f"on the host: {reason}" for reason in piece.reasons)
    for distance in report.from_float:
        decibels = "equal" if distance.decibels is None else f"{distance.decibels:.1f} dB"
        yield (
            f"beside the float network, on {distance.images} calibration images: output"
            f" {distance.output} {decibels} (the quantized file)"
        )
    yield from seen_lines(report)
    if report.apart:
        yield (
            f"border {report.apart} is another by the runtime of here than when the file was cut,"
            f" by {report.runtime}: import it again"
        )
    if report.cycles is not None and report.data is not None:
        yield f"{number(report.cycles)} cycles of the chip for {report.data.images} calls"
        if report.total_ms is None:
            yield "the time of the host is not known: --host-ms FILE gives it, and a total is told"
        else:
            yield f"{report.total_ms:.3f} ms a call, the host's as given"


def seen_lines(report: PlanReport) -> Iterator[str]:
    """Yield how the answers compare with those of the runtime."""
    seen = report.seen
    if seen is None:
        yield "not judged: the runtime of the file is not installed"
        return
    beside = f"{number(seen.elements)} elements of {seen.images} calls, by {seen.runtime}"
    if seen.equal == seen.elements:
        yield f"equal in all {beside}"
    else:
        yield (
            f"differs in {number(seen.elements - seen.equal)} of {beside}, at most by"
            f" {seen.largest:.6g}"
        )
    if not report.exact:
        steps = max((piece.steps for piece in report.pieces), default=0)
        yield (
            f"{report.chip} rounds half up: fed the runtime's own maps, pieces differed by at most"
            f" {steps} step{'' if steps == 1 else 's'}"
        )
    if seen.by_piece is not None:
        for name, count in seen.by_piece.items():
            found = "equal" if not count else f"{number(count)} elements differ"
            yield f"{name}, fed the runtime's own maps: {found}"
