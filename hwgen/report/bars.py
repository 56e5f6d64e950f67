"""Bar charts as SVG text that follow the colours of a page, light or dark.

Classes of the page colour the bars: `first`, `second`, ..., `ink` and `muted` for text. Labels are
data: they are escaped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from hwgen.chip.timeline import Interval

WIDTH = 520
"""Small: a narrow page shows it whole, and its text can still be read."""
LABEL = 120
"""Space left of the bars for their label."""
GAP, CHARACTER = 6, 7
"""Space between a bar and its value, and of a character of it."""
ROW, THIN = 28, 14
"""Height of a row, and of one of several bars in it; a line of text needs as much."""
LANE, FINEST = 20, 4000
"""Height of a lane of a schedule, and parts into which its length is divided."""
CLASSES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
"""Classes of the colours, in order; the ninth takes the first again."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A label, and the values of its bars with the text at the end of each; None: no bar."""

    label: str
    values: Sequence[float | None]
    texts: Sequence[str]


def bars(rows: Sequence[Row], *, title: str) -> str:
    """Return horizontal bars, several in a row in the order of the classes."""
    most = max((value or 0.0 for row in rows for value in row.values), default=0.0) or 1.0
    scale = longest(rows) / most
    parts, top = [], 2
    for row in rows:
        high = max(ROW, THIN * len(row.values) + 6)
        parts.append(label(row.label, top + high / 2))
        begin = top + (high - THIN * len(row.values)) / 2
        for turn, (value, text) in enumerate(zip(row.values, row.texts, strict=True)):
            y, length = begin + turn * THIN, 0.0 if value is None else max(value * scale, 1.0)
            if value is not None:
                parts.append(
                    f'<rect class="{colour(turn)}" x="{LABEL}" y="{y:.1f}" width="{length:.1f}"'
                    f' height="{THIN - 1}" rx="2"/>'
                )
            parts.append(
                f'<text class="muted" x="{LABEL + length + GAP:.1f}" y="{y + THIN - 3:.1f}">'
                f"{escape(text)}</text>"
            )
        top += high
    return drawing(parts, top + 2, title)


def longest(rows: Sequence[Row]) -> int:
    """Return the length of the longest bar: every value has space behind it."""
    most = max((len(text) for row in rows for text in row.texts), default=0)
    return WIDTH - LABEL - GAP - CHARACTER * most


def stacked(rows: Mapping[str, Mapping[str, float]], *, title: str) -> str:
    """Return one bar for each row, divided in the shares of its parts, which add up to 1.

    A part has the same colour in all rows: that of its place among all parts.
    """
    names = list(dict.fromkeys(name for parts in rows.values() for name in parts))
    whole, drawn, top = WIDTH - LABEL, [], 2
    for row, parts in rows.items():
        drawn.append(label(row, top + ROW / 2))
        ends = [sum(list(parts.values())[:count]) for count in range(len(parts) + 1)]
        for (name, share), (begin, _) in zip(parts.items(), pairwise(ends), strict=True):
            drawn.append(
                f'<rect class="{colour(names.index(name))}" x="{LABEL + whole * begin:.1f}"'
                f' y="{top + 3}" width="{whole * share:.1f}" height="{ROW - 6}">'
                f"<title>{escape(name)}: {share:.1%}</title></rect>"
            )
        top += ROW
    return drawing(drawn, top + 2, title)


def lanes(rows: Sequence[tuple[str, Sequence[Interval]]], end: int, named: Sequence[str]) -> str:
    """Return HTML with a lane for each row: its intervals over the cycles from 0 to `end`.

    named: what the intervals do, in the order of the classes; the first lane takes them in turn.
    The drawing may be stretched, so names and cycles stand around it. What is narrower than a
    `FINEST` of the run and begins within the one drawn before it is left out.
    """
    scale, drawn = FINEST / (end or 1), []
    for lane, (_, intervals) in enumerate(rows):
        reached = 0.0
        for turn, each in enumerate(intervals):
            begin, close = each.begin * scale, each.end * scale
            if begin < reached and close - begin < 1:
                continue
            place = named.index(each.what) if lane else turn
            share = "" if each.fraction == 1 else f", {each.fraction:.0%} of the time"
            drawn.append(
                f'<rect class="{colour(place)}" x="{begin:.1f}" y="{lane * LANE + 2}"'
                f' width="{max(close - begin, 1):.1f}" height="{LANE - 4}"><title>'
                f"{escape(each.what)}: {each.begin:,} to {each.end:,}{share}</title></rect>"
            )
            reached = max(close, begin + 1)
    names = "".join(f"<li>{escape(name)}</li>" for name, _ in rows)
    ends = "".join(f"<span>{end * quarter // 4:,}</span>" for quarter in (0, 2, 4))
    height = LANE * len(rows)
    return (
        f'<div class="lanes"><ul>{names}</ul><div class="scroll"><svg viewBox="0 0 {FINEST}'
        f' {height}" height="{height}" style="height: {height}px" preserveAspectRatio="none"'
        f' role="img" aria-label="the schedule">{"".join(drawn)}</svg></div>'
        f'<div class="ends">{ends}</div></div>'
    )


def legend(names: Sequence[str]) -> str:
    """Return a list of HTML with the colour of each name."""
    items = (
        f'<li><svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true"><rect'
        f' class="{colour(turn)}" width="10" height="10" rx="2"/></svg> {escape(name)}</li>'
        for turn, name in enumerate(names)
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def colour(turn: int) -> str:
    """Return the class of a colour."""
    return CLASSES[turn % len(CLASSES)]


def label(text: str, middle: float) -> str:
    """Return the label of a row, cut where it would reach into the bars."""
    short = text if len(text) <= 16 else f"{text[:15]}…"
    return (
        f'<text class="ink" x="{LABEL - 8}" y="{middle + 4:.1f}" text-anchor="end">'
        f"{escape(short)}</text>"
    )


def drawing(parts: Sequence[str], height: float, title: str) -> str:
    """Return the SVG of some parts."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}"'
        f' font-size="12">{"".join(parts)}</svg>'
    )
