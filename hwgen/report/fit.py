"""The report of `hwgen fit`, and its table."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass
from rich.console import Group, RenderableType

from hwgen.files.load import EXACT
from hwgen.network.pruning import WEAKEST
from hwgen.network.sparsity import PHI_LIMIT
from hwgen.report.tables import number, percent, table
from hwgen.report.types import DRAWN, Count, Fraction, Images, Source


@dataclass(frozen=True, kw_only=True, config=EXACT)
class FittedLayer:
    """A layer whose weights were moved.

    filters_above: filters with a weight of more digits before; finer_filters: those whose grid
        became finer
    zero_weights: fraction of weights that are zero now
    relative_loss: mean square of the change of the sums over that of the sums, zero points aside
    """

    name: str
    kind: str
    filters: Count
    filters_above: Count
    finer_filters: Count
    zero_weights: Fraction
    relative_loss: float


@dataclass(frozen=True, kw_only=True, config=EXACT)
class FitReport:
    """A network before and behind the fit; null: not measured.

    calibration_images: the first images, which measured; judged_images: those of the figures below
    deciding_images, budget_percent: of the rule `lowered`: images that decided how many filters get
        fewer digits, and the percent points that they may lose
    prune_rule: which blocks were set to zero: the weakest, or by a rule of that name
    filters_of_digits: filters of 0, 1, 2 and more digits, now
    architecture, cycles: of the rule `lowered` with a chip: it, and the cycles of the first judged
        image on it, before and after
    accuracy_*: fraction of the right class; top_class: fraction of the same class
    mean_difference: of an element of the answer, in its steps
    """

    format: Literal["hwgen.report.fit"]
    version: Literal[1]
    network: Source
    fitted: Source
    rule: Literal["measured", "text", "lowered"]
    phi: Count
    prune: Fraction
    prune_rule: str = WEAKEST
    seed: Count
    data: Images
    calibration_images: Count
    deciding_images: Count = 0
    budget_percent: float | None = None
    judged_images: Count
    architecture: Source | None = None
    cycles: list[Count] = Field(default_factory=list)
    filters_of_digits: list[Count] = Field(default_factory=list)
    layers: list[FittedLayer]
    accuracy_before: Fraction | None
    accuracy_after: Fraction | None
    top_class: Fraction | None
    mean_difference: float
    versions: dict[str, str]


def fit_table(report: FitReport) -> RenderableType:
    """Return the layers, and the figures of the network."""
    columns = ["layer", "kind", "filters", f"above {report.phi} digits", "finer", "zeros", "loss"]
    rows = table(columns, left=2)
    for layer in report.layers:
        rows.add_row(
            layer.name,
            layer.kind,
            number(layer.filters),
            number(layer.filters_above),
            number(layer.finer_filters),
            percent(layer.zero_weights),
            f"{100 * layer.relative_loss:.3f}%",
        )
    judged = f"{report.judged_images} images" + (
        " drawn from a seed" if report.data.name == DRAWN else ""
    )
    counts = ", ".join(
        f"{count} of {digits if digits <= PHI_LIMIT else 'more'}"
        for digits, count in enumerate(report.filters_of_digits)
        if count
    )
    lines = [f"{report.fitted.file}: filters by signed digits of a weight: {counts}"]
    if report.accuracy_before is not None and report.accuracy_after is not None:
        before, after = 100 * report.accuracy_before, 100 * report.accuracy_after
        lines.append(f"accuracy on {judged}: {before:.2f}% before, {after:.2f}% after")
    if report.top_class is not None:
        lines.append(f"same class on {judged}: {100 * report.top_class:.2f}%")
    if report.architecture is not None:
        one, other = report.cycles
        name = report.architecture.name
        lines.append(f"cycles of an image on {name}: {one:,} before, {other:,} after")
    lines.append(f"mean difference of an element of the answer: {report.mean_difference:.2f} steps")
    return Group(rows, "", *lines)
