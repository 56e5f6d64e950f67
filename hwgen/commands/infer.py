"""Golden alone: the maps of some images of a network, for those who want the integers."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hwgen.commands.images import Data, choose_images
from hwgen.commands.load import load
from hwgen.errors import DataError
from hwgen.files.shipped import file_of, networks
from hwgen.network.file import load_network
from hwgen.report.types import Images

Maps = dict[str, NDArray[Any]]


def infer_images(
    file: Path, data: Data, *, count: int | None, mode: str | None
) -> tuple[NDArray[Any], Maps, Images]:
    """Return the answers, all maps by name, and what the images are; see `hwgen.api.infer`."""
    network = load_network(file_of(file, networks(), what="the network"))
    modes = network.graph.modes
    if mode is not None and mode not in modes:
        raise DataError(f"mode must be one of {', '.join(modes)}, got {mode} ({file})")
    batch = choose_images(network, data, count)
    maps: Maps = load("golden.network").infer(
        network, batch.images, mode=0 if mode is None else modes.index(mode)
    )
    return maps[network.answer], maps, batch.about
