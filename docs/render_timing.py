"""Render the timing diagrams: docs/timing/*.json (WaveDrom) to SVG files beside them.

.venv/bin/python docs/render_timing.py
"""

import re
from pathlib import Path

import wavedrom

PAPER = '<rect x="{left}" width="100%" height="100%" fill="#ffffff" />'
"""Behind a diagram, whose lines are black: the page of a reader may be dark."""
COLUMN_PX = 760
"""Of a page; a wider diagram is shown smaller, so its text is larger."""
WAVEDROM_FONT, SMALL_FONT_PX, LARGE_FONT_PX = "font-size:11pt", 12.0, 44 / 3
CHARACTER = 0.6
"""Of the size of a font, the width of a character."""
GAP_PX = 12
"""Between a label and its line."""
FIRST_CELL = 'text-anchor="middle" x="6"', 'text-anchor="middle" x="23"'
"""Text of the first cycle, whose cell has no beginning: WaveDrom's place, and one in the cell."""
SOURCES = Path(__file__).parent / "timing"


def rendered(source: Path) -> str:
    """Return the SVG of a WaveDrom file: labels are whole, cycles fit into theirs."""
    text = re.sub(r"\bt\+(\d\d)", r"+\1", source.read_text(encoding="utf-8"))
    svg: str = wavedrom.render(text).tostring()
    width = int(re.findall(r'viewBox="0,0,(\d+),', svg)[0])
    font = SMALL_FONT_PX if width <= COLUMN_PX else LARGE_FONT_PX
    labels = re.findall(r'class="info"[^>]*><tspan>([^<]*)', svg)
    begins = float(re.findall(r'id="lanes_0" transform="translate\(([\d.]+)', svg)[0])
    more = max(0, round(max(map(len, labels)) * CHARACTER * font + GAP_PX - begins))
    svg = svg.replace(*FIRST_CELL)
    svg = svg.replace(WAVEDROM_FONT, f"font-size:{font:.4g}px")
    svg = svg.replace(f'viewBox="0,0,{width},', f'viewBox="{-more},0,{width + more},', 1)
    svg = svg.replace(f'width="{width}"', f'width="{width + more}"', 1)
    head, end, rest = svg.partition(">")
    return f"{head}{end}{PAPER.format(left=-more)}{rest}\n"


def main() -> None:
    """Render every diagram."""
    for source in sorted(SOURCES.glob("*.json")):
        picture = source.with_suffix(".svg")
        picture.write_text(rendered(source), encoding="utf-8")
        print(picture)


if __name__ == "__main__":
    main()
