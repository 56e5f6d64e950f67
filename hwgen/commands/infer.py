"""Golden alone: the maps of some images of a network, for those who want the integers.

Tests: `tests/api/test_api.py`.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from hwgen.commands.fields import Data, ImageCount, Network, OneMode, images_of
from hwgen.commands.images import choose_images
from hwgen.commands.request import Request
from hwgen.errors import DataError, with_near
from hwgen.files.shipped import file_of, networks
from hwgen.network.file import load_network
from hwgen.report.types import Images

if TYPE_CHECKING:
    from golden.states import Session as Session  # noqa: PLC0414 (hwgen.api names it)


@dataclass(frozen=True, kw_only=True)
class Inference:
    """What golden computes of some images.

    answers: the last map, (images, height, width, channels), integers; of a network that was
        imported from a file with another order, (images, ...) in that of the file
    outputs: of every output by name, the answer first, in the order of the file; where the answer
        is a list of several maps, these maps
    maps: of every layer by name, of the same form; the images themselves are `input`
    about: the images
    """

    answers: NDArray[Any]
    outputs: Mapping[str, NDArray[Any]]
    maps: Mapping[str, NDArray[Any]]
    about: Images


@dataclass(frozen=True)
class Infer(Request):
    """Return the exact integers of every map, from the NumPy reference; all maps are in memory."""

    network: Network
    images: Data
    _: KW_ONLY
    count: ImageCount = None
    mode: OneMode = None

    def run(self) -> Inference:
        """Compute the maps."""
        from golden.network import infer

        file, mode = Path(self.network), self.mode
        network = load_network(file_of(file, networks(), what="the network"))
        modes = network.graph.modes
        if mode is not None and mode not in modes:
            told = with_near(mode, modes)
            raise DataError(f"mode must be one of {', '.join(modes)}, got {told} ({file})")
        batch = choose_images(network, images_of(self.images), self.count)
        maps: dict[str, NDArray[Any]] = infer(
            network, batch.images, mode=0 if mode is None else modes.index(mode)
        )
        answers = network.file_answer(maps)
        outputs = {name: maps[name] for name in network.graph.outputs}
        if len(network.answer_parts) == 1:
            outputs[network.answer] = answers
        return Inference(answers=answers, outputs=outputs, maps=maps, about=batch.about)


def session_class() -> "type[Session]":
    """Return what computes calls in turn; golden is imported only here."""
    from golden.states import Session

    return Session
