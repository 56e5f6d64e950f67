"""A picture of a chip as SVG text: its parts as blocks, to scale by area, on light and dark pages.

The blocks are a squarified treemap (Bruls, Huizing and van Wijk, 2000): rows along the shorter
side, each as long as its blocks come nearer to squares. Names are data: they are escaped.

Tests: `tests/report/test_chip_picture.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 720, 420
"""Of the chip, in px."""
EDGE, HEAD, ROW = 12, 34, 18
"""Around the chip, above it, and of a line of the list below it."""
LARGE, SMALL = 13, 10
"""px of text: of a name, and of all else; none is smaller."""
WIDE = 0.66
"""Of a character, as a share of its height; no letter of a sans serif but m and W is wider."""
PAD = 6
"""Between the edge of a block and its text."""
COLOURS = 8
COLUMNS = 3
"""Of the list below the chip."""

STYLE = """
  .page { fill: #ffffff; } .ink { fill: #16202c; } .soft { fill: #566374; }
  .edge { fill: none; stroke: #445566; stroke-width: 2; }
  rect { stroke: #ffffff; stroke-width: 1; }
  .b0 { fill: #cfe2f7; } .b1 { fill: #fde3bf; } .b2 { fill: #d3ecd9; } .b3 { fill: #f6d3d3; }
  .b4 { fill: #e2d8f5; } .b5 { fill: #f4eec0; } .b6 { fill: #cdeaea; } .b7 { fill: #e6e1da; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #12161c; } .ink { fill: #e4e9f0; } .soft { fill: #9aa8ba; }
    .edge { stroke: #8a97a8; } rect { stroke: #12161c; }
    .b0 { fill: #23466b; } .b1 { fill: #6b4516; } .b2 { fill: #22563a; } .b3 { fill: #6b2f33; }
    .b4 { fill: #4a3a72; } .b5 { fill: #57521a; } .b6 { fill: #1d5557; } .b7 { fill: #4a453e; }
  }
"""


class Block(NamedTuple):
    """A rectangle in px, as wide and high as its share of the area."""

    x: float
    y: float
    width: float
    height: float


class Part(NamedTuple):
    """A part of the chip with its place: 1 is the largest."""

    place: int
    name: str
    um2: float
    share: float
    block: Block


def chip_picture(name: str, family: str, area_um2: Mapping[str, float]) -> str:
    """Return the picture; area_um2: of each part, of which one at least is more than 0.

    A part of no area is in the list below the chip alone, as are parts whose block holds no name.
    """
    parts = parts_of(area_um2)
    total = sum(area_um2.values())
    title = f"{name}: {total / 1e6:,.3f} mm2, {family}"
    listed = [part for part in parts if told_inside(part) is None]
    absent = [each for each, um2 in area_um2.items() if not um2]
    below = [*map(in_list, listed), *(f"{each} 0 %" for each in absent)]
    foot = ROW * -(-len(below) // COLUMNS)
    size = (WIDTH + 2 * EDGE, HEAD + HEIGHT + EDGE + (foot + EDGE if below else 0))
    inner = [line for part in parts for line in drawn(part)]
    inner += list(list_of(below))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}"'
        f' width="{size[0]}" height="{size[1]}" font-family="sans-serif" role="img"'
        f' aria-label="{escape(title)}">\n<style>{STYLE}</style>\n'
        f'<rect class="page" width="{size[0]}" height="{size[1]}"/>\n'
        + text(EDGE, HEAD - 12, short(title, WIDTH, LARGE), LARGE)
        + "".join(inner)
        + f'<rect class="edge" x="{EDGE}" y="{HEAD}" width="{WIDTH}" height="{HEIGHT}"/>\n</svg>\n'
    )


def parts_of(area_um2: Mapping[str, float]) -> list[Part]:
    """Return the parts that have an area, the largest first, with their blocks."""
    total = sum(area_um2.values())
    names = sorted((each for each in area_um2 if area_um2[each]), key=lambda each: -area_um2[each])
    shares = [area_um2[each] / total for each in names]
    blocks = squarified(shares, Block(EDGE, HEAD, WIDTH, HEIGHT))
    return [
        Part(place, name, area_um2[name], share, block)
        for place, (name, share, block) in enumerate(zip(names, shares, blocks, strict=True), 1)
    ]


def squarified(shares: Sequence[float], space: Block) -> Iterator[Block]:
    """Yield a block for each share of a space; the largest share comes first.

    shares: each above 0; they add up to 1
    """
    sizes = [share * space.width * space.height for share in shares]
    while sizes:
        short_side = min(space.width, space.height)
        count = 1
        while count < len(sizes) and (
            worst(sizes[: count + 1], short_side) <= worst(sizes[:count], short_side)
        ):
            count += 1
        row, sizes = sizes[:count], sizes[count:]
        thick = sum(row) / short_side
        at = 0.0
        for size in row:
            along = size / thick
            if space.width >= space.height:
                yield Block(space.x, space.y + at, thick, along)
            else:
                yield Block(space.x + at, space.y, along, thick)
            at += along
        if space.width >= space.height:
            space = Block(space.x + thick, space.y, max(space.width - thick, 1e-9), space.height)
        else:
            space = Block(space.x, space.y + thick, space.width, max(space.height - thick, 1e-9))


def worst(row: Sequence[float], side: float) -> float:
    """Return the longest side over the shortest, of the block of a row that is farthest from 1."""
    thick = sum(row) / side
    return max(max(thick / (size / thick), (size / thick) / thick) for size in row)


def told_inside(part: Part) -> str | None:
    """Return what stands in a block below its name: share and area, or share; None: no name."""
    if part.block.height < LARGE + SMALL + 3 * PAD:
        return None
    for words in (share_text(part), f"{part.share:.1%}"):
        longest = max(width_of(part.name, LARGE), width_of(words, SMALL))
        if part.block.width >= longest + 2 * PAD:
            return words
    return None


def holds_number(part: Part) -> bool:
    """Return whether a block holds the number of its part."""
    wide = width_of(f"{part.place}", SMALL) + 2
    return part.block.width >= wide and part.block.height >= SMALL + 2


def drawn(part: Part) -> Iterator[str]:
    """Yield a block, with its name and share, or the number that the list below has."""
    x, y, width, height = part.block
    told = f"{part.name}: {share_text(part)}"
    yield (
        f'<rect class="b{(part.place - 1) % COLOURS}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}"'
        f' height="{height:.2f}"><title>{escape(told)}</title></rect>\n'
    )
    inside = told_inside(part)
    if inside is not None:
        yield text(x + PAD, y + PAD + LARGE, part.name, LARGE)
        yield text(x + PAD, y + 2 * PAD + LARGE + SMALL, inside, SMALL)
    elif holds_number(part):
        across = x + (width - width_of(f"{part.place}", SMALL)) / 2
        yield text(across, y + height / 2 + SMALL / 2 - 1, f"{part.place}", SMALL)


def list_of(lines: Sequence[str]) -> Iterator[str]:
    """Yield the list below the chip."""
    wide = WIDTH / COLUMNS
    for place, line in enumerate(lines):
        row, column = divmod(place, COLUMNS)
        y = HEAD + HEIGHT + EDGE + ROW * row + SMALL
        yield text(EDGE + wide * column, y, short(line, wide - PAD, SMALL), SMALL, kind="soft")


def in_list(part: Part) -> str:
    """Return a part as the list has it."""
    return f"{part.place} {part.name} {share_text(part)}"


def share_text(part: Part) -> str:
    """Return share and area of a part."""
    return f"{part.share:.1%}, {part.um2 / 1e6:,.4f} mm2"


def width_of(words: str, size: int) -> float:
    """Return how wide a text is at most, in px."""
    return WIDE * size * len(words)


def short(words: str, wide: float, size: int) -> str:
    """Return a text that is no wider than some px."""
    most = int(wide / (WIDE * size))
    return words if len(words) <= most else f"{words[: most - 1]}…"


def text(x: float, y: float, words: str, size: int, *, kind: str = "ink") -> str:
    """Return a text; y: of its base line."""
    return (
        f'<text class="{kind}" x="{x:.2f}" y="{y:.2f}" font-size="{size}">{escape(words)}</text>\n'
    )
