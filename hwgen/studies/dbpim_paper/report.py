"""The report of `hwgen paper dbpim`: the published race beside ours, and where it all goes."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.report.types import STRICT, Count, Fraction, Source


@dataclass(frozen=True, kw_only=True, config=STRICT)
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


@dataclass(frozen=True, kw_only=True, config=STRICT)
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


@dataclass(frozen=True, kw_only=True, config=STRICT)
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


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RaceReport:
    """All figures of the paper.

    architecture: the chip with all switches; port_bits: of its memory port
    area_mm2: by part; null without an area model; area_uncertainty: fraction of the sum
    refused: by network, switches and batch, why the chip does not run it
    """

    format: Literal["hwgen.report.paper_dbpim"]
    version: Literal[1]
    paper: str
    architecture: Source
    clock_mhz: float
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


REPORTS: dict[str, type] = {"paper_dbpim": RaceReport}
"""By the name of the schema."""
