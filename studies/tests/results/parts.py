"""Parts of pages: what a command writes as a page may stand in a page beside others.

A part lies between two comments, its headings one level lower than the command wrote them.
"""

import re

BEGIN, END = "<!-- {name}: `scripts/results {name}` -->", "<!-- end of {name} -->"
HEADING = re.compile(r"^(#+ )", re.M)
FIRST, SECOND = re.compile(r"\A(> .*)\n\n(#.*)"), re.compile(r"\A(#.*)\n\n(> Of .*)")
"""A mark before the title, where a page has it, and behind it, where a part has it."""


def with_part(page: str, name: str, text: str) -> str:
    """Return a page with another text of one of its parts, as a command writes it.

    Raises `ValueError` if the page has no such part.
    """
    before, _, behind = halves(page, name)
    lower = FIRST.sub(r"\2\n\n\1", HEADING.sub(r"#\1", text))
    return f"{before}{lower.strip()}{behind}"


def part_of(page: str, name: str) -> str:
    """Return a part as its command writes it.

    Raises `ValueError` if the page has no such part.
    """
    _, text, _ = halves(page, name)
    higher = re.sub(r"^#(#+ )", r"\1", text, flags=re.M)
    return SECOND.sub(r"\2\n\n\1", higher) + "\n"


def halves(page: str, name: str) -> tuple[str, str, str]:
    """Return what stands before a part, the part, and what stands behind it, comments outside."""
    begin, end = f"{BEGIN.format(name=name)}\n\n", f"\n\n{END.format(name=name)}"
    before, found, rest = page.partition(begin)
    text, closed, behind = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"a page must have the part {name} between two comments, got none")
    return f"{before}{begin}", text, f"{end}{behind}"
