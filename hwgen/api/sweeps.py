"""One network on many chips."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from hwgen.api.arguments import Batch, Count, Data, File, Work, checked, images_of, quiet
from hwgen.api.chips import Arch, subject_of
from hwgen.commands.load import load
from hwgen.commands.modes import choose_stream
from hwgen.commands.sweep import sweep_network
from hwgen.errors import ConfigError
from hwgen.files.output import whole_file
from hwgen.report.sweep import SweepReport

Values = Annotated[Sequence[bool | int | float | str], Field(min_length=1)]
KINDS = (".svg", ".png")
"""Of pictures, by the ending of the file."""


@checked
def sweep(
    network: File,
    architecture: Arch,
    keys: Mapping[str, Values],
    *,
    data: Data | None = None,
    images: Count | None = None,
    batch: Batch = 1,
    mode: str | None = None,
    workers: Count = 2,
    plot: File | None = None,
    context: Work = None,
) -> SweepReport:
    """Predict a network on every combination of values of some keys of an architecture.

    keys: values by key; a key inside another one is `macro.rows`. The key `sparsity` stands for all
        switches: `all`, `none`, or names with a plus sign between
    data, images: as for `model`; batch: images of one run; mode: of all images
    workers: processes; they change no result
    plot: picture to write (.svg or .png)
    A combination that the architecture or the network refuses is a point with the reason.
    Raises ConfigError for an unknown key and for a value of another kind, DataError if no
    combination works.
    """
    if plot is not None:
        kind_of(plot)
    subject, chosen = choose_stream(
        subject_of(network, architecture, 1, context),
        images_of(data),
        images=images,
        batch=batch,
        modes=None if mode is None else (mode,),
    )
    report = sweep_network(quiet(context), subject, chosen, keys, workers=workers)
    if plot is not None:
        picture: bytes = load("hwgen.report.sweep_plot").sweep_picture(report, kind_of(plot))
        with whole_file(Path(plot), what="picture") as fresh:
            fresh.write_bytes(picture)
    return report


def kind_of(plot: File) -> str:
    """Return the kind of a picture; ConfigError for an ending that is none."""
    ending = Path(plot).suffix
    if ending not in KINDS:
        raise ConfigError(
            field="--plot",
            allowed=f"a file that ends with {' or '.join(KINDS)}",
            given=Path(plot).name,
            source="command line",
        )
    return ending[1:]
