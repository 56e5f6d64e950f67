"""The report of the page of three families: what an image of a network takes on each chip.

Tests: `studies/tests/networks/test_three_families.py`.
"""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.types import Count, EnergySum, Fraction, NotNegative

FORMAT = "hwgen.report.three_families"
Family = Literal["dbpim", "mram", "crossbar"]
Weights = Literal["trained", "published", "drawn"]
ClockOf = Literal["netlist", "netlist of another chip", "file"]
Shares = dict[str, Fraction]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Loading:
    """What brings a network onto a chip.

    every_image: with each image; else once, before all of them
    bytes: of the compiled program; chip_uj: of what is written on the chip; outside_uj: of the
        memory outside; counted: what `chip_uj` is of
    cycles: of an image, in which nothing computes because a load is pending; of one that is loaded
        once, all of its load
    """

    every_image: bool
    bytes: Count
    cycles: Count
    chip_uj: NotNegative
    outside_uj: NotNegative
    counted: str

    @property
    def uj(self) -> float:
        """On the chip and outside."""
        return self.chip_uj + self.outside_uj


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Found:
    """An image on a chip.

    ns: of a cycle, `time_us` is told by it; clock: whose it is
    file_us: at the clock that the file of the architecture names
    energy: as `hwgen model` tells it
    whole_uj: with the memory outside, all parts of a crossbar chip, which leak for `time_us`
    gated_uj: `whole_uj` of an mram chip whose sense amplifiers have an enable for each segment,
        which the Verilog does not have; null for other families
    layer: with the largest share of the cycles; of a crossbar chip, whose layers work at the same
        time, that whose ADCs convert in the largest share of the steps
    where: fraction of the cycles by cause; utilization: as in the report of `hwgen model`
    energy_shares: fraction of the energy on the chip by part
    """

    cycles: Count
    ns: NotNegative
    clock: ClockOf
    time_us: NotNegative
    file_us: NotNegative
    energy: EnergySum
    whole_uj: NotNegative
    gated_uj: NotNegative | None
    layer: str
    layer_share: Fraction
    loading: Loading
    area_mm2: NotNegative
    where: Shares
    utilization: Fraction | None
    energy_shares: Shares

    @property
    def us_mm2(self) -> float:
        """Time of an image times area: what copies that fill the same area are compared by."""
        return self.time_us * self.area_mm2


@dataclass(frozen=True, kw_only=True, config=EXACT)
class HomeRow:
    """A network on a chip.

    title: of the network, for people; network: its file or the name of one that ships
    mode: of a network with several; such a row has fewer channels and is not compared
    accuracy: of the whole test batch, in the integers of the chip; null where none is known
    """

    title: str
    network: str
    weights: Weights
    family: Family
    chip: str
    mode: str | None
    accuracy: Fraction | None
    found: Found


@dataclass(frozen=True, kw_only=True, config=EXACT)
class FamiliesReport:
    """All rows. power_w: budget of each crossbar chip; like: whose netlist their times are by."""

    format: Literal["hwgen.report.three_families"]
    version: Literal[2]
    power_w: NotNegative
    like: str
    rows: list[HomeRow]
    commit: str | None
    machine: str
    command: str
