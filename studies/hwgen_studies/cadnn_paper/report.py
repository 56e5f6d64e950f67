"""The report of `hwgen paper` for CA-DNN: published figures beside ours, and our curves."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.types import Count, Source
from hwgen_studies.comparison import PaperRow


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayerCurve:
    """One layer with weights in one mode.

    and_operations: AND row operations by schedule; sub_arrays: that work, by schedule
    formula_sub_arrays: by the paper's formula, with two copies
    """

    layer: str
    mode: str
    and_operations: dict[str, Count]
    sub_arrays: dict[str, Count]
    formula_sub_arrays: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class EnergyCurve:
    """One image in one mode.

    schedule: `positions` (ours), `seed`, or `seed_written_back` (by the model only)
    gating: enables of the sense amplifiers
    parts_uj: energy by part; widest_ratio: energy of the widest mode over that of this one
    """

    schedule: str
    gating: str
    mode: str
    cycles: Count
    parts_uj: dict[str, float]
    total_uj: float
    widest_ratio: float


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MemoryCurve:
    """Memory of one configuration, in bytes; norms: batch norm, always 32-bit.

    image_bytes: of 32-bit elements, as the first layer need not be quantized
    accuracy_percent: null where it is not measured
    """

    bits: Count
    mode: str
    weights_bytes: Count
    maps_bytes: Count
    image_bytes: Count
    norms_bytes: Count
    total_bytes: Count
    accuracy_percent: float | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class BitsCurve:
    """One image in one width of Table IV, with weights and maps of so many bits, by the model.

    chip: `rows x columns` of its sub-arrays, and the bits of an element of its banks
    multiplications: of the image; weight_bytes: of the width alone
    published_percent: accuracy, full precision
    """

    weight_bits: Count
    map_bits: Count
    chip: str
    width: float
    multiplications: Count
    weight_bytes: Count
    cycles: Count
    energy_uj: float
    published_percent: float


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AdaptivePaperReport:
    """All figures of the paper, and ours of what its pictures draw.

    architecture, energies: the chip, and its table of energies
    clock_mhz: that energies of time count by, as `hwgen model` has it
    trainings: where measured accuracies come from
    refused_bits: what the architecture refuses of 16-bit maps, in a sentence
    """

    format: Literal["hwgen.report.paper.adaptive"]
    version: Literal[1]
    paper: str
    architecture: Source
    clock_mhz: float
    energies: Source
    trainings: list[Source]
    rows: list[PaperRow]
    layers: list[LayerCurve]
    energy: list[EnergyCurve]
    memory: list[MemoryCurve]
    bits: list[BitsCurve]
    refused_bits: str
    versions: dict[str, str]


REPORTS: dict[str, type] = {"paper_adaptive": AdaptivePaperReport}
"""By the name of the schema."""
