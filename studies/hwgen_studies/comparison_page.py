"""Published figures beside ours as a page: a table a figure, networks or widths side by side."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from hwgen.report.sheet import Sheet
from hwgen.report.tables import NOTHING
from hwgen_studies.comparison import PaperRow, figure

VARIANT = re.compile(r"(.+), (\d[\d.]*x|paper|public code|least|mean|most)")
"""What ends with a variant, which then has a column of its own."""
NUMBER = re.compile(r"(?<![\w.,/-])\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?(?![\w/.]*[\w/])")
"""A number that stands alone: not one in a name, a path or another number."""
BESIDE = (
    "A cell is `published: ours (deviation in %)`, or ours alone where nothing was published; `-`:"
    " there is none, for the reason below. Numbers of a reason that differ between its rows are"
    " told as the least and the most."
)


def compact_page(rows: Sequence[PaperRow]) -> Iterator[str]:
    """Yield how cells are read, a table for each figure, and each reason once."""
    known = [each.reason for each in rows]
    why = dict(zip(known, merged(known), strict=True))
    places = {text: place for place, text in enumerate(dict.fromkeys(why.values()), 1)}
    numbers = {reason: places[text] for reason, text in why.items()}
    yield BESIDE
    for name in dict.fromkeys(each.figure for each in rows):
        same = [each for each in rows if each.figure == name]
        yield from ("", f"### {name}", "")
        yield from figure_lines(same, numbers)
    yield ""
    yield from (f"{place}. {text}" for text, place in places.items())


def figure_lines(rows: Sequence[PaperRow], numbers: Mapping[str, int]) -> Iterator[str]:
    """Yield the table of one figure: rows that differ in network or variant alone are a line."""
    networks = {each.network for each in rows}
    bases = Counter(base_of(each.what)[0] for each in rows)
    lines: dict[tuple[str, str], dict[str, PaperRow]] = {}
    for each in rows:
        what, variant = base_of(each.what)
        if bases[what] == 1:
            what, variant = each.what, ""
        network = each.network if len(networks) > 1 else None
        column = ", ".join(filter(None, [network, variant]))
        lines.setdefault((what, each.unit), {})[column] = each
    columns = list(dict.fromkeys(column for line in lines.values() for column in line))
    columns.sort(key=lambda each: each == "")
    (only,) = networks if len(networks) == 1 else {None}
    whys = [told_of(line.values(), numbers) for line in lines.values()]
    same = len(set(whys)) == 1
    heads = ["what", "unit", *(each or only or "alone" for each in columns)]
    cells = (
        [what, unit, *(cell(line[c]) if c in line else "" for c in columns)]
        + ([] if same else [why])
        for ((what, unit), line), why in zip(lines.items(), whys, strict=True)
    )
    yield from Sheet(heads if same else [*heads, "why"], cells).markdown()
    if same:
        yield from ("", f"Why: {whys[0]}.")


def base_of(what: str) -> tuple[str, str]:
    """Return what a row says, and its variant, which may be none."""
    found = VARIANT.fullmatch(what)
    return (found[1], found[2]) if found else (what, "")


def told_of(rows: Iterable[PaperRow], numbers: Mapping[str, int]) -> str:
    """Return the numbers of the reasons of some rows."""
    return f"[{', '.join(map(str, sorted({numbers[each.reason] for each in rows})))}]"


def cell(row: PaperRow) -> str:
    """Return a row as one cell."""
    if row.published is None:
        return figure(row.ours)
    deviation = row.deviation_percent
    told = "" if deviation is None else f" ({deviation:+.1f})"
    return f"{figure(row.published)}: {figure(row.ours) if row.ours is not None else NOTHING}{told}"


def merged(reasons: Sequence[str]) -> list[str]:
    """Return each reason; those that differ in numbers alone are one, with ranges of them."""
    families: dict[str, list[str]] = {}
    for each in dict.fromkeys(reasons):
        families.setdefault(NUMBER.sub("#", each), []).append(each)
    told: dict[str, str] = {}
    for same in families.values():
        numbers = list(zip(*(NUMBER.findall(each) for each in same), strict=True))
        spans = iter([span(each) for each in numbers])
        text = NUMBER.sub(lambda _, spans=spans: next(spans), same[0])  # type: ignore[misc]
        told |= dict.fromkeys(same, text)
    return [told[each] for each in reasons]


def span(numbers: Sequence[str]) -> str:
    """Return the least and the most of numbers, or the only one."""
    known = sorted(set(numbers), key=lambda each: float(each.replace(",", "")))
    return known[0] if len(known) == 1 else f"{known[0]} to {known[-1]}"
