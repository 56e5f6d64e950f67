"""The report of `hwgen explore --grid`."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.types import Count, Fraction, Setting, Source

Value = bool | int | float | str


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SweepPoint:
    """One chip; all figures are null where it is refused.

    values: of the keys that vary
    refused: why there is no such chip, or why it does not run the network; null: it does
    cycles_model, load_cycles_model: sums over images
    time_us: of one image on average; null: the netlist of the chip was not measured
    energy_uj, with_outside_uj: of one image on average, on the chip and with the memory outside, at
        that clock or at that of the file
    area_mm2: null for a family that does not tell it, as energy
    utilization: of the cells, as `hwgen model` defines it
    """

    values: dict[str, Value]
    refused: str | None
    cycles_model: Count | None
    load_cycles_model: Count | None
    time_us: float | None
    utilization: Fraction | None
    energy_uj: float | None
    with_outside_uj: float | None
    area_mm2: float | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SweepReport:
    """What `hwgen explore --grid` found.

    setting: the architecture that varies, with its own values
    keys: that vary, with their values
    energy_table: of energies and areas; null where the constants stand in the architectures
    """

    format: Literal["hwgen.report.sweep"]
    version: Literal[4]
    setting: Setting
    images: Count
    energy_table: Source | None
    keys: dict[str, list[Value]]
    points: list[SweepPoint]
