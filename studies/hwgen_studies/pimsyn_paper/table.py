"""What `hwgen paper` tells a person, and the files that it writes."""

from rich.console import Group, RenderableType

from hwgen.report.files import report_text
from hwgen_studies.comparison import rows_page, rows_table
from hwgen_studies.pimsyn_paper.report import PaperReport

BESIDE = (
    "Strict rules charge what published figures leave out, so a deviation here is of rules as well"
    " as of searches. [By the same rules](pimsyn-rules.md) sets published beside published, and"
    " shows what odd entries of PIMSYN's table of parts decide."
)


def paper_table(report: PaperReport) -> RenderableType:
    """Return a row for each figure, and below them each reason once."""
    return Group(head(report), "", rows_table(report.rows))


def paper_files(report: PaperReport) -> dict[str, str]:
    """Return the report as a page of Markdown and as JSON, by name."""
    title = f"# {report.paper}: published and ours"
    lines = [title, "", f"{head(report)}. {BESIDE}", "", *rows_page(report.rows)]
    page = "\n".join(lines) + "\n"
    name = f"{report.paper.lower()}-paper"
    return {f"{name}.md": page, f"{name}.json": report_text(report)}


def head(report: PaperReport) -> str:
    """Return what was compared, and how."""
    return (
        f"{report.paper}: published and ours, {report.rules} rules,"
        f" {report.power_budget_w:g} W unless a row says otherwise"
    )
