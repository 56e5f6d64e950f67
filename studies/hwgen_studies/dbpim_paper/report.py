"""The reports of the parts of `hwgen paper dbpim`: published beside ours."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.types import Count, Fraction, Source
from hwgen_studies.comparison import PaperRow
from hwgen_studies.dbpim_paper.accuracy import AccuracyRow
from hwgen_studies.dbpim_paper.clock import Clock


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RaceRow:
    """One figure.

    figure: snake_case, unique; label: the same for people
    where: in the paper; for a figure that the paper does not print, whose place it has
    published, ours: null for what cannot be had; `reason` then says why
    deviation_percent: of ours from published, null if one of them is
    """

    figure: str
    label: str
    where: str
    published: float | None
    ours: float | None
    unit: str
    deviation_percent: float | None
    reason: str


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RaceRun:
    """One network with some switches; all figures but the last three are of one image on average.

    compute_cycles: without load-stall cycles, in which nothing computes because a load is pending
    conv_fc_cycles: of std/pw-conv and FC layers with the additions that they compute on the way,
        loading included; conv_fc_without_load_cycles: without what their cells wait for a load
    bound_cycles: of the same layers, if all macros were busy all the time: measured bit planes of
        the groups, rows of weights full, macros without a position excluded
    kinds: cycles by kind of layer; causes: all cycles by cause
    energy_uj: on the chip, by part; null where the family has no energy model
    strict_energy_uj: the same events on a chip without switch and deep queues, of the dense chip
    memory_bytes: that cross the memory port
    utilization: Eq. 2: cells that do effective work over cells of active rows
    program_bytes, steps: of the program
    """

    network: str
    batch: Count
    switches: str
    cycles: float
    compute_cycles: float
    conv_fc_cycles: float
    conv_fc_without_load_cycles: float
    bound_cycles: float
    time_ms: float
    conv_fc_ms: float
    kinds: dict[str, float]
    causes: dict[str, float]
    energy_uj: dict[str, float] | None
    strict_energy_uj: float | None
    energy_range_uj: tuple[float, float] | None
    memory_bytes: float | None
    utilization: Fraction | None
    program_bytes: Count
    steps: Count

    @property
    def total_uj(self) -> float | None:
        """Energy of an image on the chip."""
        return None if self.energy_uj is None else sum(self.energy_uj.values())


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RaceNetwork:
    """What ran: trained weights or drawn ones, real images or drawn ones, in words.

    trained: whether a training of usual length gave the weights; headlines are of such networks
    """

    name: str
    source: Source
    weights: str
    trained: bool
    images: str
    bit_planes: float | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RaceReport:
    """All figures of the paper.

    architecture: the chip with all switches; port_bits: of its memory port
    clock_mhz: of the architecture, at which times are; clock: of its netlist, null if not known
    area_mm2: by part; null without an area model; area_uncertainty: fraction of the sum
    refused: by network, switches and batch, why the chip does not run it
    """

    format: Literal["hwgen.report.paper_dbpim"]
    version: Literal[1]
    paper: str
    architecture: Source
    clock_mhz: float
    clock: Clock | None = None
    port_bits: Count
    area_mm2: dict[str, float] | None
    area_uncertainty: Fraction | None
    networks: list[RaceNetwork]
    rows: list[RaceRow]
    runs: list[RaceRun]
    refused: list[str]
    versions: dict[str, str]


def race_row(
    figure: str,
    where: str,
    *,
    label: str,
    published: float | None,
    ours: float | None,
    unit: str,
    reason: str,
) -> RaceRow:
    """Return a row with its deviation."""
    deviation = None
    if published is not None and ours is not None:
        deviation = 100 * (ours / published - 1)
    return RaceRow(
        figure=figure,
        label=label,
        where=where,
        published=published,
        ours=ours,
        unit=unit,
        deviation_percent=deviation,
        reason=reason,
    )


@dataclass(frozen=True, kw_only=True, config=EXACT)
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


@dataclass(frozen=True, kw_only=True, config=EXACT)
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


@dataclass(frozen=True, kw_only=True, config=EXACT)
class FiguresReport:
    """All of it; runs: with all switches, one image, by network.

    clock_mhz: of the architecture, at which times are; clock: of its netlist, null if not known
    trainings: the table that accuracies come from; seconds: that the command took
    """

    format: Literal["hwgen.report.paper_dbpim_figures"]
    version: Literal[1]
    paper: str
    architecture: Source
    clock_mhz: float
    clock: Clock | None = None
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


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Zeros:
    """Shares of a layer, or of all layers of a network that a chip computes in its macros.

    weights: how many; values: of them that are zero; bits, digits: of all bits and digits that are
    bits_left, digits_left: of the bits and digits of values that are not zero
    columns: zero columns of the inputs of all windows, by the inputs of a group; 1: zero bits
    """

    network: str
    layer: str
    weights: Count
    values: Fraction
    bits: Fraction
    digits: Fraction
    bits_left: Fraction
    digits_left: Fraction
    columns: dict[str, Fraction]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ZerosReport:
    """What all networks have; a row of the layer `all` follows those of its layers."""

    format: Literal["hwgen.report.paper_dbpim_zeros"]
    version: Literal[1]
    commit: str | None
    images: dict[str, str]
    rows: list[Zeros]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class DbpimReport:
    """The parts that were asked for; null: the others."""

    format: Literal["hwgen.report.paper_dbpim_parts"]
    version: Literal[1]
    race: RaceReport | None
    figures: FiguresReport | None
    zeros: ZerosReport | None


REPORTS: dict[str, type] = {
    "paper_dbpim": RaceReport,
    "paper_dbpim_parts": DbpimReport,
    "paper_dbpim_figures": FiguresReport,
    "paper_dbpim_zeros": ZerosReport,
}
"""By the name of the schema."""
