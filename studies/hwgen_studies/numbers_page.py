"""The page of a paper: each printed number with ours beside it, then what a paper adds.

One file of HTML, which asks no server for anything; `paper.html` is its template.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hwgen_studies.comparison import figure
from hwgen_studies.numbers import Number, counts

TEMPLATE = "paper.html"
Pictures = Sequence[tuple[str, str]]
"""Titles with SVG."""


def paper_page(
    title: str,
    numbers: Sequence[Number],
    *,
    documents: Mapping[str, str],
    verdicts: Mapping[str, str],
    command: str,
    drawn: Pictures = (),
    template: str = TEMPLATE,
    **more: Any,
) -> str:
    """Return the page.

    documents: their titles; verdicts: whether a number stands in its document, by id; none: unread
    command: that made the page; drawn: pictures; more: what another template asks for
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template(template).render(
        paper=title,
        documents=documents,
        counts=counts(numbers),
        numbers=list(number_cells(numbers, verdicts)),
        command=command,
        drawn=[(name, b64encode(svg.encode()).decode()) for name, svg in drawn],
        **more,
    )


def number_cells(
    numbers: Sequence[Number], verdicts: Mapping[str, str]
) -> Iterator[tuple[list[str], list[str], str]]:
    """Yield of each number its texts, its figures, and why they differ."""
    for each in numbers:
        printed, away, ours = each.printed, each.deviation_percent, each.ours
        known = ours is not None and each.value is not None
        what = printed.what if printed.network is None else f"{printed.what}, {printed.network}"
        yield (
            [f"{printed.document}, {printed.place}", what],
            [
                "bars" if printed.bars else figure(printed.value),
                figure(each.value),
                printed.unit,
                "-" if away is None else f"{away:+.1f} %",
                ours.weights if known and ours else "-",
                ours.cycles if known and ours else "-",
                ours.clock if known and ours else "-",
                verdicts.get(printed.id, "-"),
            ],
            each.why,
        )
