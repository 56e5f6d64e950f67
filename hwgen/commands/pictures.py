"""The picture of a report: the field of a request, what it refuses, and how it is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from hwgen.commands.fields import File
from hwgen.commands.request import OUTPUT_FILE, Request, Says
from hwgen.files.output import whole_file

KINDS = (".svg", ".png")
"""Of pictures, by the ending of the file."""

Plot = Annotated[
    File | None, Says("picture to write (.svg or .png)", metavar="FILE", use=OUTPUT_FILE)
]


def check_plot(request: Request, plot: Plot) -> None:
    """Refuse a picture of another kind."""
    if plot is not None and Path(plot).suffix not in KINDS:
        allowed = f"a file that ends with {' or '.join(KINDS)}"
        raise request.refusal("plot", allowed, Path(plot).name)


def write_plot(plot: File, picture: Callable[[str], bytes]) -> None:
    """Write what `picture` returns for a kind, `svg` or `png`."""
    drawn = picture(Path(plot).suffix[1:])
    with whole_file(Path(plot), what="picture") as fresh:
        fresh.write_bytes(drawn)
