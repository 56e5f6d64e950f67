"""Accuracy over sparsity, as Fig. 10: blocks alone, and blocks with at most two or one digits.

    python -m hwgen_studies.dbpim_paper.accuracy RECIPE --json FILE [--data SET] [--start FILE]

trains what FILE lacks of the grid, and writes FILE after each training: an interrupted command goes
on. The rows depend on recipe, images and code of training alone, not on a chip.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic.dataclasses import dataclass as checked

from hwgen.commands.origin import commit, machine
from hwgen.errors import HwgenError
from hwgen.files.digests import digest_of
from hwgen.files.load import EXACT, validate_spec
from hwgen.fit.digits import digits_of
from hwgen.network import Conv, Linear, QuantizedNetwork
from hwgen.network.csd import DIGITS
from hwgen.network.file import load_network
from hwgen.report.files import write_report
from hwgen.report.training_record import is_short, read_known, read_training, training_state

FORMAT: Final = "hwgen.results.dbpim_accuracy"
Method = Literal["blocks", "two digits", "one digit"]
RULES: dict[Method, tuple[str, int]] = {
    "blocks": ("int8", DIGITS),
    "two digits": ("mode", 2),
    "one digit": ("one", 1),
}
"""Rule of the recipe, and the digits of a weight that it leaves at most: of eight places."""
GRID: tuple[tuple[Method, tuple[float, ...]], ...] = (
    ("blocks", (0.0, 0.9)),
    ("two digits", (0.0, 0.6)),
    ("blocks", (0.75, 0.8, 0.85)),
    ("two digits", (0.2, 0.4)),
    ("one digit", (0.0, 0.2, 0.4, 0.6)),
)
"""Blocks that are pruned, by method; the ends of both curves first. Two digits with 0 to 60 % of
the blocks have the sparsity of 75 to 90 % of the blocks alone."""


@checked(frozen=True, kw_only=True, config=EXACT)
class AccuracyRow:
    """One training.

    recipe_digest: of all its keys; network_digest: of what it gave
    pruned: fraction of the blocks; sparsity: nominal, 1 - (1 - pruned) * digits / 8
    zero_digits: measured, of the eight signed digits of each weight that is pruned or approximated
    accuracy_pruned: in float, before the integer grid; accuracy: of the integers; both on all test
        images, as accuracy_float
    state: epochs in words; short: fewer than figures that stand need
    seconds: that the training took
    """

    recipe: str
    recipe_digest: str
    dataset: str
    model: str
    method: Method
    pruned: float
    sparsity: float
    zero_digits: float
    seed: int
    accuracy_float: float
    accuracy_pruned: float
    accuracy: float
    test_images: int
    state: str
    short: bool
    network_digest: str
    seconds: float
    commit: str
    machine: str


@checked(frozen=True, kw_only=True, config=EXACT)
class AccuracyTable:
    """All trainings of Fig. 10."""

    format: Literal["hwgen.results.dbpim_accuracy"]
    version: Literal[1]
    rows: list[AccuracyRow]


def nominal(method: Method, pruned: float) -> float:
    """Return the sparsity that a method and a fraction of pruned blocks guarantee."""
    digits = RULES[method][1]
    return 1 - (1 - pruned) * digits / DIGITS


def read_rows(path: Path) -> list[AccuracyRow]:
    """Return the trainings of a table; FormatError if the file is none."""
    content = read_known(path, FORMAT, (1,))
    return list(validate_spec(AccuracyTable, content, source=str(path)).rows)


def zero_digits(network: QuantizedNetwork) -> float:
    """Return the fraction of zero digits of the weights of std/pw-conv and FC layers."""
    found = [
        digits_of(network.parameters[layer.name].weights).ravel()
        for layer in network.layers
        if isinstance(layer, Linear) or (isinstance(layer, Conv) and layer.groups == 1)
    ]
    return float(1 - np.concatenate(found).mean() / DIGITS)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A point of the grid with its recipe."""

    method: Method
    pruned: float
    recipe: Any

    @property
    def digest(self) -> str:
        """Digest of all keys of the recipe, and of the version of training."""
        from hwgen.train.recipe import TRAINING_VERSION

        return digest_of([self.recipe.fields(), TRAINING_VERSION])


def wanted(recipe: Any, seeds: Sequence[int]) -> Iterator[Wanted]:
    """Yield the grid of a recipe: every point with the first seed, then with the next."""
    for seed in seeds:
        for method, shares in GRID:
            for share in shares:
                rule = replace(recipe.quantization, rule=RULES[method][0])
                pruning = replace(recipe.pruning, share=share)
                changed = replace(recipe, seed=seed, quantization=rule, pruning=pruning)
                yield Wanted(method=method, pruned=share, recipe=changed)


def trained(
    point: Wanted, folder: Path, data: Path | None, start: Path | None, code: str
) -> AccuracyRow:
    """Train a point, or go on with what its folder has of it; code: its commit."""
    from hwgen.train.train import train_network

    began = time.monotonic()
    out = folder / f"{point.recipe.name}-{point.digest[:16]}"
    done = train_network(point.recipe, data_path=data, start_path=start, out=out, progress=False)
    about, network = read_training(done.report_path), load_network(done.network_path)
    return AccuracyRow(
        recipe=point.recipe.name,
        recipe_digest=point.digest,
        dataset=point.recipe.dataset,
        model=point.recipe.model,
        method=point.method,
        pruned=point.pruned,
        sparsity=nominal(point.method, point.pruned),
        zero_digits=zero_digits(network),
        seed=point.recipe.seed,
        accuracy_float=done.accuracy_float,
        accuracy_pruned=done.accuracy_pruned,
        accuracy=done.accuracy_integer,
        test_images=about["test_images"],
        state=training_state(about),
        short=is_short(about),
        network_digest=network.digest,
        seconds=round(time.monotonic() - began, 1),
        commit=code,
        machine=machine(),
    )


def main(arguments: Sequence[str]) -> int:
    """Train what lacks; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="dbpim-accuracy", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--json", type=Path, required=True, help="table that goes on")
    parser.add_argument("--seeds", default="1", help="separated by commas")
    parser.add_argument("--most", type=int, default=1000, help="trainings of this call")
    parser.add_argument("--data", type=Path, help="folder of the images, unless embedded")
    parser.add_argument("--start", type=Path, help="float weights that the recipe starts from")
    parser.add_argument("--work", type=Path, default=Path("build"))
    given = parser.parse_args(arguments)
    try:
        from hwgen.train.recipe import load_recipe

        code, rows = commit() or "-", read_rows(given.json) if given.json.is_file() else []
        known = {row.recipe_digest for row in rows}
        points = wanted(load_recipe(given.recipe), [int(seed) for seed in given.seeds.split(",")])
        for point in [each for each in points if each.digest not in known][: given.most]:
            row = trained(point, given.work / "dbpim-accuracy", given.data, given.start, code)
            print(f"{row.method}, {row.pruned:.0%} of blocks, seed {row.seed}: {row.accuracy:.2%}")
            rows.append(row)
            write_report(AccuracyTable(format=FORMAT, version=1, rows=rows), given.json)
    except HwgenError as error:
        print(f"dbpim-accuracy: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
