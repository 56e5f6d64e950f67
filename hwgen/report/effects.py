"""The report of `hwgen effects`."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.types import Count, Fraction, Setting, Source


@dataclass(frozen=True, kw_only=True, config=EXACT)
class EffectPoint:
    """The accuracy of a chip whose devices err so far.

    values: of the keys that vary
    layer: that alone errs; null: all layers err
    accuracies: of each seed, in the order of the seeds
    mean, least, most: of them
    cell_energy: of cells at a supply of their own, dynamic, as a share of that at the nominal
        voltage; null: the file has no voltages
    """

    values: dict[str, bool | int | float]
    accuracies: list[Fraction]
    mean: Fraction
    least: Fraction
    most: Fraction
    layer: str | None = None
    cell_energy: Fraction | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class EffectsReport:
    """What `hwgen effects` found.

    effects: the file, its name and the digest of what it says; keys that vary are told in `points`
    exact: accuracy of the same images without effects
    deviation: of an accuracy for the choice of so many images alone, at `exact`
    seeds: of the devices, from the first on
    """

    format: Literal["hwgen.report.effects"]
    version: Literal[1]
    setting: Setting
    effects: Source
    images: Count
    exact: Fraction
    deviation: float
    seeds: list[Count]
    keys: dict[str, list[bool | int | float]]
    points: list[EffectPoint]
