"""The page of PIMSYN and ours by the same rules: its report and its tables."""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.crossbar.facts.rules import RulesName
from hwgen.files.load import EXACT
from hwgen.report.sheet import Sheet
from hwgen.report.tables import NOTHING, number
from hwgen.report.types import Count, Source

ABOUT = (
    "This page sets figures of PIMSYN only beside figures of ours that are made by the same rules,"
    " and shows what odd entries of its table of parts decide. It is for readers who ask whether"
    " our answers come from a better search or from a table."
)
CODE_TEXT = (
    "Published rules, as PIMSYN's public code judges designs. It charges a fully connected layer at"
    " most 100 conversions a step, which no chip can keep; strict rules charge all of them and"
    " stand in a table of their own below. `At most`: no design of the space is better, by our"
    " bound. The design that the public code shipped for AlexNet has a peak of 78.1 W; ours keep"
    " the budget."
)
TABLES_TEXT = (
    "Each row is a new search with one thing changed in the table of parts, but for the first."
    " `First answer, W`: the peak power of the first row's chip by the changed table; above the"
    " budget, that chip would not be allowed. A second seed shows how much a search differs by"
    " chance: a change below that says nothing."
)
COLUMNS = [
    "table of parts",
    "first answer, W",
    "found, GOPS/W",
    "change",
    "at most, GOPS/W",
    "crossbar",
    "DAC / ADC, bits",
    "macros",
]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CodeRow:
    """A figure of the public code beside ours; None: nothing was found.

    at_most_gops_per_w: no design is better; peak_w: of ours
    """

    network: str
    who: str
    published_gops_per_w: float
    gops_per_w: float | None
    at_most_gops_per_w: float | None
    peak_w: float | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class TableRow:
    """The answer for a network with one table of parts; None: nothing was found.

    first_peak_w: of the answer with the table as it ships, by this table
    crossbar: side and bits of a cell, in words
    """

    rules: RulesName
    network: str
    table: str
    first_peak_w: float | None
    gops_per_w: float | None
    at_most_gops_per_w: float | None
    crossbar: str | None
    dac_bits: Count | None
    adc_bits: Count | None
    macros: Count | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SameRulesReport:
    """All rows.

    evaluations, nodes: of each search: designs judged, and parts of the space bounded
    seed: of all searches but those of the row with `other_seed`
    least_adc_bits: the coarsest ADC that any design of the space needs
    """

    format: Literal["hwgen.report.pimsyn_rules"]
    version: Literal[1]
    commit: str | None
    components: Source
    power_budget_w: float
    evaluations: Count
    nodes: Count
    seed: Count
    other_seed: Count
    least_adc_bits: Count
    code: list[CodeRow]
    rows: list[TableRow]


def same_rules_page(report: SameRulesReport) -> str:
    """Return the page."""
    lines = ["# PIMSYN and ours by the same rules", "", ABOUT, ""]
    lines += ["[The paper's main figures](#pimsyn-published-and-ours) stand below.", ""]
    lines += ["## Published beside published", "", CODE_TEXT, "", *code_table(report), ""]
    lines += ["## What the table of parts decides", "", TABLES_TEXT, ""]
    lines += [f"- {sentence}" for sentence in findings(report)]
    for rules, name in dict.fromkeys((row.rules, row.network) for row in report.rows):
        rows = [row for row in report.rows if (row.rules, row.network) == (rules, name)]
        lines += ["", f"### {name}, {rules} rules", "", *table_of(rows)]
    lines += ["", "## Circumstances", "", f"- commit: {report.commit or 'unknown'}"]
    lines += [
        f"- {report.power_budget_w:g} W; {report.evaluations:,} evaluations and {report.nodes:,}"
        f" bounded nodes a search at most; seed {report.seed}, the other one {report.other_seed};"
        f" table {report.components.file}",
        "- command: `python -m hwgen_studies.pimsyn_paper.same_rules`",
    ]
    return "\n".join(lines) + "\n"


def code_table(report: SameRulesReport) -> Iterator[str]:
    """Return the table of the public code."""
    columns = ["network", "what", "PIMSYN, GOPS/W", "ours, GOPS/W", "ours over it"]
    columns += ["at most, GOPS/W", "peak of ours, W"]
    return Sheet(
        columns,
        (
            [
                row.network,
                row.who,
                real(row.published_gops_per_w),
                real(row.gops_per_w),
                change(row.gops_per_w, row.published_gops_per_w),
                real(row.at_most_gops_per_w),
                real(row.peak_w),
            ]
            for row in report.code
        ),
    ).markdown()


def table_of(rows: Sequence[TableRow]) -> Iterator[str]:
    """Return the table of a network by one set of rules."""
    return Sheet(COLUMNS, (cells(row, rows[0]) for row in rows)).markdown()


def cells(row: TableRow, first: TableRow) -> Iterator[str]:
    """Yield the cells of a row."""
    yield row.table
    yield real(row.first_peak_w)
    yield real(row.gops_per_w)
    yield change(row.gops_per_w, first.gops_per_w) if row is not first else NOTHING
    yield real(row.at_most_gops_per_w)
    yield row.crossbar or NOTHING
    yield f"{number(row.dac_bits)} / {number(row.adc_bits)}"
    yield number(row.macros)


def findings(report: SameRulesReport) -> Iterator[str]:
    """Yield what the rows say, in sentences."""
    least = report.least_adc_bits
    known = "so the entry of 6 bits, whose peak is below its dynamic power, decides nothing"
    if least > 6:
        yield (
            f"With crossbars of 128 rows or more, every design needs an ADC of {least} bits or"
            f" more, {known}."
        )
    for row in report.rows:
        first = next(
            one for one in report.rows if (one.rules, one.network) == (row.rules, row.network)
        )
        if row.first_peak_w is not None and row.first_peak_w > 1.01 * report.power_budget_w:
            yield (
                f"{row.network}, {row.rules} rules, {row.table}: the first answer would take"
                f" {real(row.first_peak_w)} W; a new search finds {real(row.gops_per_w)} GOPS/W in"
                f" place of {real(first.gops_per_w)}, with {number(row.macros)} macros in place of"
                f" {number(first.macros)}."
            )


def real(value: float | None) -> str:
    """Return a figure of four digits, or a dash."""
    return NOTHING if value is None else f"{value:,.4g}"


def change(value: float | None, base: float | None) -> str:
    """Return by how much a figure is more than another."""
    return NOTHING if value is None or not base else f"{value / base - 1:+.1%}"
