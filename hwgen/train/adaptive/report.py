"""`training.json` of a channel-adaptive training."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from hwgen.data import Dataset
from hwgen.files.output import write_text
from hwgen.network.file import load_network
from hwgen.train.adaptive.agreement import Agreement
from hwgen.train.adaptive.recipe import AdaptiveRecipe
from hwgen.train.adaptive.widths import WidthTable, macs
from hwgen.train.checkpoint import Epoch
from hwgen.train.plans.plan import Plan
from hwgen.train.report import circumstances


@dataclass(frozen=True, kw_only=True)
class ModeResult:
    """One mode: accuracies on the test images (0 to 1), multiplications, channels of each map.

    accuracy_float: after the last phase without integer grids
    """

    mode: str
    accuracy_float: float
    accuracy_integer: float
    macs: int
    channels: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class AdaptiveResult:
    """The modes, the files written, and the history of the epochs.

    accuracy_base: of the widest network alone, in float
    agreements: of every two modes that share their weights
    network_paths: one file with all modes, or one for each mode alone
    """

    accuracy_base: float
    modes: list[ModeResult]
    agreements: list[Agreement]
    network_paths: list[Path]
    report_path: Path
    history: list[Epoch]


def mode_result(
    plan: Plan, table: WidthTable, mode: int, *, accuracy_float: float, accuracy_integer: float
) -> ModeResult:
    """Return what is reported of a mode."""
    return ModeResult(
        mode=table.modes[mode],
        accuracy_float=accuracy_float,
        accuracy_integer=accuracy_integer,
        macs=macs(plan, table, mode),
        channels={name: counts[mode] for name, counts in table.channels.items()},
    )


def write_adaptive_report(
    result: AdaptiveResult,
    recipe: AdaptiveRecipe,
    dataset: Dataset,
    *,
    device: str,
    start_sha256: str | None,
) -> None:
    """Write accuracies of all modes, seed, split, versions, threads, effective recipe."""
    report = {
        "format": "hwgen.adaptive_training",
        "version": 2,
        "accuracy_base": result.accuracy_base,
        "modes": [asdict(mode) for mode in result.modes],
        "agreements": [asdict(each) for each in result.agreements],
        "networks": {path.name: load_network(path).digest for path in result.network_paths},
        **circumstances(recipe, dataset, device=device, start_sha256=start_sha256),
        "history": result.history,
    }
    write_text(result.report_path, json.dumps(report, indent=1) + "\n", what="report")
