"""How pictures of reports become SVG text, the same bytes every time.

Matplotlib names clips and markers by a salted hash, and writes the date unless told otherwise; both
are fixed here. Text stays text: smaller, and a person can search for it.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

PAPER = "#ffffff"
"""Behind a picture: ink is dark, and the page of a reader may be, too."""
INK = "#1d2733"
MUTED = "#66758a"
GRID = "#e3e8ef"
ACCENT = "#2563a8"
SECOND = "#d97706"
GOOD = "#2f855a"
SERIES = (ACCENT, SECOND, INK, "#6db3f2", "#8f1d14", "#7a33d6", "#a3b37a", "#94606c")
"""Of things side by side, in this order: readers who see fewer colours tell them apart."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
"""Of points of the same things."""

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "hwgen",
    "text.parse_math": False,  # names come from files: a $ is a $
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
}
NO_DATE = {"Date": None, "Creator": None, "Format": None, "Type": None}
THIRD, HALF, WHOLE, COLUMN = 4.4, 6.2, 12.8, 7.9
"""Width of a picture in inches: of three in a row, of two, alone; alone in a page of text."""


@contextmanager
def picture(width: float, height: float, kept: list[str]) -> Iterator[Axes]:
    """Give axes in our style; what is drawn becomes an SVG at the end of `kept`."""
    with mpl.rc_context():
        # Whatever a person has set for his own plots must not show here.
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        yield figure.subplots()
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=NO_DATE, transparent=True, facecolor=PAPER)
    kept.append(inline(buffer.getvalue()))


def report_picture(kind: str, width: float, height: float, draw: Callable[[Figure], None]) -> bytes:
    """Return what `draw` puts on a figure, the same bytes every time; kind: `svg` or `png`."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        buffer = io.BytesIO()
        metadata: dict[str, Any] = NO_DATE if kind == "svg" else {"Software": "hwgen"}
        figure.savefig(buffer, format=kind, metadata=metadata, dpi=144)
    return buffer.getvalue()


def name_all(figure: Figure, plots: Sequence[Axes], size: float = 8.0) -> None:
    """Name once what is drawn in several plots, above all of them."""
    named = {name: mark for axes in plots for mark, name in zip(*both(axes), strict=True)}
    figure.legend(
        list(named.values()),
        list(named),
        loc="outside upper left",
        ncols=min(5, len(named)),
        fontsize=size,
    )


def both(axes: Axes) -> tuple[list[Any], list[str]]:
    """Return what is drawn and its names."""
    marks, names = axes.get_legend_handles_labels()
    return list(marks), list(names)


def name_series(axes: Axes, size: float = 8.0, columns: int = 5) -> None:
    """Name what is drawn in rows above the plot, where it covers nothing.

    Matplotlib would look for the emptiest corner otherwise, and warns where that takes long.
    """
    columns = min(columns, len(axes.get_legend_handles_labels()[1]))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, fontsize=size)


def inline(svg: str) -> str:
    """Return what belongs into a page: no XML header, and a size that follows the page."""
    head, rest = svg[svg.index("<svg ") :].split(">", 1)
    return re.sub(r' (width|height)="[^"]*"', "", head) + ">" + rest
