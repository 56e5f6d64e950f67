"""Render the timing diagrams: docs/timing/*.json (WaveDrom) to SVG files beside them.

.venv/bin/python docs/render_timing.py
"""

from pathlib import Path

import wavedrom

PAPER = '<rect width="100%" height="100%" fill="#ffffff" />'
"""Behind a diagram, whose lines are black: the page of a reader may be dark."""
SOURCES = Path(__file__).parent / "timing"


def rendered(source: Path) -> str:
    """Return the SVG of a WaveDrom file."""
    svg: str = wavedrom.render(source.read_text(encoding="utf-8")).tostring()
    head, end, rest = svg.partition(">")
    return f"{head}{end}{PAPER}{rest}\n"


def main() -> None:
    """Render every diagram."""
    for source in sorted(SOURCES.glob("*.json")):
        picture = source.with_suffix(".svg")
        picture.write_text(rendered(source), encoding="utf-8")
        print(picture)


if __name__ == "__main__":
    main()
