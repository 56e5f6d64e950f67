"""The report of `hwgen model`."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.types import ChipClock, Count, EnergySum, Fraction, Setting


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ModelLayer:
    """Cycles of a layer or of a step of the chip, summed over images.

    utilization: fraction of the active cells that do effective work; null where none is active
    bound: what takes most of its cycles: of a DB-PIM chip cells, port, SIMD, switch, output,
        imbalance, pipeline or what is done around the layers; null where nothing is known
    """

    name: str
    kind: str
    cycles_model: Count
    utilization: Fraction | None
    bound: str | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ModelMode:
    """Cycles of the same images, all in one mode; fraction: of those in the widest mode."""

    name: str
    cycles_model: Count
    fraction: float


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Variant:
    """Cycles of the network with other switches on, and how they were obtained.

    source: `model` or `rtl`
    """

    sparsity: str
    source: Literal["model", "rtl"]
    cycles: Count
    cycles_compute: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Speedup:
    """Cycles with all switches off over cycles with some on: each alone, and `all` together.

    compute: without load-stall cycles, in which nothing computes because a load is pending
    end_to_end: all cycles, image in and logits out included
    source: `model` or `rtl`, of each figure; `all` of the dense design goes by the same source
    """

    compute: dict[str, float]
    end_to_end: dict[str, float]
    source: dict[str, Literal["model", "rtl"]]
    variants: list[Variant]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ModelReport:
    """What `hwgen model` found; cycles are sums over images.

    where: fraction of all cycles by cause
    utilization: of the cells, over all layers, as in `ModelLayer`
    clock: of the chip; null: its netlist was not measured
    time_us: of one image on average, at that clock; null without one
    energy: by the events that the model predicts; null for a family that tells none
    modes: of the network, the widest first; empty without modes
    """

    format: Literal["hwgen.report.model"]
    version: Literal[5]
    setting: Setting
    images: Count
    cycles_model: Count
    cycles_compute_model: Count
    load_cycles_model: Count
    time_us: float | None
    energy: EnergySum | None
    where: dict[str, Fraction]
    utilization: Fraction | None
    layers: list[ModelLayer]
    modes: list[ModelMode]
    speedup: Speedup | None
    clock: ChipClock | None
