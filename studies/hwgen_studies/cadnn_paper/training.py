"""Trained channel-adaptive networks in one table: how right, and how costly on a chip, by width.

    python -m hwgen_studies.cadnn_paper.training --arch ARCH --json FILE --out FILE FOLDER...

Each folder is what `hwgen train` left: `training.json` and the network files beside it. Accuracy is
that of the integer path on all test images. Cycles are those of one image by the cycle model, image
in and answer out included; of several chips the first counts that runs the network. With --keep the
table goes on: trainings of an earlier one stay, whose folders may be gone; without a folder the
page alone is written again.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import CompileError, FormatError, HwgenError, RefusedNodesError
from hwgen.files.output import write_text
from hwgen.mram.compiler import compile_network
from hwgen.mram.facts.arch import Arch, load_arch
from hwgen.mram.model import CycleModel, SplitCost
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network
from hwgen_studies.cadnn_paper.training_page import Row, training_page
from hwgen_studies.cadnn_paper.training_state import (
    RESULTS,
    method_of,
    read_adaptive,
    selection_of,
    state_of,
)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Cycles of one image in each mode, by the name of the mode, on a chip called `chip`."""

    chip: str
    cycles: dict[str, int]


def main(arguments: Sequence[str]) -> int:
    """Write the table of the folders named in `arguments`; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hwgen_studies.cadnn_paper.training")
    parser.add_argument("folders", nargs="*", type=Path, help="what hwgen train left")
    parser.add_argument("--arch", action="append", type=Path, required=True, help="a chip (.yaml)")
    parser.add_argument("--commit", default="", help="of the code that trained")
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument(
        "--keep", action="store_true", help="rows of other trainings in --json stay"
    )
    parser.add_argument("--out", type=Path, required=True, help="page of Markdown to write")
    chosen = parser.parse_args(arguments)
    if not (chosen.folders or chosen.keep):
        parser.error("FOLDER may be left out with --keep alone, got none")
    try:
        archs = [load_arch(path) for path in chosen.arch]
        rows = [training_row(folder, archs, chosen.commit) for folder in chosen.folders]
        if chosen.keep:
            rows = merged(stored_rows(chosen.json), rows)
        content = {"format": RESULTS, "version": 1, "rows": rows}
        write_text(chosen.json, json.dumps(content, indent=1) + "\n", what="results")
        write_text(chosen.out, training_page(rows), what="page")
    except HwgenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def stored_rows(path: Path) -> list[Row]:
    """Return the rows of an earlier table, whose trainings may be gone."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] == RESULTS:
            return list(content["rows"])
    except (OSError, ValueError, LookupError, TypeError):
        pass
    wanted = "a table of earlier trainings where --keep is on"
    raise FormatError(field="--json", allowed=wanted, given="something else", source=str(path))


def merged(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """Return all trainings, recipes in their order; of the same recipe, seed and epochs the new."""
    found = {(row["recipe"], row["seed"], row["epochs"]): row for row in [*old, *new]}
    order = {row["recipe"]: place for place, row in reversed(list(enumerate([*old, *new])))}
    return sorted(found.values(), key=lambda row: (order[row["recipe"]], row["seed"]))


def training_row(folder: Path, archs: Sequence[Arch], commit: str) -> dict[str, Any]:
    """Return the row of one training."""
    about = read_adaptive(folder / "training.json")
    recipe = about["recipe"]
    networks = [load_network(folder / name) for name in about["networks"]]
    costs = [cost_of(network, archs) for network in networks]
    cycles = {mode: each for cost in costs if cost for mode, each in cost.cycles.items()}
    return {
        "recipe": recipe["name"],
        "dataset": recipe["dataset"],
        "network": recipe["model"],
        "weights_bits": recipe["weight_bits"],
        "activation_bits": recipe["activation_bits"],
        "method": method_of(recipe),
        "selection": selection_of(recipe),
        "teacher": recipe["teacher"] and (recipe["teacher"]["model"] or "base"),
        "chip": next((cost.chip for cost in costs if cost), None),
        "widths": [
            {
                "mode": mode["mode"],
                "width": width,
                "accuracy": mode["accuracy_integer"],
                "accuracy_float": mode["accuracy_float"],
                "macs": mode["macs"],
                "cycles": cycles.get(mode["mode"]),
                "channels": mode["channels"],
            }
            for width, mode in zip(recipe["widths"], about["modes"], strict=True)
        ],
        "test_images": about["test_images"],
        "seed": about["seed"],
        "epochs": len(about["history"]),
        **asdict(state_of(about)),
        "machine": f"{about['device']}, {about['threads']} threads",
        "torch": about["versions"]["torch"],
        "commit": commit,
    }


def cost_of(network: QuantizedNetwork, archs: Sequence[Arch]) -> Cost | None:
    """Return what the modes of a network cost on the first chip that runs it; None: on none."""
    for arch in archs:
        try:
            program = compile_network(network, arch, layer_cost=SplitCost(arch))
        except (CompileError, RefusedNodesError):
            continue
        model, modes = CycleModel(program, arch), network.graph.modes
        cycles = {name: model.predict(modes=[mode]).cycles for mode, name in enumerate(modes)}
        return Cost(chip=arch.name, cycles=cycles)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
