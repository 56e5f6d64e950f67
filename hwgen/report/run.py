"""The report of `hwgen run`."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.report.types import STRICT, Count, Fraction, Setting


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Figures:
    """What was measured of a layer or of the whole; null: not measured.

    images: how many ran; all counts are sums over them
    mismatches: elements that differ from golden
    cycles_rtl, cycles_model: of the simulation, of the cycle model
    cycles_compute_*: without load_cycles_*, in which nothing computes because a load is pending
    """

    images: Count
    mismatches: Count | None
    cycles_rtl: Count | None
    cycles_model: Count | None
    cycles_compute_rtl: Count | None
    cycles_compute_model: Count | None
    load_cycles_rtl: Count | None
    load_cycles_model: Count | None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RunLayer(Figures):
    """One layer, or a step of the chip itself (kind `chip`): the image in, the logits out.

    Its cycles go from the retirement before it to its own, so that all add up to the total.

    shape: height, width, channels of the output
    sets, share: groups of filters are dealt to `sets` sets of `share` units, which split positions
    weights_kept: share of weight blocks that are not masked
    zero_bit_columns: share of the bit columns of its inputs that could be skipped
    """

    name: str
    kind: str
    shape: tuple[int, int, int] | None
    sets: Count | None
    share: Count | None
    weights_kept: Fraction | None
    zero_bit_columns: Fraction | None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RunReport(Figures):
    """What `hwgen run` found.

    equal: every element equals golden and every cycle count the model; null: nothing to compare
    accuracy: of golden on these images; null without labels
    predictions: class of each image; golden's, or the simulation's with the engine rtl
    seeds: of everything random, by use
    waves: file of the waves, if asked for
    """

    format: Literal["hwgen.report.run"]
    version: Literal[1]
    engine: Literal["golden", "model", "rtl"]
    setting: Setting
    seeds: dict[str, int]
    equal: bool | None
    accuracy: Fraction | None
    predictions: list[int]
    waves: str | None
    layers: list[RunLayer]
