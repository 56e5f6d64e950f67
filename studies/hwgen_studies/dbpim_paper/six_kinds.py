"""The best chip found of each of six kinds: dense, masks, signed digits and pairs, int8 and int4.

    python -m hwgen_studies.dbpim_paper.six_kinds [--points N]

searches chips for ResNet20 by the cycle model and the area table, each kind from the same sizes and
with as many chips, and prints the best one of each. Those found ship as `dbpim/best_*`, and
`area_race` makes the page that sets them beside each other.

Tests: `studies/tests/dbpim_paper/test_six_kinds.py`.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, cast

from hwgen.commands.context import Context
from hwgen.commands.families import load_architecture
from hwgen.commands.images import choose_images
from hwgen.commands.points import REFUSED, Point, Result, run_points_on
from hwgen.commands.prices import Prices
from hwgen.commands.subject import Subject, configuration_of
from hwgen.commands.sweep import changed_keys, leaves
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.axes import fitting
from hwgen.errors import HwgenError
from hwgen.files.load import validate_spec
from hwgen.jobs.executors import Executor, make_executor
from hwgen.network.file import load_network
from hwgen.report.sheet import Sheet
from hwgen.report.tables import number
from hwgen_studies.dbpim_paper.race_networks import CONFIGS

POINTS = 16
"""Chips of each kind that a search predicts."""
SQUARE_UM = 1e6
"""In a square millimetre."""
TRAINED, ONE_DIGIT, INT4 = (f"cifar10_resnet20_{each}" for each in ("50", "digits", "int4_50"))
DENSE_KEYS: Mapping[str, Any] = {
    **{f"sparsity.{name}": False for name in ("weight_bits", "weight_values", "input_bits")},
    "sparse_parts": False,
    "packed_weights": False,
}
MASKS_KEYS: Mapping[str, Any] = {"sparsity.weight_bits": False, "packed_weights": False}
FOUR_BITS: Mapping[str, Any] = {"macro.weight_bits": 4}


@dataclass(frozen=True, kw_only=True)
class KindOfChip:
    """A kind of chip. name: of the chip that ships; keys: that make it of `dbpim/paper`."""

    name: str
    what: str
    network: str
    keys: Mapping[str, Any]


KINDS = (
    KindOfChip(name="best_dense", what="dense, int8", network=TRAINED, keys=DENSE_KEYS),
    KindOfChip(
        name="best_dense4", what="dense, int4", network=INT4, keys={**DENSE_KEYS, **FOUR_BITS}
    ),
    KindOfChip(
        name="best_masks", what="int8, masks and zero planes", network=TRAINED, keys=MASKS_KEYS
    ),
    KindOfChip(
        name="best_masks4",
        what="int4, masks and zero planes",
        network=INT4,
        keys={**MASKS_KEYS, **FOUR_BITS},
    ),
    KindOfChip(name="best_digits", what="two signed digits", network=TRAINED, keys={}),
    KindOfChip(
        name="best_pairs",
        what="one signed digit, pairs",
        network=ONE_DIGIT,
        keys={"one_digit": "paired"},
    ),
)
DENSE: Mapping[str, Any] = {
    "cores": 4,
    "macros_per_core": 16,
    "macro.columns": 64,
    "macro.rows": 4,
    "tile_rows": 2,
    "buffer_bytes": 16384,
    "psum_entries": 32,
    "mask_bytes": 128,
    "simd_lanes": 8,
    "lanes_per_requantizer": 4,
    "queue_depth": 4,
    "bus_words": 8,
    "port_bits": 128,
}
SPARSE: Mapping[str, Any] = {
    "cores": 4,
    "macros_per_core": 8,
    "macro.rows": 4,
    "tile_rows": 2,
    "buffer_bytes": 16384,
    "psum_entries": 64,
    "mask_bytes": 128,
    "simd_lanes": 8,
    "lanes_per_requantizer": 2,
    "queue_depth": 4,
    "bus_words": 8,
    "port_bits": 128,
}
STARTS: tuple[Mapping[str, Any], ...] = (
    SPARSE,
    DENSE,
    {**DENSE, "macros_per_core": 8, "psum_entries": 64},
)
"""Sizes with which every kind begins: the best ones of earlier searches, sparse and dense."""
NEAR: tuple[Mapping[str, Sequence[int]], ...] = (
    {"macro.rows": (4, 8), "tile_rows": (2, 4)},
    {"simd_lanes": (8, 16)},
    {"macro.columns": (16, 32, 64)},
    {"macros_per_core": (8, 16)},
    {"cores": (2, 4, 8)},
    {"macro.compartments": (8, 16, 32)},
    {"lanes_per_requantizer": (2, 4, 8)},
    {"psum_entries": (32, 64)},
    {"bus_words": (4, 8)},
    {"queue_depth": (4, 8)},
    {"switch_rate": (4, 8, 16)},
    {"port_bits": (64, 128)},
)
"""What a search varies around the best chip, in this order; keys of one entry go together."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A chip, with ResNet20 on it, one image: cycles by the model, mm2 by the table of 45 nm."""

    kind: KindOfChip
    arch: Arch
    cycles: int
    area_mm2: float

    @property
    def product(self) -> float:
        """Thousands of cycles times mm2."""
        return self.cycles * self.area_mm2 / 1000


def network_file(name: str) -> Path:
    """Return the file of a network that ships."""
    return CONFIGS / "networks" / f"{name}.npz"


class Measured:
    """Predicts chips of one kind, each once. file: of another network than the kind's."""

    def __init__(
        self,
        context: Context,
        kind: KindOfChip,
        executor: Executor,
        *,
        file: Path | None = None,
    ) -> None:
        self.context, self.kind, self._executor = context, kind, executor
        family, arch = load_architecture(Path("dbpim/paper"))
        self._base = changed_keys(configuration_of(arch), kind.keys)
        file = file or network_file(kind.network)
        network = load_network(file)
        self._subject = Subject(
            network=network,
            network_file=file,
            family=family,
            arch=arch,
            arch_file=CONFIGS / "dbpim" / "paper.yaml",
        )
        self._batch = choose_images(network, None, 1)
        self._prices = Prices(family)

    def arch(self, sizes: Mapping[str, Any]) -> Arch:
        """Return the chip of the kind whose sizes are nearest to these."""
        content = fitting(changed_keys(self._base, sizes)) | {"name": self.kind.name}
        return validate_spec(Arch, content, source=self.kind.name)

    def of(self, file: Path) -> Self:
        """Return what predicts chips of the kind for another network."""
        return type(self)(self.context, self.kind, self._executor, file=file)

    def predicted(self, arch: Arch) -> Result:
        """Return what the model says of a chip: one image."""
        point = Point(subject=replace(self._subject, arch=arch), batch=self._batch)
        (result,) = run_points_on(self._executor, self.context, [point])
        return result

    def found(self, arch: Arch) -> Found | None:
        """Return cycles and area of a chip; None if it does not run the network."""
        result = self.predicted(arch)
        if REFUSED in result:
            return None
        area = sum(self._prices.area_um2(arch).values()) / SQUARE_UM
        return Found(kind=self.kind, arch=arch, cycles=result["cycles"], area_mm2=area)

    def search(self, points: int) -> Found:
        """Return the chip of least cycles times area: of the starts, and of steps around it."""
        seen: set[str] = set()
        best: Found | None = None
        while len(seen) < points:
            fresh = (each for each in self._near(best) if each.digest not in seen)
            arch = next(fresh, None)
            if arch is None:
                break
            seen.add(arch.digest)
            found = self.found(arch)
            if found and (best is None or found.product < best.product):
                best = found
        if best is None:
            raise HwgenError(f"no chip of {points} runs {self.kind.network}")
        return best

    def _near(self, best: Found | None) -> Iterator[Arch]:
        """Yield the starts, then chips that differ from the best one in the keys of one entry."""
        yield from map(self.arch, STARTS)
        if best is None:
            return
        sizes = leaves(configuration_of(best.arch))
        for near in NEAR:
            for values in zip(*near.values(), strict=True):
                try:
                    yield self.arch({**sizes, **dict(zip(near, values, strict=True))})
                except HwgenError:
                    continue  # two sizes that no chip has together


def shipped(context: Context, kind: KindOfChip, executor: Executor) -> Found:
    """Return the chip of a kind that ships."""
    _, arch = load_architecture(Path("dbpim") / kind.name)
    found = Measured(context, kind, executor).found(cast(Arch, arch))
    if found is None:
        raise HwgenError(f"{kind.name} does not run {kind.network}")
    return found


def table_lines(found: Sequence[Found]) -> Iterator[str]:
    """Yield a row a chip; per area: cycles times area of the first one over its own."""
    rows = [
        [
            f"`{each.arch.name}`",
            each.kind.what,
            number(each.cycles),
            f"{each.area_mm2:.3f}",
            f"{each.product:.1f}",
            f"{found[0].product / each.product:.2f}",
        ]
        for each in found
    ]
    heads = ["chip", "weights", "cycles", "mm2", "kilocycles x mm2", "per area"]
    yield from Sheet(heads, rows).markdown()


def searched_lines(context: Context, points: int) -> Iterator[str]:
    """Yield the sizes of the best chip of each kind, then the table of all."""
    found = []
    with make_executor(1) as executor:
        for kind in KINDS:
            found.append(Measured(context, kind, executor).search(points))
            yield f"{kind.name}: {leaves(configuration_of(found[-1].arch))}"
    yield from table_lines(found)


def main(arguments: Sequence[str]) -> int:
    """Search and print; return the exit code."""
    parser = argparse.ArgumentParser("dbpim-six-kinds", description=__doc__)
    parser.add_argument("--points", type=int, default=POINTS, help="chips of each kind to predict")
    for line in searched_lines(Context(console=None), parser.parse_args(arguments).points):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
