"""The picture of a report: the field of a request, what it refuses, and how it is written.

Tests: `tests/commands/test_sweep.py`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from hwgen.commands.fields import File
from hwgen.commands.packages import check_package
from hwgen.commands.request import OUTPUT_FILE, Request, Says
from hwgen.files.earlier import PICTURE_MARK, PICTURES
from hwgen.files.output import whole_file

KINDS = (".svg", ".png")
"""Of pictures, by the ending of the file."""
PNG = b"\x89PNG"
"""First bytes of such a picture, which names its writer itself."""

Plot = Annotated[
    File | None,
    Says("picture to write (.svg or .png)", metavar="FILE", use=OUTPUT_FILE, replaces=PICTURES),
]


def check_plot(request: Request, plot: Plot) -> None:
    """Refuse a picture of another kind, and one that no installed package draws."""
    if plot is None:
        return
    if Path(plot).suffix not in KINDS:
        allowed = f"a file that ends with {' or '.join(KINDS)}"
        raise request.refusal("plot", allowed, Path(plot).name)
    check_package("matplotlib")


def write_plot(plot: File, picture: Callable[[str], bytes]) -> None:
    """Write what `picture` returns for a kind, `svg` or `png`."""
    drawn = picture(Path(plot).suffix[1:])
    mark = b"" if drawn.startswith(PNG) else PICTURE_MARK
    with whole_file(Path(plot), what="picture") as fresh:
        fresh.write_bytes(drawn + mark)
