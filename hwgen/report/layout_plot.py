"""The picture of a placement: cells in their rows, flip-flops and memories in colours of their own.

Tests: `tests/physical/test_placement.py`.
"""

from collections.abc import Iterator, Sequence

from hwgen.files.earlier import PICTURE_MARK

WIDTH = 1200
"""Of the picture, in pixels."""
CELL, REGISTER, BLOCK, EDGE = "#6db3f2", "#2563a8", "#d97706", "#1d2733"
"""Colours of gates, registers, memories and the edge."""


def layout_picture(
    boxes: Sequence[tuple[str, float, float, float, float]], width: float, height: float, name: str
) -> str:
    """Return a placement as SVG.

    boxes: of each cell or memory its colour, its lower left corner and its size in um
    width, height: of the area in um; name: of the module
    """
    return "\n".join(lines(boxes, width, height, name)) + "\n" + PICTURE_MARK.decode()


def lines(
    boxes: Sequence[tuple[str, float, float, float, float]], width: float, height: float, name: str
) -> Iterator[str]:
    """Yield the lines of the picture; all boxes of a colour are one path."""
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}"'
        f' viewBox="0 0 {width:.2f} {height:.2f}">'
    )
    yield f"<title>{name}, {width:.0f} x {height:.0f} um</title>"
    yield f'<rect width="{width:.2f}" height="{height:.2f}" fill="#ffffff" stroke="{EDGE}"/>'
    for colour in dict.fromkeys(box[0] for box in boxes):
        ways = (
            f"M{x:.2f} {height - y - high:.2f}h{wide:.2f}v{high:.2f}h-{wide:.2f}z"
            for own, x, y, wide, high in boxes
            if own == colour
        )
        yield f'<path fill="{colour}" fill-opacity="0.8" d="{"".join(ways)}"/>'
    yield "</svg>"
