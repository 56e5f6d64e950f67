"""The report of a network with several modes on its chip: the second act of the demo."""

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.run import RunReport
from hwgen.report.types import Count, Fraction, NotNegative, Source


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AdaptiveMode:
    """One mode: what it gives and what it costs; cycles, events and energy are those of one image.

    accuracy: of golden on the whole test set
    equal: every element equals golden, every cycle and every event the model
    cycles_rtl, events_rtl: means over the images that were simulated
    cycles_fraction: of those in the widest mode
    active_arrays: arrays that compute, by layer with weights
    energy_pj: by event, from the events of the simulation
    leakage_pj: in the cycles of the simulation; total_pj: both together
    """

    name: str
    accuracy: Fraction
    equal: bool
    cycles_rtl: NotNegative
    cycles_fraction: NotNegative
    active_arrays: dict[str, Count]
    events_rtl: dict[str, NotNegative]
    energy_pj: dict[str, NotNegative]
    leakage_pj: NotNegative
    total_pj: NotNegative


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AdaptiveReport:
    """All modes of a network on one chip in RTL, and a stream that visits every switch.

    equal: all runs are, see `RunReport`
    images: simulated in each mode; test_images: of the accuracy
    modes: the widest first; runs: of each mode, one image a run
    stream: one run, whose images take every ordered pair of modes after each other
    picture: file of the picture (SVG)
    """

    equal: bool
    network: Source
    architecture: Source
    images: Count
    test_images: Count
    modes: list[AdaptiveMode]
    runs: list[RunReport]
    stream: RunReport
    picture: str
