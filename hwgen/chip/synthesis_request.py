"""What a synthesis of a family is given by the command: the request, and where progress goes."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from hwgen.chip.effects import DeviceEffects

RUN_FILES = ("run.json", "run.svg")
"""What a run leaves beside the chip: its report, and the schedule as promised and as seen."""


class Context(Protocol):
    """Where results are kept (`work`), and who is told what is done: `hwgen.api.Context`."""

    @property
    def work(self) -> Path: ...

    def say(self, text: str) -> None: ...
    def progress(
        self, what: str, total: int | None = None
    ) -> AbstractContextManager[Callable[[], None]]: ...
    def status(self, what: str) -> AbstractContextManager[Callable[[str], None]]: ...


@dataclass(frozen=True, kw_only=True)
class OtherSearch:
    """A search whose design stands beside the bound of ours.

    name: in the report; package: whose code decides what it finds
    stage: gives its design to a search of the family
    """

    name: str
    package: str
    stage: Callable[[Any], None]


Choice = Mapping[str, Any]
"""What tells a chip that a synthesis may choose, as JSON can hold it: `Synthesis.erring_chip` makes
the chip of it, in whatever process computes its accuracy."""


class LabelledImages(Protocol):
    """Some test images of a request, with labels; about: a `hwgen.report.types.Images` of them."""

    @property
    def about(self) -> Any: ...
    def accuracies(self, choices: Sequence[Choice], seeds: Sequence[int]) -> list[list[float]]:
        """Return the accuracy of each choice, from 0 to 1: of a chip for each seed.

        Each is computed once and kept in the work folder.
        """

    def exact(self) -> float:
        """Return the accuracy of the network itself."""


class ErringChips(Protocol):
    """Chips with the network and the devices of a request, which err as its file of effects says.

    effects: of the devices; source: of their file, a `hwgen.report.types.Source`
    """

    @property
    def effects(self) -> DeviceEffects: ...
    @property
    def source(self) -> Any: ...
    def check(self, choice: Choice) -> None:
        """Refuse what the devices of the family do not have: ConfigError."""

    def first(self, count: int) -> LabelledImages:
        """Return the first images, all if they are no more."""

    def writing(self, arch: Any) -> Any:
        """Return what it costs to write the cells of a chip, a `hwgen.report.writing.WritingCost`.

        arch: an architecture of the family
        """


class SynthesisRequest(Protocol):
    """What is asked for, checked: the fields of `hwgen synthesize`, which say what each is.

    power_w in W, time_limit_s in s, least_accuracy from 0 to 1; network_file: a file, or the name
    of a network without weights
    """

    @property
    def network_file(self) -> str: ...
    @property
    def power_w(self) -> float: ...
    @property
    def image_size(self) -> tuple[int, ...] | None: ...
    @property
    def components(self) -> Any: ...
    @property
    def rules(self) -> Any: ...
    @property
    def objective(self) -> Any: ...
    @property
    def cells(self) -> Any: ...
    @property
    def identical(self) -> bool: ...
    @property
    def seed(self) -> int: ...
    @property
    def evaluations(self) -> int | None: ...
    @property
    def workers(self) -> int: ...
    @property
    def scheduler(self) -> str | None: ...
    @property
    def time_limit_s(self) -> float | None: ...
    @property
    def out(self) -> Any: ...
    @property
    def effects(self) -> Any: ...
    @property
    def least_accuracy(self) -> float | None: ...
    @property
    def images_to_choose(self) -> int: ...
    @property
    def images(self) -> int: ...
    @property
    def effect_seeds(self) -> int: ...

    def erring_chips(self, family: str) -> ErringChips:
        """Return the chips of a family, by its name, that err as `effects` says.

        Raises DataError for images without labels, ConfigError or FormatError for a wrong file of
        effects.
        """

    def other_search(self) -> OtherSearch | None: ...
    def within(self, seconds: float | None) -> Self: ...
