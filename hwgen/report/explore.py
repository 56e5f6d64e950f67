"""The report of `hwgen explore`."""

from typing import Any, Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.sweep import Value
from hwgen.report.types import Count, Images, NotNegative, Source

Objective = Literal["latency", "energy", "edp", "area"]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ExploredRun:
    """A network on a chip: one image.

    time_us: null: the netlist of the chip was not measured
    energy_uj: on the chip; null for a family that does not tell it; with_outside_uj: with the
        memory outside
    """

    cycles_model: Count
    time_us: NotNegative | None
    energy_uj: NotNegative | None
    with_outside_uj: NotNegative | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ExploredChip:
    """A chip that was predicted.

    values: of the keys that vary; one that the chip leaves out is missing
    objective: geometric mean over the networks: cycles, uJ, uJ times cycles, or cycles
        times mm2; null where it is
        refused
    runs: one a network, in their order
    refused: why the chip does not run a network; null: it runs all
    front: whether no other chip is at most as large and better, or smaller and as good
    """

    values: dict[str, Value]
    area_mm2: NotNegative
    objective: NotNegative | None
    runs: list[ExploredRun]
    refused: str | None
    front: bool


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ExploredNetwork:
    """A network and its image."""

    network: Source
    data: Images


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ExploreReport:
    """What `hwgen explore` found.

    start: the architecture that all other keys are of; its chip is the first of `chips`, however
        large
    keys: that vary, with their values
    area_mm2: a chip has at most; chips below `smallest_mm2` were not predicted
    drawn: chips of the search; illegal, too_large, too_small: those that were not predicted
    chips: predicted, each once, as the search met them
    best: of least objective, one of the front
    computed: predictions made now, one a network and chip; others were cached; in `seconds`
    """

    format: Literal["hwgen.report.explore"]
    version: Literal[3]
    networks: list[ExploredNetwork]
    start: Source
    configuration: dict[str, Any]
    energy_table: Source | None
    objective: Objective
    area_mm2: NotNegative
    smallest_mm2: NotNegative
    seed: Count
    keys: dict[str, list[Value]]
    drawn: Count
    illegal: Count
    too_large: Count
    too_small: Count
    chips: list[ExploredChip]
    best: ExploredChip
    computed: Count
    seconds: NotNegative
    versions: dict[str, str]
