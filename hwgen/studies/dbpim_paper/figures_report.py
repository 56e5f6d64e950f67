"""The report of `hwgen paper dbpim-figures`: Figs. 10, 11 and 13, and the power of Table II."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.report.paper import PaperRow
from hwgen.report.types import STRICT, Count, Fraction, Source
from hwgen.studies.dbpim_paper.accuracy import AccuracyRow
from hwgen.studies.dbpim_paper.report import RaceNetwork, RaceRun


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SweepPoint:
    """Std/pw-conv and FC layers of one network and one image, no bit plane of the inputs skipped.

    weights: what they are, in words; network_digest: of the file that has them
    pruned: fraction of the blocks; sparsity: nominal, with two digits of eight
    zero_digits: measured, of the eight digits of each weight
    cycles, energy_uj: both kinds of sparsity of weights; dense_cycles, dense_uj: the dense chip,
        loading included; energy on the chip, of logic without its leakage
    """

    network: str
    weights: str
    network_digest: str
    pruned: Fraction
    sparsity: Fraction
    zero_digits: Fraction
    cycles: float
    dense_cycles: float
    energy_uj: float
    dense_uj: float

    @property
    def speedup(self) -> float:
        """Cycles of the dense chip over these."""
        return self.dense_cycles / self.cycles

    @property
    def saved_percent(self) -> float:
        """Energy that is saved over the dense chip."""
        return 100 * (1 - self.energy_uj / self.dense_uj)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PowerPoint:
    """One network with all switches, one image, end to end.

    multiplications: of the dense network; power_mw: energy over time, all leakage included;
    power_memories_mw: the same without the leakage of logic
    """

    network: str
    multiplications: Count
    time_ms: float
    power_mw: float
    power_memories_mw: float

    @property
    def tops(self) -> float:
        """Multiplications and additions of the dense network, in 10^12 a second."""
        return 2 * self.multiplications / self.time_ms / 1e9

    @property
    def tops_per_w(self) -> float:
        """The same a watt."""
        return self.tops / self.power_mw * 1000


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FiguresReport:
    """All of it; runs: with all switches, one image, by network.

    trainings: the table that accuracies come from; seconds: that the command took
    """

    format: Literal["hwgen.report.paper_dbpim_figures"]
    version: Literal[1]
    paper: str
    architecture: Source
    clock_mhz: float
    peak_tops: float
    commit: str | None
    seconds: float
    trainings: Source | None
    networks: list[RaceNetwork]
    rows: list[PaperRow]
    accuracy: list[AccuracyRow]
    sweep: list[SweepPoint]
    runs: list[RaceRun]
    power: list[PowerPoint]
    refused: list[str]
    versions: dict[str, str]
